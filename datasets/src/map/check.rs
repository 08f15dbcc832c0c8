//! What must hold before a map is built: a course for every lane, finite numbers, references that lead somewhere.

use nalgebra::Point2;

use super::parts::{LaneId, MapParts};
use crate::geometry::Polygon;

/// Why a map could not be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MapError {
    /// There is no lane and no drivable area in it.
    #[error("the map is empty: no lane and no drivable area")]
    Empty,
    /// A lane's centreline has fewer than two points, no length or a coordinate that is not finite.
    #[error("lane {lane}: {reason}")]
    Lane {
        /// The lane's source id.
        lane: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A lane refers to one that does not exist.
    #[error("lane {lane}: {field} refers to lane number {number}, which does not exist")]
    Dangling {
        /// The lane's source id.
        lane: String,
        /// The referring field.
        field: &'static str,
        /// The missing index.
        number: u32,
    },
    /// A line, area or sign is unusable.
    #[error("{part} number {number}: {reason}")]
    Part {
        /// The field of [`MapParts`].
        part: &'static str,
        /// The index in it.
        number: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Largest coordinate, m: the Earth's circumference. Beyond it positions lose the millimetre.
const MAX_COORDINATE_M: f64 = 4.1e7;

const NOT_A_PLACE: &str = "a coordinate is not finite or not on Earth";

pub(super) fn check(parts: &MapParts) -> Result<(), MapError> {
    if parts.lanes.is_empty() && parts.drivable.is_empty() {
        return Err(MapError::Empty);
    }
    for lane in &parts.lanes {
        let wrong = |reason| Err(MapError::Lane { lane: lane.source_id.clone(), reason });
        if lane.centerline.len() < 2 {
            return wrong("its centreline has fewer than two points");
        }
        let heights_finite = lane.centerline.iter().all(|point| point.z.is_finite());
        let edges = [&lane.left_edge, &lane.right_edge];
        if !(heights_finite
            && are_places(lane.centerline.iter().map(|point| point.xy()))
            && edges.into_iter().all(|edge| are_places(edge.iter().copied()))
            && is_area_of_places(&lane.surface))
        {
            return wrong(NOT_A_PLACE);
        }
        if lane.centerline.windows(2).all(|pair| pair[0].xy() == pair[1].xy()) {
            return wrong("its centreline has no length");
        }
        if lane.speed_limit_mps.is_some_and(|limit| !(limit.is_finite() && limit > 0.0)) {
            return wrong("its speed limit is not positive");
        }
        let references = [
            ("successors", lane.successors.as_slice()),
            ("predecessors", &lane.predecessors),
            ("left_neighbor", lane.left_neighbor.as_slice()),
            ("right_neighbor", lane.right_neighbor.as_slice()),
        ];
        for (field, ids) in references {
            if let Some(missing) = first_missing(ids, parts) {
                return Err(MapError::Dangling { lane: lane.source_id.clone(), field, number: missing.0 });
            }
        }
    }
    let lines_ok = parts.lines.iter().map(|line| are_places(line.points.iter().copied()));
    first_wrong("lines", lines_ok, NOT_A_PLACE)?;
    first_wrong("crossings", parts.crossings.iter().map(is_area_of_places), NOT_A_PLACE)?;
    first_wrong("intersections", parts.intersections.iter().map(is_area_of_places), NOT_A_PLACE)?;
    first_wrong("drivable", parts.drivable.iter().map(is_area_of_places), NOT_A_PLACE)?;
    first_wrong("stop_signs", parts.stop_signs.iter().map(|(point, _)| are_places([*point])), NOT_A_PLACE)?;
    let governed = parts.stop_signs.iter().map(|(_, lanes)| first_missing(lanes, parts).is_none());
    first_wrong("stop_signs", governed, "it governs a lane that does not exist")
}

fn first_missing(ids: &[LaneId], parts: &MapParts) -> Option<LaneId> {
    ids.iter().copied().find(|id| id.0 as usize >= parts.lanes.len())
}

fn first_wrong(part: &'static str, ok: impl Iterator<Item = bool>, reason: &'static str) -> Result<(), MapError> {
    match { ok }.position(|ok| !ok) {
        Some(number) => Err(MapError::Part { part, number, reason }),
        None => Ok(()),
    }
}

fn is_area_of_places(area: &Polygon) -> bool {
    are_places(area.exterior.iter().copied()) && area.holes.iter().all(|hole| are_places(hole.iter().copied()))
}

fn are_places(points: impl IntoIterator<Item = Point2<f64>>) -> bool {
    points.into_iter().all(|point| point.x.abs() <= MAX_COORDINATE_M && point.y.abs() <= MAX_COORDINATE_M)
}
