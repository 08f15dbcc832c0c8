//! `tandem vlm train`: teaches the language model to judge.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use tandem_vlm::eyes::WIDTH;
use tandem_vlm::model::{About, Adapter, Plain};
use tandem_vlm::train::example::Speech;
use tandem_vlm::train::lesson::{self, Lesson};
use tandem_vlm::train::sight::Sights;
use tandem_vlm::train::{Next, Plan, Progress, School, run as train};

use super::{eyes, words};
use crate::outcome::Outcome;
use crate::perception::device::Processor;
use crate::seeds::Seeds;

/// Teach the language model to judge worlds with a staged corner case.
///
/// Worlds are driven once and kept as lessons. Training goes on from the newest checkpoint, which is in a directory beside
/// the file that it writes in the end.
#[derive(clap::Args)]
pub struct Args {
    /// Seeds of the worlds to learn from.
    #[arg(long, value_name = "SEEDS", default_value = "100000..102600")]
    worlds: Seeds,
    /// Where the lessons are kept.
    #[arg(long, value_name = "DIR")]
    lessons: PathBuf,
    /// A model in GGUF; without, SmolLM2-135M-Instruct, which is fetched if it is not here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// What was learnt, in safetensors.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The eyes; without, those that come with the program. What they see of lessons is kept beside these.
    #[arg(long, value_name = "FILE", conflicts_with = "blind")]
    eyes: Option<PathBuf>,
    /// An adapter to go on from, with steps and rates as from the start.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Learn from the scene's text alone.
    #[arg(long)]
    blind: bool,
    /// Steps in all.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Lessons that go through the model at once: one on a processor, several on a GPU.
    #[arg(long, default_value = "1")]
    batch: NonZeroUsize,
    /// Lessons of a step.
    #[arg(long, default_value = "8")]
    each: NonZeroUsize,
    /// The highest learning rate.
    #[arg(long, default_value_t = 1e-3)]
    rate: f64,
    /// Columns of the adapters.
    #[arg(long, default_value = "16")]
    rank: NonZeroUsize,
    /// What everything drawn starts from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seconds between checkpoints.
    #[arg(long, value_name = "S", default_value_t = 240)]
    checkpoint_s: u64,
    /// What to train on; cuda needs the feature `cuda`, torch and torch-cuda the feature `torch`.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
}

/// Steps between lines.
const LINES: u64 = 5;

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    args.device.check()?;
    let lessons = lessons(args)?;
    eprintln!("{} lessons", lessons.len());
    let (file, tokenizer, template) = words(args.model.as_deref())?;
    let template = template.context("the model has no chat template")?;
    let plain = Plain::of_gguf(&file)?;
    let plan = Plan {
        steps: args.steps,
        batch: args.batch.get(),
        accumulate: args.each.get().div_ceil(args.batch.get()),
        rate: args.rate,
        warmup: 30,
        seed: args.seed,
    };
    anyhow::ensure!(!lessons.is_empty(), "no lessons");
    let speech = Speech { tokenizer: &tokenizer, template: &template };
    let before = args.from.as_deref().map(|path| Adapter::open(path, &file)).transpose()?;
    let about =
        before.as_ref().map_or_else(|| About::new(&file, args.rank.get(), WIDTH), |before| Ok(before.about.clone()))?;
    let sights = if args.blind { Sights::default() } else { sights(args, &lessons)? };
    let example = |number| speech.nth(&lessons, |lesson| sights.at(lesson), args.seed, number);
    let school = School { plain: &plain, about, before, example: &example };
    let mut report = reporter(Duration::from_secs(args.checkpoint_s));
    match args.device {
        Processor::Cpu => train::<Autodiff<Flex>>(&plan, &school, &args.out, &mut report, &FlexDevice)?,
        #[cfg(feature = "cuda")]
        Processor::Cuda => {
            use burn::backend::cuda::{Cuda, CudaDevice};
            train::<Autodiff<Cuda>>(&plan, &school, &args.out, &mut report, &CudaDevice::default())?;
        }
        #[cfg(feature = "torch")]
        Processor::Torch | Processor::TorchCuda => {
            use burn::backend::libtorch::LibTorch;
            train::<Autodiff<LibTorch>>(&plan, &school, &args.out, &mut report, &args.device.torch())?;
        }
        #[cfg(not(all(feature = "cuda", feature = "torch")))]
        _ => unreachable!("checked before"),
    }
    Ok(Outcome::Done)
}

/// Says every few steps how it goes, and when a checkpoint is due.
fn reporter(every: Duration) -> impl FnMut(&Progress) -> Next {
    let (mut saved, mut lines) = (Instant::now(), Vec::<Progress>::new());
    move |progress| {
        lines.push(*progress);
        if progress.step.is_multiple_of(LINES) || progress.step == progress.steps {
            let mean = |of: fn(&Progress) -> f64| lines.iter().map(of).sum::<f64>() / lines.len() as f64;
            let (loss, step_s) = (mean(|line| f64::from(line.loss)), mean(|line| line.step_s));
            let tokens_per_s = mean(|line| line.tokens as f64) / step_s;
            let left_min = step_s * (progress.steps - progress.step) as f64 / 60.0;
            let Progress { step, steps, rate, .. } = progress;
            eprintln!(
                "{step}/{steps} loss {loss:.4}, rate {rate:.1e}, {step_s:.2} s a step, {tokens_per_s:.0} tokens/s, \
                 {left_min:.0} min left"
            );
            lines.clear();
        }
        if saved.elapsed() < every {
            return Next::GoOn;
        }
        saved = Instant::now();
        Next::Save
    }
}

/// What the eyes see of lessons, which are in the order of their worlds.
fn sights(args: &Args, lessons: &[Lesson]) -> anyhow::Result<Sights> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} worlds looked at {eta}")?;
    let worlds: Vec<&[Lesson]> = lessons.chunk_by(|one, next| one.world == next.world).collect();
    let bar = ProgressBar::new(worlds.len() as u64).with_style(style);
    let mut eyes = eyes::open(args.eyes.as_deref())?;
    let mut sights = Sights::default();
    for lessons in worlds {
        sights = sights.merge(Sights::kept(&args.lessons, lessons, &mut eyes)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(sights)
}

fn lessons(args: &Args) -> anyhow::Result<Vec<Lesson>> {
    let worlds = args.worlds.0.clone();
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} worlds {eta}")?;
    let bar = ProgressBar::new(worlds.end.saturating_sub(worlds.start)).with_style(style);
    let kept = |world| {
        let kept = lesson::kept(&args.lessons, world);
        bar.inc(1);
        kept
    };
    let lessons = worlds.into_par_iter().map(kept).collect::<Result<Vec<_>, _>>()?;
    bar.finish_and_clear();
    Ok(lessons.concat())
}
