//! Convolutions with what follows them, the lift and what leads to it, each as one operation, which a processor runs
//! several times faster than what the tensor library has for it; every other backend runs the library's.

mod autodiff;
mod dense;
mod depth;
mod depthwise;
mod flex;
mod geometry;
mod lift;
mod product;
mod reorder;
#[cfg(feature = "torch")]
pub mod torch;

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, FloatTensor, IntTensor};
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, TensorPrimitive};

pub use depth::GroundBins;
pub use geometry::Activation;

use crate::model::lift::LiftIndices;

/// A convolution's settings: square kernels, all channels or each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Step along both axes.
    pub stride: usize,
    /// Zeros at the top, left, bottom, right.
    pub pads: [usize; 4],
    /// 1, or as many as there are channels.
    pub groups: usize,
    /// What follows.
    pub activation: Activation,
}

impl Convolution {
    /// The settings of a layer.
    fn of<B: Backend>(layer: &Conv2d<B>, activation: Activation) -> Self {
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => unreachable!("layers here say how they pad"),
        };
        Self { stride: layer.stride[0], pads, groups: layer.groups, activation }
    }

    fn options(&self) -> ConvOptions<2> {
        ConvOptions::new([self.stride; 2], [0; 2], [1; 2], self.groups)
    }
}

/// How the voxels of a grid are folded: how many a column has, how many columns a grid, and the factor of all weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Columns {
    /// Voxels of a column.
    pub heights: usize,
    /// Columns of one grid.
    pub cells: usize,
    /// Factor of all weights.
    pub gain: f32,
}

/// Which feature and which weight every voxel reads, and whether it is seen.
pub type VoxelReads<B> = (IntTensor<B>, IntTensor<B>, FloatTensor<B>);

/// Gradients of a convolution's input, weight and bias, where they are wanted.
pub type ConvolutionGradients<B> = [Option<FloatTensor<B>>; 3];

/// A backend that convolves and lifts. What comes with it is made of the library's operations.
pub trait Kernels: Backend {
    /// Whether its tensors are in the memory that images come in.
    const IS_HOST: bool = false;

    /// `x`: `[images, inputs, height, width]`, `weight`: `[outputs, inputs / groups, kernel, kernel]`, `bias`:
    /// `[outputs]` → `[images, outputs, …]`.
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let padded = padded::<Self>(x, convolution.pads);
        let y = tensor::<Self>(Self::conv2d(primitive(padded), weight, Some(bias), convolution.options()));
        primitive(match convolution.activation {
            Activation::None => y,
            Activation::Relu => y.clamp_min(0.0),
            Activation::Relu6 => y.clamp(0.0, 6.0),
        })
    }

    /// The gradients from that of the result `y`; `wanted` says of which of input, weight and bias.
    fn convolve_back(
        [x, weight, y]: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
        convolution: Convolution,
    ) -> ConvolutionGradients<Self> {
        let y = tensor::<Self>(y);
        let passes = match convolution.activation {
            Activation::None => y.ones_like(),
            Activation::Relu => y.greater_elem(0.0).float(),
            Activation::Relu6 => y.clone().greater_elem(0.0).float() * y.lower_elem(6.0).float(),
        };
        let gradient = tensor::<Self>(gradient) * passes;
        let [_, _, height, width] = tensor::<Self>(x.clone()).dims();
        let padded = padded::<Self>(x, convolution.pads);
        let [top, left, ..] = convolution.pads;
        let [to_x, to_weight, to_bias] = wanted;
        let options = || convolution.options();
        let (padded, wide) = (primitive(padded), primitive(gradient.clone()));
        [
            to_x.then(|| {
                let x = Self::conv2d_x_backward(padded.clone(), weight.clone(), wide.clone(), options());
                let [images, channels, ..] = tensor::<Self>(x.clone()).dims();
                let inside = [0..images, 0..channels, top..top + height, left..left + width];
                primitive(tensor::<Self>(x).slice(inside))
            }),
            to_weight.then(|| Self::conv2d_weight_backward(padded.clone(), weight.clone(), wide.clone(), options())),
            to_bias.then(|| {
                let channels = gradient.dims()[1];
                gradient.sum_dim(0).sum_dim(2).sum_dim(3).reshape([channels]).into_primitive().tensor()
            }),
        ]
    }

    /// `x` with its axes in another order.
    fn reorder(x: FloatTensor<Self>, order: &[usize]) -> FloatTensor<Self> {
        Self::float_permute(x, order)
    }

    /// How likely every depth is: `said`, `[images, bins + 1, height, width]`, are the logits of what is not ground,
    /// then that of the ground; `rays` are [`crate::rig::RAYS`]. → `[images · height · width, bins]`.
    fn depths(said: FloatTensor<Self>, rays: FloatTensor<Self>, bins: &GroundBins) -> FloatTensor<Self> {
        let Mixture { free, ground, is_ground, .. } = Mixture::<Self>::new(tensor(said), tensor(rays), bins);
        let [images, count, height, width] = free.dims();
        let mixed = free.clone() + (ground - free) * is_ground;
        mixed.permute([0, 2, 3, 1]).reshape([images * height * width, count]).into_primitive().tensor()
    }

    /// The gradient of `said` from that of the result.
    fn depths_back(
        [said, rays]: [FloatTensor<Self>; 2],
        gradient: FloatTensor<Self>,
        bins: &GroundBins,
    ) -> FloatTensor<Self> {
        let Mixture { free, ground, is_ground, slope } = Mixture::<Self>::new(tensor(said), tensor(rays), bins);
        let [images, count, height, width] = free.dims();
        let gradient = Tensor::<Self, 2>::from_primitive(TensorPrimitive::Float(gradient));
        let gradient = gradient.reshape([images, height, width, count]).permute([0, 3, 1, 2]);
        let mean = (free.clone() * gradient.clone()).sum_dim(1);
        let toward = (ground * gradient.clone()).sum_dim(1) - mean.clone();
        let to_free = free * (gradient - mean) * (-is_ground + 1.0);
        primitive(Tensor::cat(vec![to_free, toward * slope], 1))
    }

    /// Features `[rows, channels]`, weights `[n]`, a fold `[heights · channels, outputs]` and its bias →
    /// `[grids, outputs, cells]`: every voxel's feature times its weight, the voxels of a column folded.
    fn lift(
        [features, weights, fold, bias]: [FloatTensor<Self>; 4],
        (context, depth, seen): VoxelReads<Self>,
        columns: Columns,
    ) -> FloatTensor<Self> {
        let [features, fold] = [features, fold].map(|x| Tensor::<Self, 2>::from_primitive(TensorPrimitive::Float(x)));
        let [weights, bias, seen] =
            [weights, bias, seen].map(|x| Tensor::<Self, 1>::from_primitive(TensorPrimitive::Float(x)));
        let [context, depth] = [context, depth].map(Tensor::<Self, 1, Int>::from_primitive);
        let weight = weights.select(0, depth) * seen * columns.gain;
        let voxels = features.select(0, context) * weight.unsqueeze_dim(1);
        let [outputs] = bias.dims();
        let [count, channels] = voxels.dims();
        let grids = count / (columns.cells * columns.heights);
        let rows = voxels.reshape([grids * columns.cells, columns.heights * channels]);
        let folded = rows.matmul(fold) + bias.unsqueeze();
        let folded = folded.reshape([grids, columns.cells, outputs]).swap_dims(1, 2);
        folded.into_primitive().tensor()
    }

    /// The gradients of features, weights, fold and bias from that of the result.
    fn lift_back(
        [features, weights, fold]: [FloatTensor<Self>; 3],
        (context, depth, seen): VoxelReads<Self>,
        gradient: FloatTensor<Self>,
        columns: Columns,
    ) -> [FloatTensor<Self>; 4] {
        let [features, fold] = [features, fold].map(|x| Tensor::<Self, 2>::from_primitive(TensorPrimitive::Float(x)));
        let [weights, seen] = [weights, seen].map(|x| Tensor::<Self, 1>::from_primitive(TensorPrimitive::Float(x)));
        let [context, depth] = [context, depth].map(Tensor::<Self, 1, Int>::from_primitive);
        let gradient = Tensor::<Self, 3>::from_primitive(TensorPrimitive::Float(gradient));
        let ([grids, outputs, cells], [_, channels]) = (gradient.dims(), features.dims());
        let gradient = gradient.swap_dims(1, 2).reshape([grids * cells, outputs]);
        let share = seen * columns.gain;
        let weight = weights.clone().select(0, depth.clone()) * share.clone();
        let picked = features.clone().select(0, context.clone());
        let count = grids * cells * columns.heights;
        let voxels = picked.clone() * weight.clone().unsqueeze_dim(1);
        let rows = voxels.reshape([grids * cells, columns.heights * channels]);
        let moved = gradient.clone().matmul(fold.transpose()).reshape([count, channels]);
        let to_weights = (picked * moved.clone()).sum_dim(1).reshape([count]) * share;
        let to_features = moved * weight.unsqueeze_dim(1);
        let add = IndexingUpdateOp::Add;
        [
            features.zeros_like().select_assign(0, context, to_features, add).into_primitive().tensor(),
            weights.zeros_like().select_assign(0, depth, to_weights, add).into_primitive().tensor(),
            rows.transpose().matmul(gradient.clone()).into_primitive().tensor(),
            gradient.sum_dim(0).reshape([outputs]).into_primitive().tensor(),
        ]
    }
}

/// The two distributions over depths that every pixel mixes.
struct Mixture<B: Backend> {
    /// `[images, bins, height, width]`.
    free: Tensor<B, 4>,
    /// `[images, bins, height, width]`.
    ground: Tensor<B, 4>,
    /// `[images, 1, height, width]`: the share of the ground.
    is_ground: Tensor<B, 4>,
    /// `[images, 1, height, width]`: its derivative by its logit.
    slope: Tensor<B, 4>,
}

impl<B: Backend> Mixture<B> {
    fn new(said: Tensor<B, 4>, rays: Tensor<B, 4>, bins: &GroundBins) -> Self {
        let count = bins.middles.len();
        let middles = TensorData::new(bins.middles.clone(), [1, count, 1, 1]);
        let middles = Tensor::<B, 4>::from_data(middles, &said.device());
        let ground = softmax((rays.clone().narrow(1, 1, 1) - middles).powi_scalar(2) * -bins.sharpness, 1);
        let share = sigmoid(said.clone().narrow(1, count, 1));
        let meets = rays.narrow(1, 0, 1);
        Self {
            free: softmax(said.narrow(1, 0, count), 1),
            ground,
            slope: share.clone() * (-share.clone() + 1.0) * meets.clone(),
            is_ground: share * meets,
        }
    }
}

#[cfg(feature = "cuda")]
impl Kernels for burn::backend::Cuda {}

#[cfg(feature = "cuda")]
impl Kernels for burn::backend::Cuda<burn::tensor::f16> {}

fn tensor<B: Backend>(primitive: FloatTensor<B>) -> Tensor<B, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend>(tensor: Tensor<B, 4>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn padded<B: Backend>(x: FloatTensor<B>, [top, left, bottom, right]: [usize; 4]) -> Tensor<B, 4> {
    tensor::<B>(x).pad((left, right, top, bottom), 0.0)
}

/// A layer, and what follows it: `[images, inputs, height, width]` → `[images, outputs, …]`.
pub fn convolve<B: Kernels>(layer: &Conv2d<B>, x: Tensor<B, 4>, activation: Activation) -> Tensor<B, 4> {
    let convolution = Convolution::of(layer, activation);
    let bias = match &layer.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([layer.weight.dims()[0]], &x.device()),
    };
    let [x, weight] = [x, layer.weight.val()].map(primitive);
    tensor(B::convolve(x, weight, bias.into_primitive().tensor(), convolution))
}

/// `x` with its axes in another order.
pub fn reorder<B: Kernels, const D: usize>(x: Tensor<B, D>, order: [usize; D]) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(B::reorder(x.into_primitive().tensor(), &order)))
}

/// What is said of the depths of pixels, `[images, bins + 1, height, width]`, and their rays,
/// `[images, RAYS, height, width]` → how likely every depth is, `[images · height · width, bins]`.
pub fn depths<B: Kernels>(said: Tensor<B, 4>, rays: Tensor<B, 4>, bins: &GroundBins) -> Tensor<B, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(B::depths(primitive(said), primitive(rays), bins)))
}

/// Features `[rows, channels]`, weights `[n]`, the indices of all voxels and the fold of a column →
/// `[grids, outputs, cells]`.
pub fn lift<B: Kernels>(
    features: Tensor<B, 2>,
    weights: Tensor<B, 1>,
    indices: &LiftIndices<B>,
    fold: &Linear<B>,
    columns: Columns,
) -> Tensor<B, 3> {
    let bias = match &fold.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([fold.weight.dims()[1]], &weights.device()),
    };
    let inputs = [
        features.into_primitive().tensor(),
        weights.into_primitive().tensor(),
        fold.weight.val().into_primitive().tensor(),
        bias.into_primitive().tensor(),
    ];
    let reads = (
        indices.context.clone().into_primitive(),
        indices.depth.clone().into_primitive(),
        indices.seen.clone().into_primitive().tensor(),
    );
    Tensor::from_primitive(TensorPrimitive::Float(B::lift(inputs, reads, columns)))
}

#[cfg(test)]
mod tests;
