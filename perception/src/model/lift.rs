//! From image features to the bird's-eye-view grid: every voxel gathers the feature at its own pixel, weighted by how
//! likely the image has something at that depth.
//!
//! Which pixel and which depth bin a voxel reads is plain geometry of the calibration (see [`crate::rig`]) and comes as
//! indices, so the network itself knows no rig: another calibration is another set of indices. The depth distribution
//! is that of Lift-Splat-Shoot (Philion and Fidler 2020), read where LSS would scatter.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor};

use super::config::NetworkConfig;
use super::layer::{conv, output_conv};

/// Which image feature every voxel reads. Voxels are ordered batch, row, column, height; `n` is their number.
#[derive(Debug, Clone)]
pub struct LiftIndices<B: Backend> {
    /// `[n]`: row in the context table: `((camera · height + v) · width + u) · 4 + sub`, cameras counted through the
    /// batch, `sub` the quarter `2 · (lower half) + (right half)` of the stride-8 pixel.
    pub context: Tensor<B, 1, Int>,
    /// `[n]`: place in the depth table: `((camera · height + v) · width + u) · bins + bin`.
    pub depth: Tensor<B, 1, Int>,
    /// `[n]`: 1 where a camera sees the voxel, else 0.
    pub seen: Tensor<B, 1>,
}

/// A voxel's feature is so much more than its share of the depth: where nothing is known yet, the shares are small.
pub(crate) const GAIN: f64 = 8.0;

/// Image features become grid features.
#[derive(Module, Debug)]
pub struct Lift<B: Backend> {
    /// Four context vectors a pixel, one for each quarter.
    pub(crate) context: Conv2d<B>,
    pub(crate) depth: Conv2d<B>,
    /// The voxels of a column become one vector.
    pub(crate) fold: Linear<B>,
    channels: usize,
    heights: usize,
    cells: usize,
}

impl<B: Backend> Lift<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let (channels, heights) = (config.context, config.grid.heights_m.len());
        Self {
            context: conv([config.neck, 4 * channels], 1, 1, device),
            depth: output_conv([config.neck, config.depth.count], device),
            fold: LinearConfig::new(channels * heights, config.lifted).init(device),
            channels,
            heights,
            cells: config.grid.cells,
        }
    }

    /// Image features `[batch · cameras, neck, height, width]` → depth logits `[batch · cameras, bins, height, width]`.
    pub fn depth(&self, features: Tensor<B, 4>) -> Tensor<B, 4> {
        self.depth.forward(features)
    }

    /// Image features `[batch · cameras, neck, height, width]` and depth logits → grid `[batch, lifted, cells, cells]`.
    pub fn forward(
        &self,
        features: Tensor<B, 4>,
        depth_logits: Tensor<B, 4>,
        indices: &LiftIndices<B>,
    ) -> Tensor<B, 4> {
        let context = self.context.forward(features);
        let [images, _, height, width] = context.dims();
        let context = context.permute([0, 2, 3, 1]).reshape([images * height * width * 4, self.channels]);
        let bins = depth_logits.dims()[1];
        let depth = softmax(depth_logits, 1).permute([0, 2, 3, 1]).reshape([images * height * width * bins]);
        let weight = depth.select(0, indices.depth.clone()) * indices.seen.clone() * GAIN;
        let voxels = context.select(0, indices.context.clone()) * weight.unsqueeze_dim(1);
        let batch = voxels.dims()[0] / (self.cells * self.cells * self.heights);
        let columns = voxels.reshape([batch, self.cells * self.cells, self.heights * self.channels]);
        let folded = self.fold.forward(columns);
        let lifted = folded.dims()[2];
        folded.swap_dims(1, 2).reshape([batch, lifted, self.cells, self.cells])
    }
}
