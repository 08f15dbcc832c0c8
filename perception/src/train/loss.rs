//! How far the network's output is from what it should have said.

use burn::tensor::activation::{log_sigmoid, log_softmax, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::balance::RARITY;
use super::batch::TargetBatch;
use crate::model::heads::{BOX, CLASSES, FORECAST_STEPS, MAP_CLASSES, MODES, VELOCITY_MPS};
use crate::model::network::Answers;
use crate::model::path::PathScores;
use crate::truth::FORECAST_STEP_S;

/// What each part counts in the sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// Centres of objects.
    pub heat: f32,
    /// Boxes.
    pub boxes: f32,
    /// Attributes.
    pub attributes: f32,
    /// The map's planes and the lanes' direction.
    pub map: f32,
    /// Depth of the image features.
    pub depth: f32,
    /// Forecasts.
    pub forecasts: f32,
    /// What the embedding tells.
    pub tags: f32,
    /// What the lifted features show.
    pub shown: f32,
    /// The ego path.
    pub path: f32,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            heat: 1.0,
            boxes: 0.5,
            attributes: 0.1,
            map: 9.0,
            depth: 0.6,
            forecasts: 0.8,
            tags: 0.1,
            shown: 0.5,
            path: 0.1,
        }
    }
}

/// The names of the parts, in the order of [`Losses::parts`].
pub const PARTS: [&str; 9] = ["heat", "boxes", "attributes", "map", "depth", "forecasts", "tags", "shown", "path"];

/// The parts of the loss, unweighted, each a scalar.
pub struct Losses<B: Backend> {
    /// In the order of [`PARTS`].
    pub parts: [Tensor<B, 1>; PARTS.len()],
}

impl<B: Backend> Losses<B> {
    /// Of the network's answers against the targets; cells of the grid are `cell_m` wide.
    pub fn new(answers: &Answers<B>, targets: &TargetBatch<B>, cell_m: f64) -> Self {
        Self {
            parts: [
                heat(answers.heat.clone(), targets),
                boxes(answers.boxes.clone(), targets),
                attributes(answers.attributes.clone(), targets),
                map(answers.map.clone(), targets),
                depth(answers.depth.clone(), targets),
                forecasts(answers.forecasts.clone(), answers.boxes.clone().detach(), targets, cell_m),
                tags(answers.tags.clone(), targets),
                shown(answers.shown.clone(), targets),
                path(&answers.path, targets),
            ],
        }
    }

    /// The weighted sum.
    pub fn total(&self, weights: &LossWeights) -> Tensor<B, 1> {
        let LossWeights { heat, boxes, attributes, map, depth, forecasts, tags, shown, path } = *weights;
        let weights = [heat, boxes, attributes, map, depth, forecasts, tags, shown, path];
        let weighted = self.parts.iter().zip(weights).map(|(part, weight)| part.clone() * weight);
        // There are parts.
        weighted.reduce(|sum, part| sum + part).unwrap_or_else(|| self.parts[0].clone())
    }
}

/// Mean over what is known.
fn mean_known<B: Backend, const D: usize>(loss: Tensor<B, D>, known: Tensor<B, D>) -> Tensor<B, 1> {
    (loss * known.clone()).sum() / known.sum().clamp_min(1.0)
}

/// Where there are fewer objects than this, the background does not count more.
const FEW_OBJECTS: f32 = 8.0;

/// The focal loss of CornerNet (Law and Deng 2018, equation 1; alpha 2, beta 4), by the number of objects; centres of rare
/// classes count more.
fn heat<B: Backend>(logits: Tensor<B, 4>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let wanted = targets.heat.clone();
    let is_center = wanted.clone().equal_elem(1.0).float();
    let p = sigmoid(logits.clone());
    let weights =
        Tensor::<B, 1>::from_data(TensorData::from(RARITY), &logits.device()).sqrt().reshape([1, CLASSES, 1, 1]);
    let hit = log_sigmoid(logits.clone()) * (p.clone() - 1.0).powi_scalar(2) * is_center.clone() * weights;
    let away = (-wanted + 1.0).powi_scalar(4);
    let miss = log_sigmoid(-logits) * p.powi_scalar(2) * away;
    let count = is_center.sum().clamp_min(FEW_OBJECTS);
    -(hit + miss).sum() / count
}

/// What each number of a box counts: metres of the offset are worth more than metres per second.
const NUMBER_WEIGHTS: [f32; BOX] = [1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 4.0];

/// Errors of the velocity count by their squares up to this, in units of [`VELOCITY_MPS`]: 0.5 m/s. Most things stand,
/// and by the absolute error alone everything that might move a little is best said to stand.
const SMOOTH_VELOCITY: f32 = 0.1;

fn boxes<B: Backend>(numbers: Tensor<B, 3>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let device = numbers.device();
    let weights = Tensor::<B, 1>::from_data(TensorData::from(NUMBER_WEIGHTS), &device).reshape([1, 1, BOX]);
    let off = (numbers - targets.numbers.clone()).abs();
    // The smooth absolute error of Fast R-CNN (Girshick 2015, equation 3).
    let velocity = off.clone().narrow(2, BOX - 2, 2);
    let bent = velocity.clone().clamp_max(SMOOTH_VELOCITY);
    let velocity = bent.clone().powi_scalar(2) * (0.5 / SMOOTH_VELOCITY) + velocity - bent;
    let off = Tensor::cat(vec![off.narrow(2, 0, BOX - 2), velocity], 2) * weights * targets.numbers_known.clone();
    off.sum() / targets.object_known.clone().sum().clamp_min(1.0)
}

fn attributes<B: Backend>(logits: Tensor<B, 3>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let [batch, count, _] = logits.dims();
    let log = log_softmax(logits, 2).gather(2, targets.attribute.clone().reshape([batch, count, 1]));
    mean_known(-log.reshape([batch, count]), targets.attribute_known.clone())
}

/// How much more a cell with paint, crossing or centreline counts than one without.
const THIN_WEIGHT: f32 = 2.0;

/// What the overlap of a plane with the truth counts beside its cells: cells that are hard to tell do not matter each for
/// itself, but by what they do to the whole.
const OVERLAP_WEIGHT: f32 = 0.2;

/// Planes by cross-entropy and by their soft intersection over union (Rahman and Wang 2016), directions by
/// their distance where there are lanes.
fn map<B: Backend>(said: Tensor<B, 4>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let [batch, _, rows, columns] = said.dims();
    let part =
        |tensor: &Tensor<B, 4>, from: usize, to: usize| tensor.clone().slice([0..batch, from..to, 0..rows, 0..columns]);
    let (logits, wanted) = (part(&said, 0, MAP_CLASSES), part(&targets.map, 0, MAP_CLASSES));
    let known = targets.map_known.clone().reshape([batch, 1, 1, 1]);
    let device = logits.device();
    let weights = Tensor::<B, 1>::from_data(TensorData::from([1.0, THIN_WEIGHT, THIN_WEIGHT, THIN_WEIGHT]), &device)
        .reshape([1, MAP_CLASSES, 1, 1]);
    let likely = sigmoid(logits.clone());
    let entropy =
        log_sigmoid(logits.clone()) * wanted.clone() * weights + log_sigmoid(-logits) * (-wanted.clone() + 1.0);
    let planes = mean_known(-entropy, known.clone().expand([batch, MAP_CLASSES, rows, columns]));
    let sum = |cells: Tensor<B, 4>| {
        cells.reshape([batch, MAP_CLASSES, rows * columns]).sum_dim(2).reshape([batch, MAP_CLASSES])
    };
    let shared = sum(likely.clone() * wanted.clone());
    let either = sum(likely + wanted) - shared.clone();
    let apart = -((shared + 1.0) / (either + 1.0)) + 1.0;
    let overlap = mean_known(apart, known.clone().reshape([batch, 1]).expand([batch, MAP_CLASSES]));
    let direction =
        (part(&said, MAP_CLASSES, MAP_CLASSES + 2) - part(&targets.map, MAP_CLASSES, MAP_CLASSES + 2)).abs();
    let on_lane = part(&targets.map, 3, 4).expand([batch, 2, rows, columns]) * known;
    planes + overlap * OVERLAP_WEIGHT + mean_known(direction, on_lane) * 0.1
}

/// No depth counts as less likely than this.
const LEAST_LIKELY: f32 = 1e-4;

fn depth<B: Backend>(likely: Tensor<B, 2>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let [pixels, _] = likely.dims();
    let wanted = targets.depth.clone().reshape([pixels, 1]);
    let log = (likely.gather(1, wanted) + LEAST_LIKELY).log().reshape([pixels]);
    mean_known(-log, targets.depth_known.clone())
}

/// The best of the modes is pulled to what happened, and its logit up (as in MultiPath, Chai et al. 2019, without
/// anchors). A forecast is an offset from going on from where the box is, at the velocity that it says, and so makes up for
/// errors of both.
fn forecasts<B: Backend>(
    said: Tensor<B, 3>,
    boxes: Tensor<B, 3>,
    targets: &TargetBatch<B>,
    cell_m: f64,
) -> Tensor<B, 1> {
    let [batch, count, _] = said.dims();
    let times: Vec<f32> =
        (1..=FORECAST_STEPS).map(|step| (VELOCITY_MPS * FORECAST_STEP_S * step as f64) as f32).collect();
    let times = Tensor::<B, 4>::from_data(TensorData::new(times, [1, 1, FORECAST_STEPS, 1]), &said.device());
    let off = targets.numbers.clone() - boxes;
    let part = |first: usize| off.clone().narrow(2, first, 2).unsqueeze_dim::<4>(2);
    let missing = part(BOX - 2) * times + part(0) * cell_m;
    let future = targets.future.clone() + missing.reshape([batch, count, 2 * FORECAST_STEPS]);
    let said = said.reshape([batch, count, MODES, FORECAST_STEPS * 2 + 1]);
    let all = [0..batch, 0..count, 0..MODES];
    let [a, b, c] = all.clone();
    let offsets = said.clone().slice([a, b, c, 0..FORECAST_STEPS * 2]);
    let [a, b, c] = all;
    let logits = said.slice([a, b, c, FORECAST_STEPS * 2..FORECAST_STEPS * 2 + 1]).reshape([batch, count, MODES]);
    let wanted = future.unsqueeze_dim::<4>(2);
    let known = targets.future_known.clone().unsqueeze_dim::<4>(2);
    let off = ((offsets - wanted).abs() * known.clone()).sum_dim(3).reshape([batch, count, MODES]);
    let off = off / known.sum_dim(3).reshape([batch, count, 1]).clamp_min(1.0);
    let has_future = targets.future_known.clone().max_dim(2).reshape([batch, count]);
    let best = off.clone().detach().argmin(2);
    let miss = off.gather(2, best.clone()).reshape([batch, count]);
    let choice = -log_softmax(logits, 2).gather(2, best).reshape([batch, count]);
    mean_known(miss + choice * 0.2, has_future)
}

/// How much more a place that shows something counts than one that does not.
const SHOWN_WEIGHT: f32 = 3.0;

/// Cross-entropy for each of the things that may be shown, summed over them.
fn shown<B: Backend>(logits: Tensor<B, 2>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let wanted = targets.shown.clone().float();
    let entropy = log_sigmoid(logits.clone()) * wanted.clone() * SHOWN_WEIGHT + log_sigmoid(-logits) * (-wanted + 1.0);
    let [rows, _] = entropy.dims();
    mean_known(-entropy.sum_dim(1).reshape([rows]), targets.shown_known.clone())
}

/// Paths and changes of speed by cross-entropy with their shares, and whether each path stays on the road.
fn path<B: Backend>(said: &PathScores<B>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let [batch, count, _] = said.paths.dims();
    let score = |number: usize| said.paths.clone().narrow(2, number, 1).reshape([batch, count]);
    let choice = |logits: Tensor<B, 2>, shares: &Tensor<B, 2>, known: &Tensor<B, 1>| {
        mean_known(-(log_softmax(logits, 1) * shares.clone()).sum_dim(1).reshape([batch]), known.clone())
    };
    let (logits, wanted) = (score(1), targets.on_road.clone());
    let entropy = log_sigmoid(logits.clone()) * wanted.clone() + log_sigmoid(-logits) * (-wanted + 1.0);
    choice(score(0), &targets.paths, &targets.paths_known)
        + choice(said.speeds.clone(), &targets.speeds, &targets.speeds_known)
        + mean_known(-entropy.mean_dim(1).reshape([batch]), targets.on_road_known.clone())
}

/// Light and weather by cross-entropy, counts by their logarithm.
fn tags<B: Backend>(said: Tensor<B, 2>, targets: &TargetBatch<B>) -> Tensor<B, 1> {
    let [batch, all] = said.dims();
    let part = |tensor: &Tensor<B, 2>, from: usize, to: usize| tensor.clone().slice([0..batch, from..to]);
    let known = targets.tags_known.clone().reshape([batch, 1]);
    let choice = |from: usize, to: usize| {
        let log = log_softmax(part(&said, from, to), 1) * part(&targets.tags, from, to);
        mean_known(-log.sum_dim(1), known.clone())
    };
    let counts = (part(&said, 6, all) - part(&targets.tags, 6, all)).abs();
    choice(0, 3) + choice(3, 6) + mean_known(counts, known.clone().expand([batch, all - 6]))
}
