//! EfficientNet-Lite0 (Tan and Le 2019; the lite variant has ReLU6 and no squeeze-and-excite), its norms folded into the
//! convolutions.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor};

use crate::kernel::{Activation, Kernels, convolve};

/// Blocks of a stage: how many, kernel, stride of the first, expansion, channels out.
const STAGES: [(usize, usize, usize, usize, usize); 5] =
    [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112)];

/// Channels after the stem.
const STEM: usize = 32;

/// The stages whose outputs are used (their last blocks), at strides 8 and 16.
const TAPS: [usize; 2] = [2, 4];

/// Blocks at strides 2 and 4. Their filters are as general as they are costly to train.
const FROZEN_BLOCKS: usize = 3;

/// The trunk of EfficientNet-Lite0 up to stride 16: the stages at stride 32 see more than a voxel asks for.
#[derive(Module, Debug)]
pub struct EfficientNet<B: Backend> {
    pub(crate) stem: Conv2d<B>,
    pub(crate) blocks: Vec<Block<B>>,
}

/// A mobile inverted bottleneck: widen, filter each channel, narrow.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    pub(crate) expand: Option<Conv2d<B>>,
    pub(crate) depthwise: Conv2d<B>,
    pub(crate) project: Conv2d<B>,
    /// Whether the input is added to the output.
    pub(crate) is_residual: bool,
}

impl<B: Kernels> EfficientNet<B> {
    /// Channels of the outputs.
    pub const CHANNELS: [usize; 2] = [40, 112];

    /// With random weights; the trained ones are loaded over them.
    pub fn new(device: &Device<B>) -> Self {
        let mut channels = STEM;
        let mut blocks = Vec::new();
        for (count, kernel, stride, expansion, out) in STAGES {
            for index in 0..count {
                let stride = if index == 0 { stride } else { 1 };
                blocks.push(Block::new([channels, out], kernel, stride, expansion, device));
                channels = out;
            }
        }
        Self { stem: conv([3, STEM], 3, 2, 1).init(device), blocks }
    }

    /// Keeps the pretrained weights of what is costly to train and general: the first blocks, and the filters of all.
    pub fn freeze(self) -> Self {
        let freeze = |(number, block): (usize, Block<B>)| match number {
            ..FROZEN_BLOCKS => block.no_grad(),
            _ => Block { depthwise: block.depthwise.no_grad(), ..block },
        };
        Self { stem: self.stem.no_grad(), blocks: self.blocks.into_iter().enumerate().map(freeze).collect() }
    }

    /// Images `[n, 3, height, width]` → features at strides 8 and 16.
    pub fn forward(&self, images: Tensor<B, 4>) -> Vec<Tensor<B, 4>> {
        let mut x = convolve(&self.stem, images, Activation::Relu6);
        let mut blocks = self.blocks.iter();
        let mut taps = Vec::with_capacity(TAPS.len());
        for (stage, (count, ..)) in STAGES.into_iter().enumerate() {
            x = blocks.by_ref().take(count).fold(x, |x, block| block.forward(x));
            if TAPS.contains(&stage) {
                taps.push(x.clone());
            }
        }
        taps
    }
}

impl<B: Kernels> Block<B> {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, expansion: usize, device: &Device<B>) -> Self {
        let wide = channels[0] * expansion;
        Self {
            expand: (expansion != 1).then(|| conv([channels[0], wide], 1, 1, 1).init(device)),
            depthwise: conv([wide, wide], kernel, stride, wide).init(device),
            project: conv([wide, channels[1]], 1, 1, 1).init(device),
            is_residual: stride == 1 && channels[0] == channels[1],
        }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let wide = match &self.expand {
            Some(expand) => convolve(expand, x.clone(), Activation::Relu6),
            None => x.clone(),
        };
        let filtered = convolve(&self.depthwise, wide, Activation::Relu6);
        let narrow = convolve(&self.project, filtered, Activation::None);
        if self.is_residual { narrow + x } else { narrow }
    }
}

/// Whether the output of a block, counted through the stages, is one of the features.
pub(crate) fn is_tap(number: usize) -> bool {
    TAPS.iter().any(|tap| STAGES[..=*tap].iter().map(|(count, ..)| count).sum::<usize>() == number + 1)
}

/// As TensorFlow pads: at stride 2 the even sizes get one row less before than after.
fn conv(channels: [usize; 2], kernel: usize, stride: usize, groups: usize) -> Conv2dConfig {
    let (before, after) = ((kernel - stride) / 2, (kernel - stride).div_ceil(2));
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Explicit(before, before, after, after))
}
