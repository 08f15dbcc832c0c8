//! Stretches of lanes become one smooth line, extended beyond both ends.

use nalgebra::{Point2, Vector2};
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{LaneId, Map};

use super::is_for_cars;
use crate::frenet::{hermite, polyline_length};

/// Ends nearer to each other than this are joined as they are, m.
const TOUCHING_M: f64 = 0.5;

/// Shortest line that joins stretches which do not touch, m.
const MIN_BRIDGE_M: f64 = 10.0;

/// Longest line that joins stretches which do not touch, besides the gap between them, m.
const MAX_BRIDGE_M: f64 = 40.0;

/// Length of a joining line per metre of sideways shift: a lane change of 3.5 m takes 28 m.
const BRIDGE_PER_SHIFT: f64 = 8.0;

/// A piece of a route: (part of) a lane's centreline, or of the driven path where there is no lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    pub lane: Option<LaneId>,
    /// Which part of the lane's centreline, by arc length, m; `None` for all of it.
    pub part_m: Option<[f64; 2]>,
    pub points: Vec<Point2<f64>>,
}

impl Stretch {
    pub fn whole_lane(map: &Map, lane: LaneId) -> Self {
        let points = map.lane(lane).centerline.iter().map(|point| point.xy()).collect();
        Self { lane: Some(lane), part_m: None, points }
    }

    /// A lane from one arc length to another.
    pub fn part_of_lane(map: &Map, lane: LaneId, from_m: f64, to_m: f64) -> Self {
        let whole = Self::whole_lane(map, lane);
        Self { part_m: Some([from_m, to_m]), points: between(&whole.points, from_m, to_m), ..whole }
    }

    /// A line where there is no lane.
    pub fn off_lane(points: Vec<Point2<f64>>) -> Self {
        Self { lane: None, part_m: None, points }
    }

    pub fn length_m(&self) -> f64 {
        polyline_length(&self.points)
    }

    /// How far along it the nearest point to `point` is, m.
    pub fn along_m(&self, point: Point2<f64>) -> f64 {
        nearest_m(&self.points, point)
    }

    /// How much of it is left after the nearest point to `point`, m.
    pub fn remaining_m(&self, point: Point2<f64>) -> f64 {
        self.length_m() - self.along_m(point)
    }
}

/// Adds the straightest successors until `needed_m` are there; returns how much is missing where lanes end, m.
pub(super) fn extend_forwards(map: &Map, stretches: &mut Vec<Stretch>, mut needed_m: f64) -> f64 {
    while needed_m > 0.0 {
        let Some(last) = stretches.last() else { break };
        let Some(end_yaw) = end_yaw(&last.points) else { break };
        let successors = last.lane.map_or(&[][..], |lane| &map.lane(lane).successors);
        let straightest = successors
            .iter()
            .filter(|id| is_for_cars(map.lane(**id)) && stretches.iter().all(|s| s.lane != Some(**id)))
            .map(|&id| Stretch::whole_lane(map, id))
            .min_by(|a, b| turn_of(&a.points, end_yaw).total_cmp(&turn_of(&b.points, end_yaw)));
        let Some(next) = straightest else { break };
        needed_m -= next.length_m();
        stretches.push(next);
    }
    needed_m.max(0.0)
}

/// Puts the straightest predecessors in front until `needed_m` are there or lanes end.
pub(super) fn extend_backwards(map: &Map, stretches: &mut Vec<Stretch>, mut needed_m: f64) {
    while needed_m > 0.0 {
        let Some(first) = stretches.first() else { return };
        let Some(start_yaw) = start_yaw(&first.points) else { return };
        let predecessors = first.lane.map_or(&[][..], |lane| &map.lane(lane).predecessors);
        let turn = |stretch: &Stretch| {
            self::start_yaw(&stretch.points).map_or(f64::MAX, |yaw| wrap_angle(yaw - start_yaw).abs())
        };
        let straightest = predecessors
            .iter()
            .filter(|id| is_for_cars(map.lane(**id)) && stretches.iter().all(|s| s.lane != Some(**id)))
            .map(|&id| Stretch::whole_lane(map, id))
            .min_by(|a, b| turn(a).total_cmp(&turn(b)));
        let Some(previous) = straightest else { return };
        needed_m -= previous.length_m();
        stretches.insert(0, previous);
    }
}

/// All stretches as one polyline, and where each begins on it, m.
pub(super) fn joined(stretches: &[Stretch]) -> (Vec<Point2<f64>>, Vec<f64>) {
    let mut line: Vec<Point2<f64>> = Vec::new();
    let mut starts_m = Vec::new();
    for stretch in stretches {
        starts_m.push(join(&mut line, &stretch.points));
    }
    (line, starts_m)
}

/// Appends `next` to `line`, over a smooth bridge if they do not touch; returns where on the line `next` begins, m.
fn join(line: &mut Vec<Point2<f64>>, next: &[Point2<f64>]) -> f64 {
    let (Some(&end), Some(&start)) = (line.last(), next.first()) else {
        line.extend_from_slice(next);
        return 0.0;
    };
    if (start - end).norm() <= TOUCHING_M {
        let begins_m = polyline_length(line);
        line.extend_from_slice(&next[1..]);
        return begins_m;
    }
    // Leave the line half a bridge before the place abreast of both, and enter the next half a bridge after it.
    let abreast_m = nearest_m(next, end);
    let end_yaw_rad = end_yaw(line).unwrap_or(0.0);
    let shift_m = Vector2::new(end_yaw_rad.cos(), end_yaw_rad.sin()).perp(&(point_at(next, abreast_m) - end)).abs();
    let bridge_m = (BRIDGE_PER_SHIFT * shift_m).clamp(MIN_BRIDGE_M, MAX_BRIDGE_M);
    let line_m = polyline_length(line);
    let next_m = polyline_length(next);
    let leave_m = (line_m - bridge_m / 2.0).max(line_m / 2.0);
    let enter_m = (abreast_m + bridge_m / 2.0).min((abreast_m + next_m) / 2.0);
    let tail = after(next, enter_m);
    truncate(line, leave_m);
    let (from, to) = (point_at(line, leave_m), point_at(next, enter_m));
    let span_m = (to - from).norm();
    let (from_yaw, to_yaw) = (end_yaw(line).unwrap_or(0.0), start_yaw(&tail).unwrap_or(0.0));
    let tangent = |yaw: f64| Vector2::new(yaw.cos(), yaw.sin()) * span_m;
    let count = span_m.ceil().max(2.0) as usize;
    line.extend((1..count).map(|k| hermite(from, tangent(from_yaw), to, tangent(to_yaw), k as f64 / count as f64)));
    let begins_m = polyline_length(line) - span_m / 2.0;
    line.extend(tail);
    begins_m.max(0.0)
}

/// How much a line turns altogether from direction `yaw` to its end, rad; the sharpest turn on the way counts.
fn turn_of(points: &[Point2<f64>], yaw: f64) -> f64 {
    let turn = |pair: &[Point2<f64>]| {
        let delta = pair[1] - pair[0];
        if delta.norm() > 0.0 { wrap_angle(delta.y.atan2(delta.x) - yaw).abs() } else { 0.0 }
    };
    points.windows(2).map(turn).fold(0.0, f64::max)
}

fn yaw_between(a: Point2<f64>, b: Point2<f64>) -> Option<f64> {
    let delta = b - a;
    (delta.norm() > 1e-3).then(|| delta.y.atan2(delta.x))
}

/// The direction in which a line begins, over its first metre or so, rad.
fn start_yaw(points: &[Point2<f64>]) -> Option<f64> {
    yaw_between(*points.first()?, point_at(points, polyline_length(points).min(1.0)))
}

/// The direction in which a line ends, over its last metre or so, rad.
fn end_yaw(points: &[Point2<f64>]) -> Option<f64> {
    yaw_between(point_at(points, (polyline_length(points) - 1.0).max(0.0)), *points.last()?)
}

/// The arc length at which a polyline comes nearest to `point`, m.
fn nearest_m(points: &[Point2<f64>], point: Point2<f64>) -> f64 {
    let (mut best, mut best_m, mut start_m) = (f64::INFINITY, 0.0, 0.0);
    for pair in points.windows(2) {
        let (along, offset) = (pair[1] - pair[0], point - pair[0]);
        let length = along.norm();
        if length > 0.0 {
            let t = (offset.dot(&along) / (length * length)).clamp(0.0, 1.0);
            let distance = (offset - along * t).norm();
            if distance < best {
                (best, best_m) = (distance, start_m + t * length);
            }
        }
        start_m += length;
    }
    best_m
}

/// The point at arc length `along_m`, held at the ends. `points` must not be empty.
fn point_at(points: &[Point2<f64>], along_m: f64) -> Point2<f64> {
    let mut start_m = 0.0;
    for pair in points.windows(2) {
        let length = (pair[1] - pair[0]).norm();
        if start_m + length >= along_m && length > 0.0 {
            return pair[0] + (pair[1] - pair[0]) * ((along_m - start_m) / length).clamp(0.0, 1.0);
        }
        start_m += length;
    }
    points.last().copied().unwrap_or_default()
}

/// Cuts a polyline off at arc length `at_m`.
fn truncate(points: &mut Vec<Point2<f64>>, at_m: f64) {
    let cut = point_at(points, at_m);
    let mut start_m = 0.0;
    let kept = points.windows(2).take_while(|pair| {
        start_m += (pair[1] - pair[0]).norm();
        start_m < at_m
    });
    let kept = kept.count() + 1;
    points.truncate(kept);
    points.push(cut);
}

/// The part of a polyline from arc length `at_m` on.
fn after(points: &[Point2<f64>], at_m: f64) -> Vec<Point2<f64>> {
    let mut rest = vec![point_at(points, at_m)];
    let mut start_m = 0.0;
    for pair in points.windows(2) {
        start_m += (pair[1] - pair[0]).norm();
        if start_m > at_m {
            rest.push(pair[1]);
        }
    }
    rest
}

/// The part of a polyline between two arc lengths; at least two points where it has a length.
fn between(points: &[Point2<f64>], from_m: f64, to_m: f64) -> Vec<Point2<f64>> {
    let mut part = points.to_vec();
    truncate(&mut part, to_m.max(from_m));
    after(&part, from_m)
}
