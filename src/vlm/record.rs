//! `tandem vlm record`: judgments of staged worlds, written down in the order in which they were asked for.

use std::fmt::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tandem_vlm::text::{Special, Template, Tokenizer};
use tandem_vlm::train::lesson::lessons;

use super::judge::{Examined, Examinee};
use super::words;
use crate::outcome::Outcome;
use crate::seeds::Seeds;

/// Write down what is asked and judged while worlds with a staged corner case are driven, one world after the other.
///
/// The judgments are those of the model with its adapter; without an adapter they are the true ones. Of what
/// the eyes see only the words are written down. `tandem vlm bench` and `tandem vlm corpus build` read the file.
#[derive(clap::Args)]
pub struct Args {
    /// Seeds of the worlds; neighbours have another kind of corner case. Training takes those from 100000 on.
    #[arg(long, value_name = "SEEDS", default_value = "0..26")]
    worlds: Seeds,
    #[command(flatten)]
    examined: Examined,
    /// Where the scene changes abruptly: after so many judgments it is another world's, taking turns until all have been
    /// written down.
    #[arg(long, value_name = "JUDGMENTS")]
    change: Option<NonZeroUsize>,
    /// Where the judgments go, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A question with its answer, in tokens.
struct Asked {
    world: u64,
    prompt: Vec<u32>,
    answer: Vec<u32>,
}

/// Whose judgments are written down.
enum Judging {
    Model(Box<Examinee>),
    Truth(Box<Template>),
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let (_, tokenizer, template) = words(args.examined.spoken.model.as_deref())?;
    let judging = match args.examined.spoken.adapter {
        Some(_) => Judging::Model(Box::new(args.examined.open()?)),
        None => Judging::Truth(Box::new(template.context("the model has no chat template")?)),
    };
    let worlds = args.worlds.0.clone();
    let bar = ProgressBar::new(worlds.end.saturating_sub(worlds.start))
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} worlds {eta}")?);
    let mut each = Vec::new();
    for world in worlds {
        each.push(judging.judge(world, &tokenizer)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let asked = match args.change {
        Some(after) => in_turns(each, after.get()),
        None => each.into_iter().flatten().collect(),
    };
    let mut text = String::new();
    for Asked { world, prompt, answer } in &asked {
        let said = tokenizer.decode(answer);
        let line = json!({
            "world": world, "form": "judgment", "prompt_ids": prompt, "answer_ids": answer, "answer": said,
        });
        writeln!(text, "{line}")?;
    }
    std::fs::write(&args.out, text).map_err(|source| tandem_vlm::Error::Io { path: args.out.clone(), source })?;
    let (count, tokens) = (asked.len(), asked.iter().map(|asked| asked.answer.len()).sum::<usize>());
    if args.json {
        println!("{}", json!({ "judgments": count, "tokens": tokens }));
    } else {
        println!("{count} judgments, {tokens} tokens");
    }
    Ok(Outcome::Done)
}

impl Judging {
    fn judge(&self, world: u64, tokenizer: &Tokenizer) -> anyhow::Result<Vec<Asked>> {
        match self {
            Self::Model(examinee) => {
                let asked = examinee.judge(world)?.into_iter().map(|graded| {
                    let mut prompt = graded.said.asked;
                    // What stands for what the eyes see is behind the vocabulary.
                    prompt.retain(|token| (*token as usize) < tokenizer.size());
                    Asked { world, prompt, answer: graded.said.tokens }
                });
                Ok(asked.collect())
            }
            Self::Truth(template) => {
                let asked = lessons(world)?.into_iter().map(|lesson| {
                    let prompt = lesson.prompt.encode(tokenizer, template, &[])?;
                    let answer = tokenizer.encode(&lesson.answer.to_text(), Special::Text);
                    Ok(Asked { world, prompt, answer })
                });
                asked.collect()
            }
        }
    }
}

/// So many of every world, over and over, until none are left.
fn in_turns(each: Vec<Vec<Asked>>, count: usize) -> Vec<Asked> {
    let mut each: Vec<_> = each.into_iter().map(Vec::into_iter).collect();
    let mut asked = Vec::new();
    loop {
        let before = asked.len();
        each.iter_mut().for_each(|world| asked.extend(world.by_ref().take(count)));
        if asked.len() == before {
            return asked;
        }
    }
}
