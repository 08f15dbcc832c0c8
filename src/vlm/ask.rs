//! `tandem vlm ask`: one question, one answer.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Request, Sampling};
use tandem_vlm::text::{Content, Conversation, Message, Part, Role, Special, Stream};
use tandem_vlm::vision::{Picture, Placed, Vision};

use super::{Speaker, Spoken, corpus};
use crate::drive::Usage;
use crate::outcome::Outcome;

/// Ask the language model something; the answer comes as it is said.
#[derive(clap::Args)]
pub struct Args {
    /// What to ask.
    question: String,
    #[command(flatten)]
    spoken: Spoken,
    /// A corpus to draft from, which is written back with the answer in it; one that is not there is begun.
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Images to ask about, in JPEG or PNG; the model must be a directory of the Idefics3 family, such as SmolVLM.
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// Look at each image as one tile: less is seen, at a fraction of the cost.
    #[arg(long)]
    whole: bool,
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
    let Speaker { model, tokenizer, template, vision, .. } = Speaker::open(&args.spoken)?;
    let template = template.context("the model has no chat template")?;
    let vision = vision.map(|vision| if args.whole { vision.whole() } else { vision });
    // Templates of models that see expect parts, and others text.
    let content = |text: &str, images: usize| match &vision {
        Some(_) => Content::Parts(vec![Part::Image; images].into_iter().chain([Part::from(text)]).collect()),
        None => Content::from(text),
    };
    let system = args.system.as_ref().map(|text| Message::new(Role::System, content(text, 0)));
    let question = Message::new(Role::User, content(&args.question, args.images.len()));
    let messages: Vec<_> = system.into_iter().chain([question]).collect();
    let conversation = Conversation { messages: &messages, tools: None, add_generation_prompt: true, unix_s: None };
    let text = template.render(&conversation)?;
    // For one answer it does not pay to measure; a pass of a few tokens costs little more than one of one.
    let curve = Curve::new([(1, 1.0), (9, 2.0)]);
    let heard = corpus::open(args.corpus.as_deref(), &tokenizer)?;
    let mut engine = Engine::new(model, Signs::of(&tokenizer), curve, Limits::default()).with_corpus(heard)?;
    let prompt = match &vision {
        Some(vision) => {
            let placed = args.images.iter().map(|path| show(&mut engine, vision, path));
            vision.expand(&tokenizer, &[&*text], &placed.collect::<anyhow::Result<Vec<_>>>()?)?
        }
        None if args.images.is_empty() => tokenizer.encode(&text, Special::Markup),
        None => return Err(Usage::Blind.into()),
    };
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

/// Shows an image to an engine, unless it has been shown before.
fn show(engine: &mut Engine, vision: &Vision, path: &Path) -> anyhow::Result<Placed> {
    let picture = Picture::open(path)?;
    let (key, [rows, columns]) = (vision.key(&picture), vision.grid(&picture));
    let first = match engine.find_image(&key) {
        Some(first) => first,
        None => engine.show_image(key, vision.look(&vision.cut(&picture)))?,
    };
    Ok(Placed { rows, columns, first })
}
