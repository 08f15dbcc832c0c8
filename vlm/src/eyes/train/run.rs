//! The loop: moments, losses, steps, averages, checkpoints.

use std::fs;
use std::path::Path;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::{AutodiffModule, Module};
use burn::optim::{AdamWConfig, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use serde::Serialize;
use tandem_perception::kernel::Kernels;
use tandem_perception::train::{Devices, Learnt, State, ahead, follow, learn_abreast, schedule, take};

use super::super::network::Network;
use super::super::weights;
use super::batch::Batch;
use super::loss::{PARTS, loss};
use super::samples::{Sample, Samples};
use crate::Error;

/// How much slower the backbone learns, which begins trained.
const BACKBONE_RATE: f64 = 0.3;

/// How much of the average of the weights remains at each step.
const AVERAGE_DECAY: f64 = 0.998;

/// Gradients are cut at this norm, tensor by tensor.
const CLIP_NORM: f32 = 1.0;

/// Decoupled weight decay (Loshchilov and Hutter 2019).
const WEIGHT_DECAY: f32 = 0.01;

/// Everything that decides what training comes to, beside the worlds.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u64,
    /// Moments that go through the network at once.
    pub batch: usize,
    /// Batches whose gradients make one step, side by side on as many threads.
    pub accumulate: usize,
    /// The highest learning rate, reached after `warmup` steps; it falls off as half a cosine.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises.
    pub warmup: u64,
    /// What fresh weights start from.
    pub seed: u64,
    /// Threads that make moments ready.
    pub threads: usize,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
}

impl Default for Plan {
    /// For two cores.
    fn default() -> Self {
        Self {
            steps: 20_000,
            batch: 1,
            accumulate: 2,
            learning_rate: 6e-4,
            warmup: 200,
            seed: 0,
            threads: 1,
            checkpoint_every: 250,
        }
    }
}

impl Plan {
    fn learning_rate(&self, step: u64) -> f64 {
        self.learning_rate * schedule::rate(step, self.steps, self.warmup, 0.01)
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
    /// How long the step took, s.
    pub step_s: f64,
    /// For how much of it nothing was ready to learn from, s.
    pub wait_s: f64,
}

/// Trains the eyes, from the newest checkpoint in a directory where there is one, to the plan's end, and writes their
/// weights to `out` at every checkpoint. `report` hears of every step and says whether to go on.
///
/// # Errors
/// For files that cannot be read or written, worlds that cannot be made, or a loss that leaves the finite numbers.
pub fn run<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    plan: &Plan,
    samples: &Samples,
    out: &Path,
    checkpoints: &Path,
    report: &mut dyn FnMut(&Progress) -> bool,
    devices: &Devices<B>,
) -> Result<(), Error> {
    let device = &devices.learner;
    fs::create_dir_all(checkpoints).map_err(Error::io(checkpoints))?;
    B::seed(device, plan.seed);
    let network = Network::<B>::begun(device).map_err(Error::Perception)?;
    let adam = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY).with_epsilon(1e-8);
    let adam = adam.with_grad_clipping(Some(GradientClippingConfig::Norm(CLIP_NORM)));
    let average = network.valid();
    let state = State { step: 0, network, average, optimizer: adam.init::<B, Network<B>>() };
    let mut state = state.resume(checkpoints, device).map_err(Error::Perception)?;
    let each = (plan.batch * plan.accumulate) as u64;
    let load = |step: u64| -> Result<Vec<Batch<B>>, Error> {
        let moments = (step * each..(step + 1) * each).map(|index| samples.sample(index));
        let moments = moments.collect::<Result<Vec<Sample>, Error>>()?;
        Ok(moments.chunks(plan.batch).map(|moments| Batch::new(moments, &devices.host)).collect())
    };
    ahead(state.step, plan.threads, 2, load, |mut ready| {
        while state.step < plan.steps {
            let start = Instant::now();
            let Some(batches) = ready.next().transpose()? else { break };
            // Moved by the thread that learns, or else each tensor would wait for what it still has to do.
            let batches: Vec<Batch<B>> = batches.into_iter().map(|batch| batch.to_device(device)).collect();
            let wait_s = start.elapsed().as_secs_f64();
            let Learnt { loss, parts, gradients: mut rest } = learn(&state.network, &batches);
            if !loss.is_finite() {
                return Err(Error::Perception(tandem_perception::Error::Diverged { step: state.step, loss }));
            }
            let learning_rate = plan.learning_rate(state.step);
            let backbone = take(state.network.trunk(), &mut rest);
            state.network = state.optimizer.step(learning_rate, state.network, rest);
            state.network = state.optimizer.step(BACKBONE_RATE * learning_rate, state.network, backbone);
            let decay = schedule::decay(state.step, AVERAGE_DECAY);
            state.average = follow(state.average, &state.network.valid(), decay);
            state.step += 1;
            let step_s = start.elapsed().as_secs_f64();
            let goes_on = report(&Progress { step: state.step, steps: plan.steps, loss, parts, step_s, wait_s });
            let is_last = state.step == plan.steps || !goes_on;
            if is_last || state.step.is_multiple_of(plan.checkpoint_every) {
                state.save(checkpoints).map_err(Error::Perception)?;
                weights::save(&state.average, out)?;
            }
            if is_last {
                break;
            }
        }
        Ok(())
    })
}

/// The mean loss of the batches of a step and its gradients, each batch on a thread of its own.
fn learn<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    network: &Network<B>,
    batches: &[Batch<B>],
) -> Learnt<{ PARTS.len() }> {
    let count = batches.len() as f32;
    let own = || Network::from_inner(network.valid()).freeze();
    let loss = |network: &Network<B>, batch: &Batch<B>| {
        let (total, parts) = loss(network, batch);
        (total / count, parts / count)
    };
    learn_abreast(network, batches, own, loss)
}
