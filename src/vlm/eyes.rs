//! `tandem vlm eyes`: training of the default model's eyes, and what they see.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use clap::Subcommand;
use serde_json::json;
use tandem_datasets::log::planar;
use tandem_perception::rig::Pixels;
use tandem_perception::train::Devices;
use tandem_vlm::eyes::train::{PARTS, Plan, Progress, Samples, run as train};
use tandem_vlm::eyes::{Eyes, Figures, Place, RANGES_M, Tally, WORDS, cameras, is_told};

use crate::outcome::Outcome;
use crate::perception::device::Processor;
use crate::seeds::Seeds;
use crate::table::table;

#[derive(Subcommand)]
pub enum Command {
    Train(Train),
    Eval(Eval),
}

/// Train the eyes on staged worlds; goes on from the newest checkpoint.
#[derive(clap::Args)]
pub struct Train {
    /// Seeds of the worlds to learn from; those below 100000 are for evaluation.
    #[arg(long, default_value = "100000..200000")]
    worlds: Seeds,
    /// The weights; checkpoints go into a directory beside them.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Steps in all.
    #[arg(long, default_value_t = Plan::default().steps)]
    steps: u64,
    /// The highest learning rate.
    #[arg(long, default_value_t = Plan::default().learning_rate)]
    rate: f64,
    /// Moments that go through the network at once.
    #[arg(long, default_value_t = Plan::default().batch)]
    batch: usize,
    /// Batches to a step, side by side.
    #[arg(long, default_value_t = Plan::default().accumulate)]
    accumulate: usize,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = Plan::default().checkpoint_every)]
    checkpoint_every: u64,
    /// What moments and fresh weights are drawn from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What to train on; cuda needs the feature `cuda`, torch and torch-cuda the feature `torch`.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Print a line of JSON a step.
    #[arg(long)]
    json: bool,
}

/// Say how much the eyes see of what images of staged worlds show.
#[derive(clap::Args)]
pub struct Eval {
    /// The eyes; without, those that come with the program.
    #[arg(long, value_name = "FILE")]
    eyes: Option<PathBuf>,
    /// Seeds of the worlds to look at.
    #[arg(long, default_value = "0..65")]
    worlds: Seeds,
    /// The score from which on a thing counts as seen.
    #[arg(long, default_value_t = 0.3)]
    least: f32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lines of text between two checkpoints.
const LINES: u64 = 10;

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Train(args) => args.run(),
        Command::Eval(args) => args.run(),
    }
}

/// The eyes of a file; without, those that come with the program.
pub fn open(path: Option<&Path>) -> anyhow::Result<Eyes<Flex>> {
    Ok(path.map_or_else(|| Eyes::own(&FlexDevice), |path| Eyes::open(path, &FlexDevice))?)
}

impl Train {
    fn run(&self) -> anyhow::Result<Outcome> {
        self.device.check()?;
        let plan = Plan {
            steps: self.steps,
            batch: self.batch.max(1),
            accumulate: self.accumulate.max(1),
            learning_rate: self.rate,
            seed: self.seed,
            // A processor that learns has little time for more.
            threads: if self.device == Processor::Cpu { 1 } else { rayon::current_num_threads() },
            checkpoint_every: self.checkpoint_every.max(1),
            ..Plan::default()
        };
        let samples = Samples::new(self.worlds.0.clone(), self.seed);
        let checkpoints = self.out.with_extension("training");
        let mut report = |progress: &Progress| {
            if self.json {
                // A plain struct of numbers always serialises.
                println!("{}", serde_json::to_string(progress).unwrap_or_default());
            } else if progress.step.is_multiple_of((plan.checkpoint_every / LINES).max(1)) {
                eprintln!("{}", line(progress));
            }
            true
        };
        match self.device {
            Processor::Cpu => {
                train::<Autodiff<Flex>>(
                    &plan,
                    &samples,
                    &self.out,
                    &checkpoints,
                    &mut report,
                    &Devices::one(FlexDevice),
                )?;
            }
            #[cfg(feature = "cuda")]
            Processor::Cuda => {
                use burn::backend::cuda::{Cuda, CudaDevice};
                let devices = Devices::one(CudaDevice::default());
                train::<Autodiff<Cuda>>(&plan, &samples, &self.out, &checkpoints, &mut report, &devices)?;
            }
            #[cfg(feature = "torch")]
            Processor::Torch | Processor::TorchCuda => {
                use burn::backend::libtorch::{LibTorch, LibTorchDevice};
                let devices = Devices { host: LibTorchDevice::Cpu, learner: self.device.torch() };
                train::<Autodiff<LibTorch>>(&plan, &samples, &self.out, &checkpoints, &mut report, &devices)?;
            }
            #[cfg(not(all(feature = "cuda", feature = "torch")))]
            _ => unreachable!("checked before"),
        }
        eprintln!("weights: {}", self.out.display());
        Ok(Outcome::Done)
    }
}

impl Eval {
    fn run(&self) -> anyhow::Result<Outcome> {
        let mut eyes = open(self.eyes.as_deref())?;
        let mut tally = Tally::default();
        for seed in self.worlds.0.clone() {
            tally.merge(Tally::of(&eyes, &Place::new(seed)?)?);
        }
        let takes_ms = takes_ms(&mut eyes, self.worlds.0.start)?;
        let of_word = |word: usize| (WORDS[word], tally.figures(|other| other == word, self.least));
        let words: Vec<(&str, Figures)> = tally.words().into_iter().map(of_word).collect();
        let groups = [
            ("all that the fast system tells of", tally.figures(is_told, self.least)),
            ("all that it has no class for", tally.figures(|word| !is_told(word), self.least)),
        ];
        let [weather, light, road] = tally.environment();
        if self.json {
            let figures = json!({
                "words": words, "groups": groups, "weather": weather, "light": light, "road": road, "ms": takes_ms,
            });
            println!("{}", serde_json::to_string_pretty(&figures)?);
            return Ok(Outcome::Done);
        }
        let ends = RANGES_M.map(|end_m| if end_m.is_finite() { format!("< {end_m} m") } else { "beyond".to_owned() });
        let mut rows = table(&["word", "shown", "recall", "precision", &ends[0], &ends[1], &ends[2]], 1);
        for (name, Figures { shown, recall, precision, by_range }) in words.iter().chain(&groups) {
            let ranges = by_range.map(|recall| recall.map_or("–".to_owned(), |recall| format!("{recall:.2}")));
            let figures = [shown.to_string(), format!("{recall:.2}"), format!("{precision:.2}")];
            rows.add_row([(*name).to_owned()].into_iter().chain(figures).chain(ranges));
        }
        println!("{rows}\n\nweather {weather:.3}, light {light:.3}, road {road:.3}; a moment takes {takes_ms:.1} ms");
        Ok(Outcome::Done)
    }
}

/// How long the eyes look at a moment, the median of some, ms.
fn takes_ms(eyes: &mut Eyes<Flex>, seed: u64) -> anyhow::Result<f64> {
    const LOOKS: usize = 15;
    let place = Place::new(seed)?;
    let stamp = place.stamp(1.0);
    let map_from_ego = place.map_from_ego(stamp);
    let rig = cameras();
    let shots = place.shots(&rig, &map_from_ego, stamp);
    let images: Vec<_> = rig.iter().zip(shots.iter().map(|shot| Pixels::from(&shot.image))).collect();
    let look = |_| {
        let start = Instant::now();
        eyes.look(stamp, planar(&map_from_ego), &images, None)?;
        Ok(1e3 * start.elapsed().as_secs_f64())
    };
    let mut took = (0..LOOKS).map(look).collect::<anyhow::Result<Vec<f64>>>()?;
    took.sort_by(f64::total_cmp);
    Ok(took[LOOKS / 2])
}

fn line(progress: &Progress) -> String {
    let parts = PARTS.iter().zip(progress.parts).map(|(name, part)| format!("{name} {part:.3}"));
    let Progress { step, steps, loss, step_s, wait_s, .. } = progress;
    let parts = parts.collect::<Vec<_>>().join(", ");
    format!("{step}/{steps} loss {loss:.3} ({parts}) {step_s:.2} s, {wait_s:.2} s of it waiting")
}
