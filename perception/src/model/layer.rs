//! The blocks that the network's own parts are made of.
//!
//! There are no batch norms: training on a processor sees one or two frames at a time, whose statistics say little of
//! the next. Pretrained norms are folded into their convolutions, and residual branches begin at nothing (after Zhang et
//! al. 2019, Fixup), which keeps a network of this depth as easy to train.

use burn::module::{Initializer, Module};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor};

use crate::kernel::{Activation, Kernels, convolve, reorder};

/// A convolution with a square kernel that keeps the size at stride 1 and halves it at stride 2; for a ReLU after it.
pub fn conv<B: Backend>(channels: [usize; 2], kernel: usize, stride: usize, device: &Device<B>) -> Conv2d<B> {
    unbiased(config(channels, kernel).with_stride([stride, stride]).with_initializer(kaiming(1.0)).init(device))
}

/// A 1 × 1 convolution for inputs about `rms` in size, whose outputs begin about one.
pub fn input_conv<B: Backend>(channels: [usize; 2], rms: f64, device: &Device<B>) -> Conv2d<B> {
    unbiased(config(channels, 1).with_initializer(kaiming(rms)).init(device))
}

fn kaiming(rms: f64) -> Initializer {
    Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2 / rms, fan_out_only: false }
}

/// A 1 × 1 convolution for an output, which begins near nothing.
pub fn output_conv<B: Backend>(channels: [usize; 2], device: &Device<B>) -> Conv2d<B> {
    let initializer = Initializer::Normal { mean: 0.0, std: 0.01 };
    unbiased(config(channels, 1).with_initializer(initializer).init(device))
}

fn config(channels: [usize; 2], kernel: usize) -> Conv2dConfig {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel]).with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
}

/// With a bias of zero, which the initialisers of weights would make random.
fn unbiased<B: Backend>(mut conv: Conv2d<B>) -> Conv2d<B> {
    conv.bias = conv.bias.map(|bias| bias.map(|bias| bias.zeros_like().require_grad()));
    conv
}

/// Two 3 × 3 convolutions with a way past them (He et al. 2016).
#[derive(Module, Debug)]
pub struct ResidualBlock<B: Backend> {
    pub(crate) first: Conv2d<B>,
    pub(crate) second: Conv2d<B>,
    /// Where size or channels change.
    pub(crate) shortcut: Option<Conv2d<B>>,
}

impl<B: Kernels> ResidualBlock<B> {
    /// `channels`: in, out.
    pub fn new(channels: [usize; 2], stride: usize, device: &Device<B>) -> Self {
        let changes = stride != 1 || channels[0] != channels[1];
        let mut second = conv([channels[1], channels[1]], 3, 1, device);
        second.weight = second.weight.map(|weight| weight.zeros_like().require_grad());
        Self {
            first: conv(channels, 3, stride, device),
            second,
            shortcut: changes.then(|| conv(channels, 1, stride, device)),
        }
    }

    /// `[batch, in, height, width]` → `[batch, out, height / stride, width / stride]`.
    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let past = match &self.shortcut {
            Some(shortcut) => convolve(shortcut, x.clone(), Activation::None),
            None => x.clone(),
        };
        let first = convolve(&self.first, x, Activation::Relu);
        relu(convolve(&self.second, first, Activation::None) + past)
    }
}

/// Turns channels into resolution: `[batch, 4 × channels, height, width]` → `[batch, channels, 2 × height, 2 × width]`
/// (Shi et al. 2016, sub-pixel convolution).
pub fn spread<B: Kernels>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = x.dims();
    let channels = channels / 4;
    let parts = x.reshape([batch, channels, 2, 2, height, width]);
    reorder(parts, [0, 1, 4, 2, 5, 3]).reshape([batch, channels, 2 * height, 2 * width])
}
