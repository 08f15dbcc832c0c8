//! What is read off the bird's-eye-view features: objects with forecasts, the map, and one vector for the whole scene.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::module::max_pool2d;
use burn::tensor::{Device, Int, Tensor};

use super::config::NetworkConfig;
use super::layer::{conv, output_conv, spread};
use crate::kernel::{Activation, Kernels, convolve};

/// Object classes, in the order of [`tandem_datasets::DetectionClass`].
pub const CLASSES: usize = 10;

/// Numbers that describe a box: offset within the cell (x, y; cells), height of the centre (m), logarithm of length,
/// width, height (m), sine and cosine of the yaw, velocity over ground (x, y; in units of [`VELOCITY_MPS`], in the
/// vehicle's frame).
pub const BOX: usize = 10;

/// The unit of a box's velocity, m/s: what a layer gives is about one in size.
pub const VELOCITY_MPS: f64 = 5.0;

/// Attributes of nuScenes, see [`crate::eval::Attribute`].
pub const ATTRIBUTES: usize = 8;

/// Planes of the map, see [`crate::truth::MapPlane`]; the lanes' direction is two more.
pub const MAP_CLASSES: usize = 4;

/// Modes of a forecast.
pub const MODES: usize = 6;

/// Steps of a forecast, 0.5 s each.
pub const FORECAST_STEPS: usize = 6;

/// Length of the scene's embedding.
pub const EMBEDDING: usize = 128;

/// What training asks of every lifted feature: whether it shows something of each object class, the road, its paint.
pub const SHOWN: usize = CLASSES + 2;

/// What the embedding is trained to tell: light (3), weather (3), and how many objects of each class there are.
pub const TAGS: usize = 6 + CLASSES;

/// What the object head says of every cell.
#[derive(Debug, Clone)]
pub struct ObjectMaps<B: Backend> {
    /// `[batch, 10, cells, cells]`: logit of an object's centre.
    pub heat: Tensor<B, 4>,
    /// `[batch, 10, cells, cells]`: see [`BOX`].
    pub boxes: Tensor<B, 4>,
    /// `[batch, 8, cells, cells]`: logits.
    pub attributes: Tensor<B, 4>,
    /// `[batch, head, cells / 2, cells / 2]`: what the forecasts are made from.
    pub hidden: Tensor<B, 4>,
}

/// Objects after CenterPoint (Yin et al. 2021), at full resolution by sub-pixel convolution.
#[derive(Module, Debug)]
pub struct ObjectHead<B: Backend> {
    pub(crate) hidden: Conv2d<B>,
    pub(crate) heat: Conv2d<B>,
    pub(crate) boxes: Conv2d<B>,
    pub(crate) attributes: Conv2d<B>,
}

impl<B: Kernels> ObjectHead<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let mut heat = output_conv([config.head, 4 * CLASSES], device);
        // So that a fresh network sees nothing nearly everywhere: sigmoid(−4.6) = 0.01.
        heat.bias = heat.bias.map(|bias| bias.map(|bias| bias.full_like(-4.6).require_grad()));
        Self {
            hidden: conv([config.head, config.head], 3, 1, device),
            heat,
            boxes: output_conv([config.head, 4 * BOX], device),
            attributes: output_conv([config.head, 4 * ATTRIBUTES], device),
        }
    }

    /// Features `[batch, head, cells / 2, cells / 2]` → maps.
    pub fn forward(&self, features: Tensor<B, 4>) -> ObjectMaps<B> {
        let hidden = convolve(&self.hidden, features, Activation::Relu);
        let output = |layer, hidden: &Tensor<B, 4>| spread(convolve(layer, hidden.clone(), Activation::None));
        ObjectMaps {
            heat: output(&self.heat, &hidden),
            boxes: output(&self.boxes, &hidden),
            attributes: output(&self.attributes, &hidden),
            hidden,
        }
    }
}

/// The most certain local maxima of the heat map, one class a cell.
///
/// `heat`: `[batch, 10, cells, cells]` logits. Returns scores `[batch, count]`, falling, and the numbers of their cells
/// `row · cells + column`, `[batch, count]`.
pub fn peaks<B: Backend>(heat: Tensor<B, 4>, count: usize) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    let [batch, _, rows, columns] = heat.dims();
    let score = sigmoid(heat.max_dim(1));
    let highest = max_pool2d(score.clone(), [3, 3], [1, 1], [1, 1], [1, 1], false);
    let is_peak = score.clone().greater_equal(highest).float();
    (score * is_peak).reshape([batch, rows * columns]).topk_with_indices(count, 1)
}

/// Maps `[batch, channels, rows, columns]` at cells `[batch, count]`, `row · columns + column` → `[batch, count, channels]`.
pub fn at<B: Backend>(maps: Tensor<B, 4>, cells: Tensor<B, 2, Int>) -> Tensor<B, 3> {
    let [batch, channels, rows, columns] = maps.dims();
    let count = cells.dims()[1];
    let table = maps.reshape([batch, channels, rows * columns]);
    table.gather(2, cells.unsqueeze_dim::<3>(1).expand([batch, channels, count])).swap_dims(1, 2)
}

/// Several possible futures of an object, as offsets from going on at its present velocity.
#[derive(Module, Debug)]
pub struct ForecastHead<B: Backend> {
    pub(crate) first: Linear<B>,
    pub(crate) second: Linear<B>,
    pub(crate) output: Linear<B>,
}

impl<B: Kernels> ForecastHead<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let hidden = 2 * config.head;
        Self {
            first: LinearConfig::new(config.head + BOX + CLASSES, hidden).init(device),
            second: LinearConfig::new(hidden, hidden).init(device),
            output: LinearConfig::new(hidden, MODES * (FORECAST_STEPS * 2 + 1)).init(device),
        }
    }

    /// Forecasts at cells.
    ///
    /// `cells`: `[batch, count]`, numbers of cells `row · cells + column`. Returns
    /// `[batch, count, MODES · (2 · FORECAST_STEPS + 1)]`: for every mode the offsets (x, y; m, vehicle's frame), step by
    /// step, then the logit.
    pub fn forward(&self, maps: &ObjectMaps<B>, cells: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let side = maps.heat.dims()[3];
        let row = cells.clone().div_scalar(side as i64);
        let column = cells.clone() - row.clone().mul_scalar(side as i64);
        let half = (side / 2) as i64;
        let coarse = row.div_scalar(2).mul_scalar(half) + column.div_scalar(2);
        let x = Tensor::cat(
            vec![
                at(maps.hidden.clone(), coarse),
                at(maps.boxes.clone(), cells.clone()),
                sigmoid(at(maps.heat.clone(), cells)),
            ],
            2,
        );
        self.output.forward(relu(self.second.forward(relu(self.first.forward(x)))))
    }
}

/// The map around the vehicle.
#[derive(Module, Debug)]
pub struct MapHead<B: Backend> {
    pub(crate) hidden: Conv2d<B>,
    pub(crate) output: Conv2d<B>,
}

impl<B: Kernels> MapHead<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        Self {
            hidden: conv([config.head, config.head], 3, 1, device),
            output: output_conv([config.head, 4 * (MAP_CLASSES + 2)], device),
        }
    }

    /// Features `[batch, head, cells / 2, cells / 2]` → `[batch, 6, cells, cells]`: logits of the map's planes, then
    /// sine and cosine of the nearest lane's direction.
    pub fn forward(&self, features: Tensor<B, 4>) -> Tensor<B, 4> {
        let hidden = convolve(&self.hidden, features, Activation::Relu);
        spread(convolve(&self.output, hidden, Activation::None))
    }
}

/// One vector for the whole scene, to search by.
#[derive(Module, Debug)]
pub struct SceneHead<B: Backend> {
    pub(crate) embedding: Linear<B>,
    pub(crate) tags: Linear<B>,
}

impl<B: Kernels> SceneHead<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        Self {
            embedding: LinearConfig::new(2 * config.head + config.neck, EMBEDDING).init(device),
            tags: LinearConfig::new(EMBEDDING, TAGS).init(device),
        }
    }

    /// Grid features `[batch, head, rows, columns]` and image features `[batch · cameras, neck, height, width]` → the
    /// embedding `[batch, 128]`.
    pub fn forward(&self, grid: Tensor<B, 4>, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let [batch, channels, rows, columns] = grid.dims();
        let grid = grid.reshape([batch, channels, rows * columns]);
        let [all, neck, height, width] = images.dims();
        let images = images.reshape([batch, all / batch, neck, height * width]).mean_dim(3).mean_dim(1);
        let mean = grid.clone().mean_dim(2).reshape([batch, channels]);
        let most = grid.max_dim(2).reshape([batch, channels]);
        self.embedding.forward(Tensor::cat(vec![mean, most, images.reshape([batch, neck])], 1))
    }

    /// What the embedding says: `[batch, 16]`, see [`TAGS`].
    pub fn tags(&self, embedding: Tensor<B, 2>) -> Tensor<B, 2> {
        self.tags.forward(embedding)
    }
}
