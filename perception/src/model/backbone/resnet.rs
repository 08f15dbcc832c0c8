//! ResNet-18 and ResNet-34 (He et al. 2016), without their classifiers.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor};

use crate::kernel::{Activation, Kernels, convolve};
use crate::model::layer::{ResidualBlock, conv};

/// The trunk of a ResNet of basic blocks.
#[derive(Module, Debug)]
pub struct ResNet<B: Backend> {
    pub(crate) stem: Conv2d<B>,
    pool: MaxPool2d,
    pub(crate) stages: Vec<Vec<ResidualBlock<B>>>,
}

impl<B: Kernels> ResNet<B> {
    /// Channels of the outputs.
    pub const CHANNELS: [usize; 3] = [128, 256, 512];

    /// `blocks`: how many in each of the four stages; 2, 2, 2, 2 for ResNet-18, 3, 4, 6, 3 for ResNet-34.
    pub fn new(blocks: [usize; 4], device: &Device<B>) -> Self {
        let mut channels = 64;
        let stages = blocks.into_iter().enumerate().map(|(stage, count)| {
            let out = 64 << stage;
            let block = |index: usize| {
                let stride = if index == 0 && stage > 0 { 2 } else { 1 };
                let block = ResidualBlock::new([channels, out], stride, device);
                channels = out;
                block
            };
            (0..count).map(block).collect()
        });
        let stages = stages.collect();
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(padding).init();
        Self { stem: conv([3, 64], 7, 2, device), pool, stages }
    }

    /// Images `[n, 3, height, width]` → features at strides 8, 16 and 32.
    pub fn forward(&self, images: Tensor<B, 4>) -> Vec<Tensor<B, 4>> {
        let mut x = self.pool.forward(convolve(&self.stem, images, Activation::Relu));
        let mut taps = Vec::with_capacity(3);
        for (number, stage) in self.stages.iter().enumerate() {
            x = stage.iter().fold(x, |x, block| block.forward(x));
            if number > 0 {
                taps.push(x.clone());
            }
        }
        taps
    }
}
