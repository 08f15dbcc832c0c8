//! `tandem perception train`: trains a network on generated worlds.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context;
use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use indicatif::{ProgressBar, ProgressStyle};
use tandem_perception::model::{Backbone, NetworkConfig};
use tandem_perception::train::loss::PARTS;
use tandem_perception::train::worlds::Worlds;
use tandem_perception::train::{Devices, Places, Plan, Progress, has_begun, run as train};

use super::data::Data;
use super::device::Processor;
use crate::models;
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
    /// Weights of the backbone to begin with: a file, or none; without, those of models.toml, which are fetched.
    #[arg(long, value_name = "FILE|none")]
    pretrained: Option<String>,
    /// Weights of a whole network to begin with, as far as they fit.
    #[arg(long, value_name = "FILE")]
    start: Option<PathBuf>,
    /// Steps in all, instead of the plan's.
    #[arg(long)]
    steps: Option<u64>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 100)]
    checkpoint_every: u64,
    /// What to train on; cuda needs the feature `cuda`, torch and torch-cuda the feature `torch`.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Print a line of JSON a step.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    args.device.check()?;
    let plan = plan(args)?;
    let mut worlds = Worlds::new(&plan.network, plan.seed);
    if args.device.is_gpu() {
        worlds = worlds.beside_gpu();
    }
    let drives = args.data.drives(&plan.network)?;
    let pretrained = pretrained(args, &plan)?;
    let places = Places {
        directory: &args.out,
        pretrained: pretrained.as_deref(),
        start: args.start.as_deref(),
        checkpoint_every: args.checkpoint_every.max(1),
        // A processor that learns has little time for more.
        threads: if args.device == Processor::Cpu { 1 } else { rayon::current_num_threads() },
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
    let weights = with_memory(&plan, || match args.device {
        Processor::Cpu => Ok(train::<Autodiff<Flex>>(&plan, &places, &source, &mut report, &Devices::one(FlexDevice))?),
        #[cfg(feature = "cuda")]
        Processor::Cuda => {
            use burn::backend::cuda::{Cuda, CudaDevice};
            Ok(train::<Autodiff<Cuda>>(&plan, &places, &source, &mut report, &Devices::one(CudaDevice::default()))?)
        }
        #[cfg(feature = "torch")]
        Processor::Torch | Processor::TorchCuda => {
            use burn::backend::libtorch::{LibTorch, LibTorchDevice};
            let devices = Devices { host: LibTorchDevice::Cpu, learner: args.device.torch() };
            Ok(train::<Autodiff<LibTorch>>(&plan, &places, &source, &mut report, &devices)?)
        }
        #[cfg(not(all(feature = "cuda", feature = "torch")))]
        _ => unreachable!("checked before"),
    })?;
    bar.finish_and_clear();
    eprintln!("weights: {}", weights.display());
    Ok(Outcome::Done)
}

/// Trains; if the device has too little memory, which its library says in a panic, the error says what to lower.
fn with_memory(plan: &Plan, train: impl FnOnce() -> anyhow::Result<PathBuf>) -> anyhow::Result<PathBuf> {
    let panic = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(train)) {
        Ok(trained) => return trained,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    if !text.is_some_and(|text| text.to_lowercase().contains("out of memory")) {
        std::panic::resume_unwind(panic);
    }
    let Plan { batch, accumulate, network, .. } = plan;
    let [height, width] = network.image;
    anyhow::bail!(
        "the device is out of memory: lower `batch` in plan.json, now {batch}, and raise `accumulate`, now {accumulate}; \
         or lower `network.image`, now {height} × {width}"
    )
}

/// The weights of the backbone to begin with; none where training has begun, or begins with a whole network.
fn pretrained(args: &Args, plan: &Plan) -> anyhow::Result<Option<PathBuf>> {
    match args.pretrained.as_deref() {
        Some("none") => Ok(None),
        Some(path) => Ok(Some(path.into())),
        None if args.start.is_some() || has_begun(&args.out)? => Ok(None),
        None => match plan.network.backbone {
            Backbone::EfficientNetLite0 => models::pull(&models::named("efficientnet-lite0")?).map(Some),
            Backbone::ResNet18 | Backbone::ResNet34 => Ok(None),
        },
    }
}

/// The plan of the directory if training began there, else the one asked for, which then becomes the directory's.
fn plan(args: &Args) -> anyhow::Result<Plan> {
    let kept = args.out.join("plan.json");
    let mut plan = match &args.plan {
        _ if kept.exists() => Plan::read(&kept)?,
        Some(path) => Plan::read(path)?,
        None => Plan::new(NetworkConfig::named(&args.config)?),
    };
    plan.steps = args.steps.unwrap_or(plan.steps);
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    std::fs::write(&kept, serde_json::to_string_pretty(&plan)?).with_context(|| kept.display().to_string())?;
    Ok(plan)
}

fn line(progress: &Progress) -> String {
    let parts = PARTS.iter().zip(progress.parts).map(|(name, part)| format!("{name} {part:.3}"));
    let Progress { loss, step_s, wait_s, .. } = progress;
    format!("loss {loss:.3} ({}) {step_s:.2} s, {wait_s:.2} s of it waiting", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_says_what_to_lower() {
        let plan = Plan { batch: 24, ..Plan::new(NetworkConfig::tiny()) };
        let said = with_memory(&plan, || panic!("CUDA out of memory. Tried to allocate 2.00 GiB")).unwrap_err();
        assert!(said.to_string().contains("lower `batch` in plan.json, now 24"), "{said}");
        let other = std::panic::catch_unwind(|| with_memory(&plan, || panic!("index out of bounds")));
        assert!(other.is_err());
    }
}
