//! The loop: lessons in an order that the seed decides, losses, steps, the average, checkpoints.

use std::path::Path;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::AutodiffModule;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Device, ElementConversion};
use serde::Serialize;
use tandem_perception::train::{State, ahead, follow, schedule};

use super::batch::{Batch, Example};
use super::learner::{Adapters, Frozen};
use crate::Error;
use crate::model::{About, Adapter, Plain};

/// How it is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u64,
    /// Lessons that go through the decoder at once.
    pub batch: usize,
    /// Batches whose gradients make a step.
    pub accumulate: usize,
    /// The highest learning rate, reached after `warmup` steps; it falls off as half a cosine.
    pub rate: f64,
    /// Steps over which the rate rises.
    pub warmup: u64,
    /// What everything drawn starts from.
    pub seed: u64,
}

/// Gradients are cut at this norm, tensor by tensor.
const CLIP_NORM: f32 = 1.0;

/// How much of the average of the weights remains at a step.
const AVERAGE_DECAY: f64 = 0.99;

/// Threads that make lessons ready, and the steps that each is ahead.
const READERS: usize = 4;
const AHEAD: usize = 2;

impl Plan {
    fn rate(&self, step: u64) -> f64 {
        self.rate * schedule::rate(step, self.steps, self.warmup, 0.02)
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// The mean cross entropy of a token.
    pub loss: f32,
    /// The learning rate.
    pub rate: f64,
    /// Tokens read.
    pub tokens: usize,
    /// How long it took, s.
    pub step_s: f64,
}

/// What is learnt from, and beside what.
pub struct School<'a> {
    /// The decoder.
    pub plain: &'a Plain,
    /// Its name, and what of it learns.
    pub about: About,
    /// What was learnt before, to go on from.
    pub before: Option<Adapter>,
    /// What is learnt from: the lesson of a number, the same whenever it is asked for.
    pub example: &'a (dyn Fn(u64) -> Result<Example, Error> + Sync),
}

/// Trains to the plan's end, from the newest checkpoint where there is one: they are in a directory beside `out`, into
/// which the average of what was learnt is written with every checkpoint. `report` hears of every step and says whether to
/// go on and whether to write a checkpoint.
///
/// # Errors
/// For files that cannot be read or written, a template that refuses conversations, or a loss that is no number.
pub fn run<B: AutodiffBackend>(
    plan: &Plan,
    school: &School<'_>,
    out: &Path,
    report: &mut dyn FnMut(&Progress) -> Next,
    device: &Device<B>,
) -> Result<(), Error> {
    let directory = &out.with_extension("checkpoints");
    B::seed(device, plan.seed);
    let frozen = Frozen::<B>::new(school.plain, device);
    let network = match &school.before {
        Some(adapter) => Adapters::<B>::of_adapter(adapter, device),
        None => Adapters::new(&school.plain.config, school.about.rank, school.about.width, device),
    };
    let clipping = GradientClippingConfig::Norm(CLIP_NORM);
    let optimizer = AdamWConfig::new().with_weight_decay(0.0).with_epsilon(1e-8).with_grad_clipping(Some(clipping));
    let optimizer = optimizer.init::<B, Adapters<B>>();
    let average = network.valid();
    let mut state =
        State { step: 0, network, average, optimizer }.resume(directory, device).map_err(Error::Perception)?;
    let ready = |step| batches(plan, school, step);
    ahead(state.step, READERS, AHEAD, ready, |mut ready| {
        while state.step < plan.steps {
            let start = Instant::now();
            let Some(batches) = ready.next() else { break };
            let batches = batches?;
            let targets: usize = batches.iter().map(|batch| batch.targets.len()).sum();
            let mut gradients = GradientsAccumulator::<Adapters<B>>::new();
            let mut losses = Vec::with_capacity(batches.len());
            for batch in &batches {
                let loss = frozen.loss(&state.network, batch) / targets as f32;
                let part = GradientsParams::from_grads(loss.backward(), &state.network);
                gradients.accumulate(&state.network, part);
                losses.push(loss.detach());
            }
            let rate = plan.rate(state.step);
            state.network = state.optimizer.step(rate, state.network, gradients.grads());
            let decay = schedule::decay(state.step, AVERAGE_DECAY);
            state.average = follow(state.average, &state.network.valid(), decay);
            // Read last: until then a device works on by itself.
            let loss = losses.into_iter().map(|loss| loss.into_scalar().elem::<f32>()).sum::<f32>();
            if !loss.is_finite() {
                return Err(Error::Perception(tandem_perception::Error::Diverged { step: state.step, loss }));
            }
            state.step += 1;
            let tokens = batches.iter().map(|batch| batch.shape.iter().product::<usize>()).sum();
            let step_s = start.elapsed().as_secs_f64();
            let next = report(&Progress { step: state.step, steps: plan.steps, loss, rate, tokens, step_s });
            if next != Next::GoOn || state.step == plan.steps {
                state.save(directory).map_err(Error::Perception)?;
                state.average.to_adapter(school.about.clone(), out).save()?;
            }
            if next == Next::Stop {
                break;
            }
        }
        Ok(())
    })
}

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Take the next one.
    GoOn,
    /// Write a checkpoint first.
    Save,
    /// Write a checkpoint and stop.
    Stop,
}

/// What a step learns from.
fn batches(plan: &Plan, school: &School<'_>, step: u64) -> Result<Vec<Batch>, Error> {
    let each = (plan.batch * plan.accumulate) as u64;
    let mut examples = (step * each..(step + 1) * each).map(school.example).collect::<Result<Vec<_>, _>>()?;
    // Those of a length are side by side.
    examples.sort_by_key(|example| example.tokens.len());
    Ok(examples.chunks(plan.batch).map(|examples| Batch::new(examples, school.plain)).collect())
}
