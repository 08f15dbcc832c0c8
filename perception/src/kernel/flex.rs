//! Convolutions of the processor's backend.

use burn::backend::Flex;
use burn::tensor::TensorData;
use burn::tensor::ops::FloatTensor;
use burn_flex::FlexTensor;

use super::geometry::{Activation, Geometry};
use super::{Convolution, ConvolutionGradients, Kernels, dense, depthwise};

impl Kernels for Flex {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let g = geometry(&x, &weight, convolution);
        let forward = if convolution.groups == 1 { dense::forward } else { depthwise::forward };
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.to_contiguous());
        let y = forward(&g, x.storage(), weight.storage(), bias.storage(), convolution.activation);
        made(y, &[g.images, g.outputs, g.to[0], g.to[1]])
    }

    fn convolve_back(
        [x, weight, y]: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        [to_x, to_weight, to_bias]: [bool; 3],
        convolution: Convolution,
    ) -> ConvolutionGradients<Self> {
        let g = geometry(&x, &weight, convolution);
        let [x, weight, y, gradient] = [x, weight, y, gradient].map(|tensor| tensor.to_contiguous());
        let masked;
        let gradient: &[f32] = match convolution.activation {
            Activation::None => gradient.storage(),
            activation => {
                masked = activation.back(gradient.storage(), y.storage());
                &masked
            }
        };
        let is_dense = convolution.groups == 1;
        let x_gradient = to_x.then(|| {
            let to_input = if is_dense { dense::to_input } else { depthwise::to_input };
            made(to_input(&g, weight.storage(), gradient), &[g.images, g.inputs, g.from[0], g.from[1]])
        });
        let mut rest = (to_weight || to_bias).then(|| {
            let to_weights = if is_dense { dense::to_weights } else { depthwise::to_weights };
            let (weight, bias) = to_weights(&g, x.storage(), gradient);
            let inputs = if is_dense { g.inputs } else { 1 };
            (made(weight, &[g.outputs, inputs, g.kernel, g.kernel]), made(bias, &[g.outputs]))
        });
        let [weight, bias] = match rest.take() {
            Some((weight, bias)) => [to_weight.then_some(weight), to_bias.then_some(bias)],
            None => [None, None],
        };
        [x_gradient, weight, bias]
    }
}

fn geometry(x: &FlexTensor, weight: &FlexTensor, convolution: Convolution) -> Geometry {
    let size = |tensor: &FlexTensor, axis: usize| tensor.layout().shape()[axis];
    let [top, left, bottom, right] = convolution.pads;
    let (kernel, stride) = (size(weight, 2), convolution.stride);
    let from = [size(x, 2), size(x, 3)];
    let outputs = size(weight, 0);
    assert_eq!(kernel, size(weight, 3), "kernels are square");
    assert!(convolution.groups == 1 || (convolution.groups == size(x, 1) && convolution.groups == outputs));
    Geometry {
        images: size(x, 0),
        inputs: size(x, 1),
        outputs,
        from,
        to: [(from[0] + top + bottom - kernel) / stride + 1, (from[1] + left + right - kernel) / stride + 1],
        kernel,
        stride,
        pad: [top, left],
    }
}

fn made(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
