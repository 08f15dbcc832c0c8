//! From image features to the bird's-eye-view grid: every voxel gathers the feature at its own pixel, weighted by how
//! likely the image has something at that depth.
//!
//! Which pixel and which depth bin a voxel reads is plain geometry of the calibration (see [`crate::rig`]) and comes as
//! indices, so the network itself knows no rig: another calibration is another set of indices. The depth distribution
//! is that of Lift-Splat-Shoot (Philion and Fidler 2020), read where LSS would scatter.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor};

use super::config::NetworkConfig;
use super::heads::SHOWN;
use super::layer::{conv, output_conv};
use crate::kernel::{self, Activation, Columns, GroundBins, Kernels, convolve};
use crate::rig::RAYS;

/// Which image feature every voxel reads. Voxels are ordered batch, row, column, height; `n` is their number.
#[derive(Module, Debug)]
pub struct LiftIndices<B: Backend> {
    /// `[n]`: row in the context table: `((camera · height + v) · width + u) · 4 + sub`, cameras counted through the
    /// batch, `sub` the quarter `2 · (lower half) + (right half)` of the stride-8 pixel.
    pub context: Tensor<B, 1, Int>,
    /// `[n]`: place in the depth table: `((camera · height + v) · width + u) · bins + bin`.
    pub depth: Tensor<B, 1, Int>,
    /// `[n]`: 1 where a camera sees the voxel, else 0.
    pub seen: Tensor<B, 1>,
    /// `[batch · cameras, RAYS, height, width]`: what the calibration says of every pixel, see [`RAYS`].
    pub rays: Tensor<B, 4>,
}

/// A voxel's feature is so much more than its share of the depth, for every bin: the more there are, the smaller the
/// shares.
const GAIN_OF_A_BIN: f32 = 0.2;

/// How much more a voxel's feature is than its share of the depth.
pub(crate) fn gain(bins: usize) -> f32 {
    GAIN_OF_A_BIN * bins as f32
}

/// The ground lies within about this share of the range of rays' depths, from −1 to 1, of where the calibration says:
/// 1.2 of 40 bins, a tenth of its depth.
const GROUND_SPREAD: f32 = 0.06;

/// The middles of the bins as rays give depths, from −1 to 1, and the factor of the squared distance to the ground in the
/// logits of its distribution.
pub(crate) fn ground_bins(bins: usize) -> GroundBins {
    let middles = (0..bins).map(|bin| (2 * bin + 1) as f32 / bins as f32 - 1.0).collect();
    GroundBins { middles, sharpness: 0.5 / (GROUND_SPREAD * GROUND_SPREAD) }
}

/// Image features become grid features.
#[derive(Module, Debug)]
pub struct Lift<B: Backend> {
    /// Four context vectors a pixel, one for each quarter.
    pub(crate) context: Conv2d<B>,
    /// What tells depths, from a neighbourhood of features.
    pub(crate) near: Conv2d<B>,
    /// Logits of the depths of what is not ground, then whether it is.
    pub(crate) depth: Conv2d<B>,
    /// The voxels of a column become one vector.
    pub(crate) fold: Linear<B>,
    /// What a lifted feature shows; asked in training alone.
    shown: Linear<B>,
    channels: usize,
    heights: usize,
    cells: usize,
}

impl<B: Kernels> Lift<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let (channels, heights) = (config.context, config.grid.heights_m.len());
        Self {
            context: conv([config.neck, 4 * channels], 1, 1, device),
            near: conv([config.neck + RAYS, config.neck], 3, 1, device),
            depth: output_conv([config.neck + RAYS, config.depth.count + 1], device),
            fold: LinearConfig::new(channels * heights, config.lifted).init(device),
            shown: LinearConfig::new(channels, SHOWN).init(device),
            channels,
            heights,
            cells: config.grid.cells,
        }
    }

    /// Image features `[batch · cameras, neck, height, width]` and rays → how likely every depth is,
    /// `[batch · cameras · height · width, bins]`.
    ///
    /// A pixel shows the ground, whose depth the calibration knows, or something else, whose depth is anyone's guess.
    pub fn depth(&self, features: Tensor<B, 4>, rays: Tensor<B, 4>) -> Tensor<B, 2> {
        let near = convolve(&self.near, Tensor::cat(vec![features, rays.clone()], 1), Activation::Relu);
        let said = convolve(&self.depth, Tensor::cat(vec![near, rays.clone()], 1), Activation::None);
        let bins = ground_bins(said.dims()[1] - 1);
        kernel::depths(said, rays, &bins)
    }

    /// Image features `[batch · cameras, neck, height, width]` → what is lifted of them,
    /// `[batch · cameras · height · width · 4, context]`, in the order of [`LiftIndices::context`].
    pub fn context(&self, features: Tensor<B, 4>) -> Tensor<B, 2> {
        let context = convolve(&self.context, features, Activation::None);
        let [images, _, height, width] = context.dims();
        kernel::reorder(context, [0, 2, 3, 1]).reshape([images * height * width * 4, self.channels])
    }

    /// What the lifted features show, `[batch · cameras · height · width · 4, SHOWN]`: logits, see [`SHOWN`].
    pub fn shown(&self, context: Tensor<B, 2>) -> Tensor<B, 2> {
        self.shown.forward(context)
    }

    /// What is lifted and how likely every depth is → grid `[batch, lifted, cells, cells]`.
    pub fn forward(&self, context: Tensor<B, 2>, depth: Tensor<B, 2>, indices: &LiftIndices<B>) -> Tensor<B, 4> {
        let gain = gain(depth.dims()[1]);
        let columns = Columns { heights: self.heights, cells: self.cells * self.cells, gain };
        let folded = kernel::lift(context, depth.flatten(0, 1), indices, &self.fold, columns);
        let [batch, lifted, _] = folded.dims();
        folded.reshape([batch, lifted, self.cells, self.cells])
    }
}
