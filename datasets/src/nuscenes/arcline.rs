//! Lane centrelines of the map expansion: arc, straight or arc, and arc again, as in a Dubins path.

use nalgebra::Point3;
use serde::Deserialize;

use crate::geometry::Pose2;

/// One piece of a centreline (nuscenes-devkit `map_expansion/arcline_path_utils.py`).
#[derive(Debug, Deserialize)]
pub(super) struct ArclinePath {
    /// x, y (m), yaw (rad).
    start_pose: [f64; 3],
    /// Three letters out of L (left arc), S (straight) and R (right arc).
    shape: String,
    /// Of both arcs, m.
    radius: f64,
    /// Along the path, m.
    segment_length: [f64; 3],
}

impl ArclinePath {
    /// Appends points at most `step_m` apart, from the first to the last. Lengths are cut at a kilometre, far beyond
    /// any piece of a lane, so that a wrong number can't fill the memory.
    pub fn append_points(&self, step_m: f64, points: &mut Vec<Point3<f64>>) {
        let [x, y, yaw] = self.start_pose;
        let mut start = Pose2::new(x, y, yaw);
        points.push(Point3::new(x, y, 0.0));
        for (turn, length_m) in self.shape.bytes().zip(self.segment_length) {
            let length_m = if length_m.is_finite() { length_m.clamp(0.0, 1_000.0) } else { 0.0 };
            let curvature = match turn {
                b'L' => 1.0 / self.radius,
                b'R' => -1.0 / self.radius,
                _ => 0.0,
            };
            let steps = (length_m / step_m).ceil();
            for step in 1..=steps as usize {
                let pose = advance(start, curvature, length_m * step as f64 / steps);
                points.push(Point3::new(pose.x, pose.y, 0.0));
            }
            start = advance(start, curvature, length_m);
        }
    }
}

/// The pose `along_m` further on a circle of the given curvature (1/m, left positive).
fn advance(start: Pose2, curvature: f64, along_m: f64) -> Pose2 {
    let turned = curvature * along_m;
    // The chord of an arc, and half the turn between the start's heading and it.
    let chord = if turned.abs() < 1e-9 { along_m } else { 2.0 * (turned / 2.0).sin() / curvature };
    let direction = start.yaw + turned / 2.0;
    Pose2::new(start.x + chord * direction.cos(), start.y + chord * direction.sin(), start.yaw + turned)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;

    fn last(path: &ArclinePath) -> (f64, f64) {
        let mut points = Vec::new();
        path.append_points(0.5, &mut points);
        assert!(points.windows(2).all(|pair| (pair[1] - pair[0]).norm() <= 0.5 + 1e-9));
        let last = points[points.len() - 1];
        (last.x, last.y)
    }

    #[test]
    fn quarter_turns_and_a_straight_end_where_geometry_says() {
        let quarter_m = 10.0 * FRAC_PI_2;
        let path = |shape: &str, segment_length| ArclinePath {
            start_pose: [1.0, 2.0, 0.0],
            shape: shape.into(),
            radius: 10.0,
            segment_length,
        };
        // Left a quarter, straight 5 m north, right a quarter: 20 m east and 25 m north.
        let (x, y) = last(&path("LSR", [quarter_m, 5.0, quarter_m]));
        assert!((x - 21.0).abs() < 1e-9 && (y - 27.0).abs() < 1e-9, "{x} {y}");
        // Right, left, right: a quarter each.
        let (x, y) = last(&path("RLR", [quarter_m, quarter_m, quarter_m]));
        assert!((x - 31.0).abs() < 1e-9 && (y + 28.0).abs() < 1e-9, "{x} {y}");
        let (x, y) = last(&path("RSR", [0.0, 7.0, 0.0]));
        assert!((x - 8.0).abs() < 1e-9 && (y - 2.0).abs() < 1e-9, "{x} {y}");
    }
}
