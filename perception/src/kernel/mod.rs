//! Convolutions with what follows them as one operation, which a processor runs several times faster than the tensor
//! library's own; every other backend runs the library's.

mod autodiff;
mod dense;
mod depthwise;
mod flex;
mod geometry;
mod product;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{Tensor, TensorPrimitive};

pub use geometry::Activation;

/// A convolution's settings: square kernels, all channels or each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Step along both axes.
    pub stride: usize,
    /// Zeros at the top, left, bottom, right.
    pub pads: [usize; 4],
    /// 1, or as many as there are channels.
    pub groups: usize,
    /// What follows.
    pub activation: Activation,
}

impl Convolution {
    /// The settings of a layer.
    fn of<B: Backend>(layer: &Conv2d<B>, activation: Activation) -> Self {
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => unreachable!("layers here say how they pad"),
        };
        Self { stride: layer.stride[0], pads, groups: layer.groups, activation }
    }

    fn options(&self) -> ConvOptions<2> {
        ConvOptions::new([self.stride; 2], [0; 2], [1; 2], self.groups)
    }
}

/// Gradients of a convolution's input, weight and bias, where they are wanted.
pub type ConvolutionGradients<B> = [Option<FloatTensor<B>>; 3];

/// A backend that convolves. What comes with it is made of the library's operations.
pub trait Kernels: Backend {
    /// `x`: `[images, inputs, height, width]`, `weight`: `[outputs, inputs / groups, kernel, kernel]`, `bias`:
    /// `[outputs]` → `[images, outputs, …]`.
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let padded = padded::<Self>(x, convolution.pads);
        let y = tensor::<Self>(Self::conv2d(primitive(padded), weight, Some(bias), convolution.options()));
        primitive(match convolution.activation {
            Activation::None => y,
            Activation::Relu => y.clamp_min(0.0),
            Activation::Relu6 => y.clamp(0.0, 6.0),
        })
    }

    /// The gradients from that of the result `y`; `wanted` says of which of input, weight and bias.
    fn convolve_back(
        [x, weight, y]: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
        convolution: Convolution,
    ) -> ConvolutionGradients<Self> {
        let y = tensor::<Self>(y);
        let passes = match convolution.activation {
            Activation::None => y.ones_like(),
            Activation::Relu => y.greater_elem(0.0).float(),
            Activation::Relu6 => y.clone().greater_elem(0.0).float() * y.lower_elem(6.0).float(),
        };
        let gradient = tensor::<Self>(gradient) * passes;
        let [_, _, height, width] = tensor::<Self>(x.clone()).dims();
        let padded = padded::<Self>(x, convolution.pads);
        let [top, left, ..] = convolution.pads;
        let [to_x, to_weight, to_bias] = wanted;
        let options = || convolution.options();
        let (padded, wide) = (primitive(padded), primitive(gradient.clone()));
        [
            to_x.then(|| {
                let x = Self::conv2d_x_backward(padded.clone(), weight.clone(), wide.clone(), options());
                let [images, channels, ..] = tensor::<Self>(x.clone()).dims();
                let inside = [0..images, 0..channels, top..top + height, left..left + width];
                primitive(tensor::<Self>(x).slice(inside))
            }),
            to_weight.then(|| Self::conv2d_weight_backward(padded.clone(), weight.clone(), wide.clone(), options())),
            to_bias.then(|| {
                let channels = gradient.dims()[1];
                gradient.sum_dim(0).sum_dim(2).sum_dim(3).reshape([channels]).into_primitive().tensor()
            }),
        ]
    }
}

fn tensor<B: Backend>(primitive: FloatTensor<B>) -> Tensor<B, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend>(tensor: Tensor<B, 4>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn padded<B: Backend>(x: FloatTensor<B>, [top, left, bottom, right]: [usize; 4]) -> Tensor<B, 4> {
    tensor::<B>(x).pad((left, right, top, bottom), 0.0)
}

/// A layer, and what follows it: `[images, inputs, height, width]` → `[images, outputs, …]`.
pub fn convolve<B: Kernels>(layer: &Conv2d<B>, x: Tensor<B, 4>, activation: Activation) -> Tensor<B, 4> {
    let convolution = Convolution::of(layer, activation);
    let bias = match &layer.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([layer.weight.dims()[0]], &x.device()),
    };
    let [x, weight] = [x, layer.weight.val()].map(primitive);
    tensor(B::convolve(x, weight, bias.into_primitive().tensor(), convolution))
}

#[cfg(test)]
mod tests;
