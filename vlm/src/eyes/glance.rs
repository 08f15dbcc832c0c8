//! One image, looked at: what stands where, and what the surroundings are.

use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use tandem_datasets::Camera;
use tandem_perception::kernel::Kernels;
use tandem_perception::rig::RAYS;

use super::network::{ENVIRONMENT, Network, Output, STRIDE};
use super::peaks::Planes;
use super::view::{Prepared, View};
use super::words::most;

/// A thing, as an image shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// How probable each of the words is, `[WORDS]`.
    pub scores: Vec<f32>,
    /// Left, top, right and bottom as shares of the image's width and height.
    pub bounds: [f32; 4],
    /// From the camera along its axis, m.
    pub depth_m: f32,
    /// Where it is in the ego frame, x ahead and y left, m.
    pub place_m: [f32; 2],
    /// What the network makes of its place in the image, `[FEATURES]`.
    pub features: Vec<f32>,
}

impl Sighting {
    /// The word that is most probable, and how probable it is.
    pub fn word(&self) -> (usize, f32) {
        most(self.scores.iter().copied().enumerate()).unwrap_or_default()
    }
}

/// What an image shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// Which image.
    pub view: View,
    /// The most telling things, the most telling first.
    pub sightings: Vec<Sighting>,
    /// How probable each of the weathers, lights and kinds of roads is, in the order of their types.
    pub environment: [Vec<f32>; 3],
    /// What the network makes of the image as a whole, `[POOLED]`.
    pub pooled: Vec<f32>,
}

impl Glance {
    /// The most probable weather, light and kind of road, by their numbers.
    pub fn surroundings(&self) -> [usize; 3] {
        self.environment.each_ref().map(|scores| most(scores.iter().copied().enumerate()).unwrap_or_default().0)
    }

    /// Looks at an image, `source` being its camera before the image was prepared.
    pub fn new<B: Kernels>(network: &Network<B>, image: &Prepared, source: &Camera, device: &Device<B>) -> Self {
        let [height, width] = image.view.size();
        let [rows, columns] = [height / STRIDE, width / STRIDE];
        let tensor = |values: &[f32], shape: [usize; 4]| {
            Tensor::<B, 4>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let Output { features, heat, numbers, pooled, environment } = network
            .forward(tensor(&image.values, [1, 3, height, width]), tensor(&image.rays, [1, RAYS, rows, columns]));
        let planes = Planes {
            scores: floats(sigmoid(heat)),
            numbers: floats(numbers),
            features: floats(features),
            size: [rows, columns],
        };
        let mut from = 0;
        let environment = ENVIRONMENT.map(|count| {
            let part = environment.clone().narrow(1, from, count);
            from += count;
            floats(softmax(part, 1))
        });
        let sightings = planes.peaks().into_iter().map(|cell| planes.sighting(cell, &image.camera, source));
        Self { view: image.view, sightings: sightings.collect(), environment, pooled: floats(pooled) }
    }
}

fn floats<B: Kernels, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
