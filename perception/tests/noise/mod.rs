//! Networks and frames of random numbers.

use std::sync::Arc;

use burn::module::{ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Distribution, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tandem_perception::frame::Frame;
use tandem_perception::model::{Backbone, NetworkConfig};
use tandem_perception::rig::{LiftTable, RAYS, WarpTable};

/// Fresh weights are zero in places; these are not.
pub struct Stir;

impl<B: Backend> ModuleMapper<B> for Stir {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|value| value.clone() + value.random_like(Distribution::Normal(0.0, 0.01)))
    }
}

/// A frame of noise that reads anywhere.
pub fn frame(config: &NetworkConfig, rng: &mut ChaCha8Rng) -> Frame {
    let [height, width] = config.image;
    let pixels = (config.cameras * (height / 8) * (width / 8)) as i32;
    let cells = config.grid.cells * config.grid.cells;
    let voxels = cells * config.grid.heights_m.len();
    let mut below = |count: usize, end: i32| (0..count).map(|_| rng.random_range(0..end)).collect::<Vec<i32>>();
    let context = below(voxels, pixels * 4);
    let depth = below(voxels, pixels * config.depth.count as i32);
    let seen = below(voxels, 2).into_iter().map(|seen| seen as f32).collect();
    let index = below(cells, cells as i32 / 4);
    let mut noise = |count: usize, scale: f32| (0..count).map(|_| rng.random_range(-scale..scale)).collect();
    Frame {
        images: noise(config.cameras * 3 * height * width, 1.0),
        lift: Arc::new(LiftTable {
            context,
            depth,
            seen,
            rays: noise(config.cameras * RAYS * (height / 8) * (width / 8), 1.0),
        }),
        warp: WarpTable { index, weight: noise(cells, 0.5) },
        history: [0.1, 1.0],
    }
}

/// Small, and unlike in every number that could be mixed up.
pub fn small(backbone: Backbone) -> NetworkConfig {
    let mut config = NetworkConfig::tiny();
    config.name = "small".into();
    config.cameras = 3;
    config.image = [64, 96];
    config.backbone = backbone;
    (config.neck, config.context, config.lifted, config.head) = (20, 12, 28, 36);
    (config.encoder, config.blocks) = ([24, 44, 52], [2, 1, 1]);
    (config.grid.cells, config.depth.count, config.forecast_objects) = (32, 9, 24);
    config
}
