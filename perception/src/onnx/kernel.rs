//! The weights of a convolution on the host, where they can be put together before they are written.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::graph::{Attribute, Graph, Value};

/// A convolution: weights, bias and geometry.
pub(super) struct Kernel {
    /// Out, in a group, height, width.
    shape: [usize; 4],
    weight: Vec<f32>,
    bias: Vec<f32>,
    stride: [usize; 2],
    /// Top, left, bottom, right.
    pads: [usize; 4],
    groups: usize,
}

impl Kernel {
    pub(super) fn of<B: Backend>(conv: &Conv2d<B>) -> Self {
        let shape = conv.weight.dims();
        let [_, _, height, width] = shape;
        let pads = match conv.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => [height / 2, width / 2, height / 2, width / 2],
        };
        Self {
            shape,
            weight: values(conv.weight.val()),
            bias: conv.bias.as_ref().map_or_else(|| vec![0.0; shape[0]], |bias| values(bias.val())),
            stride: conv.stride,
            pads,
            groups: conv.groups,
        }
    }

    /// One convolution for two of the same geometry and input: the channels of `self`, then those of `next`.
    pub(super) fn and(mut self, next: Self) -> Self {
        debug_assert_eq!(self.shape[1..], next.shape[1..]);
        self.shape[0] += next.shape[0];
        self.weight.extend(next.weight);
        self.bias.extend(next.bias);
        self
    }

    /// With further input channels that count for nothing.
    pub(super) fn widened(mut self, channels: usize) -> Self {
        let [out, old, height, width] = self.shape;
        let each = old * height * width;
        let wide = channels * height * width;
        let mut weight = vec![0.0; out * wide];
        for (wide, narrow) in weight.chunks_mut(wide).zip(self.weight.chunks(each)) {
            wide[..each].copy_from_slice(narrow);
        }
        self.weight = weight;
        self.shape[1] = channels;
        self
    }

    pub(super) fn emit(&self, graph: &mut Graph, x: &Value) -> Value {
        let weight = graph.floats(&self.shape, &self.weight);
        let bias = graph.floats(&[self.shape[0]], &self.bias);
        let kernel = [self.shape[2] as i64, self.shape[3] as i64];
        graph.node(
            "Conv",
            &[x, &weight, &bias],
            &[
                ("kernel_shape", Attribute::Ints(&kernel)),
                ("strides", Attribute::Ints(&self.stride.map(|stride| stride as i64))),
                ("pads", Attribute::Ints(&self.pads.map(|pad| pad as i64))),
                ("group", Attribute::Int(self.groups as i64)),
            ],
        )
    }
}

/// A tensor's numbers.
pub(super) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
