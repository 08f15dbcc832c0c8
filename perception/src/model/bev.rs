//! The encoder of the bird's-eye-view grid: fusion with the previous frame, then context from far and near.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::config::NetworkConfig;
use super::layer::{ResidualBlock, conv, output_conv};
use super::neck::double;
use crate::kernel::{Activation, Kernels, convolve, reorder};

/// Where every cell of the half-resolution grid lay in the previous frame's grid. `n` is the number of cells, ordered
/// batch, row, column.
#[derive(Module, Debug)]
pub struct Warp<B: Backend> {
    /// `[4 · n]`: the four neighbours of each cell, as rows of the previous grid, counted through the batch.
    pub index: Tensor<B, 1, Int>,
    /// `[4 · n]`: their bilinear weights; 0 outside the previous grid or without a previous frame.
    pub weight: Tensor<B, 1>,
}

/// Constant inputs of the fusion: time since the previous frame in s, and whether there is one.
pub const HISTORY_PLANES: usize = 2;

/// Inputs of the fusion that say where a cell lies: cosine and sine of its bearing, and its distance.
pub const PLACE_PLANES: usize = 3;

/// The planes that say where a cell lies, `[PLACE_PLANES, side, side]`: what a camera shows of an object's heading is
/// seen from a bearing, and what is far is seen less sharply. The distance is 1 at the middle of a side.
pub(crate) fn place_planes(side: usize) -> Vec<f32> {
    let offset = |index: usize| (index as f32 + 0.5) / side as f32 * 2.0 - 1.0;
    let cells = || (0..side * side).map(|cell| [offset(cell / side), offset(cell % side)]);
    let range = |[x, y]: [f32; 2]| x.hypot(y);
    let cos = cells().map(|at| at[0] / range(at));
    cos.chain(cells().map(|at| at[1] / range(at))).chain(cells().map(range)).collect()
}

/// From lifted features to the features that all heads read.
#[derive(Module, Debug)]
pub struct GridEncoder<B: Backend> {
    pub(crate) shrink: Conv2d<B>,
    pub(crate) fuse: Conv2d<B>,
    pub(crate) fine: Vec<ResidualBlock<B>>,
    pub(crate) coarse: Vec<ResidualBlock<B>>,
    pub(crate) deep: Vec<ResidualBlock<B>>,
    pub(crate) deep_lateral: Conv2d<B>,
    pub(crate) lateral: Conv2d<B>,
    pub(crate) merge: Conv2d<B>,
}

impl<B: Kernels> GridEncoder<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let [fine, coarse, deep] = config.encoder;
        let chain = |channels: [usize; 2], stride: usize, count: usize| {
            let first = ResidualBlock::new(channels, stride, device);
            let rest = (1..count).map(|_| ResidualBlock::new([channels[1], channels[1]], 1, device));
            std::iter::once(first).chain(rest).collect()
        };
        Self {
            shrink: conv([config.lifted, fine], 3, 2, device),
            fuse: conv([2 * fine + HISTORY_PLANES + PLACE_PLANES, fine], 3, 1, device),
            fine: chain([fine, fine], 1, config.blocks[0]),
            coarse: chain([fine, coarse], 2, config.blocks[1]),
            deep: chain([coarse, deep], 2, config.blocks[2]),
            deep_lateral: output_conv([deep, coarse], device),
            lateral: conv([coarse, fine], 1, 1, device),
            merge: conv([fine, config.head], 3, 1, device),
        }
    }

    /// The lifted grid `[batch, lifted, cells, cells]` at half resolution: what the next frame fuses with.
    pub fn shrink(&self, grid: Tensor<B, 4>) -> Tensor<B, 4> {
        convolve(&self.shrink, grid, Activation::Relu)
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
        let table = reorder(previous, [0, 2, 3, 1]).reshape([cells, channels]);
        let taps = table.select(0, warp.index.clone()) * warp.weight.clone().unsqueeze_dim(1);
        let warped = taps.reshape([cells, 4, channels]).sum_dim(1);
        let warped = reorder(warped.reshape([batch, rows, columns, channels]), [0, 3, 1, 2]);
        let planes = history.reshape([batch, HISTORY_PLANES, 1, 1]).expand([batch, HISTORY_PLANES, rows, columns]);
        let place = TensorData::new(place_planes(rows), [1, PLACE_PLANES, rows, columns]);
        let place = Tensor::<B, 4>::from_data(place, &planes.device()).expand([batch, PLACE_PLANES, rows, columns]);
        let fused = convolve(&self.fuse, Tensor::cat(vec![now, warped, planes, place], 1), Activation::Relu);
        let fine = self.fine.iter().fold(fused, |x, block| block.forward(x));
        let coarse = self.coarse.iter().fold(fine.clone(), |x, block| block.forward(x));
        let deep = self.deep.iter().fold(coarse.clone(), |x, block| block.forward(x));
        let coarse = double(convolve(&self.deep_lateral, deep, Activation::None)) + coarse;
        let merged = double(convolve(&self.lateral, coarse, Activation::None)) + fine;
        convolve(&self.merge, merged, Activation::Relu)
    }
}
