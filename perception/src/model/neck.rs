//! The feature pyramid: image features of several strides become one at stride 8 (Lin et al. 2017).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

use super::layer::{conv, input_conv};
use crate::kernel::{Activation, Kernels, convolve};
use crate::rig::RAYS;

/// About the size of a pretrained backbone's features; what follows begins with numbers around one.
const TRUNK_RMS: f64 = 7.0;

/// The pyramid.
#[derive(Module, Debug)]
pub struct Neck<B: Backend> {
    pub(crate) lateral: Vec<Conv2d<B>>,
    /// What the calibration says of every pixel.
    pub(crate) rays: Conv2d<B>,
    pub(crate) smooth: Conv2d<B>,
}

impl<B: Kernels> Neck<B> {
    /// `channels`: of the backbone's outputs, then of the pyramid.
    pub fn new(channels: &[usize], neck: usize, device: &Device<B>) -> Self {
        let lateral = channels.iter().map(|channels| input_conv([*channels, neck], TRUNK_RMS, device)).collect();
        Self { lateral, rays: input_conv([RAYS, neck], 1.0, device), smooth: conv([neck, neck], 3, 1, device) }
    }

    /// Features, finest first, and the rays `[n, RAYS, height / 8, width / 8]` → `[n, neck, height / 8, width / 8]`.
    pub fn forward(&self, features: Vec<Tensor<B, 4>>, rays: Tensor<B, 4>) -> Tensor<B, 4> {
        let lateral = |(feature, lateral): (_, &_)| convolve(lateral, feature, Activation::None);
        let mut laterals = features.into_iter().zip(&self.lateral).map(lateral);
        let finest = laterals.next();
        let coarser = laterals.rev().reduce(|coarse, fine| double(coarse) + fine);
        // A backbone has at least two strides.
        let (Some(finest), Some(coarser)) = (finest, coarser) else { unreachable!("two strides") };
        let rays = convolve(&self.rays, rays, Activation::None);
        convolve(&self.smooth, double(coarser) + finest + rays, Activation::Relu)
    }
}

/// Twice the height and width, each value four times.
pub(crate) fn double<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [_, _, height, width] = x.dims();
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest).with_align_corners(false);
    interpolate(x, [2 * height, 2 * width], nearest)
}
