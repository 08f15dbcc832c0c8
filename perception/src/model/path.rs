//! The path head: what lies along every path of the vocabulary decides its score.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::config::NetworkConfig;
use super::heads::at;
use crate::kernel::Kernels;
use crate::path::{PATHS, SAMPLES, SCORES, SPEEDS, cells};
use crate::rig::GridFrame;

/// What the head says of the vocabulary.
#[derive(Debug, Clone)]
pub struct PathScores<B: Backend> {
    /// `[batch, PATHS, SCORES]`: logits.
    pub paths: Tensor<B, 3>,
    /// `[batch, SPEEDS]`: logits.
    pub speeds: Tensor<B, 2>,
}

/// Scores of the vocabulary of [`crate::path`].
#[derive(Module, Debug)]
pub struct PathHead<B: Backend> {
    /// What the grid says along a path becomes one vector.
    pub(crate) along: Linear<B>,
    pub(crate) score: Linear<B>,
    pub(crate) speed: Linear<B>,
    extent_m: f64,
}

impl<B: Kernels> PathHead<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        let hidden = config.head;
        Self {
            along: LinearConfig::new(SAMPLES * config.head, hidden).init(device),
            score: LinearConfig::new(hidden, SCORES).init(device),
            speed: LinearConfig::new(hidden, SPEEDS).init(device),
            extent_m: config.grid.extent_m,
        }
    }

    /// Features `[batch, head, cells / 2, cells / 2]`, and the cells of all paths, `[batch, PATHS · SAMPLES]`.
    pub fn forward(&self, features: Tensor<B, 4>, cells: Tensor<B, 2, Int>) -> PathScores<B> {
        let [batch, channels, ..] = features.dims();
        let along = at(features, cells).reshape([batch, PATHS, SAMPLES * channels]);
        let hidden = relu(self.along.forward(along));
        let paths = self.score.forward(hidden.clone());
        // The speed depends on what lies along the paths that are likely.
        let likely = softmax(paths.clone().narrow(2, 0, 1), 1);
        let [_, _, width] = hidden.dims();
        let ahead = (hidden * likely).sum_dim(1).reshape([batch, width]);
        PathScores { paths, speeds: self.speed.forward(ahead) }
    }

    /// The same in the vehicle's own frame.
    pub fn ask(&self, features: Tensor<B, 4>) -> PathScores<B> {
        let [batch, _, half, _] = features.dims();
        let cells = TensorData::new(cells(self.extent_m, half, GridFrame::VEHICLE), [1, PATHS * SAMPLES]);
        let cells = Tensor::<B, 2, Int>::from_data(cells, &features.device());
        self.forward(features, cells.expand([batch, PATHS * SAMPLES]))
    }
}
