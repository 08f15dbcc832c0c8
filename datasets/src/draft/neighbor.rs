//! Which lane runs beside which, in the same direction.

use super::polyline::{angle_between, bounds, foot};
use super::{DraftLane, LaneIds, Neighbor};
use crate::map::{Lane, LaneId};

/// The share of a lane along which another must run to be its neighbour.
const MIN_SHARE: f64 = 0.5;
/// Nearest and farthest distance of neighbouring centrelines, m: from a narrow lane to a wide one and a half.
const SPACING_M: std::ops::Range<f64> = 2.0..5.5;
/// The largest angle between neighbouring lanes, rad (20°).
const MAX_ANGLE_RAD: f64 = 0.35;
/// Points looked at on each lane, at most.
const SAMPLES: usize = 16;

/// Takes over the source's own neighbours. Returns whether it names any.
pub(super) fn resolve(drafts: &[DraftLane], ids: &LaneIds, lanes: &mut [Lane]) -> bool {
    let mut any = false;
    for (draft, lane) in drafts.iter().zip(lanes) {
        any |= !draft.left.is_empty() || !draft.right.is_empty();
        lane.left_neighbor = longest(&draft.left, draft.centerline.len(), ids);
        lane.right_neighbor = longest(&draft.right, draft.centerline.len(), ids);
    }
    any
}

/// The neighbour along the greatest part of a lane, if that is half of it or more.
fn longest(neighbors: &[Neighbor], points: usize, ids: &LaneIds) -> Option<LaneId> {
    let best = neighbors.iter().filter(|beside| ids.contains_key(&beside.id)).max_by_key(|beside| beside.points)?;
    (best.points as f64 >= MIN_SHARE * points as f64).then(|| ids.get(&best.id).copied()).flatten()
}

/// Finds neighbours by their distance.
pub(super) fn infer(lanes: &mut [Lane]) {
    let bounds: Vec<_> = lanes.iter().map(|lane| bounds(&lane.centerline, SPACING_M.end)).collect();
    for number in 0..lanes.len() {
        let line = &lanes[number].centerline;
        let samples: Vec<_> = samples(line.len()).map(|index| (line[index].xy(), yaw_at(line, index))).collect();
        // Mean distance and lane, nearest first by comparison.
        let mut left: Option<(f64, LaneId)> = None;
        let mut right: Option<(f64, LaneId)> = None;
        for (other, other_lane) in lanes.iter().enumerate() {
            if other == number || !bounds[number].overlaps(&bounds[other]) {
                continue;
            }
            let (mut lefts, mut rights) = (Vec::new(), Vec::new());
            for (point, yaw) in &samples {
                let Some(foot) = foot(&other_lane.centerline, *point) else { continue };
                if foot.within
                    && angle_between(foot.yaw, *yaw) < MAX_ANGLE_RAD
                    && SPACING_M.contains(&foot.left_m.abs())
                {
                    // The point lies left of the other lane, so the other lane lies to its right.
                    if foot.left_m > 0.0 { rights.push(foot.left_m) } else { lefts.push(-foot.left_m) }
                }
            }
            for (found, best) in [(lefts, &mut left), (rights, &mut right)] {
                let mean = found.iter().sum::<f64>() / found.len() as f64;
                if found.len() as f64 >= MIN_SHARE * samples.len() as f64 && best.is_none_or(|(least, _)| mean < least)
                {
                    *best = Some((mean, LaneId(other as u32)));
                }
            }
        }
        lanes[number].left_neighbor = left.map(|(_, lane)| lane);
        lanes[number].right_neighbor = right.map(|(_, lane)| lane);
    }
}

/// Evenly spread indices into a line of `len` points.
fn samples(len: usize) -> impl Iterator<Item = usize> {
    let count = len.min(SAMPLES);
    (0..count).map(move |index| index * (len - 1) / (count - 1).max(1))
}

fn yaw_at(line: &[nalgebra::Point3<f64>], index: usize) -> f64 {
    let from = index.min(line.len() - 2);
    let step = line[from + 1].xy() - line[from].xy();
    step.y.atan2(step.x)
}
