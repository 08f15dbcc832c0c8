//! Image backbones: from pixels to features at stride 8 and coarser.

mod efficientnet;
mod pretrained;
mod resnet;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor};

pub use efficientnet::EfficientNet;
pub(crate) use efficientnet::is_tap;
pub use pretrained::{load_efficientnet, load_resnet};
pub use resnet::ResNet;

use crate::kernel::Kernels;
use crate::model::config;

/// The backbone of a network.
#[derive(Module, Debug)]
pub enum Trunk<B: Backend> {
    /// EfficientNet-Lite0.
    EfficientNet(EfficientNet<B>),
    /// ResNet-18 or ResNet-34.
    ResNet(ResNet<B>),
}

impl<B: Kernels> Trunk<B> {
    /// With random weights.
    pub fn new(kind: config::Backbone, device: &Device<B>) -> Self {
        match kind {
            config::Backbone::EfficientNetLite0 => Self::EfficientNet(EfficientNet::new(device)),
            config::Backbone::ResNet18 => Self::ResNet(ResNet::new([2, 2, 2, 2], device)),
            config::Backbone::ResNet34 => Self::ResNet(ResNet::new([3, 4, 6, 3], device)),
        }
    }

    /// Without gradients for what is not worth its cost, see [`EfficientNet::freeze`].
    pub fn freeze(self) -> Self {
        match self {
            Self::EfficientNet(trunk) => Self::EfficientNet(trunk.freeze()),
            Self::ResNet(trunk) => Self::ResNet(trunk),
        }
    }

    /// Channels of the outputs, finest first.
    pub fn channels(kind: config::Backbone) -> &'static [usize] {
        match kind {
            config::Backbone::EfficientNetLite0 => &EfficientNet::<B>::CHANNELS,
            config::Backbone::ResNet18 | config::Backbone::ResNet34 => &ResNet::<B>::CHANNELS,
        }
    }

    /// Images `[n, 3, height, width]` → features, the finest at stride 8, each of the others at twice the stride.
    pub fn forward(&self, images: Tensor<B, 4>) -> Vec<Tensor<B, 4>> {
        match self {
            Self::EfficientNet(trunk) => trunk.forward(images),
            Self::ResNet(trunk) => trunk.forward(images),
        }
    }
}
