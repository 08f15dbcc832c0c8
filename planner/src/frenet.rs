//! A smooth line through the map as a coordinate frame: how far along it, and how far to its left.

use nalgebra::{Point2, Vector2};
use tandem_datasets::Pose2;
use tandem_datasets::geometry::wrap_angle;

/// Segments that share a bounding box in the search for the nearest one.
const CHUNK: usize = 16;

/// Points nearer than this to their predecessor are dropped before the line is resampled, m.
const MIN_SPACING_M: f64 = 0.05;

/// Standard deviation of the Gaussian that rounds off kinks, m. Moves a curve of radius R inwards by σ²/2R.
const SMOOTHING_M: f64 = 1.0;

/// A point in the frame of a line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Frenet {
    /// Arc length from the line's start, m; below zero before it, above its length after it.
    pub along_m: f64,
    /// Offset to the left of the line, m.
    pub left_m: f64,
    /// The line's direction there, rad.
    pub yaw: f64,
}

/// A line resampled to a uniform step, with direction and curvature, extended straight beyond both ends.
#[derive(Debug, Clone)]
pub struct FrenetFrame {
    step_m: f64,
    points: Vec<Point2<f64>>,
    /// Unit vector and length of each segment.
    directions: Vec<(Vector2<f64>, f64)>,
    /// Direction at each point, in (−π, π], and how much it turns until the next.
    yaws: Vec<(f64, f64)>,
    curvatures: Vec<f64>,
    /// Lower and upper corner of the box around each run of [`CHUNK`] segments.
    boxes: Vec<(Point2<f64>, Point2<f64>)>,
}

impl FrenetFrame {
    /// Rounds `points` off and resamples them to about `step_m`; `None` if they have no length or are not finite.
    ///
    /// Coarse input is rounded by a centripetal Catmull–Rom spline (Yuksel et al., "Parameterization and applications
    /// of Catmull-Rom curves", 2011), kinks by a Gaussian.
    pub fn new(points: &[Point2<f64>], step_m: f64) -> Option<Self> {
        let clean = without_repetitions(points)?;
        let dense = resample(&spline(&clean, step_m / 2.0), step_m)?;
        let smooth = smoothed(&dense, SMOOTHING_M / (polyline_length(&dense) / (dense.len() - 1) as f64));
        Some(Self::from_uniform(resample(&smooth, step_m)?))
    }

    fn from_uniform(points: Vec<Point2<f64>>) -> Self {
        let last = points.len() - 1;
        let step_m = polyline_length(&points) / last as f64;
        let direction = |from: usize, to: usize| {
            let delta = points[to] - points[from];
            delta.y.atan2(delta.x)
        };
        let mut yaws: Vec<f64> = (0..=last).map(|i| direction(i.saturating_sub(1), (i + 1).min(last))).collect();
        // Unwrapped, so that directions can be interpolated and differenced without care.
        for i in 1..=last {
            yaws[i] = yaws[i - 1] + wrap_angle(yaws[i] - yaws[i - 1]);
        }
        let curvatures = (0..=last)
            .map(|i| {
                let (from, to) = (i.saturating_sub(2), (i + 2).min(last));
                (yaws[to] - yaws[from]) / ((to - from) as f64 * step_m)
            })
            .collect();
        let boxes = (0..last)
            .step_by(CHUNK)
            .map(|from| {
                let run = &points[from..=(from + CHUNK).min(last)];
                run.iter().fold((run[0], run[0]), |(low, high), point| (low.inf(point), high.sup(point)))
            })
            .collect();
        let directions = points
            .windows(2)
            .map(|pair| {
                let along = pair[1] - pair[0];
                let length = along.norm();
                (along / length.max(f64::MIN_POSITIVE), length)
            })
            .collect();
        let turns = yaws.windows(2).map(|pair| pair[1] - pair[0]).chain([0.0]);
        let yaws = yaws.iter().zip(turns).map(|(yaw, turn)| (wrap_angle(*yaw), turn)).collect();
        Self { step_m, points, directions, yaws, curvatures, boxes }
    }

    /// The line's length, m.
    pub fn length_m(&self) -> f64 {
        self.step_m * (self.points.len() - 1) as f64
    }

    /// Distance between two of its points, m.
    pub fn step_m(&self) -> f64 {
        self.step_m
    }

    /// Its points, [`Self::step_m`] apart.
    pub fn points(&self) -> &[Point2<f64>] {
        &self.points
    }

    /// The segment that `along_m` lies on and the fraction of it, outside [0, 1] only beyond the line's ends.
    fn locate(&self, along_m: f64) -> (usize, f64) {
        let position = along_m / self.step_m;
        let index = position.clamp(0.0, (self.points.len() - 2) as f64) as usize;
        (index, position - index as f64)
    }

    /// The pose on the line at `along_m`, looking along it.
    pub fn at(&self, along_m: f64) -> Pose2 {
        let (index, t) = self.locate(along_m);
        let position = self.points[index] + (self.points[index + 1] - self.points[index]) * t;
        Pose2::new(position.x, position.y, self.yaw_on(index, t))
    }

    /// The point `left_m` to the left of the line at `along_m`, looking along the line.
    pub fn at_offset(&self, along_m: f64, left_m: f64) -> Pose2 {
        let pose = self.at(along_m);
        let heading = pose.heading();
        Pose2::new(pose.x - heading.y * left_m, pose.y + heading.x * left_m, pose.yaw)
    }

    /// Curvature at `along_m`, 1/m, positive to the left, over about 4 steps; zero beyond the ends.
    pub fn curvature(&self, along_m: f64) -> f64 {
        let (index, t) = self.locate(along_m);
        if !(0.0..=1.0).contains(&t) {
            return 0.0;
        }
        self.curvatures[index] + (self.curvatures[index + 1] - self.curvatures[index]) * t
    }

    /// The line's direction at a fraction of a segment.
    fn yaw_on(&self, segment: usize, t: f64) -> f64 {
        let (yaw, turn) = self.yaws[segment];
        wrap_angle(yaw + t.clamp(0.0, 1.0) * turn)
    }

    /// The nearest point of the whole line to `point`.
    pub fn project(&self, point: Point2<f64>) -> Frenet {
        self.project_between(point, f64::NEG_INFINITY, f64::INFINITY)
    }

    /// The nearest point to `point` on the part of the line from `from_m` to `to_m`, give or take some metres.
    pub fn project_between(&self, point: Point2<f64>, from_m: f64, to_m: f64) -> Frenet {
        let chunk_m = self.step_m * CHUNK as f64;
        let last = self.boxes.len() - 1;
        let (from, to) =
            (((from_m / chunk_m).max(0.0) as usize).min(last), ((to_m / chunk_m).max(0.0) as usize).min(last));
        // The box that the nearest segment is most likely in goes first, so that the others are mostly skipped.
        let (mut first, mut smallest) = (from, f64::INFINITY);
        for chunk in from..=to {
            let gap = box_distance_squared(&self.boxes[chunk], point);
            if gap < smallest {
                (first, smallest) = (chunk, gap);
            }
        }
        let mut best = (f64::INFINITY, first * CHUNK);
        for chunk in std::iter::once(first).chain(from..=to) {
            if box_distance_squared(&self.boxes[chunk], point) < best.0 {
                for segment in chunk * CHUNK..((chunk + 1) * CHUNK).min(self.points.len() - 1) {
                    let distance = self.distance_squared(segment, point);
                    if distance < best.0 {
                        best = (distance, segment);
                    }
                }
            }
        }
        self.on_segment(best.1, point)
    }

    /// The nearest point of the line to `point` near `hint_m`: found by following the line's direction from there.
    ///
    /// Much faster than [`Self::project`], and stays on its branch where the line crosses itself.
    pub fn project_near(&self, point: Point2<f64>, hint_m: f64) -> Frenet {
        let last = self.points.len() - 2;
        let (mut segment, _) = self.locate(hint_m);
        // Leap by what the projection on the present segment says; a bend may need several leaps.
        for _ in 0..6 {
            let (direction, _) = self.directions[segment];
            let leap = ((point - self.points[segment]).dot(&direction) / self.step_m).floor();
            let next = (segment as f64 + leap.clamp(-60.0, 60.0)).clamp(0.0, last as f64) as usize;
            if next.abs_diff(segment) <= 1 {
                break;
            }
            segment = next;
        }
        // Then step by step, as long as it gets nearer.
        let mut best = self.distance_squared(segment, point);
        let is_ahead = segment < last && self.distance_squared(segment + 1, point) <= best;
        loop {
            let next = if is_ahead { segment + 1 } else { segment.wrapping_sub(1) };
            if next > last {
                break;
            }
            let distance = self.distance_squared(next, point);
            if distance > best {
                break;
            }
            (segment, best) = (next, distance);
        }
        self.on_segment(segment, point)
    }

    fn distance_squared(&self, segment: usize, point: Point2<f64>) -> f64 {
        let (direction, length) = self.directions[segment];
        let offset = point - self.points[segment];
        (offset - direction * offset.dot(&direction).clamp(0.0, length)).norm_squared()
    }

    /// Projects on one segment; the first and last are extended without end.
    fn on_segment(&self, segment: usize, point: Point2<f64>) -> Frenet {
        let (direction, length) = self.directions[segment];
        let offset = point - self.points[segment];
        let mut along_m = offset.dot(&direction);
        if segment > 0 {
            along_m = along_m.max(0.0);
        }
        if segment + 2 < self.points.len() {
            along_m = along_m.min(length);
        }
        let t = along_m / length.max(f64::MIN_POSITIVE);
        Frenet {
            along_m: (segment as f64 + t) * self.step_m,
            left_m: (offset - direction * along_m).norm().copysign(direction.perp(&offset)),
            yaw: self.yaw_on(segment, t),
        }
    }
}

fn box_distance_squared((low, high): &(Point2<f64>, Point2<f64>), point: Point2<f64>) -> f64 {
    let dx = (low.x - point.x).max(point.x - high.x).max(0.0);
    let dy = (low.y - point.y).max(point.y - high.y).max(0.0);
    dx * dx + dy * dy
}

/// The sum of a polyline's segment lengths, m.
pub(crate) fn polyline_length(points: &[Point2<f64>]) -> f64 {
    points.windows(2).map(|pair| (pair[1] - pair[0]).norm()).sum()
}

fn without_repetitions(points: &[Point2<f64>]) -> Option<Vec<Point2<f64>>> {
    let mut clean: Vec<Point2<f64>> = Vec::with_capacity(points.len());
    for &point in points {
        if !(point.x.is_finite() && point.y.is_finite()) {
            return None;
        }
        if clean.last().is_none_or(|last| (point - last).norm() >= MIN_SPACING_M) {
            clean.push(point);
        }
    }
    (clean.len() >= 2).then_some(clean)
}

/// A centripetal Catmull–Rom spline through the points, sampled at least every `step_m`.
fn spline(points: &[Point2<f64>], step_m: f64) -> Vec<Point2<f64>> {
    let last = points.len() - 1;
    let mut dense = Vec::new();
    for i in 0..last {
        let (b, c) = (points[i], points[i + 1]);
        let a = if i > 0 { points[i - 1] } else { b - (c - b) };
        let d = if i + 2 <= last { points[i + 2] } else { c + (c - b) };
        let knot = |from: Point2<f64>, to: Point2<f64>| (to - from).norm().sqrt().max(1e-6);
        let (ab, bc, cd) = (knot(a, b), knot(b, c), knot(c, d));
        // Tangents at b and c, per unit of the middle knot interval (Barry and Goldman's pyramid, differentiated).
        let tangent_b = ((b - a) / ab - (c - a) / (ab + bc) + (c - b) / bc) * bc;
        let tangent_c = ((c - b) / bc - (d - b) / (bc + cd) + (d - c) / cd) * bc;
        let samples = ((c - b).norm() / step_m).ceil().max(1.0) as usize;
        dense.extend((0..samples).map(|k| hermite(b, tangent_b, c, tangent_c, k as f64 / samples as f64)));
    }
    dense.push(points[last]);
    dense
}

/// The cubic from `a` to `b` with the given derivatives at its ends, at `t` in [0, 1].
pub(crate) fn hermite(
    a: Point2<f64>,
    tangent_a: nalgebra::Vector2<f64>,
    b: Point2<f64>,
    tangent_b: nalgebra::Vector2<f64>,
    t: f64,
) -> Point2<f64> {
    let (t2, t3) = (t * t, t * t * t);
    a + (b - a) * (3.0 * t2 - 2.0 * t3) + tangent_a * (t3 - 2.0 * t2 + t) + tangent_b * (t3 - t2)
}

/// Points at equal arc lengths, about `step_m` apart, both ends kept.
fn resample(points: &[Point2<f64>], step_m: f64) -> Option<Vec<Point2<f64>>> {
    let length = polyline_length(points);
    if !(length > 0.0 && length.is_finite()) {
        return None;
    }
    let count = ((length / step_m).round() as usize).max(1);
    let mut even = Vec::with_capacity(count + 1);
    let (mut segment, mut passed_m) = (0, 0.0);
    for k in 0..=count {
        let target_m = length * k as f64 / count as f64;
        let mut size = (points[segment + 1] - points[segment]).norm();
        while passed_m + size < target_m && segment + 2 < points.len() {
            passed_m += size;
            segment += 1;
            size = (points[segment + 1] - points[segment]).norm();
        }
        let t = if size > 0.0 { ((target_m - passed_m) / size).clamp(0.0, 1.0) } else { 0.0 };
        even.push(points[segment] + (points[segment + 1] - points[segment]) * t);
    }
    Some(even)
}

/// A Gaussian over the points, `sigma` in steps, its width shrinking towards the ends so that they stay put.
fn smoothed(points: &[Point2<f64>], sigma: f64) -> Vec<Point2<f64>> {
    let reach = (3.0 * sigma).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
    (0..points.len())
        .map(|i| {
            let reach = reach.min(i).min(points.len() - 1 - i);
            let (mut sum, mut total) = (points[i].coords * weights[0], weights[0]);
            for k in 1..=reach {
                sum += (points[i - k].coords + points[i + k].coords) * weights[k];
                total += 2.0 * weights[k];
            }
            Point2::from(sum / total)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(radius_m: f64, turn_rad: f64, every_rad: f64) -> Vec<Point2<f64>> {
        let count = (turn_rad / every_rad) as usize;
        (0..=count)
            .map(|k| k as f64 * every_rad)
            .map(|a| Point2::new(radius_m * a.sin(), -radius_m * a.cos()))
            .collect()
    }

    #[test]
    fn a_coarse_circle_has_its_curvature_and_length() {
        let frame = FrenetFrame::new(&circle(20.0, 3.0, 0.15), 0.5).unwrap();
        assert!((frame.length_m() - 60.0).abs() < 0.3, "length {}", frame.length_m());
        for along_m in [10.0, 30.0, 50.0] {
            assert!((frame.curvature(along_m) - 0.05).abs() < 0.004, "{}", frame.curvature(along_m));
            let radius = frame.at(along_m).position().coords.norm();
            assert!((radius - 20.0).abs() < 0.06, "radius {radius}");
        }
    }

    #[test]
    fn projecting_undoes_placing_left_and_right_and_beyond_the_ends() {
        let frame = FrenetFrame::new(&circle(30.0, 2.0, 0.05), 0.5).unwrap();
        for along_m in [-12.0, 0.0, 3.3, 17.9, 41.2, frame.length_m(), frame.length_m() + 25.0] {
            for left_m in [-4.0, -0.3, 0.0, 1.7, 5.0] {
                let point = frame.at_offset(along_m, left_m).position();
                for found in [frame.project(point), frame.project_near(point, along_m - 6.0)] {
                    assert!((found.along_m - along_m).abs() < 0.06, "{found:?} for {along_m} {left_m}");
                    assert!((found.left_m - left_m).abs() < 0.01, "{found:?} for {along_m} {left_m}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_point_is_that_of_a_full_search() {
        let wave: Vec<_> = (0..200).map(|k| Point2::new(k as f64, 30.0 * (k as f64 / 20.0).sin())).collect();
        let frame = FrenetFrame::new(&wave, 0.5).unwrap();
        for k in 0..500 {
            let point = Point2::new((k * 37 % 220) as f64 - 10.0, (k * 53 % 90) as f64 - 45.0);
            let full = (0..frame.points.len() - 1).map(|s| frame.distance_squared(s, point)).fold(f64::MAX, f64::min);
            let found = frame.at(frame.project(point).along_m.clamp(0.0, frame.length_m())).position();
            assert!(((found - point).norm() - full.sqrt()).abs() < 1e-6);
        }
    }

    #[test]
    fn a_hint_stays_on_its_branch_of_a_figure_of_eight() {
        let eight: Vec<_> = (0..=400)
            .map(|k| f64::from(k) * std::f64::consts::TAU / 400.0)
            .map(|a| Point2::new(40.0 * a.sin(), 20.0 * (2.0 * a).sin()))
            .collect();
        let frame = FrenetFrame::new(&eight, 0.5).unwrap();
        let middle_m = frame.length_m() / 2.0;
        let crossing = frame.at(middle_m).position();
        assert!((frame.project_near(crossing, middle_m - 8.0).along_m - middle_m).abs() < 0.5);
        assert!(frame.project_near(crossing, 5.0).along_m < 1.0);
    }

    #[test]
    fn no_length_or_no_number_is_refused() {
        let here = Point2::new(1.0, 2.0);
        assert!(FrenetFrame::new(&[], 0.5).is_none());
        assert!(FrenetFrame::new(&[here, here], 0.5).is_none());
        assert!(FrenetFrame::new(&[here, Point2::new(f64::NAN, 0.0)], 0.5).is_none());
        assert!(FrenetFrame::new(&[here, Point2::new(1.2, 2.0)], 0.5).is_some());
    }
}
