//! The Argoverse 2 detection benchmark: AP by centre distance, three errors of true positives, and the score CDS.
//!
//! av2-api `evaluation/detection/{eval,utils}.py` (0.3.6), without its filter by region of interest. Equal to the
//! toolkit's output to the three decimals that it gives (`perception/tests/argoverse_eval.rs`).

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use serde::Serialize;
use tandem_datasets::argoverse::Cuboid;

use super::boxes::{yaw_error, yaw_of};

/// Distances between centres up to which a detection matches, m.
const MATCH_DISTANCES_M: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// The distance of [`MATCH_DISTANCES_M`] at which the errors are taken.
const ERROR_DISTANCE: usize = 2;
/// What an error is where nothing matches, and what it is divided by in CDS: m, 1 − IoU, rad.
const WORST_ERRORS: [f64; 3] = [2.0, 1.0, PI];
/// Boxes farther from the ego do not count, m.
const MAX_RANGE_M: f64 = 150.0;
/// Of each sweep and category the surest detections up to this many count.
const MAX_DETECTIONS: usize = 100;
/// Recall is sampled at 0, 0.01, … 1.
const RECALL_POINTS: usize = 101;

/// A category's results.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metrics {
    /// Average precision, the mean over four distances.
    #[serde(rename = "AP")]
    pub ap: f64,
    /// Translation error, m.
    #[serde(rename = "ATE")]
    pub ate: f64,
    /// Scale error, 1 − IoU of aligned boxes.
    #[serde(rename = "ASE")]
    pub ase: f64,
    /// Orientation error, rad.
    #[serde(rename = "AOE")]
    pub aoe: f64,
    /// The composite detection score.
    #[serde(rename = "CDS")]
    pub cds: f64,
}

impl Metrics {
    /// What a category without truth has.
    const WORST: Self = Self { ap: 0.0, ate: WORST_ERRORS[0], ase: WORST_ERRORS[1], aoe: WORST_ERRORS[2], cds: 0.0 };

    /// The mean over categories, as the toolkit's `AVERAGE_METRICS`; the worst over none.
    pub fn mean(categories: &[Self]) -> Self {
        if categories.is_empty() {
            return Self::WORST;
        }
        let mean = |of: fn(&Self) -> f64| categories.iter().map(of).sum::<f64>() / categories.len() as f64;
        Self {
            ap: mean(|metrics| metrics.ap),
            ate: mean(|metrics| metrics.ate),
            ase: mean(|metrics| metrics.ase),
            aoe: mean(|metrics| metrics.aoe),
            cds: mean(|metrics| metrics.cds),
        }
    }
}

/// A detection after matching.
struct Matched {
    score: f64,
    /// At each of [`MATCH_DISTANCES_M`].
    hits: [bool; 4],
    /// Where it hits at the errors' distance.
    errors: [f64; 3],
}

/// Evaluates one category. Boxes are in the ego frame of their sweep; `weight` is the confidence of detections, and the
/// number of lidar points of true boxes, of which those without do not count.
pub fn evaluate(category: &str, truth: &[Cuboid], detections: &[Cuboid]) -> Metrics {
    let of_category = |boxes: &[Cuboid]| -> BTreeMap<(String, i64), Vec<Cuboid>> {
        let mut by_sweep: BTreeMap<_, Vec<Cuboid>> = BTreeMap::new();
        for cuboid in boxes.iter().filter(|cuboid| cuboid.category == category) {
            by_sweep.entry((cuboid.log_id.clone(), cuboid.timestamp_ns)).or_default().push(cuboid.clone());
        }
        by_sweep
    };
    let mut truth = of_category(truth);
    for boxes in truth.values_mut() {
        boxes.retain(|cuboid| is_in_range(cuboid) && cuboid.weight > 0.0);
    }
    let truth_count: usize = truth.values().map(Vec::len).sum();
    if truth_count == 0 {
        return Metrics::WORST;
    }
    let mut matched: Vec<Matched> = Vec::new();
    for (sweep, mut boxes) in of_category(detections) {
        boxes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        boxes.retain(is_in_range);
        boxes.truncate(MAX_DETECTIONS);
        matched.extend(match_sweep(&boxes, truth.get(&sweep).map(Vec::as_slice).unwrap_or_default()));
    }
    matched.sort_by(|a, b| b.score.total_cmp(&a.score));

    let precisions = [0, 1, 2, 3].map(|distance| {
        let hits: Vec<bool> = matched.iter().map(|found| found.hits[distance]).collect();
        average_precision(&hits, truth_count)
    });
    let ap = precisions.iter().sum::<f64>() / precisions.len() as f64;
    let hits: Vec<&Matched> = matched.iter().filter(|found| found.hits[ERROR_DISTANCE]).collect();
    let errors: [f64; 3] = std::array::from_fn(|index| match hits.len() {
        0 => WORST_ERRORS[index],
        count => hits.iter().map(|found| found.errors[index]).sum::<f64>() / count as f64,
    });
    let scores: f64 = errors.iter().zip(WORST_ERRORS).map(|(error, worst)| 1.0 - error / worst).sum();
    Metrics { ap, ate: errors[0], ase: errors[1], aoe: errors[2], cds: ap * scores / 3.0 }
}

fn is_in_range(cuboid: &Cuboid) -> bool {
    distance_m(cuboid.center, [0.0; 3]) < MAX_RANGE_M
}

fn distance_m(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// One minus the volume that two boxes laid upon each other share, over the product of their larger extents
/// (av2-api `geometry/iou.py`, `iou_3d_axis_aligned`); unlike nuScenes', the latter is more than their union.
fn scale_error(truth: [f64; 3], found: [f64; 3]) -> f64 {
    1.0 - truth.iter().zip(found).map(|(truth, found)| truth.min(found) / truth.max(found)).product::<f64>()
}

/// Gives each detection the nearest true box, of which only the surest that has it matches.
fn match_sweep(detections: &[Cuboid], truth: &[Cuboid]) -> Vec<Matched> {
    let mut taken = vec![false; truth.len()];
    detections
        .iter()
        .map(|found| {
            let mut nearest = None;
            for (index, cuboid) in truth.iter().enumerate() {
                let distance_m = distance_m(found.center, cuboid.center);
                if nearest.is_none_or(|(least_m, _)| distance_m < least_m) {
                    nearest = Some((distance_m, index));
                }
            }
            let missed = Matched { score: found.weight, hits: [false; 4], errors: WORST_ERRORS };
            let Some((distance_m, index)) = nearest else { return missed };
            if std::mem::replace(&mut taken[index], true) {
                return missed;
            }
            let cuboid = &truth[index];
            let errors = [
                distance_m,
                scale_error(cuboid.size, found.size),
                yaw_error(yaw_of(cuboid.rotation), yaw_of(found.rotation), TAU),
            ];
            Matched { hits: MATCH_DISTANCES_M.map(|limit_m| distance_m < limit_m), errors, ..missed }
        })
        .collect()
}

/// The area under the precision made falling, sampled over recall; `hits` in order of falling confidence.
fn average_precision(hits: &[bool], truth_count: usize) -> f64 {
    let mut count = 0.0;
    let (mut recalls, mut precisions) = (Vec::with_capacity(hits.len()), Vec::with_capacity(hits.len()));
    for (rank, hit) in hits.iter().enumerate() {
        count += f64::from(u8::from(*hit));
        recalls.push(count / truth_count as f64);
        precisions.push(count / (rank + 1) as f64);
    }
    let Some(last_recall) = recalls.last().copied() else { return 0.0 };
    for index in (1..precisions.len()).rev() {
        precisions[index - 1] = precisions[index - 1].max(precisions[index]);
    }
    let at = |point: usize| {
        let recall = point as f64 / (RECALL_POINTS - 1) as f64;
        if recall > last_recall { 0.0 } else { super::curve::interpolate(recall, &recalls, &precisions) }
    };
    (0..RECALL_POINTS).map(at).sum::<f64>() / RECALL_POINTS as f64
}
