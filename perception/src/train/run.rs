//! The loop: clips, losses, steps, averages, checkpoints, and a line for every few steps.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;

use super::abreast::Learnt;
use super::average::follow;
use super::checkpoint::State;
use super::log::LossLog;
use super::loss::PARTS;
use super::plan::{Plan, Rule};
use super::prefetch::{Ready, ahead};
use super::sample::{Captured, clip};
use super::schedule::decay;
use super::step::{Batch, Clip, learn};
use crate::kernel::Kernels;
use crate::model::Network;
use crate::optim::{AgdConfig, Wsam, WsamConfig};
use crate::{Error, weights};

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
    /// For how much of it nothing was ready to learn from, s.
    pub wait_s: f64,
}

/// Where a run keeps its things.
pub struct Places<'a> {
    /// Checkpoints, `loss.csv` and `weights.safetensors` go here.
    pub directory: &'a Path,
    /// Weights of the backbone to begin with.
    pub pretrained: Option<&'a Path>,
    /// Weights of a whole network to begin with, as far as they fit; parts that it lacks are fresh.
    pub start: Option<&'a Path>,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Threads that make clips ready.
    pub threads: usize,
}

/// Where a training runs.
pub struct Devices<B: Backend> {
    /// Here clips become tensors: where that disturbs nobody.
    pub host: Device<B>,
    /// Here is learnt.
    pub learner: Device<B>,
}

impl<B: Backend> Devices<B> {
    /// All on one.
    pub fn one(device: Device<B>) -> Self {
        Self { host: device.clone(), learner: device }
    }
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
    devices: &Devices<B>,
) -> Result<PathBuf, Error> {
    let clipping = GradientClippingConfig::Norm(plan.clip_norm);
    let mut adam = AdamWConfig::new().with_weight_decay(plan.weight_decay).with_grad_clipping(Some(clipping.clone()));
    adam = adam.with_epsilon(1e-8);
    let decay = f64::from(plan.weight_decay);
    let agd = || AgdConfig::new().with_weight_decay(decay).init::<B, Network<B>>().with_grad_clipping(clipping.init());
    match plan.rule {
        Rule::AdamW => descend(plan, places, source, report, devices, adam.init::<B, Network<B>>(), None),
        Rule::Wsam => {
            descend(plan, places, source, report, devices, adam.init::<B, Network<B>>(), Some(WsamConfig::new().init()))
        }
        Rule::Agd => descend(plan, places, source, report, devices, agd(), None),
    }
}

fn descend<B: AutodiffBackend<InnerBackend: Kernels> + Kernels, O: Optimizer<Network<B>, B>>(
    plan: &Plan,
    places: &Places<'_>,
    source: &(impl Fn(u64) -> Result<Arc<[Captured]>, Error> + Sync),
    report: &mut dyn FnMut(&Progress) -> bool,
    devices: &Devices<B>,
    optimizer: O,
    wsam: Option<Wsam>,
) -> Result<PathBuf, Error> {
    fs::create_dir_all(places.directory).map_err(Error::io(places.directory))?;
    let device = &devices.learner;
    B::seed(device, plan.seed);
    let mut network = Network::<B>::new(&plan.network, device);
    if let Some(path) = places.pretrained {
        network = network.pretrained(path)?;
    }
    if let Some(path) = places.start {
        network = weights::start(network, path)?;
    }
    let average = network.valid();
    let mut state = State { step: 0, network, average, optimizer }.resume(places.directory, device)?;
    let weights_path = places.directory.join("weights.safetensors");
    with_batches(plan, places.threads, source, state.step, &devices.host, |mut batches| {
        let mut log = LossLog::open(places.directory)?;
        while state.step < plan.steps {
            let start = Instant::now();
            // The other threads make clips for as long as they are taken.
            let Some(batches) = batches.next().transpose()? else { break };
            // Moved by the thread that learns, or else each tensor would wait for what it still has to do.
            let batches: Vec<Batch<B>> = batches.into_iter().map(|batch| batch.to_device(&devices.learner)).collect();
            let wait_s = start.elapsed().as_secs_f64();
            let is_frozen = state.step < plan.frozen;
            let Learnt { loss, parts, gradients } = learn(&state.network, is_frozen, plan, &batches);
            if !loss.is_finite() {
                return Err(Error::Diverged { step: state.step, loss });
            }
            let learning_rate = plan.learning_rate(state.step);
            let sharpness = wsam.as_ref().map(|wsam| {
                let uphill = wsam.perturb(state.network.clone(), &gradients);
                let uphill = learn(&uphill, is_frozen, plan, &batches).gradients;
                wsam.sharpness(&state.network, &gradients, uphill)
            });
            let mut rest = gradients;
            let backbone = take(&state.network.trunk, &mut rest);
            state.network = state.optimizer.step(learning_rate, state.network, rest);
            state.network = state.optimizer.step(plan.backbone_rate * learning_rate, state.network, backbone);
            if let (Some(wsam), Some(sharpness)) = (&wsam, sharpness) {
                state.network = wsam.flatten(state.network, sharpness, learning_rate);
            }
            let decay = decay(state.step, plan.average_decay);
            state.average = follow(state.average, &state.network.valid(), decay);
            state.step += 1;
            let step_s = start.elapsed().as_secs_f64();
            let progress = Progress { step: state.step, steps: plan.steps, loss, parts, learning_rate, step_s, wait_s };
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

/// Steps whose batches are made at the same time.
const STEPS_AHEAD: usize = 4;

/// The batches of step after step, on the host, made ready by other threads.
fn with_batches<B: Backend, R>(
    plan: &Plan,
    threads: usize,
    source: &(impl Fn(u64) -> Result<Arc<[Captured]>, Error> + Sync),
    from: u64,
    host: &Device<B>,
    take: impl FnOnce(Ready<Result<Vec<Batch<B>>, Error>>) -> Result<R, Error>,
) -> Result<R, Error> {
    let each = (plan.batch * plan.accumulate) as u64;
    // A thread of a pool that waits takes other work on, so that steps with one pool would wait for each other.
    let loaders = threads.min(STEPS_AHEAD);
    let pool = |_| ThreadPoolBuilder::new().num_threads(threads / loaders).build();
    let pools = (0..loaders).map(pool).collect::<Result<Vec<_>, _>>()?;
    let load = |step: u64| {
        pools[step as usize % loaders].install(|| {
            let clips = (step * each..(step + 1) * each).into_par_iter().map(|index| ready(plan, source, index));
            let clips = clips.collect::<Result<Vec<Clip>, Error>>()?;
            Ok(clips.chunks(plan.batch).map(|clips| Batch::new(clips, &plan.network, host)).collect())
        })
    };
    ahead(from, loaders, 1, load, take)
}

fn ready(plan: &Plan, source: &impl Fn(u64) -> Result<Arc<[Captured]>, Error>, index: u64) -> Result<Clip, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed.wrapping_mul(0x9E37_79B9).wrapping_add(index));
    clip(&plan.network, &source(index)?, &plan.augmentation, &mut rng)
}

/// Takes the gradients of a part of the network out of all.
pub fn take<B: AutodiffBackend>(part: &impl Module<B>, all: &mut GradientsParams) -> GradientsParams {
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
