//! The processor's convolutions against the tensor library's.

use burn::backend::Flex;
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::{Activation, Columns, Convolution, Kernels, Mixture, lift, primitive};
use crate::model::lift::{LiftIndices, ground_bins};
use crate::rig::RAYS;

/// The same processor, but with the library's convolutions.
fn library(
    kept: [FloatTensor<Flex>; 3],
    bias: FloatTensor<Flex>,
    gradient: FloatTensor<Flex>,
    convolution: Convolution,
) -> [Vec<f32>; 4] {
    use burn::backend::Autodiff;
    type A = Autodiff<Flex>;
    let leaf = |primitive: FloatTensor<Flex>| Tensor::<A, 4>::from_inner(tensor(primitive)).require_grad();
    let [x, weight, _] = kept;
    let (x, weight) = (leaf(x), leaf(weight));
    let bias = Tensor::<A, 1>::from_inner(Tensor::from_primitive(TensorPrimitive::Float(bias))).require_grad();
    let [top, left, bottom, right] = convolution.pads;
    let options = burn::tensor::ops::ConvOptions::new([convolution.stride; 2], [0; 2], [1; 2], convolution.groups);
    let padded = x.clone().pad((left, right, top, bottom), 0.0);
    let y = burn::tensor::module::conv2d(padded, weight.clone(), Some(bias.clone()), options);
    let y = match convolution.activation {
        Activation::None => y,
        Activation::Relu => y.clamp_min(0.0),
        Activation::Relu6 => y.clamp(0.0, 6.0),
    };
    let gradients = (y.clone() * Tensor::from_inner(tensor(gradient))).sum().backward();
    let found = |tensor: Option<Vec<f32>>| tensor.unwrap();
    [
        values(y.inner()),
        found(x.grad(&gradients).map(values)),
        found(weight.grad(&gradients).map(values)),
        found(bias.grad(&gradients).map(values)),
    ]
}

fn tensor(primitive: FloatTensor<Flex>) -> Tensor<Flex, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn values<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn numbers(shape: [usize; 4], seed: usize) -> FloatTensor<Flex> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|index| ((index + seed) * 7919 % 1009) as f32 / 100.0 - 5.0).collect();
    Tensor::<Flex, 1>::from_floats(values.as_slice(), &Default::default()).reshape(shape).into_primitive().tensor()
}

#[test]
fn they_and_their_gradients_are_those_of_the_tensor_library() {
    // Images, inputs, outputs, height and width, kernel, stride, pads, each by itself.
    let cases = [
        (1, 3, 5, [9, 12], 3, 1, [1, 1, 1, 1], false),
        (2, 4, 3, [8, 10], 3, 2, [0, 0, 1, 1], false),
        (1, 5, 7, [12, 18], 3, 2, [1, 1, 1, 1], false),
        (3, 6, 4, [5, 7], 1, 1, [0; 4], false),
        (1, 6, 4, [64, 64], 1, 1, [0; 4], false),
        (2, 6, 4, [6, 8], 1, 2, [0; 4], false),
        (1, 40, 9, [64, 70], 3, 1, [1, 1, 1, 1], false),
        (2, 3, 4, [14, 22], 7, 2, [3, 3, 3, 3], false),
        (2, 9, 9, [11, 13], 3, 1, [1, 1, 1, 1], true),
        (2, 9, 9, [12, 34], 3, 2, [0, 0, 1, 1], true),
        (1, 3, 3, [12, 34], 5, 1, [2, 2, 2, 2], true),
        (1, 3, 3, [12, 40], 5, 2, [1, 1, 2, 2], true),
    ];
    let activations = [Activation::None, Activation::Relu, Activation::Relu6];
    for (images, inputs, outputs, [height, width], kernel, stride, pads, is_depthwise) in cases {
        for activation in activations {
            let groups = if is_depthwise { inputs } else { 1 };
            let convolution = Convolution { stride, pads, groups, activation };
            let x = numbers([images, inputs, height, width], 1);
            let weight = numbers([outputs, inputs / groups, kernel, kernel], 500);
            let bias = tensor(numbers([1, outputs, 1, 1], 3)).reshape([outputs]).into_primitive().tensor();
            let y = Flex::convolve(x.clone(), weight.clone(), bias.clone(), convolution);
            let shape = tensor(y.clone()).dims();
            let gradient = numbers(shape, 77);
            let kept = [x, weight, y.clone()];
            let [wanted_y, wanted_x, wanted_weight, wanted_bias] =
                library(kept.clone(), bias.clone(), gradient.clone(), convolution);
            let name = format!("{images} × {inputs} → {outputs}, {kernel} at {stride}, {activation:?}");
            #[cfg(feature = "torch")]
            {
                let wanted = [&wanted_y, &wanted_x, &wanted_weight, &wanted_bias];
                on_torch(&kept, &bias, &gradient, convolution, wanted, &name);
            }
            let [x, weight, bias] = Flex::convolve_back(kept, gradient, [true; 3], convolution);
            close(&values(tensor(y)), &wanted_y, &name);
            close(&values(tensor(x.unwrap())), &wanted_x, &name);
            close(&values(tensor(weight.unwrap())), &wanted_weight, &name);
            let bias = Tensor::<Flex, 1>::from_primitive(TensorPrimitive::Float(bias.unwrap()));
            close(&values(bias), &wanted_bias, &name);
        }
    }
}

/// LibTorch's convolution and its gradients against those wanted: of the result, input, weight, bias.
#[cfg(feature = "torch")]
fn on_torch(
    [x, weight, _]: &[FloatTensor<Flex>; 3],
    bias: &FloatTensor<Flex>,
    gradient: &FloatTensor<Flex>,
    convolution: Convolution,
    wanted: [&Vec<f32>; 4],
    name: &str,
) {
    use burn::backend::LibTorch;
    let moved = |primitive: &FloatTensor<Flex>| {
        let data = tensor(primitive.clone()).into_data();
        Tensor::<LibTorch, 4>::from_data(data, &Default::default()).into_primitive().tensor()
    };
    let bias = Tensor::<Flex, 1>::from_primitive(TensorPrimitive::Float(bias.clone())).into_data();
    let bias = Tensor::<LibTorch, 1>::from_data(bias, &Default::default()).into_primitive().tensor();
    let (x, weight) = (moved(x), moved(weight));
    let y = <LibTorch>::convolve(x.clone(), weight.clone(), bias, convolution);
    let found = <LibTorch>::convolve_back([x, weight, y.clone()], moved(gradient), [true; 3], convolution);
    let found = found.into_iter().map(Option::unwrap);
    for (found, wanted) in std::iter::once(y).chain(found).zip(wanted) {
        let found = Vec::<f32>::try_from(found.tensor.flatten(0, -1)).unwrap();
        close(&found, wanted, name);
    }
}

#[test]
fn the_lift_and_its_gradients_are_those_of_the_tensor_library() {
    use burn::backend::Autodiff;
    use burn::tensor::Int;
    type A = Autodiff<Flex>;
    // Two grids of 300 columns of three voxels, features of 5 channels in 40 rows, 70 weights, folded to 4.
    let (grids, cells, heights, channels, rows, places, outputs) = (2, 300, 3, 5, 40, 70, 4);
    let count = grids * cells * heights;
    let device = Default::default();
    let index = |below: usize, seed: usize| {
        let values: Vec<i32> = (0..count).map(|at| ((at + seed) * 7919 % below) as i32).collect();
        Tensor::<A, 1, Int>::from_data(values.as_slice(), &device)
    };
    let indices = LiftIndices {
        context: index(rows, 3),
        depth: index(places, 11),
        seen: index(2, 0).float(),
        rays: Tensor::zeros([1, 1, 1, 1], &device),
    };
    let leaf = |shape: [usize; 4], seed: usize| Tensor::<A, 4>::from_inner(tensor(numbers(shape, seed)));
    let gradient = leaf([grids, outputs, cells, 1], 9).reshape([grids, outputs, cells]);
    let columns = Columns { heights, cells, gain: 8.0 };
    type Lifting<'a> = dyn Fn(Tensor<A, 2>, Tensor<A, 1>, &Linear<A>) -> Tensor<A, 3> + 'a;
    let all = |lifted: &Lifting<'_>| {
        let features = leaf([rows, channels, 1, 1], 1).reshape([rows, channels]).require_grad();
        let weights = leaf([places, 1, 1, 1], 2).reshape([places]).require_grad();
        let fold = Linear {
            weight: Param::from_tensor(
                leaf([heights * channels, outputs, 1, 1], 3).reshape([heights * channels, outputs]),
            ),
            bias: Some(Param::from_tensor(leaf([outputs, 1, 1, 1], 4).reshape([outputs]))),
        };
        let lifted = lifted(features.clone(), weights.clone(), &fold);
        let gradients = (lifted.clone() * gradient.clone()).sum().backward();
        [
            values(lifted.inner()),
            values(features.grad(&gradients).unwrap()),
            values(weights.grad(&gradients).unwrap()),
            values(fold.weight.val().grad(&gradients).unwrap()),
            values(fold.bias.as_ref().unwrap().val().grad(&gradients).unwrap()),
        ]
    };
    let found = all(&|features, weights, fold| lift(features, weights, &indices, fold, columns));
    let wanted = all(&|features, weights, fold| {
        let weight = weights.select(0, indices.depth.clone()) * indices.seen.clone() * 8.0;
        let voxels = features.select(0, indices.context.clone()) * weight.unsqueeze_dim(1);
        fold.forward(voxels.reshape([grids, cells, heights * channels])).swap_dims(1, 2)
    });
    let names = ["lifted", "features", "weights", "fold", "bias"];
    for (name, (found, wanted)) in names.into_iter().zip(found.iter().zip(&wanted)) {
        close(found, wanted, name);
    }
}

#[test]
fn the_depths_and_their_gradients_are_those_of_the_tensor_library() {
    use burn::backend::Autodiff;
    type A = Autodiff<Flex>;
    let bins = ground_bins(7);
    let (said, rays, gradient) = (numbers([2, 8, 3, 5], 1), numbers([2, RAYS, 3, 5], 4), numbers([1, 1, 30, 7], 9));
    let rays = primitive(tensor(rays).clamp(0.0, 1.0));
    let gradient = tensor(gradient).reshape([30, 7]);
    let leaf = Tensor::<A, 4>::from_inner(tensor(said.clone())).require_grad();
    let Mixture { free, ground, is_ground, .. } =
        Mixture::<A>::new(leaf.clone(), Tensor::from_inner(tensor(rays.clone())), &bins);
    let mixed = free.clone() * (-is_ground.clone() + 1.0) + ground * is_ground;
    let mixed = mixed.permute([0, 2, 3, 1]).reshape([30, 7]);
    let gradients = (mixed.clone() * Tensor::from_inner(gradient.clone())).sum().backward();
    let (wanted, wanted_back) = (values(mixed.inner()), values(leaf.grad(&gradients).unwrap()));

    let likely = Flex::depths(said.clone(), rays.clone(), &bins);
    let back = Flex::depths_back([said.clone(), rays.clone()], gradient.clone().into_primitive().tensor(), &bins);
    close(&values(Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(likely))), &wanted, "likely");
    close(&values(tensor(back)), &wanted_back, "gradient");

    #[cfg(feature = "torch")]
    {
        use burn::backend::LibTorch;
        let moved = |data| Tensor::<LibTorch, 4>::from_data(data, &Default::default()).into_primitive().tensor();
        let [said, rays] = [said, rays].map(|primitive| moved(tensor(primitive).into_data()));
        let gradient = Tensor::<LibTorch, 2>::from_data(gradient.into_data(), &Default::default());
        let likely = <LibTorch>::depths(said.clone(), rays.clone(), &bins);
        let back = <LibTorch>::depths_back([said, rays], gradient.into_primitive().tensor(), &bins);
        for (found, wanted) in [(likely, wanted), (back, wanted_back)] {
            close(&Vec::<f32>::try_from(found.tensor.flatten(0, -1)).unwrap(), &wanted, "LibTorch");
        }
    }
}

fn close(found: &[f32], wanted: &[f32], name: &str) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    let size = wanted.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
    let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off <= 1e-4 * size, "{name}: {off} of {size}");
}
