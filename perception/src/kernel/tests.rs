//! The processor's convolutions against the tensor library's.

use burn::backend::Flex;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::{Activation, Convolution, Kernels};

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
                library(kept.clone(), bias, gradient.clone(), convolution);
            let [x, weight, bias] = Flex::convolve_back(kept, gradient, [true; 3], convolution);
            let name = format!("{images} × {inputs} → {outputs}, {kernel} at {stride}, {activation:?}");
            close(&values(tensor(y)), &wanted_y, &name);
            close(&values(tensor(x.unwrap())), &wanted_x, &name);
            close(&values(tensor(weight.unwrap())), &wanted_weight, &name);
            let bias = Tensor::<Flex, 1>::from_primitive(TensorPrimitive::Float(bias.unwrap()));
            close(&values(bias), &wanted_bias, &name);
        }
    }
}

fn close(found: &[f32], wanted: &[f32], name: &str) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    let size = wanted.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
    let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off <= 1e-4 * size, "{name}: {off} of {size}");
}
