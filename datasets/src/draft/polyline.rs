//! Measures of polylines: length, headings, offsets, and the closest point.

use nalgebra::{Point2, Point3, Vector2};

use crate::geometry::wrap_angle;
use crate::map::bounds::Bounds;

/// Length over ground, m.
pub(crate) fn length_m(line: &[Point3<f64>]) -> f64 {
    line.windows(2).map(|pair| (pair[1].xy() - pair[0].xy()).norm()).sum()
}

/// Direction of the first stretch, rad; zero for a line without length.
pub(crate) fn start_yaw(line: &[Point3<f64>]) -> f64 {
    yaw_of(line.windows(2).map(|pair| pair[1].xy() - pair[0].xy()))
}

/// Direction of the last stretch, rad; zero for a line without length.
pub(crate) fn end_yaw(line: &[Point3<f64>]) -> f64 {
    yaw_of(line.windows(2).rev().map(|pair| pair[1].xy() - pair[0].xy()))
}

fn yaw_of(mut steps: impl Iterator<Item = Vector2<f64>>) -> f64 {
    steps.find(|step| step.norm() > 0.0).map_or(0.0, |step| step.y.atan2(step.x))
}

/// The unsigned angle between two directions, rad.
pub(crate) fn angle_between(a_yaw: f64, b_yaw: f64) -> f64 {
    wrap_angle(a_yaw - b_yaw).abs()
}

/// The line moved sideways by `left_m[i]` at its point `i`, along the mean normal of the adjoining stretches.
pub(crate) fn offset(line: &[Point3<f64>], left_m: &[f64]) -> Vec<Point2<f64>> {
    let direction = |from: usize, to: usize| (line[to].xy() - line[from].xy()).normalize();
    (0..line.len())
        .map(|index| {
            let tangent = match (index.checked_sub(1), index + 1 < line.len()) {
                (Some(previous), true) => direction(previous, index) + direction(index, index + 1),
                (Some(previous), false) => direction(previous, index),
                (None, true) => direction(index, index + 1),
                (None, false) => Vector2::zeros(),
            };
            let normal = Vector2::new(-tangent.y, tangent.x).try_normalize(1e-9).unwrap_or_default();
            line[index].xy() + normal * left_m[index]
        })
        .collect()
}

/// Where a point lies beside a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foot {
    /// Signed distance to the closest point, m, left positive.
    pub left_m: f64,
    /// The line's direction there, rad.
    pub yaw: f64,
    /// Whether the closest point is inside the line, not one of its ends.
    pub within: bool,
}

/// The closest point of a line to `point`; `None` for a line without length.
pub(crate) fn foot(line: &[Point3<f64>], point: Point2<f64>) -> Option<Foot> {
    let mut best: Option<(f64, Foot)> = None;
    let last = line.len().saturating_sub(2);
    for (index, pair) in line.windows(2).enumerate() {
        let (start, step) = (pair[0].xy(), pair[1].xy() - pair[0].xy());
        let squared = step.norm_squared();
        if squared == 0.0 {
            continue;
        }
        let along = (point - start).dot(&step) / squared;
        let offset = point - (start + step * along.clamp(0.0, 1.0));
        let distance = offset.norm();
        if best.is_none_or(|(least, _)| distance < least) {
            let beyond = (index == 0 && along < 0.0) || (index == last && along > 1.0);
            let left_m = distance.copysign(step.perp(&offset));
            best = Some((distance, Foot { left_m, yaw: step.y.atan2(step.x), within: !beyond }));
        }
    }
    best.map(|(_, foot)| foot)
}

/// The box around a line, wider by `margin_m` on all sides.
pub(crate) fn bounds(line: &[Point3<f64>], margin_m: f64) -> Bounds {
    Bounds::of(line.iter().map(|point| point.xy())).grown(margin_m)
}
