//! The surface of lanes that are given by their course alone.

use super::polyline::{length_m, offset};
use super::{DraftLane, polyline};
use crate::geometry::Polygon;
use crate::map::Lane;

/// Width of a lane of which nothing is known, m: twelve feet, the usual lane of US roads (AASHTO Green Book).
const DEFAULT_WIDTH_M: f64 = 3.6;
/// Bounds for widths that were derived, m.
const WIDTH_M: std::ops::RangeInclusive<f64> = 2.4..=5.0;
/// Bounds for a boundary's distance from the centreline, m; what lies outside is a boundary of something else.
const HALF_WIDTH_M: std::ops::RangeInclusive<f64> = 0.8..=4.0;

/// Draws every lane that has no surface yet: between its boundaries where these are known, else by a width taken from
/// the lanes it continues, the lanes beside it, or [`DEFAULT_WIDTH_M`].
pub(super) fn complete(drafts: &[DraftLane], lanes: &mut [Lane], notes: &mut Vec<String>) {
    let bounded: Vec<Option<Vec<[f64; 2]>>> = drafts.iter().map(boundaries).collect();
    let widths: Vec<Option<f64>> = lanes
        .iter()
        .zip(&bounded)
        .map(|(lane, halves)| drawn_width(lane).or_else(|| mean_width(halves.as_deref()?)))
        .collect();
    let derived: Vec<Option<[f64; 2]>> = (0..lanes.len()).map(|number| end_widths(lanes, &widths, number)).collect();
    let mut guessed = 0;
    for ((lane, bounded), derived) in lanes.iter_mut().zip(bounded).zip(derived) {
        if let Some(halves) = &bounded {
            lane.left_edge = offset(&lane.centerline, &halves.iter().map(|half| half[0]).collect::<Vec<_>>());
            lane.right_edge = offset(&lane.centerline, &halves.iter().map(|half| -half[1]).collect::<Vec<_>>());
        }
        if lane.surface.exterior.len() >= 3 {
            continue;
        }
        if bounded.is_some() {
            lane.surface = between(&lane.left_edge, &lane.right_edge);
            continue;
        }
        guessed += 1;
        let [first, last] = derived.unwrap_or([DEFAULT_WIDTH_M; 2]);
        let last_index = (lane.centerline.len() - 1) as f64;
        let halves: Vec<f64> = (0..lane.centerline.len())
            .map(|index| (first + (last - first) * index as f64 / last_index) / 2.0)
            .collect();
        let right: Vec<f64> = halves.iter().map(|half| -half).collect();
        lane.surface = between(&offset(&lane.centerline, &halves), &offset(&lane.centerline, &right));
    }
    if guessed > 0 {
        notes.push(format!(
            "map: {guessed} lanes have no drawn surface; theirs follows the centreline, as wide as adjoining lanes \
             or {DEFAULT_WIDTH_M} m"
        ));
    }
}

fn between(left: &[nalgebra::Point2<f64>], right: &[nalgebra::Point2<f64>]) -> Polygon {
    Polygon { exterior: right.iter().chain(left.iter().rev()).copied().collect(), holes: Vec::new() }
}

/// Mean width of a drawn lane: its area by its length.
fn drawn_width(lane: &Lane) -> Option<f64> {
    let ring = &lane.surface.exterior;
    let twice_area: f64 = ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
    let width = twice_area.abs() / 2.0 / length_m(&lane.centerline);
    (ring.len() >= 3 && width.is_finite()).then(|| width.clamp(*WIDTH_M.start(), *WIDTH_M.end()))
}

/// The width at either end of a lane, from lanes of known width that adjoin it, or from the distance of its neighbours.
fn end_widths(lanes: &[Lane], widths: &[Option<f64>], number: usize) -> Option<[f64; 2]> {
    let lane = &lanes[number];
    let mean = |ids: &[crate::map::LaneId]| {
        let known: Vec<f64> = ids.iter().filter_map(|id| widths[id.0 as usize]).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    match (mean(&lane.predecessors), mean(&lane.successors)) {
        (Some(first), Some(last)) => Some([first, last]),
        (Some(only), None) | (None, Some(only)) => Some([only; 2]),
        (None, None) => {
            let middle = lane.centerline[lane.centerline.len() / 2].xy();
            let spacings = [lane.left_neighbor, lane.right_neighbor].into_iter().flatten().filter_map(|id| {
                polyline::foot(&lanes[id.0 as usize].centerline, middle).map(|foot| foot.left_m.abs())
            });
            let spacing = spacings.min_by(f64::total_cmp)?;
            Some([spacing.clamp(*WIDTH_M.start(), *WIDTH_M.end()); 2])
        }
    }
}

/// Distances to the boundaries. Where one is unknown, the lane is taken as symmetric, as ScenarioNet does
/// (`converter/waymo/utils.py`); other gaps take the lane's own median. `None` if less than half of the lane is known.
fn boundaries(draft: &DraftLane) -> Option<Vec<[f64; 2]>> {
    if draft.half_widths.len() != draft.centerline.len() {
        return None;
    }
    let known = |half: &f64| HALF_WIDTH_M.contains(half);
    let mut halves: Vec<[f64; 2]> = draft
        .half_widths
        .iter()
        .map(|[left, right]| match (known(left), known(right)) {
            (true, false) => [*left; 2],
            (false, true) => [*right; 2],
            _ => [*left, *right],
        })
        .collect();
    for side in 0..2 {
        let mut told: Vec<f64> = halves.iter().map(|half| half[side]).filter(known).collect();
        if told.len() * 2 < halves.len() || told.is_empty() {
            return None;
        }
        told.sort_by(f64::total_cmp);
        let median = told[told.len() / 2];
        for half in &mut halves {
            if !known(&half[side]) {
                half[side] = median;
            }
        }
    }
    Some(halves)
}

/// Mean width between the boundaries.
fn mean_width(halves: &[[f64; 2]]) -> Option<f64> {
    (!halves.is_empty()).then(|| halves.iter().map(|[left, right]| left + right).sum::<f64>() / halves.len() as f64)
}
