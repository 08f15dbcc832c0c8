//! One step: batches side by side, their losses and gradients.

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Device, ElementConversion, Tensor};

use super::batch::TargetBatch;
use super::loss::{Losses, PARTS};
use super::plan::Plan;
use crate::frame::Frame;
use crate::kernel::Kernels;
use crate::model::Network;
use crate::truth::Targets;

/// Frames of one drive, in order, with their targets.
pub(super) type Clip = Vec<(Frame, Targets)>;

/// What batches taught.
pub(super) struct Learnt {
    /// The weighted loss.
    pub loss: f32,
    /// Its parts, in the order of [`PARTS`].
    pub parts: [f32; PARTS.len()],
    /// Of all weights that are not frozen.
    pub gradients: GradientsParams,
}

/// The mean loss of the batches of a step and its gradients, each batch on a thread of its own.
///
/// Much of the tensor library runs on one thread; batches side by side keep the others busy.
pub(super) fn learn<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    network: &Network<B>,
    is_frozen: bool,
    plan: &Plan,
    batches: &[Vec<Clip>],
    device: &Device<B>,
) -> Learnt {
    let one = |network: Network<B>, batch: &[Clip]| {
        let (total, parts) = batch_loss(&network, plan, batch, device);
        let total = total / plan.accumulate as f32;
        let loss = total.clone().into_scalar().elem::<f32>();
        Learnt { loss, parts, gradients: GradientsParams::from_grads(total.backward(), &network) }
    };
    let learnt: Vec<Learnt> = std::thread::scope(|scope| {
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
    });
    let mut gradients = GradientsAccumulator::new();
    let (mut loss, mut parts) = (0.0, [0.0; PARTS.len()]);
    // In their order, so that sums are the same in every run.
    for learnt in learnt {
        loss += learnt.loss;
        parts.iter_mut().zip(learnt.parts).for_each(|(sum, part)| *sum += part / plan.accumulate as f32);
        gradients.accumulate(network, learnt.gradients);
    }
    Learnt { loss, parts, gradients: gradients.grads() }
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
