//! `tandem vlm corpus`: files of what has been said, which drafts are made from.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use tandem_vlm::draft::{Corpus, file};
use tandem_vlm::engine::Limits;
use tandem_vlm::text::Tokenizer;

use super::{requests, words};
use crate::outcome::Outcome;
use crate::table::table;

#[derive(Subcommand)]
pub enum Command {
    Build(Build),
    Merge(Merge),
    Stats(Stats),
}

/// Make a corpus out of files of requests with their answers; a later line is newer.
#[derive(clap::Args)]
pub struct Build {
    /// Where the corpus goes.
    out: PathBuf,
    /// Files with a JSON object a line: `answer` or `answer_ids`, and `prompt`, `prompt_ids` or `messages`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A model in GGUF whose tokens it is made of; without, SmolLM2-135M-Instruct, which is fetched if it is not here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    room: Room,
}

/// Put corpora together, of other vehicles for example.
///
/// Texts behind which equally many stand in their file stand together, in the order of the files: the newest of each last.
/// What several have is there once, where it is newest.
#[derive(clap::Args)]
pub struct Merge {
    /// Where the corpus goes.
    out: PathBuf,
    /// Corpora.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    room: Room,
}

/// Say what is in a corpus, and how much of it the rest foretells.
#[derive(clap::Args)]
pub struct Stats {
    /// The corpus.
    file: PathBuf,
    /// A model in GGUF of its vocabulary: says what the oldest and the newest text are.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Room {
    /// The most tokens; the oldest texts make room.
    #[arg(long, value_name = "TOKENS", default_value_t = Limits::default().corpus)]
    room: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is in a corpus.
#[derive(Serialize)]
struct Report {
    texts: usize,
    tokens: usize,
    distinct_tokens: usize,
    file_bytes: u64,
    memory_bytes: usize,
    memory_bytes_a_token: f64,
    /// The share of answers' tokens that the rest of the corpus takes for the likeliest.
    foretold: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Build(args) => build(args),
        Command::Merge(args) => merge(args),
        Command::Stats(args) => stats(args),
    }
}

/// What a command drafts from: the corpus of a file, or an empty one where none is named or there yet.
pub fn open(path: Option<&Path>, tokenizer: &Tokenizer) -> anyhow::Result<Corpus> {
    let room = Limits::default().corpus;
    let there = path.filter(|path| path.exists());
    Ok(there.map_or_else(|| Ok(Corpus::new(room)), |path| Corpus::open(path, tokenizer.vocabulary_id(), room))?)
}

/// Keeps what a command has heard, if it has a file to keep it in.
pub fn save(path: Option<&Path>, corpus: &Corpus, tokenizer: &Tokenizer) -> anyhow::Result<()> {
    Ok(path.map_or(Ok(()), |path| corpus.save(path, tokenizer.vocabulary_id()))?)
}

fn build(args: &Build) -> anyhow::Result<Outcome> {
    let (_, tokenizer, template) = words(args.model.as_deref())?;
    let mut corpus = Corpus::new(args.room.room);
    for path in &args.files {
        let answered = requests::answered(path, &tokenizer, template.as_ref())?;
        answered.iter().for_each(|request| corpus.add(&request.prompt, &request.answer));
    }
    corpus.save(&args.out, tokenizer.vocabulary_id())?;
    made(&corpus, args.room.json)
}

fn merge(args: &Merge) -> anyhow::Result<Outcome> {
    let mut vocabulary = None;
    let mut parts = Vec::new();
    for path in &args.files {
        let (of, texts) = file::read(path)?;
        file::check(path, of, *vocabulary.get_or_insert(of))?;
        parts.push(texts);
    }
    let corpus = Corpus::merged(&parts, args.room.room);
    corpus.save(&args.out, vocabulary.context("nothing to merge")?)?;
    made(&corpus, args.room.json)
}

fn made(corpus: &Corpus, json: bool) -> anyhow::Result<Outcome> {
    let (texts, tokens) = (corpus.texts().len(), corpus.tokens());
    if json {
        println!("{}", serde_json::json!({ "texts": texts, "tokens": tokens }));
    } else {
        println!("{texts} texts, {tokens} tokens");
    }
    Ok(Outcome::Done)
}

fn stats(args: &Stats) -> anyhow::Result<Outcome> {
    let (vocabulary, texts) = file::read(&args.file)?;
    let corpus = Corpus::merged(&[texts], usize::MAX);
    let tokenizer = args.model.as_deref().map(|path| words(Some(path))).transpose()?.map(|(_, tokenizer, _)| tokenizer);
    if let Some(tokenizer) = &tokenizer {
        file::check(&args.file, vocabulary, tokenizer.vocabulary_id())?;
    }
    let text = |ids: Option<&[u32]>| Some(tokenizer.as_ref()?.decode(ids?));
    let tokens = corpus.tokens();
    let report = Report {
        texts: corpus.texts().len(),
        tokens,
        distinct_tokens: corpus.texts().flatten().collect::<std::collections::HashSet<_>>().len(),
        file_bytes: std::fs::metadata(&args.file)
            .map_err(|source| tandem_vlm::Error::Io { path: args.file.clone(), source })?
            .len(),
        memory_bytes: corpus.memory_bytes(),
        memory_bytes_a_token: corpus.memory_bytes() as f64 / tokens.max(1) as f64,
        foretold: corpus.foretold(),
        oldest: text(corpus.texts().next()),
        newest: text(corpus.texts().last()),
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(Outcome::Done);
    }
    let mut rows = table(&["texts", "tokens", "distinct", "file", "memory a token", "foretold by the rest"], 0);
    rows.add_row([
        report.texts.to_string(),
        report.tokens.to_string(),
        report.distinct_tokens.to_string(),
        format!("{} bytes", report.file_bytes),
        format!("{:.0} bytes", report.memory_bytes_a_token),
        format!("{:.1} %", 100.0 * report.foretold),
    ]);
    println!("{rows}");
    for (name, text) in [("oldest", report.oldest), ("newest", report.newest)] {
        text.into_iter().for_each(|text| println!("{name}: {text:?}"));
    }
    Ok(Outcome::Done)
}
