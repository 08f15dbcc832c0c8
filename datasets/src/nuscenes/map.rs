//! The part of a location's vector map that lies around one scene.

use nalgebra::Point2;

use super::expansion::{Expansion, MapLane};
use crate::draft::{Draft, DraftLane};
use crate::error::Error;
use crate::geometry::Polygon;
use crate::map::{LaneUse, Line, LineKind, Map};

/// How far from the ego's path the map is kept, m.
const RANGE_M: f64 = 150.0;
/// Positions of the ego closer than this to the last one kept add nothing to the search, m.
const PATH_STEP_M: f64 = 10.0;

/// The map within [`RANGE_M`] of the ego's path; `None`, with a note, where there is nothing.
///
/// # Errors
/// [`Error::Map`] if a lane is unusable.
pub(super) fn around(
    expansion: &Expansion,
    path: &[Point2<f64>],
    notes: &mut Vec<String>,
) -> Result<Option<Map>, Error> {
    let near = Near::new(path);
    let mut draft = Draft::default();
    let kept: Vec<&MapLane> =
        expansion.lanes.iter().filter(|lane| near.reaches(lane.centerline.iter().map(|point| point.xy()))).collect();
    draft.lanes = kept.iter().map(|lane| draft_lane(lane)).collect();
    for (kind, points) in &expansion.dividers {
        if near.reaches(points.iter().copied()) {
            draft.lines.push(Line { kind: *kind, points: points.clone() });
        }
    }
    for (stop_type, area) in &expansion.stop_lines {
        if !near.reaches(area.exterior.iter().copied()) {
            continue;
        }
        if stop_type == "STOP_SIGN" {
            let governed = kept.iter().filter(|lane| !lane.is_connector && leads_through(lane, area));
            let tokens = governed.map(|lane| lane.token.clone()).collect();
            draft.stop_signs.push((mean(&area.exterior), tokens));
        }
        let points = area.exterior.iter().chain(area.exterior.first()).copied().collect();
        draft.lines.push(Line { kind: LineKind::Stop, points });
    }
    let nearby = |areas: &[Polygon]| -> Vec<Polygon> { areas.iter().filter_map(|area| near.cut(area)).collect() };
    draft.crossings = nearby(&expansion.crossings);
    draft.drivable = nearby(&expansion.drivable);

    if draft.lanes.is_empty() && draft.drivable.is_empty() {
        notes.push(format!("no vector map: {} has nothing around the path", expansion.path.display()));
        return Ok(None);
    }
    let (mut parts, _) = draft.build(notes);
    parts.intersections = nearby(&expansion.intersections);
    // The drawn intersections say more than the lanes' crossing one another.
    for lane in &mut parts.lanes {
        let middle = lane.centerline[lane.centerline.len() / 2].xy();
        lane.in_intersection |= parts.intersections.iter().any(|area| area.contains(middle));
    }
    Map::new(parts).map(Some).map_err(|reason| Error::Map { path: expansion.path.clone(), reason })
}

fn draft_lane(lane: &MapLane) -> DraftLane {
    DraftLane {
        surface: lane.surface.clone(),
        entries: lane.incoming.clone(),
        exits: lane.outgoing.clone(),
        connector: Some(lane.is_connector),
        usage: if lane.lane_type.contains("BIKE") { LaneUse::Bike } else { LaneUse::Vehicle },
        ..DraftLane::new(lane.token.clone(), lane.centerline.clone())
    }
}

fn leads_through(lane: &MapLane, area: &Polygon) -> bool {
    lane.centerline.iter().any(|point| area.contains(point.xy()))
}

fn mean(points: &[Point2<f64>]) -> Point2<f64> {
    let sum = points.iter().fold(Point2::origin(), |sum, point| sum + point.coords);
    sum / points.len().max(1) as f64
}

/// What is near the ego's path.
struct Near {
    path: Vec<Point2<f64>>,
}

impl Near {
    fn new(path: &[Point2<f64>]) -> Self {
        let mut thinned: Vec<Point2<f64>> = Vec::new();
        for point in path {
            if thinned.last().is_none_or(|last| (point - last).norm() > PATH_STEP_M) {
                thinned.push(*point);
            }
        }
        Self { path: thinned }
    }

    /// Whether the bounding box of the points comes within range. No points, or one that is not finite, do not.
    fn reaches(&self, points: impl Iterator<Item = Point2<f64>>) -> bool {
        let mut low = Point2::new(f64::INFINITY, f64::INFINITY);
        let mut high = Point2::new(f64::NEG_INFINITY, f64::NEG_INFINITY);
        for point in points {
            low = low.inf(&point);
            high = high.sup(&point);
        }
        self.path.iter().any(|ego| {
            let nearest = Point2::new(ego.x.max(low.x).min(high.x), ego.y.max(low.y).min(high.y));
            (nearest - ego).norm() <= RANGE_M
        })
    }

    /// The area without holes that are out of range; `None` if all of it is.
    fn cut(&self, area: &Polygon) -> Option<Polygon> {
        let near = |ring: &&Vec<Point2<f64>>| self.reaches(ring.iter().copied());
        self.reaches(area.exterior.iter().copied()).then(|| Polygon {
            exterior: area.exterior.clone(),
            holes: area.holes.iter().filter(near).cloned().collect(),
        })
    }
}
