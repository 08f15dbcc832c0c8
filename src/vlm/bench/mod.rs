//! `tandem vlm bench`: how many tokens a step drafts bring, and how fast the model reads and speaks with them.

mod drafts;
mod peer;
mod speed;

use std::path::PathBuf;

use tandem_vlm::draft::{Corpus, Signs};
use tandem_vlm::engine::{Curve, Limits, Request, Sampling};

use self::drafts::{Drafts, FIRST};
use self::peer::Answerer;
use self::speed::Speed;
use super::requests::{Answered, Form, answered};
use super::{Speaker, Spoken, judgments, located};
use crate::outcome::Outcome;
use crate::table::table;

/// Measure drafts on requests in files, and the model's speed with and without them.
///
/// A file has a JSON object a line: `prompt` and `answer` as text with markup, `prompt_ids` and `answer_ids`, or
/// `messages` in place of a prompt; with `"form": "judgment"` the model's answer has to obey the grammar of judgments.
#[derive(clap::Args)]
pub struct Args {
    /// Files of requests.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    spoken: Spoken,
    /// A corpus that all drafters but those that look at the prompt alone have heard before.
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Drafted tokens a step.
    #[arg(long, value_delimiter = ',', default_value = "8,16,32")]
    budgets: Vec<usize>,
    /// Requests of a file that the model answers, for its speed; 0 for none.
    #[arg(long, default_value_t = 12)]
    requests: usize,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 160)]
    most: usize,
    /// Another engine that answers the same requests in turn, for its speed: a command that reads and writes JSON lines,
    /// such as `python vlm/benches/llama_cpp_peer.py`.
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// Tokens a step that the peer drafts by prompt lookup, beside answering without.
    #[arg(long, default_value_t = 4)]
    peer_lookup: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, template, .. } = Speaker::open(&args.spoken)?;
    let signs = Signs::of(&tokenizer);
    let room = Limits::default().corpus;
    let heard = args.corpus.as_deref().map(|path| Corpus::open(path, tokenizer.vocabulary_id(), room)).transpose()?;
    let heard = heard.unwrap_or_else(|| Corpus::new(room));
    let curve = Curve::measure(&model);
    let (mut drafts, mut speeds) = (Vec::new(), Vec::new());
    let model_path = located(args.spoken.model.as_deref())?;
    let mut peers = args.peer.as_deref().map_or_else(
        || Ok(Vec::new()),
        |command| {
            [0, args.peer_lookup]
                .into_iter()
                .map(|lookup| Answerer::start(command, &model_path, lookup))
                .collect::<anyhow::Result<Vec<_>>>()
        },
    )?;
    for path in &args.files {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let answered = answered(path, &tokenizer, template.as_ref())?;
        let pairs: Vec<_> = answered.iter().map(|request| (request.prompt.clone(), request.answer.clone())).collect();
        drafts.extend(drafts::measure(&file, &pairs, &args.budgets, &signs, &heard));
        let has_form = answered.iter().any(|request| request.form.is_some());
        let grammar = has_form.then(|| judgments(&tokenizer)).transpose()?;
        let asked = answered.into_iter().take(args.requests).map(|Answered { prompt, form, .. }| Request {
            prompt,
            session: Some("bench".to_owned()),
            most: args.most,
            sampling: Sampling::GREEDY,
            ends: tokenizer.ends().to_vec(),
            grammar: form.and_then(|Form::Judgment| grammar.clone()),
            priority: 0,
        });
        let asked: Vec<Request> = asked.collect();
        if !asked.is_empty() {
            speeds.extend(speed::measure(&file, &model, (&signs, &curve, &heard), &asked, &args.budgets, &mut peers)?);
        }
    }
    if args.json {
        println!("{}", serde_json::json!({ "drafts": drafts, "speeds": speeds }));
        return Ok(Outcome::Done);
    }
    print(&args.budgets, drafts, speeds);
    Ok(Outcome::Done)
}

fn print(budgets: &[usize], drafts: Vec<Drafts>, speeds: Vec<Speed>) {
    let heads = |answers: &str| budgets.iter().map(|budget| format!("{answers}: {budget} drafted")).collect::<Vec<_>>();
    let heads = [heads(&format!("first {FIRST}")), heads("later")].concat();
    let heads: Vec<&str> =
        ["requests", "tokens a step by"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let mut rows = table(&heads, 2);
    for Drafts { file, drafter, tokens_a_step_at_first, tokens_a_step } in drafts {
        let tokens = tokens_a_step_at_first.into_iter().chain(tokens_a_step).map(|tokens| format!("{tokens:.2}"));
        rows.add_row([file, drafter].into_iter().chain(tokens));
    }
    println!("{rows}");
    if speeds.is_empty() {
        return;
    }
    let heads = ["requests", "answered by", "read tok/s", "said tok/s", "times", "tokens a step", "same", "parted by"];
    let mut rows = table(&heads, 1);
    for speed in speeds {
        rows.add_row([
            speed.file,
            speed.speaker,
            format!("{:.0}", speed.read_tokens_a_second),
            format!("{:.0}", speed.said_tokens_a_second),
            format!("{:.2}", speed.times_as_fast),
            format!("{:.2}", speed.tokens_a_step),
            format!("{} of {}", speed.same_answers, speed.requests),
            speed.parted_by.map_or_else(String::new, |logits| format!("{logits:.3}")),
        ]);
    }
    println!("{rows}");
}
