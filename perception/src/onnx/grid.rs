//! The grid half of the network as ONNX nodes: lift, fusion with the previous frame, encoder.

use burn::tensor::backend::Backend;

use super::graph::{Attribute, Graph, Value};
use super::kernel::Kernel;
use super::layer::{add, concat, conv, conv_relu, double, gather, linear, reshape, residual, slice, transpose};
use crate::kernel::GroundBins;
use crate::model::NetworkConfig;
use crate::model::bev::{GridEncoder, HISTORY_PLANES, PLACE_PLANES, place_planes};
use crate::model::layer::ResidualBlock;
use crate::model::lift::{Lift, gain, ground_bins};

/// onnxruntime's blocked convolutions take channels by fours.
const BLOCK: usize = 4;

/// Values that say which image feature every voxel reads, see [`crate::model::lift::LiftIndices`].
pub(super) struct LiftInputs {
    pub(super) context: Value,
    pub(super) depth: Value,
    pub(super) seen: Value,
    pub(super) rays: Value,
}

/// Image features `[batch · cameras, neck, height, width]` → grid `[batch, lifted, cells, cells]`.
pub(super) fn lift<B: Backend>(
    graph: &mut Graph,
    lift: &Lift<B>,
    config: &NetworkConfig,
    features: &Value,
    inputs: &LiftInputs,
) -> Value {
    graph.part("lift");
    let (channels, cells) = (config.context as i64, config.grid.cells as i64);
    let context = conv(graph, &lift.context, features);
    let context = transpose(graph, &context, &[0, 2, 3, 1]);
    let context = reshape(graph, &context, &[-1, channels]);
    let seen = concat(graph, &[features, &inputs.rays], 1);
    let near = conv_relu(graph, &lift.near, &seen);
    let near = concat(graph, &[&near, &inputs.rays], 1);
    let depth = conv(graph, &lift.depth, &near);
    // Channels last first, as a softmax over them then needs no transposition of its own.
    let said = transpose(graph, &depth, &[0, 2, 3, 1]);
    let rays = transpose(graph, &inputs.rays, &[0, 2, 3, 1]);
    let bins = config.depth.count;
    let softmax = |graph: &mut Graph, x: &Value| graph.node("Softmax", &[x], &[("axis", Attribute::Int(3))]);
    let free = slice(graph, &said, 3, 0, bins);
    let free = softmax(graph, &free);
    let is_ground = slice(graph, &said, 3, bins, bins + 1);
    let is_ground = graph.node("Sigmoid", &[&is_ground], &[]);
    let [meets, ground] = [0, 1].map(|number| slice(graph, &rays, 3, number, number + 1));
    let is_ground = graph.node("Mul", &[&is_ground, &meets], &[]);
    let GroundBins { middles, sharpness } = ground_bins(bins);
    let [middles, sharpness] = [graph.floats(&[bins], &middles), graph.floats(&[], &[-sharpness])];
    let off = graph.node("Sub", &[&ground, &middles], &[]);
    let off = graph.node("Mul", &[&off, &off], &[]);
    let off = graph.node("Mul", &[&off, &sharpness], &[]);
    let ground = softmax(graph, &off);
    // free + is_ground · (ground − free).
    let more = graph.node("Sub", &[&ground, &free], &[]);
    let more = graph.node("Mul", &[&more, &is_ground], &[]);
    let depth = add(graph, &free, &more);
    let depth = reshape(graph, &depth, &[-1]);
    let gain = graph.floats(&[], &[gain(bins)]);
    let weight = gather(graph, &depth, &inputs.depth);
    let weight = graph.node("Mul", &[&weight, &inputs.seen], &[]);
    let weight = graph.node("Mul", &[&weight, &gain], &[]);
    let weight = reshape(graph, &weight, &[-1, 1]);
    let voxels = gather(graph, &context, &inputs.context);
    let voxels = graph.node("Mul", &[&voxels, &weight], &[]);
    let columns = reshape(graph, &voxels, &[-1, config.grid.heights_m.len() as i64 * channels]);
    let folded = linear(graph, &lift.fold, &columns);
    let lifted = config.lifted as i64;
    let folded = reshape(graph, &folded, &[-1, cells * cells, lifted]);
    let folded = transpose(graph, &folded, &[0, 2, 1]);
    reshape(graph, &folded, &[-1, lifted, cells, cells])
}

/// What the encoder reads beside this frame's grid, see [`crate::model::Input`].
pub(super) struct PastInputs {
    pub(super) previous: Value,
    pub(super) index: Value,
    pub(super) weight: Value,
    pub(super) history: Value,
}

/// The half-resolution grid of this frame, and the features that all heads read.
pub(super) fn encode<B: Backend>(
    graph: &mut Graph,
    encoder: &GridEncoder<B>,
    config: &NetworkConfig,
    lifted: &Value,
    past: &PastInputs,
) -> [Value; 2] {
    graph.part("encoder.shrink");
    let current = conv_relu(graph, &encoder.shrink, lifted);
    graph.part("encoder.fuse");
    let (side, channels) = (config.grid.cells as i64 / 2, config.encoder[0] as i64);
    let table = transpose(graph, &past.previous, &[0, 2, 3, 1]);
    let table = reshape(graph, &table, &[-1, channels]);
    let taps = gather(graph, &table, &past.index);
    let weight = reshape(graph, &past.weight, &[-1, 1]);
    let taps = graph.node("Mul", &[&taps, &weight], &[]);
    let taps = reshape(graph, &taps, &[-1, 4, channels]);
    let axis = graph.ints(&[1]);
    let warped = graph.node("ReduceSum", &[&taps, &axis], &[("keepdims", Attribute::Int(0))]);
    let warped = reshape(graph, &warped, &[-1, side, side, channels]);
    let warped = transpose(graph, &warped, &[0, 3, 1, 2]);
    let history = reshape(graph, &past.history, &[-1, HISTORY_PLANES as i64, 1, 1]);
    // Planes of zeros make up the channels to whole blocks.
    let known = 2 * config.encoder[0] + HISTORY_PLANES + PLACE_PLANES;
    let planes = PLACE_PLANES + known.next_multiple_of(BLOCK) - known;
    let half = config.grid.cells / 2;
    let mut place = place_planes(half);
    place.resize(planes * half * half, 0.0);
    let place = graph.floats(&[1, planes, half, half], &place);
    // As many as there are frames, whose history begins with nothing and takes the place on.
    let size = graph.ints(&[1, HISTORY_PLANES as i64, side, side]);
    let history = graph.node("Expand", &[&history, &size], &[]);
    let nothing = slice(graph, &history, 1, 0, 1);
    let zero = graph.floats(&[], &[0.0]);
    let nothing = graph.node("Mul", &[&nothing, &zero], &[]);
    let place = graph.node("Add", &[&place, &nothing], &[]);
    let all = concat(graph, &[&current, &warped, &history, &place], 1);
    let channels = 2 * config.encoder[0] + HISTORY_PLANES + planes;
    let fused = Kernel::of(&encoder.fuse).widened(channels).emit(graph, &all);
    let fused = super::layer::relu(graph, &fused);
    let mut chain = |name: &str, blocks: &[ResidualBlock<B>], x: &Value| {
        blocks.iter().enumerate().fold(x.clone(), |x, (number, block)| {
            graph.part(&format!("encoder.{name}.{number}"));
            residual(graph, block, &x)
        })
    };
    let fine = chain("fine", &encoder.fine, &fused);
    let coarse = chain("coarse", &encoder.coarse, &fine);
    let deep = chain("deep", &encoder.deep, &coarse);
    graph.part("encoder.merge");
    let deep = conv(graph, &encoder.deep_lateral, &deep);
    let deep = double(graph, &deep);
    let coarse = add(graph, &deep, &coarse);
    let coarse = conv(graph, &encoder.lateral, &coarse);
    let coarse = double(graph, &coarse);
    let merged = add(graph, &coarse, &fine);
    [current, conv_relu(graph, &encoder.merge, &merged)]
}
