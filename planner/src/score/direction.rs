//! DDC, driving-direction compliance: how far the ego drives outside the lanes of its route within a second.
//!
//! Source: NAVSIM v2 `pdm_scorer.py` (`_calculate_driving_direction_compliance`).

use super::motion::Motion;

/// The window over which distance is summed, steps.
const WINDOW_STEPS: usize = 10;

/// Less than this is no offence, m.
const COMPLIANT_M: f64 = 2.0;

/// From this on it is a full one, m.
const VIOLATION_M: f64 = 6.0;

/// Distance driven off the route within the last second, at each step, m.
pub(super) fn off_route_m(motion: &Motion) -> Vec<f64> {
    let mut moved = vec![0.0; motion.states.len()];
    for (step, moved_m) in moved.iter_mut().enumerate().skip(1) {
        let distance_m = (motion.center(step) - motion.center(step - 1)).norm();
        if distance_m > 0.0 && motion.is_off_route(step) {
            *moved_m = distance_m;
        }
    }
    (0..moved.len()).map(|step| moved[step.saturating_sub(WINDOW_STEPS)..=step].iter().sum()).collect()
}

/// DDC for the largest of [`off_route_m`].
pub(super) fn score(off_route_m: f64) -> f64 {
    match off_route_m {
        distance if distance < COMPLIANT_M => 1.0,
        distance if distance < VIOLATION_M => 0.5,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_thresholds_are_two_and_six_metres() {
        let scores = [0.0, 1.999, 2.0, 5.999, 6.0, 30.0].map(super::score);
        assert_eq!(scores, [1.0, 1.0, 0.5, 0.5, 0.0, 0.0]);
    }
}
