//! Speeds and turn rates from recorded poses, where a data set does not record them.

use nalgebra::{Isometry3, Matrix3, Vector3};
use tandem_graph::Stamp;

use crate::geometry::wrap_angle;
use crate::log::{EgoState, TrackState, planar};

/// Half-widths of the stretch that is fitted, s; the first that reaches far enough to both sides is taken.
const HALF_WINDOWS_S: [f64; 4] = [0.2, 0.4, 0.8, 1.6];

/// Ego states from poses by rising stamp, with speed and yaw rate from the poses.
pub(crate) fn ego_states(poses: &[(Stamp, Isometry3<f64>)]) -> Vec<EgoState> {
    let planar: Vec<_> = poses.iter().map(|(_, pose)| planar(pose)).collect();
    let times_s = seconds_since_first(poses.iter().map(|(stamp, _)| *stamp));
    let vx = slopes(&times_s, &planar.iter().map(|pose| pose.x).collect::<Vec<_>>());
    let vy = slopes(&times_s, &planar.iter().map(|pose| pose.y).collect::<Vec<_>>());
    let yaw_rates = slopes(&times_s, &unwrapped(planar.iter().map(|pose| pose.yaw)));
    (0..poses.len())
        .map(|index| {
            let heading = planar[index].heading();
            EgoState {
                stamp: poses[index].0,
                map_from_ego: poses[index].1,
                speed_mps: vx[index] * heading.x + vy[index] * heading.y,
                yaw_rate_radps: yaw_rates[index],
            }
        })
        .collect()
}

/// Fills in the velocities of a track's states (by rising stamp) from their positions.
pub(crate) fn fill_velocities(states: &mut [TrackState]) {
    let times_s = seconds_since_first(states.iter().map(|state| state.stamp));
    let vx = slopes(&times_s, &states.iter().map(|state| state.pose.x).collect::<Vec<_>>());
    let vy = slopes(&times_s, &states.iter().map(|state| state.pose.y).collect::<Vec<_>>());
    for (index, state) in states.iter_mut().enumerate() {
        state.velocity_mps = [vx[index], vy[index]];
    }
}

fn seconds_since_first(stamps: impl Iterator<Item = Stamp>) -> Vec<f64> {
    let mut first = None;
    stamps.map(|stamp| stamp.seconds_since(*first.get_or_insert(stamp))).collect()
}

/// Angles made continuous, so that they can be fitted.
fn unwrapped(angles: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut previous: Option<f64> = None;
    angles
        .map(|angle| {
            let continuous = previous.map_or(angle, |last| last + wrap_angle(angle - last));
            previous = Some(continuous);
            continuous
        })
        .collect()
}

/// The slope of `values` over `times_s` (rising) at each of them, by a local least-squares parabola.
///
/// Data sets give poses at uneven times, some microseconds apart, some half a second: plain differences would turn
/// millimetres of localisation noise into metres per second. A parabola leaves constant acceleration unbiased even
/// where the window is one-sided, at the ends (Savitzky and Golay 1964, for uneven samples).
fn slopes(times_s: &[f64], values: &[f64]) -> Vec<f64> {
    (0..times_s.len()).map(|index| slope_at(times_s, values, index)).collect()
}

fn slope_at(times_s: &[f64], values: &[f64], index: usize) -> f64 {
    let now_s = times_s[index];
    let mut slope = 0.0;
    for half_s in HALF_WINDOWS_S {
        let from = times_s.partition_point(|time| *time < now_s - half_s);
        let to = times_s.partition_point(|time| *time <= now_s + half_s);
        let window: Vec<(f64, f64)> =
            (from..to).map(|i| ((times_s[i] - now_s) / half_s, values[i] - values[index])).collect();
        let spread = distinct(&window);
        slope =
            if spread >= 4 { parabola_slope(&window) } else { None }.unwrap_or_else(|| line_slope(&window)) / half_s;
        let reaches = |edge: f64, is_end: bool| edge.abs() >= 0.5 || is_end;
        let (first, last) = (window.first().map_or(0.0, |(u, _)| *u), window.last().map_or(0.0, |(u, _)| *u));
        if spread >= 3 && reaches(first, from == 0) && reaches(last, to == times_s.len()) {
            return slope;
        }
    }
    slope
}

/// How many samples are at least an eighth of the half-window apart.
fn distinct(window: &[(f64, f64)]) -> usize {
    let mut last = f64::NEG_INFINITY;
    window
        .iter()
        .filter(|(u, _)| {
            let apart = u - last >= 0.125;
            if apart {
                last = *u;
            }
            apart
        })
        .count()
}

/// The slope at u = 0 of the least-squares parabola.
fn parabola_slope(window: &[(f64, f64)]) -> Option<f64> {
    let mut normal = Matrix3::zeros();
    let mut right = Vector3::zeros();
    for (u, value) in window {
        let basis = Vector3::new(1.0, *u, u * u);
        normal += basis * basis.transpose();
        right += basis * *value;
    }
    normal.cholesky().map(|factors| factors.solve(&right).y)
}

/// The slope of the least-squares line; zero for samples at a single time.
fn line_slope(window: &[(f64, f64)]) -> f64 {
    let count = window.len() as f64;
    let mean_u = window.iter().map(|(u, _)| u).sum::<f64>() / count;
    let mean_v = window.iter().map(|(_, v)| v).sum::<f64>() / count;
    let covariance: f64 = window.iter().map(|(u, v)| (u - mean_u) * (v - mean_v)).sum();
    let variance: f64 = window.iter().map(|(u, _)| (u - mean_u).powi(2)).sum();
    if variance > 1e-12 { covariance / variance } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_acceleration_is_exact_at_uneven_times_and_at_the_ends() {
        let times_s: Vec<f64> =
            (0..200).map(|i| f64::from(i) * 0.011 + if i % 3 == 0 { 0.000_005 } else { 0.0 }).collect();
        let values: Vec<f64> = times_s.iter().map(|t| 7.0 + 3.0 * t - 0.5 * 2.5 * t * t).collect();
        for (time_s, slope) in times_s.iter().zip(slopes(&times_s, &values)) {
            assert!((slope - (3.0 - 2.5 * time_s)).abs() < 1e-6, "{time_s}: {slope}");
        }
    }

    #[test]
    fn keyframes_half_a_second_apart_are_fitted_across_their_neighbours() {
        let times_s: Vec<f64> = (0..20).flat_map(|i| [f64::from(i) * 0.5, f64::from(i) * 0.5 + 0.035]).collect();
        // Two centimetres of noise between the two poses of a keyframe: 0.6 m/s by plain differences.
        let values: Vec<f64> =
            times_s.iter().enumerate().map(|(i, t)| 8.0 * t + if i % 2 == 0 { 0.0 } else { 0.02 }).collect();
        for slope in slopes(&times_s, &values) {
            assert!((slope - 8.0).abs() < 0.1, "{slope}");
        }
    }

    #[test]
    fn one_state_stands_and_two_give_their_difference() {
        assert_eq!(slopes(&[0.0], &[5.0]), [0.0]);
        let two = slopes(&[0.0, 0.5], &[1.0, 3.0]);
        assert!(two.iter().all(|slope| (slope - 4.0).abs() < 1e-9), "{two:?}");
    }

    #[test]
    fn turning_through_half_a_turn_does_not_jump() {
        let angles = unwrapped([3.0, 3.1, -3.1, -3.0].into_iter());
        assert!(angles.windows(2).all(|pair| pair[1] > pair[0]), "{angles:?}");
    }
}
