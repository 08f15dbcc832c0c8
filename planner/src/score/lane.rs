//! LK, lane keeping, and the progress that EP compares: both in the Frenet frame of the route.
//!
//! Source: NAVSIM v2 `pdm_scorer.py` (`_calculate_lane_keeping`, `_calculate_progress`, `_aggregate_scores`).

use super::motion::Motion;
use crate::frenet::Frenet;

/// Largest offset of the centre from the centreline, m.
const LIMIT_M: f64 = 0.5;

/// Steps in a row beyond the limit that are too many: 2 s.
const TOO_LONG_STEPS: usize = 20;

/// With less progress than this to be had, m, nobody is told to hurry.
const MIN_PROGRESS_M: f64 = 5.0;

/// The ego's centre along the route at each step.
pub(super) fn along_route(motion: &Motion) -> Vec<Frenet> {
    let line = motion.place.route.centerline();
    let mut along: Vec<Frenet> = Vec::with_capacity(motion.states.len());
    for step in 0..motion.states.len() {
        let center = motion.center(step);
        along.push(match along.last() {
            Some(last) => line.project_near(center, last.along_m),
            None => line.project(center),
        });
    }
    along
}

/// Progress along the centreline from first to last step, m, not below zero.
pub(super) fn progress_m(along: &[Frenet]) -> f64 {
    match (along.first(), along.last()) {
        (Some(first), Some(last)) => (last.along_m - first.along_m).max(0.0),
        _ => 0.0,
    }
}

/// EP for a progress against the best there was: `best_m` is the largest of progress × multipliers.
pub fn ego_progress(progress_m: f64, best_m: f64) -> f64 {
    if best_m > MIN_PROGRESS_M { (progress_m / best_m).clamp(0.0, 1.0) } else { 1.0 }
}

/// The step at which the ego has been too far from the centreline for too long. Steps in an intersection are skipped
/// without starting the count anew.
pub(super) fn first_departure(motion: &Motion, along: &[Frenet]) -> Option<usize> {
    let mut beyond = 0;
    for (step, place) in along.iter().enumerate() {
        let is_beyond = place.left_m.abs() > LIMIT_M;
        // Asking the map is the costly part, and only matters where the count would change.
        if (beyond == 0 && !is_beyond) || motion.place.map.in_intersection(motion.center(step)) {
            continue;
        }
        beyond = if is_beyond { beyond + 1 } else { 0 };
        if beyond >= TOO_LONG_STEPS {
            return Some(step);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::ego_progress;

    #[test]
    fn progress_counts_only_where_there_is_more_than_five_metres_to_be_had() {
        assert_eq!(ego_progress(0.0, 5.0), 1.0);
        assert_eq!(ego_progress(2.0, 5.01), 2.0 / 5.01);
        assert_eq!(ego_progress(30.0, 20.0), 1.0);
        assert_eq!(ego_progress(0.0, 20.0), 0.0);
    }
}
