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
    pub(crate) pool: MaxPool2d,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::backend::Flex;
    use burn::tensor::module::{conv2d, max_pool2d};
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, activation::relu};
    use safetensors::tensor::{Dtype, TensorView};

    use super::super::load_resnet;
    use super::*;

    /// Tensors of torchvision's ResNet-18 by name, of random numbers; norms come with their convolutions.
    fn published() -> BTreeMap<String, Tensor<Flex, 4>> {
        let mut tensors = BTreeMap::new();
        let mut add = |conv: String, norm: String, [out, into, side]: [usize; 3]| {
            let random = |shape: [usize; 4], around: f64, spread: f64| {
                Tensor::random(shape, Distribution::Uniform(around - spread, around + spread), &Default::default())
            };
            tensors.insert(format!("{conv}.weight"), random([out, into, side, side], 0.0, 1.0 / (into * side) as f64));
            for (name, around) in [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)] {
                tensors.insert(format!("{norm}.{name}"), random([1, out, 1, 1], around, 0.5));
            }
        };
        add("conv1".into(), "bn1".into(), [64, 3, 7]);
        for (stage, out) in [64, 128, 256, 512].into_iter().enumerate() {
            for block in 0..2 {
                let into = if block == 0 && stage > 0 { out / 2 } else { out };
                let name = |part: &str| format!("layer{}.{block}.{part}", stage + 1);
                add(name("conv1"), name("bn1"), [out, into, 3]);
                add(name("conv2"), name("bn2"), [out, out, 3]);
                if into != out {
                    add(name("downsample.0"), name("downsample.1"), [out, into, 1]);
                }
            }
        }
        tensors
    }

    /// A convolution with its norm, one after the other.
    fn step(
        tensors: &BTreeMap<String, Tensor<Flex, 4>>,
        [conv, norm]: [&str; 2],
        x: Tensor<Flex, 4>,
        stride: usize,
    ) -> Tensor<Flex, 4> {
        let weight = tensors[&format!("{conv}.weight")].clone();
        let pad = weight.dims()[2] / 2;
        let part = |name: &str| tensors[&format!("{norm}.{name}")].clone();
        let x = conv2d(x, weight, None, ConvOptions::new([stride; 2], [pad; 2], [1; 2], 1));
        (x - part("running_mean")) / (part("running_var") + 1e-5).sqrt() * part("weight") + part("bias")
    }

    #[test]
    fn a_published_network_says_what_its_layers_say_one_after_the_other() {
        let tensors = published();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resnet18.safetensors");
        let bytes: BTreeMap<_, _> = tensors
            .iter()
            .map(|(name, tensor)| {
                let values: Vec<f32> = tensor.to_data().iter().collect();
                let shape = if name.contains("bn") || name.contains("downsample.1") {
                    vec![values.len()]
                } else {
                    tensor.dims().to_vec()
                };
                (name, (shape, values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>()))
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, (shape, bytes))| (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
        safetensors::serialize_to_file(views, None, &path).unwrap();
        let network = load_resnet(ResNet::<Flex>::new([2, 2, 2, 2], &Default::default()), &path).unwrap();

        let image = Tensor::<Flex, 4>::random([1, 3, 144, 144], Distribution::Uniform(-1.0, 1.0), &Default::default());
        let normal = |values: [f64; 3]| {
            Tensor::<Flex, 4>::from_data(
                burn::tensor::TensorData::new(values.to_vec(), [1, 3, 1, 1]),
                &Default::default(),
            )
        };
        let theirs = (image.clone() * 128.0 + 127.0) / 255.0;
        let theirs = (theirs - normal([0.485, 0.456, 0.406])) / normal([0.229, 0.224, 0.225]);
        let mut x = relu(step(&tensors, ["conv1", "bn1"], theirs, 2));
        x = max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], false);
        let mut wanted = Vec::new();
        for stage in 1..=4 {
            for block in 0..2 {
                let name = |part: &str| format!("layer{stage}.{block}.{part}");
                let stride = if block == 0 && stage > 1 { 2 } else { 1 };
                let past = match stride {
                    2 => step(&tensors, [&name("downsample.0"), &name("downsample.1")], x.clone(), 2),
                    _ => x.clone(),
                };
                let first = relu(step(&tensors, [&name("conv1"), &name("bn1")], x, stride));
                x = relu(step(&tensors, [&name("conv2"), &name("bn2")], first, 1) + past);
            }
            wanted.push(x.clone());
        }
        let found = network.forward(image);
        assert_eq!(found.len(), 3);
        // Beyond the image the two see another colour, which reaches in from its border.
        let inside = |x: Tensor<Flex, 4>, border: usize| {
            let [_, channels, rows, columns] = x.dims();
            x.slice([0..1, 0..channels, border..rows - border, border..columns - border])
        };
        let (found, wanted) = (inside(found[0].clone(), 7), inside(wanted[1].clone(), 7));
        let off: f32 = (found - wanted.clone()).abs().max().into_scalar();
        let size: f32 = wanted.abs().max().into_scalar();
        assert!(off < 1e-4 * size, "{off} of {size}");
    }
}
