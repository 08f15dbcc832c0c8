//! `tandem vlm check`: whether drafts, company or a full cache ever change a token of an answer.

mod asked;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::company::{Company, Said, alone, together};
use tandem_vlm::engine::{Curve, Engine, Limits, Request};
use tandem_vlm::kernel::PAGE;
use tandem_vlm::model::Model;

use super::{Speaker, Spoken};
use crate::outcome::Outcome;
use crate::table::table;

/// A share of the requests is to be cancelled.
const CANCELS: f64 = 0.2;

/// Hold answers with drafts, in company, against those of plain decoding, token for token.
///
/// Requests are those of the files and, up to their number, questions about staged worlds; every second of these has to
/// obey the grammar of judgments. Every fourth answer is sampled with a seed. Each is given once alone without drafts, and
/// then with every limit of drafted tokens: requests come at random with random priorities, some are cancelled, and every
/// second part of them has a cache that is too small for all at once. Fails if a token is another one.
#[derive(clap::Args)]
pub struct Args {
    /// Files of requests, as `tandem vlm bench` has them.
    files: Vec<PathBuf>,
    #[command(flatten)]
    spoken: Spoken,
    /// Requests in all.
    #[arg(long, default_value_t = 1000)]
    requests: usize,
    /// Drafted tokens a step at most: with each of these all requests are answered.
    #[arg(long, value_delimiter = ',', default_value = "0,1,4,8,16,32,63")]
    drafts: Vec<usize>,
    /// Requests answered at a time: with each of these a part of the requests.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8,16,32")]
    running: Vec<usize>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 24)]
    most: usize,
    /// For what is random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What came of all requests with one limit of drafted tokens.
#[derive(Default, Serialize)]
struct Row {
    draft: usize,
    answered: usize,
    cancelled: usize,
    /// How often a request gave its pages back and read again.
    preempted: usize,
    tokens: usize,
    steps: usize,
    drafted: usize,
    /// Drafted tokens that were said.
    accepted: usize,
    /// Tokens that were not those of plain decoding.
    differing: usize,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let speaker = Speaker::open(&args.spoken)?;
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let requests = asked::requests(&speaker, &args.files, (args.requests, args.most), &mut random)?;
    let signs = Signs::of(&speaker.tokenizer);
    let count = requests.len() * (1 + args.drafts.len());
    let bar =
        ProgressBar::new(count as u64).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} answers {eta}")?);
    bar.enable_steady_tick(Duration::from_secs(1));

    let limits = Limits { running: 1, draft: 0, ..Limits::default() };
    let mut plain = engine(&speaker.model, &signs, limits);
    let mut wanted = Vec::with_capacity(requests.len());
    for request in &requests {
        wanted.push(alone(&mut plain, request)?);
        bar.inc(1);
    }
    drop(plain);

    let mut rows = Vec::new();
    for (turn, draft) in args.drafts.iter().copied().enumerate() {
        let mut row = Row { draft, ..Row::default() };
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.shuffle(&mut random);
        let size = order.len().div_ceil(args.running.len().max(1)).max(1);
        for (part, (numbers, running)) in order.chunks(size).zip(&args.running).enumerate() {
            let asked: Vec<Request> = numbers.iter().map(|number| requests[*number].clone()).collect();
            let longest = asked.iter().map(|request| request.prompt.len() + request.most).max().unwrap_or(0);
            let is_small = (turn + part) % 2 == 1;
            let pages = if is_small { longest.div_ceil(PAGE) } else { Limits::default().pages };
            let chunk = if is_small { 50 } else { Limits::default().chunk };
            let limits = Limits { pages, running: *running, chunk, draft, waiting: requests.len(), ..limits };
            let mut engine = engine(&speaker.model, &signs, limits);
            let Company { said, preempted } = together(&mut engine, &asked, CANCELS, &mut random)?;
            row.preempted += preempted;
            for (number, said) in numbers.iter().zip(&said) {
                if let differing @ 1.. = row.add(said, &wanted[*number]) {
                    let what = format!("request {number}, {draft} drafted at most, {running} at a time");
                    bar.suspend(|| eprintln!("{what}: {differing} tokens differ"));
                }
            }
            bar.inc(numbers.len() as u64);
        }
        rows.push(row);
    }
    bar.finish_and_clear();
    let differing: usize = rows.iter().map(|row| row.differing).sum();
    if args.json {
        println!("{}", serde_json::json!({ "requests": requests.len(), "rows": rows, "differing": differing }));
    } else {
        print(&rows);
    }
    Ok(if differing == 0 { Outcome::Done } else { Outcome::Failed })
}

/// An engine for which most drafts pay, whatever the machine: a token costs a fiftieth of a pass.
fn engine(model: &Model, signs: &Signs, limits: Limits) -> Engine {
    Engine::new(model.clone(), signs.clone(), Curve::new([(1, 1.0), (51, 2.0)]), limits)
}

impl Row {
    /// Counts an answer; how many of its tokens differ.
    fn add(&mut self, said: &Said, wanted: &Said) -> usize {
        let differing = said.differing(wanted);
        self.answered += usize::from(said.end.is_some());
        self.cancelled += usize::from(said.end.is_none());
        self.tokens += said.tokens.len();
        self.steps += said.usage.steps;
        self.drafted += said.usage.drafted;
        self.accepted += said.usage.accepted;
        self.differing += differing;
        differing
    }
}

fn print(rows: &[Row]) {
    let heads = [
        "drafted at most",
        "answered",
        "cancelled",
        "read again",
        "tokens",
        "drafted",
        "of these said",
        "tokens a step",
        "other tokens",
    ];
    let mut shown = table(&heads, 0);
    for row in rows {
        let Row { draft, answered, cancelled, preempted, tokens, steps, drafted, accepted, differing } = row;
        let counts = [draft, answered, cancelled, preempted, tokens, drafted, accepted].map(ToString::to_string);
        let rate = format!("{:.2}", *tokens as f64 / (*steps).max(1) as f64);
        shown.add_row(counts.into_iter().chain([rate, differing.to_string()]));
    }
    println!("{shown}");
}
