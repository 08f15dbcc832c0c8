//! The encoder of the bird's-eye-view grid: fusion with the previous frame, then context from far and near.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor};

use super::config::NetworkConfig;
use super::layer::{ResidualBlock, conv};
use super::neck::double;

/// Where every cell of the half-resolution grid lay in the previous frame's grid. `n` is the number of cells, ordered
/// batch, row, column.
#[derive(Debug, Clone)]
pub struct Warp<B: Backend> {
    /// `[4 · n]`: the four neighbours of each cell, as rows of the previous grid, counted through the batch.
    pub index: Tensor<B, 1, Int>,
    /// `[4 · n]`: their bilinear weights; 0 outside the previous grid or without a previous frame.
    pub weight: Tensor<B, 1>,
}

/// Constant inputs of the fusion: time since the previous frame in s, and whether there is one.
pub const HISTORY_PLANES: usize = 2;

/// From lifted features to the features that all heads read.
#[derive(Module, Debug)]
pub struct GridEncoder<B: Backend> {
    pub(crate) shrink: Conv2d<B>,
    pub(crate) fuse: Conv2d<B>,
    pub(crate) fine: Vec<ResidualBlock<B>>,
    pub(crate) coarse: Vec<ResidualBlock<B>>,
    pub(crate) lateral: Conv2d<B>,
    pub(crate) merge: Conv2d<B>,
}

impl<B: Backend> GridEncoder<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let [fine, coarse] = config.encoder;
        let chain = |channels: [usize; 2], stride: usize, count: usize| {
            let first = ResidualBlock::new(channels, stride, device);
            let rest = (1..count).map(|_| ResidualBlock::new([channels[1], channels[1]], 1, device));
            std::iter::once(first).chain(rest).collect()
        };
        Self {
            shrink: conv([config.lifted, fine], 3, 2, device),
            fuse: conv([2 * fine + HISTORY_PLANES, fine], 3, 1, device),
            fine: chain([fine, fine], 1, config.blocks[0]),
            coarse: chain([fine, coarse], 2, config.blocks[1]),
            lateral: conv([coarse, fine], 1, 1, device),
            merge: conv([fine, config.head], 3, 1, device),
        }
    }

    /// The lifted grid `[batch, lifted, cells, cells]` at half resolution: what the next frame fuses with.
    pub fn shrink(&self, grid: Tensor<B, 4>) -> Tensor<B, 4> {
        relu(self.shrink.forward(grid))
    }

    /// The half-resolution grid of this frame, that of the previous one (in its own vehicle frame), where to read it,
    /// and the constants `[batch, 2]` → `[batch, head, cells / 2, cells / 2]`.
    pub fn forward(
        &self,
        now: Tensor<B, 4>,
        previous: Tensor<B, 4>,
        warp: &Warp<B>,
        history: Tensor<B, 2>,
    ) -> Tensor<B, 4> {
        let [batch, channels, rows, columns] = now.dims();
        let cells = batch * rows * columns;
        let table = previous.permute([0, 2, 3, 1]).reshape([cells, channels]);
        let taps = table.select(0, warp.index.clone()) * warp.weight.clone().unsqueeze_dim(1);
        let warped = taps.reshape([cells, 4, channels]).sum_dim(1);
        let warped = warped.reshape([batch, rows, columns, channels]).permute([0, 3, 1, 2]);
        let planes = history.reshape([batch, HISTORY_PLANES, 1, 1]).expand([batch, HISTORY_PLANES, rows, columns]);
        let fused = relu(self.fuse.forward(Tensor::cat(vec![now, warped, planes], 1)));
        let fine = self.fine.iter().fold(fused, |x, block| block.forward(x));
        let coarse = self.coarse.iter().fold(fine.clone(), |x, block| block.forward(x));
        let merged = double(self.lateral.forward(coarse)) + fine;
        relu(self.merge.forward(merged))
    }
}
