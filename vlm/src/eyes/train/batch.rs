//! Samples become tensors.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor, TensorData};
use tandem_perception::rig::RAYS;

use super::super::network::{ENVIRONMENT, NUMBERS, STRIDE};
use super::super::words::WORDS;
use super::samples::{Sample, Taught};

/// Things of an image at most.
const MOST: usize = 48;

/// `n` images with what should be said of them, of `height · width` places.
#[derive(Module, Debug)]
pub struct Images<B: Backend> {
    /// `[n, 3, 8 · height, 8 · width]`.
    pub images: Tensor<B, 4>,
    /// `[n, RAYS, height, width]`.
    pub rays: Tensor<B, 4>,
    /// `[n, WORDS, height, width]`.
    pub heat: Tensor<B, 4>,
    /// `[n, MOST]`: places of things.
    pub cells: Tensor<B, 2, Int>,
    /// `[n, MOST, NUMBERS]`.
    pub numbers: Tensor<B, 3>,
    /// `[n, MOST]`: 1 for things, 0 for padding.
    pub known: Tensor<B, 2>,
}

/// Moments.
#[derive(Module, Debug)]
pub struct Batch<B: Backend> {
    /// What is ahead.
    pub front: Images<B>,
    /// What is beside.
    pub beside: Images<B>,
    /// `[n, 3]`: numbers of weather, light and kind of road.
    pub environment: Tensor<B, 2, Int>,
}

impl<B: Backend> Batch<B> {
    /// On a device.
    pub fn new(samples: &[Sample], device: &Device<B>) -> Self {
        let images = |of: fn(&Sample) -> &Taught| Images::new(&samples.iter().map(of).collect::<Vec<_>>(), device);
        let environment = samples.iter().flat_map(|sample| sample.environment.map(|number| number as i32)).collect();
        Self {
            front: images(|sample| &sample.front),
            beside: images(|sample| &sample.beside),
            environment: ints(environment, [samples.len(), ENVIRONMENT.len()], device),
        }
    }
}

impl<B: Backend> Images<B> {
    /// All of one view's size.
    fn new(taught: &[&Taught], device: &Device<B>) -> Self {
        let count = taught.len();
        let [height, width] = taught.first().map_or([0; 2], |taught| taught.image.view.size());
        let [rows, columns] = [height / STRIDE, width / STRIDE];
        let floats = |of: fn(&Taught) -> &[f32], shape: [usize; 4]| {
            let values = taught.iter().flat_map(|taught| of(taught)).copied().collect::<Vec<f32>>();
            Tensor::<B, 4>::from_data(TensorData::new(values, shape), device)
        };
        let mut cells = vec![0_i32; count * MOST];
        let mut numbers = vec![0.0_f32; count * MOST * NUMBERS];
        let mut known = vec![0.0_f32; count * MOST];
        for (image, taught) in taught.iter().enumerate() {
            for (number, (cell, values)) in taught.target.things.iter().take(MOST).enumerate() {
                let at = image * MOST + number;
                (cells[at], known[at]) = (*cell as i32, 1.0);
                numbers[at * NUMBERS..][..NUMBERS].copy_from_slice(values);
            }
        }
        Self {
            images: floats(|taught| &taught.image.values, [count, 3, height, width]),
            rays: floats(|taught| &taught.image.rays, [count, RAYS, rows, columns]),
            heat: floats(|taught| &taught.target.heat, [count, WORDS.len(), rows, columns]),
            cells: ints(cells, [count, MOST], device),
            numbers: Tensor::from_data(TensorData::new(numbers, [count, MOST, NUMBERS]), device),
            known: Tensor::from_data(TensorData::new(known, [count, MOST]), device),
        }
    }
}

fn ints<B: Backend>(values: Vec<i32>, shape: [usize; 2], device: &Device<B>) -> Tensor<B, 2, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
