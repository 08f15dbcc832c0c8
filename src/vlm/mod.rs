//! `tandem vlm`: the slow system's language model on its own. One file a subcommand.

mod answer;
mod ask;
mod bench;
mod check;
mod corpus;
mod eyes;
pub mod judge;
mod peer;
mod perplexity;
mod quantize;
mod record;
mod requests;
mod serve;
mod train;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use tandem_vlm::gguf;
use tandem_vlm::grammar::{Grammar, Grammars};
use tandem_vlm::judge::Judgment;
use tandem_vlm::model::{Adapter, Model};
use tandem_vlm::text::{Template, Tokenizer, Vocabulary};
use tandem_vlm::vision::Vision;

use crate::drive::Usage;
use crate::models;
use crate::outcome::Outcome;

/// The model without `--model`, as `models.toml` names it.
const DEFAULT: &str = "smollm2-135m-instruct";

#[derive(Subcommand)]
pub enum Command {
    Ask(ask::Args),
    Answer(answer::Args),
    Bench(bench::Args),
    Check(check::Args),
    /// Make and look at corpora: what has been said, to draft from.
    #[command(subcommand)]
    Corpus(corpus::Command),
    /// Train the default model's eyes, and say what they see.
    #[command(subcommand)]
    Eyes(eyes::Command),
    Judge(judge::Args),
    Record(record::Args),
    Perplexity(perplexity::Args),
    Quantize(quantize::Args),
    Serve(serve::Args),
    Train(train::Args),
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Ask(args) => ask::run(args),
        Command::Answer(args) => answer::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Check(args) => check::run(args),
        Command::Corpus(command) => corpus::run(command),
        Command::Eyes(command) => eyes::run(command),
        Command::Judge(args) => judge::run(args),
        Command::Record(args) => record::run(args),
        Command::Perplexity(args) => perplexity::run(args),
        Command::Quantize(args) => quantize::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Train(args) => train::run(args),
    }
}

/// Which model speaks.
#[derive(clap::Args)]
pub struct Spoken {
    /// A model in GGUF, or a directory of safetensors; without, SmolLM2-135M-Instruct, which is fetched if it is not here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// What `tandem vlm train` has taught it.
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
}

impl Spoken {
    /// Tandem's default with what an adapter has taught it; without one, what comes with the program.
    pub fn learnt(adapter: Option<PathBuf>) -> Self {
        Self { model: None, adapter }
    }
}

/// A model with its tokenizer, and its chat template and eyes, if it has them.
struct Speaker {
    model: Model,
    tokenizer: Tokenizer,
    template: Option<Template>,
    vision: Option<Vision>,
    adapter: Option<Adapter>,
}

impl Speaker {
    /// Of a GGUF file or a directory as hubs have them; without, tandem's default, which is fetched if it is not here.
    fn open(spoken: &Spoken) -> anyhow::Result<Self> {
        Self::with(spoken, |_| Ok(None))
    }

    /// The same to judge scenes: tandem's default has learnt that.
    fn judging(spoken: &Spoken) -> anyhow::Result<Self> {
        Self::with(spoken, Adapter::own)
    }

    /// With an adapter where none is named.
    fn with(
        spoken: &Spoken,
        own: impl FnOnce(&gguf::File) -> Result<Option<Adapter>, tandem_vlm::Error>,
    ) -> anyhow::Result<Self> {
        let Spoken { model, adapter } = spoken;
        match (model.as_deref().filter(|path| path.is_dir()), adapter) {
            (Some(directory), None) => return Self::of_directory(directory),
            (Some(_), Some(_)) => return Err(Usage::Adapter.into()),
            (None, _) => (),
        }
        let (file, tokenizer, template) = words(model.as_deref())?;
        let adapter = match adapter {
            Some(path) => Some(Adapter::open(path, &file)?),
            None => own(&file)?,
        };
        let model = match &adapter {
            Some(adapter) => Model::adapted(&file, adapter)?,
            None => Model::of_gguf(&file)?,
        };
        Ok(Self { model, tokenizer, template, vision: None, adapter })
    }

    fn of_directory(path: &Path) -> anyhow::Result<Self> {
        let tokenizer = Tokenizer::open(&path.join("tokenizer.json"))?;
        let template = Template::of_directory(path, &tokenizer.named())?;
        let vision = Vision::of_directory(path, &tokenizer)?;
        Ok(Self { model: Model::of_directory(path)?, tokenizer, template, vision, adapter: None })
    }
}

/// Where a model is; without a path, tandem's default, which is fetched if it is not here.
fn located(path: Option<&Path>) -> anyhow::Result<PathBuf> {
    path.map_or_else(|| models::pull(&models::named(DEFAULT)?), |path| Ok(PathBuf::from(path)))
}

/// A model's file, with what is needed to write for it: without its weights, which take longer.
fn words(path: Option<&Path>) -> anyhow::Result<(gguf::File, Tokenizer, Option<Template>)> {
    let path = located(path)?;
    let file = gguf::File::open(&path)?;
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file)?, &path)?;
    let template = file.find::<&str>("tokenizer.chat_template")?;
    let template = template.map(|source| Template::new(&path, source, &tokenizer.named())).transpose()?;
    Ok((file, tokenizer, template))
}

/// What judgments have to obey.
fn judgments(tokenizer: &Tokenizer) -> Result<Grammar, tandem_vlm::Error> {
    Grammars::new(Arc::new(tokenizer.clone()))?.schema(&Judgment::schema())
}
