//! Convolutions that can be differentiated once.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::ops::FloatTensor;

use super::{Convolution, Kernels};

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
}
