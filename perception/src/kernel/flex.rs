//! Convolutions of the processor's backend.

use burn::backend::Flex;
use burn::tensor::TensorData;
use burn::tensor::ops::FloatTensor;
use burn_flex::FlexTensor;

use super::geometry::{Activation, Geometry};
use super::{
    Columns, Convolution, ConvolutionGradients, GroundBins, Kernels, VoxelReads, dense, depthwise, lift, reorder,
};

impl Kernels for Flex {
    const IS_HOST: bool = true;

    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let g = geometry(&x, &weight, convolution);
        let forward = if convolution.groups == 1 { dense::forward } else { depthwise::forward };
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.to_contiguous());
        let y = forward(&g, x.storage(), weight.storage(), bias.storage(), convolution.activation);
        made(y, &[g.images, g.outputs, g.to[0], g.to[1]])
    }

    fn convolve_back(
        [x, weight, y]: [FloatTensor<Self>; 3],
        gradient: FloatTensor<Self>,
        [to_x, to_weight, to_bias]: [bool; 3],
        convolution: Convolution,
    ) -> ConvolutionGradients<Self> {
        let g = geometry(&x, &weight, convolution);
        let [x, weight, y, gradient] = [x, weight, y, gradient].map(|tensor| tensor.to_contiguous());
        let masked;
        let gradient: &[f32] = match convolution.activation {
            Activation::None => gradient.storage(),
            activation => {
                masked = activation.back(gradient.storage(), y.storage());
                &masked
            }
        };
        let is_dense = convolution.groups == 1;
        let x_gradient = to_x.then(|| {
            let to_input = if is_dense { dense::to_input } else { depthwise::to_input };
            made(to_input(&g, weight.storage(), gradient), &[g.images, g.inputs, g.from[0], g.from[1]])
        });
        let mut rest = (to_weight || to_bias).then(|| {
            let to_weights = if is_dense { dense::to_weights } else { depthwise::to_weights };
            let (weight, bias) = to_weights(&g, x.storage(), gradient);
            let inputs = if is_dense { g.inputs } else { 1 };
            (made(weight, &[g.outputs, inputs, g.kernel, g.kernel]), made(bias, &[g.outputs]))
        });
        let [weight, bias] = match rest.take() {
            Some((weight, bias)) => [to_weight.then_some(weight), to_bias.then_some(bias)],
            None => [None, None],
        };
        [x_gradient, weight, bias]
    }

    fn reorder(x: FloatTensor<Self>, order: &[usize]) -> FloatTensor<Self> {
        let x = x.to_contiguous();
        let shape = x.layout().shape();
        let sizes: Vec<usize> = (0..shape.num_dims()).map(|axis| shape[axis]).collect();
        let moved: Vec<usize> = order.iter().map(|axis| sizes[*axis]).collect();
        made(reorder::reorder(x.storage(), &sizes, order), &moved)
    }

    fn depths(said: FloatTensor<Self>, rays: FloatTensor<Self>, bins: &GroundBins) -> FloatTensor<Self> {
        let [said, rays] = [said, rays].map(|tensor| tensor.to_contiguous());
        let likely = bins.forward(said.storage(), rays.storage(), kinds_and_pixels(&rays));
        let count = bins.middles.len();
        let rows = likely.len() / count;
        made(likely, &[rows, count])
    }

    fn depths_back(kept: [FloatTensor<Self>; 2], gradient: FloatTensor<Self>, bins: &GroundBins) -> FloatTensor<Self> {
        let [said, rays] = kept.map(|tensor| tensor.to_contiguous());
        let gradient = gradient.to_contiguous();
        let found = bins.back(said.storage(), rays.storage(), gradient.storage(), kinds_and_pixels(&rays));
        made(found, said.layout().shape())
    }

    fn lift(
        inputs: [FloatTensor<Self>; 4],
        (context, depth, seen): VoxelReads<Self>,
        columns: Columns,
    ) -> FloatTensor<Self> {
        let [features, weights, fold, bias] = inputs.map(|tensor| tensor.to_contiguous());
        let [context, depth, seen] = [context, depth, seen].map(|tensor| tensor.to_contiguous());
        let voxels = voxels(&context, &depth, &seen, columns);
        let folded = folded(&features, &weights, &fold);
        let grids = voxels.context.len() / (columns.cells * columns.heights);
        made(lift::forward(&voxels, &folded, bias.storage()), &[grids, folded.outputs, columns.cells])
    }

    fn lift_back(
        kept: [FloatTensor<Self>; 3],
        (context, depth, seen): VoxelReads<Self>,
        gradient: FloatTensor<Self>,
        columns: Columns,
    ) -> [FloatTensor<Self>; 4] {
        let [features, weights, fold] = kept.map(|tensor| tensor.to_contiguous());
        let [context, depth, seen] = [context, depth, seen].map(|tensor| tensor.to_contiguous());
        let gradient = gradient.to_contiguous();
        let voxels = voxels(&context, &depth, &seen, columns);
        let folded = folded(&features, &weights, &fold);
        let [to_features, to_weights, to_fold, to_bias] = lift::back(&voxels, &folded, gradient.storage());
        [
            made(to_features, features.layout().shape()),
            made(to_weights, weights.layout().shape()),
            made(to_fold, fold.layout().shape()),
            made(to_bias, &[folded.outputs]),
        ]
    }
}

fn kinds_and_pixels(rays: &FlexTensor) -> [usize; 2] {
    let shape = rays.layout().shape();
    [shape[1], shape[2] * shape[3]]
}

fn voxels<'a>(
    context: &'a FlexTensor,
    depth: &'a FlexTensor,
    seen: &'a FlexTensor,
    columns: Columns,
) -> lift::Voxels<'a> {
    let Columns { heights, cells, gain } = columns;
    lift::Voxels { context: context.storage(), depth: depth.storage(), seen: seen.storage(), heights, cells, gain }
}

fn folded<'a>(features: &'a FlexTensor, weights: &'a FlexTensor, fold: &'a FlexTensor) -> lift::Folded<'a> {
    lift::Folded {
        features: features.storage(),
        channels: features.layout().shape()[1],
        weights: weights.storage(),
        fold: fold.storage(),
        outputs: fold.layout().shape()[1],
    }
}

fn geometry(x: &FlexTensor, weight: &FlexTensor, convolution: Convolution) -> Geometry {
    let size = |tensor: &FlexTensor, axis: usize| tensor.layout().shape()[axis];
    let [top, left, bottom, right] = convolution.pads;
    let (kernel, stride) = (size(weight, 2), convolution.stride);
    let from = [size(x, 2), size(x, 3)];
    let outputs = size(weight, 0);
    assert_eq!(kernel, size(weight, 3), "kernels are square");
    assert!(convolution.groups == 1 || (convolution.groups == size(x, 1) && convolution.groups == outputs));
    Geometry {
        images: size(x, 0),
        inputs: size(x, 1),
        outputs,
        from,
        to: [(from[0] + top + bottom - kernel) / stride + 1, (from[1] + left + right - kernel) / stride + 1],
        kernel,
        stride,
        pad: [top, left],
    }
}

fn made(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
