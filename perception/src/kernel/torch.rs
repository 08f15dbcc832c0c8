//! Convolutions of LibTorch's backend: its own differentiation steps back, which also knows grouped ones.

use burn::backend::LibTorch;
use burn::backend::libtorch::{TchElement, TchTensor};
use burn::tensor::ops::FloatTensor;
use tch::Tensor;

use super::geometry::Activation;
use super::{Convolution, ConvolutionGradients, Kernels};

/// Lets LibTorch try at their first run which way convolutions are fastest on a GPU.
pub fn try_convolutions() {
    tch::Cuda::cudnn_set_benchmark(true);
}

impl<E: TchElement> Kernels for LibTorch<E> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let mut y = convolved(&x.tensor, &weight.tensor, &bias.tensor, convolution);
        TchTensor::new(match convolution.activation {
            Activation::None => y,
            Activation::Relu => y.clamp_min_(0.0),
            Activation::Relu6 => y.clamp_(0.0, 6.0),
        })
    }

    fn convolve_back(
        [x, weight, y]: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
        convolution: Convolution,
    ) -> ConvolutionGradients<Self> {
        if wanted == [false; 3] {
            return [None, None, None];
        }
        let gradient = match convolution.activation {
            Activation::None => gradient.tensor,
            Activation::Relu => y.tensor.threshold_backward(&gradient.tensor, 0.0),
            Activation::Relu6 => y.tensor.hardtanh_backward(&gradient.tensor, 0.0, 6.0),
        };
        let bias = Tensor::zeros(weight.tensor.size()[0], (gradient.kind(), gradient.device()));
        let leaves = [x.tensor, weight.tensor, bias];
        let leaves: Vec<Tensor> =
            leaves.iter().zip(wanted).map(|(leaf, wanted)| leaf.detach().set_requires_grad(wanted)).collect();
        let y = convolved(&leaves[0], &leaves[1], &leaves[2], convolution);
        let asked: Vec<&Tensor> =
            leaves.iter().zip(wanted).filter_map(|(leaf, wanted)| wanted.then_some(leaf)).collect();
        // The gradient of Σ y · gradient by y is the gradient.
        let sum = (y * gradient).sum(None::<tch::Kind>);
        let mut found = Tensor::run_backward(&[sum], &asked, false, false).into_iter().map(|tensor| tensor.detach());
        wanted.map(|wanted| if wanted { found.next().map(TchTensor::new) } else { None })
    }
}

fn convolved(x: &Tensor, weight: &Tensor, bias: &Tensor, convolution: Convolution) -> Tensor {
    let [top, left, bottom, right] = convolution.pads.map(|pad| pad as i64);
    let stride = [convolution.stride as i64; 2];
    let groups = convolution.groups as i64;
    if [top, left] == [bottom, right] {
        return x.conv2d(weight, Some(bias), stride, [top, left], [1, 1], groups);
    }
    x.constant_pad_nd([left, right, top, bottom]).conv2d(weight, Some(bias), stride, [0, 0], [1, 1], groups)
}
