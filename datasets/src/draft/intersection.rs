//! Which lanes lie within an intersection.

use nalgebra::Point3;

use super::polyline::{angle_between, bounds, end_yaw, start_yaw};
use crate::map::{Lane, LaneId};

/// Lanes that cross at a smaller angle merge or swerve, rad (15°).
const CROSSING_ANGLE_RAD: f64 = 0.26;
/// Lanes farther apart in height pass over one another, m.
const CLEARANCE_M: f64 = 3.0;
/// Lanes that fork or join and whose headings differ by more belong to different arms, rad (30°).
const FORK_ANGLE_RAD: f64 = std::f64::consts::FRAC_PI_6;

/// Flags lanes that cross another one, and lanes that fork from or join another one towards a different arm.
///
/// Where the source tells connectors from plain lanes, plain lanes are never flagged.
pub(super) fn flag(connectors: &[Option<bool>], lanes: &mut [Lane]) {
    let bounds: Vec<_> = lanes.iter().map(|lane| bounds(&lane.centerline, 0.0)).collect();
    let mut flags = vec![false; lanes.len()];
    for first in 0..lanes.len() {
        for second in first + 1..lanes.len() {
            if (flags[first] && flags[second]) || !bounds[first].overlaps(&bounds[second]) {
                continue;
            }
            if cross(&lanes[first].centerline, &lanes[second].centerline) {
                flags[first] = true;
                flags[second] = true;
            }
        }
    }
    for lane in lanes.iter() {
        let forks = |ids: &[LaneId], yaw: fn(&[Point3<f64>]) -> f64, flags: &mut Vec<bool>| {
            for a in ids {
                for b in ids {
                    let [a, b] = [a.0 as usize, b.0 as usize];
                    if angle_between(yaw(&lanes[a].centerline), yaw(&lanes[b].centerline)) > FORK_ANGLE_RAD {
                        flags[a] = true;
                        flags[b] = true;
                    }
                }
            }
        };
        forks(&lane.successors, end_yaw, &mut flags);
        forks(&lane.predecessors, start_yaw, &mut flags);
    }
    for ((lane, flag), connector) in lanes.iter_mut().zip(flags).zip(connectors) {
        lane.in_intersection = flag && *connector != Some(false);
    }
}

/// Whether two lines cross on the ground at an angle, at about the same height, away from their ends.
fn cross(a: &[Point3<f64>], b: &[Point3<f64>]) -> bool {
    let b_bounds: Vec<_> = b.windows(2).map(|pair| bounds(pair, 0.0)).collect();
    a.windows(2).any(|a_pair| {
        let a_bounds = bounds(a_pair, 0.0);
        b.windows(2).zip(&b_bounds).any(|(b_pair, b_bounds)| {
            a_bounds.overlaps(b_bounds)
                && (a_pair[0].z - b_pair[0].z).abs() < CLEARANCE_M
                && angle_between(start_yaw(a_pair), start_yaw(b_pair)) > CROSSING_ANGLE_RAD
                && segments_cross(a_pair, b_pair)
        })
    })
}

/// Whether each segment's ends lie strictly on both sides of the other one.
fn segments_cross(a: &[Point3<f64>], b: &[Point3<f64>]) -> bool {
    let side =
        |line: &[Point3<f64>], point: &Point3<f64>| (line[1].xy() - line[0].xy()).perp(&(point.xy() - line[0].xy()));
    side(a, &b[0]) * side(a, &b[1]) < 0.0 && side(b, &a[0]) * side(b, &a[1]) < 0.0
}
