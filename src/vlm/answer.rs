//! `tandem vlm answer`: answers to files of requests, many at once.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Request, Sampling};

use super::requests::{Asked, read};
use super::{Speaker, Spoken, corpus};
use crate::outcome::Outcome;

/// Answer a file of requests, many at once, and write them down with their answers.
///
/// A line of the file is a JSON object with `messages` (each `role` and `content`), `prompt` as text with the model's
/// markup, or `prompt_ids`. It is written again with `prompt_ids`, `answer_ids` and `answer`, as `tandem vlm corpus build`
/// and `tandem vlm bench` read it.
#[derive(clap::Args)]
pub struct Args {
    /// Requests, a JSON object a line.
    file: PathBuf,
    /// Where the answers go.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    spoken: Spoken,
    /// A corpus to draft from, which is written back with the answers in it; one that is not there is begun.
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 256)]
    most: usize,
    /// How free the choice of words is; 0 always takes the likeliest.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// For what is random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, template, .. } = Speaker::open(&args.spoken)?;
    let requests = read(&args.file, &tokenizer, template.as_ref())?;
    let curve = Curve::measure(&model);
    let limits = Limits { waiting: requests.len(), ..Limits::default() };
    let heard = corpus::open(args.corpus.as_deref(), &tokenizer)?;
    let mut engine = Engine::new(model, Signs::of(&tokenizer), curve, limits).with_corpus(heard)?;
    let mut numbers = HashMap::new();
    for (number, Asked { prompt, .. }) in requests.iter().enumerate() {
        let id = engine.submit(Request {
            prompt: prompt.clone(),
            session: None,
            most: args.most,
            sampling: Sampling { temperature: args.temperature, seed: args.seed, ..Sampling::GREEDY },
            ends: tokenizer.ends().to_vec(),
            grammar: None,
            priority: 0,
        })?;
        numbers.insert(id, number);
    }
    let bar = ProgressBar::new(requests.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} answers {eta}")?);
    let start = Instant::now();
    let mut answers = vec![Vec::new(); requests.len()];
    while !engine.is_idle() {
        for event in engine.step() {
            if let Some(number) = numbers.get(&event.id) {
                answers[*number].extend(event.tokens);
            }
            bar.inc(u64::from(event.end.is_some()));
        }
    }
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    let tokens: usize = answers.iter().map(Vec::len).sum();
    let count = requests.len();
    let mut text = Vec::new();
    for (Asked { mut line, prompt, .. }, answer) in requests.into_iter().zip(answers) {
        line.insert("prompt_ids".to_owned(), json!(prompt));
        line.insert("answer".to_owned(), json!(tokenizer.decode(&answer)));
        line.insert("answer_ids".to_owned(), json!(answer));
        writeln!(text, "{}", Value::Object(line))?;
    }
    std::fs::write(&args.out, text).map_err(|source| tandem_vlm::Error::Io { path: args.out.clone(), source })?;
    corpus::save(args.corpus.as_deref(), engine.corpus(), &tokenizer)?;
    if args.json {
        println!("{}", json!({ "answers": count, "tokens": tokens, "seconds": seconds }));
    } else {
        println!("{count} answers, {tokens} tokens, {:.0} a second", tokens as f64 / seconds);
    }
    Ok(Outcome::Done)
}
