//! Convolutions that can be differentiated once.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::ops::FloatTensor;

use super::{Columns, Convolution, GroundBins, Kernels, VoxelReads};

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

/// The step backwards of another order of axes, which is the order that undoes it.
#[derive(Debug)]
struct Reorder;

impl<B: Kernels> Backward<B, 1> for Reorder {
    type State = Vec<usize>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let mut undo = vec![0; ops.state.len()];
        ops.state.iter().enumerate().for_each(|(place, axis)| undo[*axis] = place);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, B::reorder(gradient, &undo));
        }
    }
}

/// The step backwards of the depths; it keeps what was said and the rays.
#[derive(Debug)]
struct Depths;

impl<B: Kernels> Backward<B, 1> for Depths {
    type State = ([FloatTensor<B>; 2], GroundBins);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (kept, bins) = ops.state;
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, B::depths_back(kept, gradient, &bins));
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
    const IS_HOST: bool = B::IS_HOST;

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

    fn reorder(x: FloatTensor<Self>, order: &[usize]) -> FloatTensor<Self> {
        match Reorder.prepare::<C>([x.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(order.to_vec(), B::reorder(x.primitive, order)),
            OpsKind::UnTracked(prep) => prep.finish(B::reorder(x.primitive, order)),
        }
    }

    fn depths(said: FloatTensor<Self>, rays: FloatTensor<Self>, bins: &GroundBins) -> FloatTensor<Self> {
        let rays = rays.primitive;
        match Depths.prepare::<C>([said.node.clone()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let likely = B::depths(said.primitive.clone(), rays.clone(), bins);
                prep.finish(([said.primitive, rays], bins.clone()), likely)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::depths(said.primitive, rays, bins)),
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
