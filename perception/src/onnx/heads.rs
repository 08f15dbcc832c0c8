//! The heads as ONNX nodes.
//!
//! The vehicle needs the object head's boxes and attributes only where an object is, so they are read off the half
//! resolution, where four channels are the four cells of one, and never spread over the grid.

use burn::tensor::backend::Backend;

use super::graph::{Attribute, Graph, Value};
use super::kernel::Kernel;
use super::layer::{concat, conv, conv_relu, linear, relu, reshape, slice, spread, transpose};
use crate::model::NetworkConfig;
use crate::model::heads::{
    ATTRIBUTES, BOX, CLASSES, FORECAST_STEPS, ForecastHead, MODES, MapHead, ObjectHead, SceneHead,
};
use crate::model::path::PathHead;
use crate::path::{PATHS, SAMPLES, SCORES, cells};
use crate::rig::GridFrame;

/// Channels of a cell that say what is in it.
const READ: usize = BOX + ATTRIBUTES + CLASSES;

/// Scores, cells and boxes of [`crate::model::Output`], and what the forecasts are made from.
pub(super) struct Objects {
    pub(super) scores: Value,
    pub(super) cells: Value,
    pub(super) boxes: Value,
    /// `[batch, BOX + ATTRIBUTES + CLASSES, count]`.
    read: Value,
    /// `[batch, head, count]`.
    hidden: Value,
}

/// Features `[batch, head, cells / 2, cells / 2]` → objects.
pub(super) fn objects<B: Backend>(
    graph: &mut Graph,
    head: &ObjectHead<B>,
    config: &NetworkConfig,
    features: &Value,
) -> Objects {
    graph.part("objects");
    let side = config.grid.cells as i64;
    let (half, count) = (side / 2, config.forecast_objects as i64);
    let hidden = conv_relu(graph, &head.hidden, features);
    let all =
        Kernel::of(&head.boxes).and(Kernel::of(&head.attributes)).and(Kernel::of(&head.heat)).emit(graph, &hidden);

    graph.part("objects.peaks");
    let heat = slice(graph, &all, 1, 4 * (READ - CLASSES), 4 * READ);
    let heat = reshape(graph, &heat, &[-1, CLASSES as i64, 4, half, half]);
    let keep = ("keepdims", Attribute::Int(0));
    let highest = graph.node("ReduceMax", &[&heat], &[("axes", Attribute::Ints(&[1])), keep]);
    let score = graph.node("Sigmoid", &[&highest], &[]);
    let score = spread(graph, &score);
    let around = graph.node(
        "MaxPool",
        &[&score],
        &[("kernel_shape", Attribute::Ints(&[3, 3])), ("pads", Attribute::Ints(&[1, 1, 1, 1]))],
    );
    let is_peak = graph.node("GreaterOrEqual", &[&score, &around], &[]);
    let is_peak = graph.node("Cast", &[&is_peak], &[("to", Attribute::Int(super::graph::Element::Float as i64))]);
    let peaks = graph.node("Mul", &[&score, &is_peak], &[]);
    let peaks = reshape(graph, &peaks, &[-1, side * side]);
    let how_many = graph.ints(&[count]);
    let [scores, cells] = graph.nodes("TopK", &[&peaks, &how_many], &[("axis", Attribute::Int(1))]);

    graph.part("objects.read");
    let [two, whole, half_side] = [2, side, half].map(|number| graph.ints(&[number]));
    let row = graph.node("Div", &[&cells, &whole], &[]);
    let column = {
        let start = graph.node("Mul", &[&row, &whole], &[]);
        graph.node("Sub", &[&cells, &start], &[])
    };
    let [(coarse_row, odd_row), (coarse_column, odd_column)] = [row, column].map(|place| {
        let coarse = graph.node("Div", &[&place, &two], &[]);
        let even = graph.node("Mul", &[&coarse, &two], &[]);
        (coarse, graph.node("Sub", &[&place, &even], &[]))
    });
    let coarse = graph.node("Mul", &[&coarse_row, &half_side], &[]);
    let coarse = graph.node("Add", &[&coarse, &coarse_column], &[]);
    let quarter = graph.node("Mul", &[&odd_row, &two], &[]);
    let quarter = graph.node("Add", &[&quarter, &odd_column], &[]);
    let coarse = reshape(graph, &coarse, &[-1, 1, count]);
    let quarter = reshape(graph, &quarter, &[-1, 1, 1, count]);
    let hidden = at(graph, &hidden, config.head, half, &coarse);
    let read = at(graph, &all, 4 * READ, half, &coarse);
    let read = reshape(graph, &read, &[-1, READ as i64, 4, count]);
    let shape = graph.ints(&[1, READ as i64, 1, 1]);
    let quarter = graph.node("Expand", &[&quarter, &shape], &[]);
    let read = graph.node("GatherElements", &[&read, &quarter], &[("axis", Attribute::Int(2))]);
    let read = reshape(graph, &read, &[-1, READ as i64, count]);
    let boxes = transpose(graph, &read, &[0, 2, 1]);
    Objects { scores, cells, boxes, read, hidden }
}

/// `[batch, channels, half, half]` at cells `[batch, 1, count]` → `[batch, channels, count]`.
fn at(graph: &mut Graph, maps: &Value, channels: usize, half: i64, cells: &Value) -> Value {
    let channels = channels as i64;
    let table = reshape(graph, maps, &[-1, channels, half * half]);
    let shape = graph.ints(&[1, channels, 1]);
    let cells = graph.node("Expand", &[cells, &shape], &[]);
    graph.node("GatherElements", &[&table, &cells], &[("axis", Attribute::Int(2))])
}

/// Objects → forecasts `[batch, count, MODES · (2 · FORECAST_STEPS + 1)]`.
pub(super) fn forecasts<B: Backend>(
    graph: &mut Graph,
    head: &ForecastHead<B>,
    config: &NetworkConfig,
    objects: &Objects,
) -> Value {
    graph.part("forecasts");
    let boxes = slice(graph, &objects.read, 1, 0, BOX);
    let heat = slice(graph, &objects.read, 1, READ - CLASSES, READ);
    let classes = graph.node("Sigmoid", &[&heat], &[]);
    let x = concat(graph, &[&objects.hidden, &boxes, &classes], 1);
    let x = transpose(graph, &x, &[0, 2, 1]);
    let x = reshape(graph, &x, &[-1, (config.head + BOX + CLASSES) as i64]);
    let x = linear(graph, &head.first, &x);
    let x = relu(graph, &x);
    let x = linear(graph, &head.second, &x);
    let x = relu(graph, &x);
    let x = linear(graph, &head.output, &x);
    reshape(graph, &x, &[-1, config.forecast_objects as i64, (MODES * (2 * FORECAST_STEPS + 1)) as i64])
}

/// Features → the map `[batch, 6, cells, cells]`.
pub(super) fn map<B: Backend>(graph: &mut Graph, head: &MapHead<B>, features: &Value) -> Value {
    graph.part("map");
    let hidden = conv_relu(graph, &head.hidden, features);
    let coarse = conv(graph, &head.output, &hidden);
    spread(graph, &coarse)
}

/// Grid features and image features → the embedding `[batch, 128]`.
pub(super) fn scene<B: Backend>(
    graph: &mut Graph,
    head: &SceneHead<B>,
    config: &NetworkConfig,
    grid: &Value,
    images: &Value,
) -> Value {
    graph.part("scene");
    let mean = graph.node("GlobalAveragePool", &[grid], &[]);
    let mean = reshape(graph, &mean, &[-1, config.head as i64]);
    let most = graph.node("GlobalMaxPool", &[grid], &[]);
    let most = reshape(graph, &most, &[-1, config.head as i64]);
    let images = graph.node("GlobalAveragePool", &[images], &[]);
    let images = reshape(graph, &images, &[-1, config.cameras as i64, config.neck as i64]);
    let keep = ("keepdims", Attribute::Int(0));
    let images = graph.node("ReduceMean", &[&images], &[("axes", Attribute::Ints(&[1])), keep]);
    let x = concat(graph, &[&mean, &most, &images], 1);
    linear(graph, &head.embedding, &x)
}

/// Features → the scores of the paths `[batch, PATHS, SCORES]` and of the changes of speed `[batch, SPEEDS]`.
pub(super) fn path<B: Backend>(
    graph: &mut Graph,
    head: &PathHead<B>,
    config: &NetworkConfig,
    features: &Value,
) -> [Value; 2] {
    graph.part("path");
    let (half, hidden) = (config.grid.cells / 2, config.head as i64);
    let (paths, channels) = (PATHS as i64, (SAMPLES * config.head) as i64);
    let cells: Vec<i64> = cells(config.grid.extent_m, half, GridFrame::VEHICLE).into_iter().map(i64::from).collect();
    let cells = graph.ints(&cells);
    let table = reshape(graph, features, &[-1, hidden, (half * half) as i64]);
    let along = graph.node("Gather", &[&table, &cells], &[("axis", Attribute::Int(2))]);
    let along = transpose(graph, &along, &[0, 2, 1]);
    let along = reshape(graph, &along, &[-1, channels]);
    let seen = linear(graph, &head.along, &along);
    let seen = relu(graph, &seen);
    let scores = linear(graph, &head.score, &seen);
    let scores = reshape(graph, &scores, &[-1, paths, SCORES as i64]);
    let driven = slice(graph, &scores, 2, 0, 1);
    let likely = graph.node("Softmax", &[&driven], &[("axis", Attribute::Int(1))]);
    let seen = reshape(graph, &seen, &[-1, paths, hidden]);
    let seen = graph.node("Mul", &[&seen, &likely], &[]);
    let axis = graph.ints(&[1]);
    let ahead = graph.node("ReduceSum", &[&seen, &axis], &[("keepdims", Attribute::Int(0))]);
    let speeds = linear(graph, &head.speed, &ahead);
    [scores, speeds]
}
