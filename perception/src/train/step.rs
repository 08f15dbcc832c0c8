//! One step: batches side by side, their losses and gradients.

use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use super::abreast::{Learnt, learn_abreast};
use super::batch::TargetBatch;
use super::loss::{Losses, PARTS};
use super::plan::Plan;
use crate::frame::{Frame, Views};
use crate::kernel::Kernels;
use crate::model::{Network, NetworkConfig};
use crate::truth::Targets;

/// Frames of one drive, in order, with their targets.
pub(super) type Clip = Vec<(Frame, Targets)>;

/// Clips of the same length on a device: what the network reads and should say, frame by frame.
#[derive(Module, Debug)]
pub(super) struct Batch<B: Backend> {
    frames: Vec<(Views<B>, TargetBatch<B>)>,
}

impl<B: Backend> Batch<B> {
    /// Frames that not all clips have are left out.
    pub fn new(clips: &[Clip], config: &NetworkConfig, device: &Device<B>) -> Self {
        let frame = |number: usize| {
            let inputs: Vec<&Frame> = clips.iter().map(|clip| &clip[number].0).collect();
            let targets: Vec<&Targets> = clips.iter().map(|clip| &clip[number].1).collect();
            (Views::new(&inputs, config, device), TargetBatch::new(&targets, config, device))
        };
        let count = clips.iter().map(Vec::len).min().unwrap_or(0);
        Self { frames: (0..count).into_par_iter().map(frame).collect() }
    }
}

/// The mean loss of the batches of a step and its gradients, each batch on a thread of its own.
pub(super) fn learn<B: AutodiffBackend<InnerBackend: Kernels> + Kernels>(
    network: &Network<B>,
    is_frozen: bool,
    plan: &Plan,
    batches: &[Batch<B>],
) -> Learnt<{ PARTS.len() }> {
    let own = || Network::from_inner(network.valid()).freeze(is_frozen);
    let loss = |network: &Network<B>, batch: &Batch<B>| {
        let (total, parts) = batch_loss(network, plan, batch);
        (total / plan.accumulate as f32, parts / plan.accumulate as f32)
    };
    learn_abreast(network, batches, own, loss)
}

/// The mean loss over the frames of a batch, `[1]`, and its parts, `[PARTS]`.
fn batch_loss<B: Kernels>(network: &Network<B>, plan: &Plan, batch: &Batch<B>) -> (Tensor<B, 1>, Tensor<B, 1>) {
    let count = batch.frames.len() as f32;
    let mut previous = None;
    let mut losses = Vec::new();
    for (views, targets) in &batch.frames {
        let [clips, _] = targets.cells.dims();
        let nothing = || Tensor::zeros(plan.network.kept(clips), &targets.cells.device());
        let features = network.features(views.input(previous.unwrap_or_else(nothing)));
        previous = Some(features.current.clone());
        let answers = network.answers(features, targets.cells.clone(), targets.path_cells.clone());
        let frame = Losses::new(&answers, targets, plan.network.grid.cell_m());
        losses.push((frame.total(&plan.loss) / count, Tensor::cat(frame.parts.to_vec(), 0).detach() / count));
    }
    let (totals, parts): (Vec<_>, Vec<_>) = losses.into_iter().unzip();
    (Tensor::cat(totals, 0).sum(), Tensor::stack::<2>(parts, 0).sum_dim(0).reshape([PARTS.len()]))
}
