//! `tandem vlm ask`: one question, one answer.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Request, Sampling};
use tandem_vlm::text::{Conversation, Message, Role, Special, Stream};

use super::{Speaker, corpus};
use crate::outcome::Outcome;

/// Ask the language model something; the answer comes as it is said.
#[derive(clap::Args)]
pub struct Args {
    /// What to ask.
    question: String,
    /// A model in GGUF; without, SmolLM2-135M-Instruct, which is fetched if it is not here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A corpus to draft from, which is written back with the answer in it; one that is not there is begun.
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// What the model is told to be.
    #[arg(long)]
    system: Option<String>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 256)]
    most: usize,
    /// How free the choice of words is; 0 always takes the likeliest.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// For what is random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, template } = Speaker::open(args.model.as_deref())?;
    let template = template.context("the model has no chat template")?;
    let system = args.system.as_ref().map(|text| Message::new(Role::System, text.as_str()));
    let messages: Vec<_> = system.into_iter().chain([Message::new(Role::User, args.question.as_str())]).collect();
    let conversation = Conversation { messages: &messages, tools: None, add_generation_prompt: true, unix_s: None };
    let prompt = tokenizer.encode(&template.render(&conversation)?, Special::Markup);
    // For one answer it does not pay to measure; a pass of a few tokens costs little more than one of one.
    let curve = Curve::new([(1, 1.0), (9, 2.0)]);
    let heard = corpus::open(args.corpus.as_deref(), &tokenizer)?;
    let mut engine = Engine::new(model, Signs::of(&tokenizer), curve, Limits::default()).with_corpus(heard)?;
    engine.submit(Request {
        prompt,
        session: None,
        most: args.most,
        sampling: Sampling { temperature: args.temperature, seed: args.seed, ..Sampling::GREEDY },
        ends: tokenizer.ends().to_vec(),
        grammar: None,
        priority: 0,
    })?;
    let mut stream = Stream::new(&tokenizer);
    let mut out = stdout().lock();
    while !engine.is_idle() {
        for token in engine.step().into_iter().flat_map(|event| event.tokens) {
            out.write_all(stream.push(token).as_bytes())?;
            out.flush()?;
        }
    }
    writeln!(out, "{}", stream.finish())?;
    corpus::save(args.corpus.as_deref(), engine.corpus(), &tokenizer)?;
    Ok(Outcome::Done)
}
