//! How far what the network says is from what it should have said.

use burn::tensor::activation::{log_sigmoid, log_softmax, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use tandem_perception::kernel::Kernels;

use super::super::network::{ENVIRONMENT, NUMBERS, Network, Output};
use super::super::words::{WORDS, is_ordinary, is_told};
use super::batch::{Batch, Images};

/// The parts of a loss.
pub const PARTS: [&str; 3] = ["heat", "boxes", "environment"];

/// What each of them counts.
const WEIGHTS: [f32; PARTS.len()] = [1.0, 0.3, 0.3];

/// What a thing counts that the fast system does not tell of, and one that it takes for another of its class. Beside them
/// there are many others, which it sees by itself.
const UNTOLD: f32 = 5.0;
const GUISED: f32 = 4.0;

/// Where there are fewer things than this, the background does not count more.
const FEW: f32 = 4.0;

/// The weighted loss of a batch, `[1]`, and its parts, `[PARTS]`.
pub fn loss<B: Kernels>(network: &Network<B>, batch: &Batch<B>) -> (Tensor<B, 1>, Tensor<B, 1>) {
    let say = |images: &Images<B>| network.forward(images.images.clone(), images.rays.clone());
    let (front, beside) = (say(&batch.front), say(&batch.beside));
    let both = |part: fn(&Output<B>, &Images<B>) -> Tensor<B, 1>| {
        (part(&front, &batch.front) + part(&beside, &batch.beside)) / 2.0
    };
    let parts = [both(heat), both(boxes), environment(&front, batch)];
    let total = parts.iter().zip(WEIGHTS).map(|(part, weight)| part.clone() * weight);
    let total = Tensor::cat(total.collect(), 0).sum();
    (total, Tensor::cat(parts.to_vec(), 0).detach())
}

/// The focal loss of CornerNet (Law and Deng 2018, equation 1; alpha 2, beta 4), by the number of things.
pub(super) fn heat<B: Backend>(said: &Output<B>, images: &Images<B>) -> Tensor<B, 1> {
    let (logits, wanted) = (said.heat.clone(), images.heat.clone());
    let is_thing = wanted.clone().equal_elem(1.0).float();
    let p = sigmoid(logits.clone());
    let weights: Vec<f32> = (0..WORDS.len()).map(worth).collect();
    let weights = Tensor::<B, 4>::from_data(TensorData::new(weights, [1, WORDS.len(), 1, 1]), &logits.device());
    let hit = log_sigmoid(logits.clone()) * (p.clone() - 1.0).powi_scalar(2) * is_thing.clone() * weights;
    let miss = log_sigmoid(-logits) * p.powi_scalar(2) * (-wanted + 1.0).powi_scalar(4);
    -(hit + miss).sum() / is_thing.sum().clamp_min(FEW)
}

/// What a thing of a word counts.
fn worth(word: usize) -> f32 {
    match word {
        _ if is_ordinary(word) => 1.0,
        _ if is_told(word) => GUISED,
        _ => UNTOLD,
    }
}

/// Absolute errors of the numbers, where things are.
pub(super) fn boxes<B: Backend>(said: &Output<B>, images: &Images<B>) -> Tensor<B, 1> {
    let [count, _, rows, columns] = said.numbers.dims();
    let [_, most] = images.cells.dims();
    let cells = images.cells.clone().unsqueeze_dim::<3>(1).expand([count, NUMBERS, most]);
    let there = said.numbers.clone().reshape([count, NUMBERS, rows * columns]).gather(2, cells).swap_dims(1, 2);
    let off = (there - images.numbers.clone()).abs() * images.known.clone().unsqueeze_dim::<3>(2);
    off.sum() / images.known.clone().sum().clamp_min(1.0)
}

/// Cross-entropy of weather, light and kind of road.
fn environment<B: Backend>(said: &Output<B>, batch: &Batch<B>) -> Tensor<B, 1> {
    let mut from = 0;
    let parts = ENVIRONMENT.iter().enumerate().map(|(number, count)| {
        let logits = said.environment.clone().narrow(1, from, *count);
        from += count;
        -log_softmax(logits, 1).gather(1, batch.environment.clone().narrow(1, number, 1)).mean()
    });
    Tensor::cat(parts.collect(), 0).sum()
}
