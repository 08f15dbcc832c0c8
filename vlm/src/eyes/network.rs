//! The network of the eyes: a backbone, its pyramid, and what stands at every place of an image.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor};
use tandem_perception::kernel::{Activation, Kernels, convolve};
use tandem_perception::model::backbone::Trunk;
use tandem_perception::model::layer::{ResidualBlock, conv, output_conv};
use tandem_perception::model::neck::Neck;
use tandem_perception::model::{Backbone, DepthBins, Network as FastNetwork};
use tandem_perception::{Error, weights};

use super::words::WORDS;

/// The backbone, which begins as that of the fast system.
const BACKBONE: Backbone = Backbone::EfficientNetLite0;

/// Pixels from one place to the next.
pub const STRIDE: usize = 8;

/// Depths that the rays of an image tell apart, m.
pub const DEPTH: DepthBins = DepthBins { from_m: 1.5, to_m: 90.0, count: 1 };

/// Channels of the features at a place.
pub const FEATURES: usize = 80;

/// Numbers of a box: its middle right of and below that of its place, and the logarithms of its width and height, all in
/// places; the logarithm of its depth in [`DEPTH_UNIT_M`].
pub const NUMBERS: usize = 5;

/// What depths are measured by, m.
pub const DEPTH_UNIT_M: f64 = 20.0;

/// Channels of what is said of an image as a whole.
pub const POOLED: usize = 64;

/// Weathers, lights and kinds of roads, in the order of their types.
pub const ENVIRONMENT: [usize; 3] = [3, 3, 4];

/// All of [`ENVIRONMENT`].
pub const SURROUNDINGS: usize = ENVIRONMENT[0] + ENVIRONMENT[1] + ENVIRONMENT[2];

/// About the size of the backbone's features.
const TRUNK_RMS: f64 = 7.0;

/// How probable a word is at a place where nothing is known yet: its logit.
const RARE: f32 = -4.6;

/// The network.
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    trunk: Trunk<B>,
    neck: Neck<B>,
    block: ResidualBlock<B>,
    tower: Conv2d<B>,
    heat: Conv2d<B>,
    numbers: Conv2d<B>,
    pool: Linear<B>,
    environment: Linear<B>,
}

/// What the network says of `n` images of `height · width` places.
#[derive(Debug, Clone)]
pub struct Output<B: Backend> {
    /// `[n, FEATURES, height, width]`.
    pub features: Tensor<B, 4>,
    /// `[n, WORDS, height, width]`: logits.
    pub heat: Tensor<B, 4>,
    /// `[n, NUMBERS, height, width]`.
    pub numbers: Tensor<B, 4>,
    /// `[n, POOLED]`.
    pub pooled: Tensor<B, 2>,
    /// `[n, SURROUNDINGS]`: logits.
    pub environment: Tensor<B, 2>,
}

impl<B: Kernels> Network<B> {
    /// With random weights.
    pub fn new(device: &Device<B>) -> Self {
        let channels = Trunk::<B>::channels(BACKBONE);
        let coarsest = channels.last().copied().unwrap_or_default();
        let mut heat = output_conv([FEATURES, WORDS.len()], device);
        heat.bias = heat.bias.map(|bias: Param<Tensor<B, 1>>| bias.map(|bias| (bias + RARE).detach().require_grad()));
        Self {
            trunk: Trunk::new(BACKBONE, device),
            neck: Neck::new(channels, FEATURES, device),
            block: ResidualBlock::new([FEATURES; 2], 1, device),
            tower: conv([FEATURES; 2], 3, 1, device),
            heat,
            numbers: output_conv([FEATURES, NUMBERS], device),
            pool: LinearConfig::new(2 * coarsest, POOLED).init(device),
            environment: LinearConfig::new(POOLED, SURROUNDINGS).init(device),
        }
    }

    /// With the backbone of the fast system that comes with the program; all else is random.
    ///
    /// # Errors
    /// Never for the weights as they were committed.
    pub fn begun(device: &Device<B>) -> Result<Self, Error> {
        let (fast, _): (FastNetwork<B>, _) = weights::own(device)?;
        Ok(Self { trunk: fast.into_trunk(), ..Self::new(device) })
    }

    /// The backbone, which begins trained.
    pub(super) fn trunk(&self) -> &Trunk<B> {
        &self.trunk
    }

    /// Without gradients for what of the backbone is not worth its cost.
    pub fn freeze(self) -> Self {
        Self { trunk: self.trunk.freeze(), ..self }
    }

    /// Images `[n, 3, 8 · height, 8 · width]` with their rays `[n, RAYS, height, width]`.
    pub fn forward(&self, images: Tensor<B, 4>, rays: Tensor<B, 4>) -> Output<B> {
        let features = self.trunk.forward(images);
        let pooled = relu(self.pool.forward(features.last().map_or_else(|| unreachable!("two strides"), pooled)));
        let features = self.block.forward(self.neck.forward(features, rays));
        let features = convolve(&self.tower, features, Activation::Relu);
        Output {
            heat: convolve(&self.heat, features.clone(), Activation::None),
            numbers: convolve(&self.numbers, features.clone(), Activation::None),
            environment: self.environment.forward(pooled.clone()),
            features,
            pooled,
        }
    }
}

/// The mean and the largest of every channel: `[n, channels, height, width]` → `[n, 2 · channels]`, about one in size.
fn pooled<B: Backend>(features: &Tensor<B, 4>) -> Tensor<B, 2> {
    let [count, channels, height, width] = features.dims();
    let flat = features.clone().reshape([count, channels, height * width]);
    let both = Tensor::cat(vec![flat.clone().mean_dim(2), flat.max_dim(2)], 1);
    both.reshape([count, 2 * channels]) / TRUNK_RMS
}
