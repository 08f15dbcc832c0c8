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

/// EP for a progress against the best there was: `best_m` is the largest of progress × multipliers.
pub fn ego_progress(progress_m: f64, best_m: f64) -> f64 {
    if best_m > MIN_PROGRESS_M { (progress_m / best_m).clamp(0.0, 1.0) } else { 1.0 }
}

/// A motion seen from the route.
#[derive(Debug)]
pub(super) struct Way<'a, 'b> {
    motion: &'b Motion<'a>,
    /// The first step on the route; `None` without a step.
    start: Option<Frenet>,
}

impl<'a, 'b> Way<'a, 'b> {
    pub fn new(motion: &'b Motion<'a>) -> Self {
        let start = motion.outlines.first().map(|_| motion.place.route.centerline().project(motion.center(0)));
        Self { motion, start }
    }

    /// The centre at `step`, looked for from where it was at `known`.
    fn at(&self, step: usize, known: (usize, Frenet)) -> Frenet {
        let center = self.motion.center(step);
        let moved_m = (center - self.motion.center(known.0)).norm();
        self.motion.place.route.centerline().project_near(center, known.1.along_m + moved_m)
    }

    /// Progress along the centreline from first to last step, m, not below zero.
    pub fn progress_m(&self) -> f64 {
        let (Some(start), Some(last)) = (self.start, self.motion.states.len().checked_sub(1)) else { return 0.0 };
        // Along a winding road the straight line is a poor hint, so go in strides.
        let mut known = (0, start);
        for step in (0..last).step_by(TOO_LONG_STEPS).skip(1).chain([last]) {
            known = (step, self.at(step, known));
        }
        (known.1.along_m - start.along_m).max(0.0)
    }

    /// The step at which the ego has been too far from the centreline for too long, and its offset then, m. Steps in
    /// an intersection are skipped without starting the count anew.
    pub fn first_departure(&self) -> Option<(usize, f64)> {
        let mut known = (0, self.start?);
        let steps = self.motion.states.len();
        let in_intersection = |step: usize| self.motion.place.map.in_intersection(self.motion.center(step));
        // Any twenty steps in a row hold one of these; if the count is reset at each, it never gets there.
        let mut checks = (TOO_LONG_STEPS - 1..steps).step_by(TOO_LONG_STEPS);
        let is_reset = |step: usize| {
            known = (step, self.at(step, known));
            known.1.left_m.abs() <= LIMIT_M && !in_intersection(step)
        };
        if checks.all(is_reset) {
            return None;
        }
        let mut beyond = 0;
        known = (0, self.start?);
        for step in 0..steps {
            known = (step, self.at(step, known));
            let is_beyond = known.1.left_m.abs() > LIMIT_M;
            // Asking the map is the costly part, and only matters where the count would change.
            if (beyond == 0 && !is_beyond) || in_intersection(step) {
                continue;
            }
            beyond = if is_beyond { beyond + 1 } else { 0 };
            if beyond >= TOO_LONG_STEPS {
                return Some((step, known.1.left_m));
            }
        }
        None
    }
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
