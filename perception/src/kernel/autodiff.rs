//! Convolutions that can be differentiated once.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::ops::FloatTensor;

use super::{Columns, Convolution, Kernels, VoxelReads};

/// The step backwards; it keeps input, weight and result.
#[derive(Debug)]
struct Convolve;

impl<B: Kernels> Backward<B, 3> for Convolve {
    type State = ([FloatTensor<B>; 3], Convolution);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (kept, convolution) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = B::convolve_back(kept, gradient, wanted, convolution);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// The step backwards of the lift; it keeps features, weights and fold.
#[derive(Debug)]
struct Lift;

impl<B: Kernels> Backward<B, 4> for Lift {
    type State = ([FloatTensor<B>; 3], VoxelReads<B>, Columns);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (kept, reads, columns) = ops.state;
        let found = B::lift_back(kept, reads, gradient, columns);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let nodes = [&x, &weight, &bias].map(|tensor| tensor.node.clone());
        match Convolve.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (x, weight) = (x.primitive, weight.primitive);
                let y = B::convolve(x.clone(), weight.clone(), bias.primitive, convolution);
                prep.finish(([x, weight, y.clone()], convolution), y)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::convolve(x.primitive, weight.primitive, bias.primitive, convolution))
            }
        }
    }

    fn lift(inputs: [FloatTensor<Self>; 4], reads: VoxelReads<Self>, columns: Columns) -> FloatTensor<Self> {
        let nodes = inputs.each_ref().map(|tensor| tensor.node.clone());
        let (context, depth, seen) = reads;
        let reads = (context, depth, seen.primitive);
        let [features, weights, fold, bias] = inputs.map(|tensor| tensor.primitive);
        match Lift.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let kept = [features.clone(), weights.clone(), fold.clone()];
                let lifted = B::lift([features, weights, fold, bias], reads.clone(), columns);
                prep.finish((kept, reads, columns), lifted)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::lift([features, weights, fold, bias], reads, columns)),
        }
    }
}
