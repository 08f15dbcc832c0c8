//! `tandem vlm perplexity`: how well the model foretells a text.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use tandem_vlm::perplexity::{Foreteller, Perplexity, scored_from, windows};
use tandem_vlm::text::Special;

use super::peer::Peer;
use super::{Speaker, Spoken, located};
use crate::drive::Usage;
use crate::outcome::Outcome;

/// Measure how well the language model foretells a text, as llama.cpp's tool does: the second half of every window.
#[derive(clap::Args)]
pub struct Args {
    /// A text.
    text: PathBuf,
    #[command(flatten)]
    spoken: Spoken,
    /// Tokens of a window.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(4..))]
    context: u32,
    /// The most windows that are read.
    #[arg(long)]
    windows: Option<usize>,
    /// Read the model's markup in the text as markup.
    #[arg(long)]
    markup: bool,
    /// Another engine that foretells the same windows: a command that reads and writes JSON lines, such as
    /// `python vlm/benches/llama_cpp_peer.py`.
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a peer is asked.
#[derive(Serialize)]
struct Question<'a> {
    model: &'a Path,
    window: &'a [u32],
    from: usize,
}

/// What it answers.
#[derive(Deserialize)]
struct Reply {
    nats: Vec<f64>,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, .. } = Speaker::open(&args.spoken)?;
    let mut peer = args.peer.as_deref().map(Peer::start).transpose()?;
    let path = located(args.spoken.model.as_deref())?;
    let text = read_to_string(&args.text);
    let text = text.map_err(|source| tandem_vlm::Error::Io { path: args.text.clone(), source })?;
    let mut tokens = tokenizer.encode(&text, if args.markup { Special::Markup } else { Special::Text });
    let begin = tokenizer.adds_bos().then(|| tokenizer.bos()).flatten();
    tokens.splice(0..0, begin);
    let context = args.context as usize;
    let mut foreteller = Foreteller::new(&model, context);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let all = windows(&tokens, context, begin);
    let count = all.len().min(args.windows.unwrap_or(usize::MAX));
    let bar = ProgressBar::new(count as u64).with_message("windows");
    for window in all.take(count) {
        ours.extend(foreteller.nats(&window));
        if let Some(peer) = &mut peer {
            let question = Question { model: &path, window: &window, from: scored_from(context) };
            theirs.extend(peer.ask::<Reply>(&question)?.nats);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let short = || Usage::ShortText { path: args.text.clone(), tokens: tokens.len(), context };
    let ours = Perplexity::of(&ours).ok_or_else(short)?;
    let theirs = Perplexity::of(&theirs);
    if args.json {
        println!("{}", serde_json::json!({ "ours": report(&ours), "peer": theirs.as_ref().map(report) }));
        return Ok(Outcome::Done);
    }
    println!("perplexity {:.4} ± {:.4}, of {} tokens", ours.value(), ours.error(), ours.tokens);
    if let Some(theirs) = theirs {
        let more = 100.0 * (ours.value() / theirs.value() - 1.0);
        println!("the peer's {:.4} ± {:.4}; ours is {more:+.2} % off it", theirs.value(), theirs.error());
    }
    Ok(Outcome::Done)
}

fn report(found: &Perplexity) -> serde_json::Value {
    serde_json::json!({
        "perplexity": found.value(),
        "standard_error": found.error(),
        "mean_nats": found.mean_nats,
        "scored_tokens": found.tokens,
    })
}
