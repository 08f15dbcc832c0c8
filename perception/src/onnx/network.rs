//! The whole network as an ONNX file: inputs and outputs are named as the fields of `Input` and `Output`.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::graph::{Dim, Element, Graph};
use super::grid::{LiftInputs, PastInputs, encode, lift};
use super::heads::{forecasts, map, objects, path, scene};
use super::layer::reshape;
use super::trunk::{neck, trunk};
use crate::Error;
use crate::model::bev::HISTORY_PLANES;
use crate::model::heads::{ATTRIBUTES, BOX, CLASSES, EMBEDDING, FORECAST_STEPS, MAP_CLASSES, MODES};
use crate::model::{Network, NetworkConfig};
use crate::path::{PATHS, SCORES, SPEEDS};
use crate::rig::RAYS;
use crate::weights::CONFIG;

/// How many frames a model takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// So many, which is the fastest to run.
    Fixed(usize),
    /// As many as come.
    Dynamic,
}

impl Batch {
    /// An axis of `each` entries a frame; `name` says what it counts.
    fn axis(self, each: usize, name: &'static str) -> Dim {
        match self {
            Self::Fixed(batch) => Dim::Fixed(batch * each),
            Self::Dynamic => Dim::Named(name),
        }
    }
}

/// Writes a network as an ONNX file that computes what [`Network::forward`] does, with its configuration as metadata
/// under the same key as in a weights file.
///
/// Inputs: `images [batch, cameras, 3, height, width]`, `lift_context`, `lift_depth` (int32) and `lift_seen`
/// `[batch · voxels]`, `rays [batch · cameras, 5, height / 8, width / 8]`, `previous [batch, fine, cells / 2, cells / 2]`, `warp_index` (int32) and `warp_weight`
/// `[batch · cells²]`, `history [batch, 2]`. Outputs: the fields of [`crate::model::Output`], `cells` as int64.
///
/// # Errors
/// If the file cannot be written.
pub fn write<B: Backend>(network: &Network<B>, config: &NetworkConfig, batch: Batch, path: &Path) -> Result<(), Error> {
    let text = serde_json::to_string(config).map_err(Error::json(path))?;
    let bytes = graph(network, config, batch).finish(&[(CONFIG, &text)]);
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, bytes).map_err(Error::io(&unfinished))?;
    std::fs::rename(&unfinished, path).map_err(Error::io(path))
}

fn graph<B: Backend>(network: &Network<B>, config: &NetworkConfig, batch: Batch) -> Graph {
    use Dim::Fixed;
    use Element::{Float, Int32, Int64};

    let frames = batch.axis(1, "batch");
    let cells = config.grid.cells;
    let [_, fine, half, _] = config.kept(1);
    let [height, width] = config.image;
    let voxels = batch.axis(cells * cells * config.grid.heights_m.len(), "batch_voxels");
    let taps = batch.axis(cells * cells, "batch_taps");
    let views = batch.axis(config.cameras, "batch_cameras");
    let past_shape = [frames, Fixed(fine), Fixed(half), Fixed(half)];

    let mut built = Graph::new(&config.name);
    let graph = &mut built;
    let image_shape = [frames, Fixed(config.cameras), Fixed(3), Fixed(height), Fixed(width)];
    let images = graph.input("images", Float, &image_shape);
    let lift_inputs = LiftInputs {
        context: graph.input("lift_context", Int32, &[voxels]),
        depth: graph.input("lift_depth", Int32, &[voxels]),
        seen: graph.input("lift_seen", Float, &[voxels]),
        rays: graph.input("rays", Float, &[views, Fixed(RAYS), Fixed(height / 8), Fixed(width / 8)]),
    };
    let past = PastInputs {
        previous: graph.input("previous", Float, &past_shape),
        index: graph.input("warp_index", Int32, &[taps]),
        weight: graph.input("warp_weight", Float, &[taps]),
        history: graph.input("history", Float, &[frames, Fixed(HISTORY_PLANES)]),
    };

    let images = reshape(graph, &images, &[-1, 3, height as i64, width as i64]);
    let features = trunk(graph, &network.trunk, &images);
    let features = neck(graph, &network.neck, &features, &lift_inputs.rays);
    let lifted = lift(graph, &network.lift, config, &features, &lift_inputs);
    let [current, grid] = encode(graph, &network.encoder, config, &lifted, &past);
    let found = objects(graph, &network.objects, config, &grid);
    let futures = forecasts(graph, &network.forecasts, config, &found);
    let map = map(graph, &network.map, &grid);
    let embedding = scene(graph, &network.scene, config, &grid, &features);
    let [paths, speeds] = path(graph, &network.path, config, &grid);

    let count = Fixed(config.forecast_objects);
    let future = Fixed(MODES * (2 * FORECAST_STEPS + 1));
    graph.output(&found.scores, "scores", Float, &[frames, count]);
    graph.output(&found.cells, "cells", Int64, &[frames, count]);
    graph.output(&found.boxes, "boxes", Float, &[frames, count, Fixed(BOX + ATTRIBUTES + CLASSES)]);
    graph.output(&futures, "forecasts", Float, &[frames, count, future]);
    graph.output(&map, "map", Float, &[frames, Fixed(MAP_CLASSES + 2), Fixed(cells), Fixed(cells)]);
    graph.output(&embedding, "embedding", Float, &[frames, Fixed(EMBEDDING)]);
    graph.output(&paths, "paths", Float, &[frames, Fixed(PATHS), Fixed(SCORES)]);
    graph.output(&speeds, "speeds", Float, &[frames, Fixed(SPEEDS)]);
    graph.output(&current, "current", Float, &past_shape);
    built
}
