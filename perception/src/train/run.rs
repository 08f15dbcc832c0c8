//! The loop: clips, losses, steps, averages, checkpoints, and a line for every few steps.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Device, ElementConversion, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::average::follow;
use super::batch::TargetBatch;
use super::checkpoint::State;
use super::loss::{LossWeights, Losses, PARTS};
use super::prefetch::ahead;
use super::sample::{Augmentation, Captured, clip};
use crate::Error;
use crate::frame::Frame;
use crate::kernel::Kernels;
use crate::model::{Network, NetworkConfig};
use crate::truth::Targets;
use crate::weights;

/// Everything that decides what training comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The network.
    pub network: NetworkConfig,
    /// Steps in all.
    pub steps: u64,
    /// Clips that go through the network at once.
    pub batch: usize,
    /// Batches whose gradients make one step, side by side on as many threads.
    pub accumulate: usize,
    /// The highest learning rate, reached after `warmup` steps; it falls off as half a cosine.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises.
    pub warmup: u64,
    /// How much slower a pretrained backbone learns than the rest.
    pub backbone_rate: f64,
    /// Steps for which the backbone keeps its weights, while all that comes after it learns to read it.
    pub frozen: u64,
    /// Decoupled weight decay (Loshchilov and Hutter 2019).
    pub weight_decay: f32,
    /// Gradients are cut at this norm, tensor by tensor.
    pub clip_norm: f32,
    /// How much of the average of the weights remains at each step.
    pub average_decay: f64,
    /// What each part of the loss counts.
    pub loss: LossWeights,
    /// What is varied.
    pub augmentation: Augmentation,
    /// What everything drawn starts from.
    pub seed: u64,
}

impl Plan {
    /// A plan for a network, of a length that suits a processor.
    pub fn new(network: NetworkConfig) -> Self {
        Self {
            network,
            steps: 12_000,
            batch: 1,
            accumulate: 2,
            learning_rate: 1.5e-3,
            warmup: 100,
            backbone_rate: 0.1,
            frozen: 1500,
            weight_decay: 0.01,
            clip_norm: 1.0,
            average_decay: 0.998,
            loss: LossWeights::default(),
            augmentation: Augmentation::default(),
            seed: 0,
        }
    }

    fn learning_rate(&self, step: u64) -> f64 {
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let done = step as f64 / self.steps as f64;
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.learning_rate * rise * (0.01 + 0.99 * fall)
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// The weighted loss.
    pub loss: f32,
    /// Its parts, in the order of [`PARTS`].
    pub parts: [f32; PARTS.len()],
    /// The learning rate.
    pub learning_rate: f64,
    /// How long the step took, s.
    pub step_s: f64,
}

/// Where a run keeps its things.
pub struct Places<'a> {
    /// Checkpoints, `loss.csv` and `weights.safetensors` go here.
    pub directory: &'a Path,
    /// Weights of the backbone to begin with.
    pub pretrained: Option<&'a Path>,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
}

/// Trains, from the newest checkpoint in the directory where there is one, to the plan's end. `source` makes clip after
/// clip, each the same whenever it is asked for; `report` hears of every step and says whether to go on.
///
/// # Errors
/// For files that cannot be read or written, clips that cannot be made, or a loss that leaves the finite numbers.
pub fn run<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    plan: &Plan,
    places: &Places<'_>,
    source: &(impl Fn(u64) -> Result<Arc<[Captured]>, Error> + Sync),
    report: &mut dyn FnMut(&Progress) -> bool,
    device: &Device<B>,
) -> Result<PathBuf, Error> {
    fs::create_dir_all(places.directory).map_err(Error::io(places.directory))?;
    B::seed(device, plan.seed);
    let mut network = Network::<B>::new(&plan.network, device);
    if let Some(path) = places.pretrained {
        network = network.pretrained(path)?;
    }
    let optimizer = AdamWConfig::new()
        .with_weight_decay(plan.weight_decay)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(plan.clip_norm)))
        .init();
    let average = network.valid();
    let mut state = State { step: 0, network, average, optimizer }.resume(places.directory, device)?;
    let each = (plan.batch * plan.accumulate) as u64;
    let make = |index: u64| ready(plan, source, index);
    let weights_path = places.directory.join("weights.safetensors");
    ahead(state.step * each, 2 * plan.batch * plan.accumulate, make, |clips| {
        let mut log = LossLog::open(places.directory)?;
        while state.step < plan.steps {
            let start = Instant::now();
            // The other thread makes clips for as long as they are taken.
            let batches: Vec<Vec<Clip>> = (0..plan.accumulate)
                .map(|_| clips.iter().take(plan.batch).collect::<Result<_, _>>())
                .collect::<Result<_, _>>()?;
            let mut gradients = GradientsAccumulator::new();
            let (mut loss, mut parts) = (0.0, [0.0; PARTS.len()]);
            for learnt in learn(&state.network, state.step < plan.frozen, plan, &batches, device) {
                loss += learnt.loss;
                parts.iter_mut().zip(learnt.parts).for_each(|(sum, part)| *sum += part / plan.accumulate as f32);
                gradients.accumulate(&state.network, learnt.gradients);
            }
            if !loss.is_finite() {
                return Err(Error::Diverged { step: state.step, loss });
            }
            let learning_rate = plan.learning_rate(state.step);
            let mut rest = gradients.grads();
            let backbone = take(&state.network.trunk, &mut rest);
            state.network = state.optimizer.step(learning_rate, state.network, rest);
            state.network = state.optimizer.step(plan.backbone_rate * learning_rate, state.network, backbone);
            // While the average is young, it follows faster.
            let decay = plan.average_decay.min((1.0 + state.step as f64) / (10.0 + state.step as f64));
            state.average = follow(state.average, &state.network.valid(), decay);
            state.step += 1;
            let step_s = start.elapsed().as_secs_f64();
            let progress = Progress { step: state.step, steps: plan.steps, loss, parts, learning_rate, step_s };
            log.write(&progress)?;
            let goes_on = report(&progress);
            let is_last = state.step == plan.steps || !goes_on;
            if is_last || state.step.is_multiple_of(places.checkpoint_every) {
                state.save(places.directory)?;
                weights::save(&state.average, &plan.network, &weights_path)?;
            }
            if is_last {
                break;
            }
        }
        Ok(weights_path.clone())
    })
}

type Clip = Vec<(Frame, Targets)>;

fn ready(plan: &Plan, source: &impl Fn(u64) -> Result<Arc<[Captured]>, Error>, index: u64) -> Result<Clip, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed.wrapping_mul(0x9E37_79B9).wrapping_add(index));
    clip(&plan.network, &source(index)?, &plan.augmentation, &mut rng)
}

/// What one batch taught.
struct Learnt {
    /// Its share in the step's loss.
    loss: f32,
    parts: [f32; PARTS.len()],
    gradients: GradientsParams,
}

/// Losses and gradients of the batches of a step, each on a thread of its own, in their order.
///
/// Much of the tensor library runs on one thread; batches side by side keep the others busy.
fn learn<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    network: &Network<B>,
    is_frozen: bool,
    plan: &Plan,
    batches: &[Vec<Clip>],
    device: &Device<B>,
) -> Vec<Learnt> {
    let one = |network: Network<B>, batch: &[Clip]| {
        let (total, parts) = batch_loss(&network, plan, batch, device);
        let total = total / plan.accumulate as f32;
        let loss = total.clone().into_scalar().elem::<f32>();
        Learnt { loss, parts, gradients: GradientsParams::from_grads(total.backward(), &network) }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = batches
            .iter()
            .map(|batch| {
                // Weights of its own keep a batch's graph apart from those of the others, which would lock each other.
                let (network, one) = (Network::from_inner(network.valid()).freeze(is_frozen), &one);
                scope.spawn(move || one(network, batch))
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Learnt>| match thread.join() {
            Ok(learnt) => learnt,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    })
}

/// Takes the gradients of a part of the network out of all.
fn take<B: AutodiffBackend>(part: &impl Module<B>, all: &mut GradientsParams) -> GradientsParams {
    struct Take<'a> {
        all: &'a mut GradientsParams,
        taken: GradientsParams,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for Take<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if let Some(gradient) = self.all.remove::<B::InnerBackend, D>(param.id) {
                self.taken.register::<B::InnerBackend, D>(param.id, gradient);
            }
        }
    }
    let mut take = Take { all, taken: GradientsParams::new() };
    part.visit(&mut take);
    take.taken
}

/// The mean loss over the frames of a batch of clips of the same length, and its parts.
fn batch_loss<B: Kernels>(
    network: &Network<B>,
    plan: &Plan,
    clips: &[Clip],
    device: &Device<B>,
) -> (Tensor<B, 1>, [f32; PARTS.len()]) {
    let config = &plan.network;
    let side = config.grid.cells / 2;
    let mut previous = Tensor::zeros([clips.len(), config.encoder[0], side, side], device);
    let frames = clips.iter().map(Vec::len).min().unwrap_or(0);
    let mut total = Tensor::zeros([1], device);
    let mut parts = [0.0; PARTS.len()];
    for number in 0..frames {
        let inputs: Vec<&Frame> = clips.iter().map(|clip| &clip[number].0).collect();
        let targets: Vec<&Targets> = clips.iter().map(|clip| &clip[number].1).collect();
        let targets = TargetBatch::new(&targets, config, device);
        let features = network.features(Frame::input(&inputs, previous, config, device));
        previous = features.current.clone();
        let losses = Losses::new(&network.answers(features, targets.cells.clone()), &targets);
        total = total + losses.total(&plan.loss) / frames as f32;
        for (sum, part) in parts.iter_mut().zip(&losses.parts) {
            *sum += part.clone().into_scalar().elem::<f32>() / frames as f32;
        }
    }
    (total, parts)
}

/// The losses of all steps, one line a step.
struct LossLog(fs::File, PathBuf);

impl LossLog {
    fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("loss.csv");
        let is_new = !path.exists();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        if is_new {
            writeln!(file, "step,loss,{},learning_rate,step_s", PARTS.join(",")).map_err(Error::io(&path))?;
        }
        Ok(Self(file, path))
    }

    fn write(&mut self, progress: &Progress) -> Result<(), Error> {
        let parts = progress.parts.map(|part| part.to_string()).join(",");
        let Progress { step, loss, learning_rate, step_s, .. } = progress;
        writeln!(self.0, "{step},{loss},{parts},{learning_rate},{step_s:.3}").map_err(Error::io(&self.1))
    }
}
