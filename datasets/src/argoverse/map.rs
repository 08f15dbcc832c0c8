//! The vector map of an Argoverse 2 log or scenario (av2-api `map/map_api.py`, `map/lane_segment.py`).

use std::collections::BTreeMap;
use std::path::Path;

use nalgebra::{Point2, Point3, Vector2};
use serde::Deserialize;

use crate::error::Error;
use crate::geometry::Polygon;
use crate::map::{Lane, LaneId, LaneUse, Line, LineKind, Map, MapParts};

/// Points on a centreline: at least as many as the toolkit takes (`NUM_CENTERLINE_INTERP_PTS`), and one a metre.
const MIN_CENTERLINE_POINTS: usize = 10;
const MAX_CENTERLINE_POINTS: f64 = 1_000.0;

#[derive(Deserialize)]
struct Archive {
    lane_segments: BTreeMap<String, Segment>,
    #[serde(default)]
    drivable_areas: BTreeMap<String, DrivableArea>,
    #[serde(default)]
    pedestrian_crossings: BTreeMap<String, Crossing>,
}

#[derive(Deserialize)]
struct Segment {
    id: i64,
    is_intersection: bool,
    lane_type: String,
    left_lane_boundary: Vec<Position>,
    right_lane_boundary: Vec<Position>,
    left_lane_mark_type: Option<String>,
    right_lane_mark_type: Option<String>,
    #[serde(default)]
    successors: Vec<i64>,
    #[serde(default)]
    predecessors: Vec<i64>,
    left_neighbor_id: Option<i64>,
    right_neighbor_id: Option<i64>,
}

#[derive(Deserialize)]
struct DrivableArea {
    area_boundary: Vec<Position>,
}

/// A crossing by its two long sides, which run in the same direction.
#[derive(Deserialize)]
struct Crossing {
    edge1: Vec<Position>,
    edge2: Vec<Position>,
}

#[derive(Deserialize, Clone, Copy)]
struct Position {
    x: f64,
    y: f64,
    #[serde(default)]
    z: f64,
}

impl Position {
    fn point(self) -> Point3<f64> {
        Point3::new(self.x, self.y, self.z)
    }
}

/// Reads a `log_map_archive_*.json`.
///
/// # Errors
/// [`Error::Json`] naming the field, [`Error::Map`] for an unusable map.
pub(super) fn read(path: &Path, notes: &mut Vec<String>) -> Result<Map, Error> {
    let archive: Archive = crate::json::parse(path)?;
    let mut segments = Vec::new();
    let mut lanes = Vec::new();
    for segment in archive.lane_segments.values() {
        let left = points(&segment.left_lane_boundary);
        let right = points(&segment.right_lane_boundary);
        let centerline = midline(&left, &right);
        if centerline.len() < 2 {
            notes.push(format!("map: lane {} has no length and is left out", segment.id));
            continue;
        }
        lanes.push(lane(segment, &left, &right, centerline));
        segments.push(segment);
    }
    connect(&segments, &mut lanes);

    let drivable = archive.drivable_areas.values().map(|area| polygon(ground(&area.area_boundary)));
    let crossings = archive.pedestrian_crossings.values().map(|crossing| {
        // Down one side and up the other (av2-api `PedestrianCrossing.polygon`).
        let back = crossing.edge2.iter().rev();
        polygon(crossing.edge1.iter().chain(back).map(|position| position.point().xy()).collect())
    });
    let parts = MapParts {
        lines: painted_lines(&segments),
        drivable: drivable.collect(),
        crossings: crossings.collect(),
        lanes,
        ..MapParts::default()
    };
    Map::new(parts).map_err(|reason| Error::Map { path: path.to_owned(), reason })
}

fn points(positions: &[Position]) -> Vec<Point3<f64>> {
    positions.iter().map(|position| position.point()).collect()
}

fn ground(positions: &[Position]) -> Vec<Point2<f64>> {
    positions.iter().map(|position| position.point().xy()).collect()
}

/// A polygon without the repetition of its first point.
fn polygon(mut exterior: Vec<Point2<f64>>) -> Polygon {
    if exterior.len() > 1 && exterior.first() == exterior.last() {
        exterior.pop();
    }
    Polygon { exterior, holes: Vec::new() }
}

fn lane(segment: &Segment, left: &[Point3<f64>], right: &[Point3<f64>], centerline: Vec<Point3<f64>>) -> Lane {
    let left_edge: Vec<_> = left.iter().map(|point| point.xy()).collect();
    let right_edge: Vec<_> = right.iter().map(|point| point.xy()).collect();
    Lane {
        source_id: segment.id.to_string(),
        usage: match segment.lane_type.as_str() {
            "BIKE" => LaneUse::Bike,
            "BUS" => LaneUse::Bus,
            _ => LaneUse::Vehicle,
        },
        centerline,
        surface: polygon(right_edge.iter().chain(left_edge.iter().rev()).copied().collect()),
        left_edge,
        right_edge,
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: None,
        in_intersection: segment.is_intersection,
    }
}

/// Resolves ids to numbers. Ids out of the archive, which ends some way around the ego's path, lead nowhere. A
/// neighbour that runs the other way, across the centre of the road, is none in [`Lane`]'s sense.
fn connect(segments: &[&Segment], lanes: &mut [Lane]) {
    let numbers: BTreeMap<i64, LaneId> =
        segments.iter().zip(0..).map(|(segment, number)| (segment.id, LaneId(number))).collect();
    let resolve = |ids: &[i64]| ids.iter().filter_map(|id| numbers.get(id).copied()).collect();
    let directions: Vec<_> = lanes.iter().map(|lane| direction(&lane.centerline)).collect();
    for (index, segment) in segments.iter().enumerate() {
        let beside = |id: Option<i64>| {
            let number = *numbers.get(&id?)?;
            (directions[index].dot(&directions[number.0 as usize]) > 0.0).then_some(number)
        };
        lanes[index].successors = resolve(&segment.successors);
        lanes[index].predecessors = resolve(&segment.predecessors);
        lanes[index].left_neighbor = beside(segment.left_neighbor_id);
        lanes[index].right_neighbor = beside(segment.right_neighbor_id);
    }
}

/// From the first to the last point.
fn direction(line: &[Point3<f64>]) -> Vector2<f64> {
    line.last().zip(line.first()).map_or_else(Vector2::zeros, |(last, first)| last.xy() - first.xy())
}

/// Halfway between the edges, each cut into equally many equal pieces (av2-api `compute_midpoint_line`). An edge of a
/// single point or without length is a pivot around which the other turns. Fewer than two points mean no length.
fn midline(left: &[Point3<f64>], right: &[Point3<f64>]) -> Vec<Point3<f64>> {
    let longest_m = length_m(left).max(length_m(right));
    let count = MIN_CENTERLINE_POINTS.max(longest_m.min(MAX_CENTERLINE_POINTS) as usize + 1);
    let mut line: Vec<_> = resampled(left, count)
        .into_iter()
        .zip(resampled(right, count))
        .map(|(l, r)| nalgebra::center(&l, &r))
        .collect();
    line.dedup_by(|next, previous| (next.xy() - previous.xy()).norm() < 1e-6);
    line
}

fn length_m(line: &[Point3<f64>]) -> f64 {
    line.windows(2).map(|pair| (pair[1] - pair[0]).norm()).sum()
}

/// `count` points, two or more, equally spaced along a line; none for an empty line.
fn resampled(line: &[Point3<f64>], count: usize) -> Vec<Point3<f64>> {
    let Some((&first, &last)) = line.first().zip(line.last()) else { return Vec::new() };
    let total_m = length_m(line);
    let mut points = Vec::with_capacity(count);
    let mut segments = line.windows(2).map(|pair| (pair[0], pair[1], (pair[1] - pair[0]).norm()));
    let (mut from, mut to, mut piece_m) = segments.next().unwrap_or((first, last, 0.0));
    let mut before_m = 0.0;
    for index in 0..count {
        let along_m = total_m * index as f64 / (count - 1) as f64;
        while along_m > before_m + piece_m {
            let Some(next) = segments.next() else { break };
            before_m += piece_m;
            (from, to, piece_m) = next;
        }
        let t = if piece_m > 0.0 { ((along_m - before_m) / piece_m).min(1.0) } else { 0.0 };
        points.push(from + (to - from) * t);
    }
    points
}

/// The edges that are painted, each once although two lanes share it.
fn painted_lines(segments: &[&Segment]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut drawn = std::collections::BTreeSet::new();
    for segment in segments {
        let sides = [
            (&segment.left_lane_boundary, &segment.left_lane_mark_type),
            (&segment.right_lane_boundary, &segment.right_lane_mark_type),
        ];
        for (boundary, mark) in sides {
            let points = ground(boundary);
            let (Some(kind), Some((first, last))) = (line_kind(mark.as_deref()), points.first().zip(points.last()))
            else {
                continue;
            };
            // The neighbour may draw the same line the other way round.
            let mut ends = [first, last].map(|point| [point.x.to_bits(), point.y.to_bits()]);
            ends.sort_unstable();
            if points.len() > 1 && drawn.insert((ends, points.len())) {
                lines.push(Line { kind, points });
            }
        }
    }
    lines
}

/// What paint of a type (av2-api `LaneMarkType`) allows. A solid line beside a dashed one binds one side only; it is
/// told as solid, the careful reading.
fn line_kind(mark: Option<&str>) -> Option<LineKind> {
    match mark? {
        "NONE" => None,
        mark if mark.contains("SOLID") => Some(LineKind::Solid),
        mark if mark.contains("DASH") => Some(LineKind::Dashed),
        _ => Some(LineKind::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_midline_of_a_straight_lane_runs_halfway_and_keeps_the_height() {
        let left = [Point3::new(0.0, 2.0, 1.0), Point3::new(3.0, 2.0, 1.3), Point3::new(30.0, 2.0, 4.0)];
        let right = [Point3::new(0.0, -2.0, 1.0), Point3::new(30.0, -2.0, 4.0)];
        let line = midline(&left, &right);
        assert_eq!(line.len(), 31);
        for point in line {
            assert!(point.y.abs() < 1e-9 && (point.z - 1.0 - point.x / 10.0).abs() < 1e-9, "{point}");
        }
    }

    #[test]
    fn an_edge_of_one_point_is_a_pivot() {
        let quarter: Vec<_> = (0..=20)
            .map(|i| f64::from(i) * std::f64::consts::FRAC_PI_2 / 20.0)
            .map(|a| Point3::new(4.0 * a.cos(), 4.0 * a.sin(), 0.0))
            .collect();
        for point in midline(&quarter, &[Point3::origin()]) {
            assert!((point.coords.norm() - 2.0).abs() < 0.01, "{point}");
        }
        assert!(midline(&[], &quarter).is_empty());
        assert_eq!(midline(&[Point3::origin(); 3], &[Point3::origin()]).len(), 1);
    }
}
