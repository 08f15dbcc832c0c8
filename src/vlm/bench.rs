//! `tandem vlm bench`: how many tokens a step drafts bring, and how fast the model reads and speaks with them.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tandem_vlm::draft::baselines::{Lookup, Oracle, Suffix, Trie};
use tandem_vlm::draft::source::{Alone, Source, tokens_a_step};
use tandem_vlm::draft::{Corpus, Drafter, Signs};
use tandem_vlm::engine::{Curve, Engine, Limits, Request, Sampling};
use tandem_vlm::text::{Special, Tokenizer};

use super::Speaker;
use crate::drive::Usage;
use crate::outcome::Outcome;
use crate::table::table;

/// Measure drafts on requests in files, and the model's speed with and without them.
///
/// A file has a JSON object a line: `prompt` and `answer` as text with markup, or `prompt_ids` and `answer_ids`.
#[derive(clap::Args)]
pub struct Args {
    /// Files of requests.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A model in GGUF; without, SmolLM2-135M-Instruct, which is fetched if it is not here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Drafted tokens a step.
    #[arg(long, value_delimiter = ',', default_value = "8,16,32")]
    budgets: Vec<usize>,
    /// Requests of a file that the model answers, for its speed; 0 for none.
    #[arg(long, default_value_t = 12)]
    requests: usize,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 160)]
    most: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Requests that are heard but not counted: what the drafts are made from.
const WARM_UP: usize = 5;

/// A request with what was answered.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Ids { prompt_ids: Vec<u32>, answer_ids: Vec<u32> },
    Text { prompt: String, answer: String },
}

impl Line {
    fn tokens(self, tokenizer: &Tokenizer) -> (Vec<u32>, Vec<u32>) {
        match self {
            Self::Ids { prompt_ids, answer_ids } => (prompt_ids, answer_ids),
            Self::Text { prompt, answer } => {
                (tokenizer.encode(&prompt, Special::Markup), tokenizer.encode(&answer, Special::Markup))
            }
        }
    }
}

/// What drafts bring.
#[derive(Serialize)]
struct Drafts {
    file: String,
    drafter: String,
    tokens_a_step: Vec<f64>,
}

/// How fast the model is.
#[derive(Serialize)]
struct Speed {
    file: String,
    draft: usize,
    read_tokens_a_second: f64,
    said_tokens_a_second: f64,
    tokens_a_step: f64,
    same_as_without: bool,
}

/// A way to draft.
type Make<'a> = Box<dyn Fn() -> Box<dyn Source> + 'a>;

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, .. } = Speaker::open(args.model.as_deref())?;
    let signs = Signs::of(&tokenizer);
    let (mut drafts, mut speeds) = (Vec::new(), Vec::new());
    let curve = Curve::measure(&model);
    for path in &args.files {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let requests = requests(path, &tokenizer)?;
        let ours =
            || Box::new(Alone { drafter: Drafter::new(signs.clone()), corpus: Corpus::new(0) }) as Box<dyn Source>;
        let makes: [(&str, Make<'_>); 8] = [
            ("ours", Box::new(ours)),
            ("Ant's trie", Box::new(|| Box::new(Trie::new(32)))),
            ("suffix tree, factor 4", Box::new(|| Box::new(Suffix::new(4.0)))),
            ("suffix tree, factor 1", Box::new(|| Box::new(Suffix::new(1.0)))),
            ("prompt lookup, 3-gram", Box::new(|| Box::new(Lookup::prompt(3)))),
            ("ngram-simple, n = 12", Box::new(|| Box::new(Lookup::simple(12)))),
            ("copy oracle, 2-gram", Box::new(|| Box::new(Oracle::new(2)))),
            ("copy oracle, 1-gram", Box::new(|| Box::new(Oracle::new(1)))),
        ];
        for (drafter, make) in makes {
            let measure = |budget: &usize| tokens_a_step(&mut *make(), &requests, *budget, WARM_UP);
            let tokens_a_step = args.budgets.iter().map(measure).collect();
            drafts.push(Drafts { file: file.clone(), drafter: drafter.to_owned(), tokens_a_step });
        }
        let asked = &requests[..requests.len().min(args.requests)];
        if asked.is_empty() {
            continue;
        }
        let mut plain = Vec::new();
        for draft in std::iter::once(0).chain(args.budgets.iter().copied()) {
            let limits = Limits { running: 1, draft, ..Limits::default() };
            let mut engine = Engine::new(model.clone(), signs.clone(), curve.clone(), limits);
            let (said, mut speed) = speak(&mut engine, asked, args.most, tokenizer.ends())?;
            if draft == 0 {
                plain.clone_from(&said);
            }
            (speed.file, speed.draft, speed.same_as_without) = (file.clone(), draft, said == plain);
            speeds.push(speed);
        }
    }
    if args.json {
        println!("{}", serde_json::json!({ "drafts": drafts, "speeds": speeds }));
        return Ok(Outcome::Done);
    }
    let budgets: Vec<String> = args.budgets.iter().map(|budget| format!("{budget} drafted")).collect();
    let heads: Vec<&str> =
        ["requests", "tokens a step by"].into_iter().chain(budgets.iter().map(String::as_str)).collect();
    let mut rows = table(&heads, 2);
    for Drafts { file, drafter, tokens_a_step } in drafts {
        rows.add_row([file, drafter].into_iter().chain(tokens_a_step.iter().map(|tokens| format!("{tokens:.2}"))));
    }
    println!("{rows}");
    let mut rows =
        table(&["requests", "drafted at most", "read tok/s", "said tok/s", "tokens a step", "same tokens"], 1);
    for speed in speeds {
        rows.add_row([
            speed.file,
            speed.draft.to_string(),
            format!("{:.0}", speed.read_tokens_a_second),
            format!("{:.0}", speed.said_tokens_a_second),
            format!("{:.2}", speed.tokens_a_step),
            if speed.same_as_without { "yes" } else { "no" }.to_owned(),
        ]);
    }
    println!("{rows}");
    Ok(Outcome::Done)
}

fn requests(path: &Path, tokenizer: &Tokenizer) -> anyhow::Result<Vec<(Vec<u32>, Vec<u32>)>> {
    let text = read_to_string(path).map_err(|source| tandem_vlm::Error::Io { path: path.into(), source })?;
    let lines = text.lines().zip(1..).map(|(text, line)| {
        let wrong = |reason: String| Usage::Request { path: path.into(), line, reason };
        let (prompt, answer) =
            serde_json::from_str::<Line>(text).map_err(|error| wrong(error.to_string()))?.tokens(tokenizer);
        if prompt.is_empty() || answer.is_empty() {
            return Err(wrong("prompt and answer must not be empty".to_owned()).into());
        }
        Ok((prompt, answer))
    });
    lines.collect()
}

/// Answers requests one after the other, as those of one session.
fn speak(
    engine: &mut Engine,
    requests: &[(Vec<u32>, Vec<u32>)],
    most: usize,
    ends: &[u32],
) -> anyhow::Result<(Vec<Vec<u32>>, Speed)> {
    let (mut reading, mut saying) = (Duration::ZERO, Duration::ZERO);
    let (mut read, mut said, mut steps) = (0, 0, 0);
    let mut answers = Vec::new();
    for (prompt, _) in requests {
        engine.submit(Request {
            prompt: prompt.clone(),
            session: Some("bench".to_owned()),
            most,
            sampling: Sampling::GREEDY,
            ends: ends.to_vec(),
            grammar: None,
            priority: 0,
        })?;
        let mut answer = Vec::new();
        while !engine.is_idle() {
            let start = Instant::now();
            let events = engine.step();
            let took = start.elapsed();
            // The first token comes out of reading the prompt.
            match events.first() {
                Some(event) if event.usage.steps > 1 => {
                    saying += took;
                    said += event.tokens.len();
                    steps += 1;
                }
                _ => reading += took,
            }
            for event in events {
                read += if event.usage.steps == 1 { event.usage.prompt - event.usage.cached } else { 0 };
                answer.extend(event.tokens);
            }
        }
        answers.push(answer);
    }
    let speed = Speed {
        file: String::new(),
        draft: 0,
        read_tokens_a_second: f64::from(read as u32) / reading.as_secs_f64(),
        said_tokens_a_second: f64::from(said as u32) / saying.as_secs_f64(),
        tokens_a_step: f64::from(said as u32) / f64::from(steps.max(1)),
        same_as_without: true,
    };
    Ok((answers, speed))
}
