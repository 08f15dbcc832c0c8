//! The LQR tracker: from a state and a plan to an acceleration and a steering rate.
//!
//! Source: nuplan-devkit `tracker/lqr.py`, NAVSIM `batch_lqr.py`. Two one-shot problems over a horizon of 1 s with
//! the input held: the speed at the horizon, then the lateral and heading error at the horizon under the speeds that
//! the first one leads to. Close to standstill a proportional controller stops the vehicle instead.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{EgoBody, Pose2};

use super::bicycle::Command;
use super::profile;
use crate::state::{STEP_S, VehicleState};

/// Steps of [`STEP_S`] that the tracker looks ahead.
const HORIZON_STEPS: usize = 10;
/// Weight of the speed error against one (m/s²)².
const SPEED_WEIGHT: f64 = 10.0;
/// Weight of the lateral error against one (rad/s)².
const LATERAL_WEIGHT: f64 = 1.0;
/// Weight of the heading error against one (rad/s)².
const HEADING_WEIGHT: f64 = 10.0;
/// Acceleration per speed error when stopping, 1/s.
const STOPPING_GAIN: f64 = 0.5;
/// Below this speed, now and at the horizon, the vehicle is stopping, m/s.
const STOPPING_SPEED_MPS: f64 = 0.2;

/// A plan made ready to be followed.
#[derive(Debug, Clone)]
pub struct Tracker<'a> {
    plan: &'a [VehicleState],
    speed_mps: Vec<f64>,
    curvature_pm: Vec<f64>,
}

impl<'a> Tracker<'a> {
    /// Fits speed and curvature to the plan's poses, [`STEP_S`] apart. A plan of fewer than two states means: stop.
    pub fn new(plan: &'a [VehicleState]) -> Self {
        let (speed_mps, curvature_pm) = profile::fit(plan);
        Self { plan, speed_mps, curvature_pm }
    }

    /// The command when the plan's first state lies `age_s` seconds in the past; the plan's end holds beyond it.
    pub fn command(&self, state: &VehicleState, age_s: f64, body: &EgoBody) -> Command {
        // Within a nanosecond of a step it is that step: sums of 0.1 s shall not interpolate.
        let position = (age_s / STEP_S).max(0.0);
        let (step, part) = if (position - position.round()).abs() < 1e-8 {
            (position.round(), 0.0)
        } else {
            (position.floor(), position.fract())
        };
        let step = step as usize;
        let reference = self.pose(step).lerp(&self.pose(step + 1), part);
        let mix = |profile: &[f64], index: usize| {
            let (a, b) = (held(profile, index), held(profile, index + 1));
            a + (b - a) * part
        };
        self.solve(state, reference, body, |ahead| {
            (mix(&self.speed_mps, step + ahead), mix(&self.curvature_pm, step + ahead))
        })
    }

    /// The command at one of the plan's own steps.
    pub fn command_at_step(&self, state: &VehicleState, step: usize, body: &EgoBody) -> Command {
        self.solve(state, self.pose(step), body, |ahead| {
            (held(&self.speed_mps, step + ahead), held(&self.curvature_pm, step + ahead))
        })
    }

    fn pose(&self, step: usize) -> Pose2 {
        self.plan.get(step).or(self.plan.last()).map_or(Pose2::default(), |state| state.pose)
    }

    /// `ahead(k)` is the plan's speed and curvature k steps on.
    fn solve(
        &self,
        state: &VehicleState,
        reference: Pose2,
        body: &EgoBody,
        ahead: impl Fn(usize) -> (f64, f64),
    ) -> Command {
        let speed_error = state.speed_mps - ahead(HORIZON_STEPS).0;
        if state.speed_mps <= STOPPING_SPEED_MPS && ahead(HORIZON_STEPS).0 <= STOPPING_SPEED_MPS || self.plan.len() < 2
        {
            return Command { acceleration_mps2: -STOPPING_GAIN * speed_error, steering_rate_radps: 0.0 };
        }
        let horizon_s = HORIZON_STEPS as f64 * STEP_S;
        let acceleration_mps2 = -horizon_s * SPEED_WEIGHT * speed_error / (horizon_s * SPEED_WEIGHT * horizon_s + 1.0);

        let between = state.pose.position() - reference.position();
        let heading = reference.heading();
        let mut lateral_m = heading.perp(&between);
        let mut heading_rad = wrap_angle(state.pose.yaw - reference.yaw);
        // How both errors, and the steering, answer to a unit steering rate.
        let (mut lateral_gain, mut heading_gain, mut steering_gain) = (0.0, 0.0, 0.0);
        for step in 0..HORIZON_STEPS {
            let moved_m = (state.speed_mps + acceleration_mps2 * STEP_S * step as f64) * STEP_S;
            lateral_m += moved_m * heading_rad;
            heading_rad += moved_m * (state.steering_rad / body.wheelbase - ahead(step).1);
            lateral_gain += moved_m * heading_gain;
            heading_gain += moved_m * steering_gain / body.wheelbase;
            steering_gain += STEP_S;
        }
        heading_rad = wrap_angle(heading_rad);
        let gradient = LATERAL_WEIGHT * lateral_gain * lateral_m + HEADING_WEIGHT * heading_gain * heading_rad;
        let curvature = LATERAL_WEIGHT * lateral_gain * lateral_gain + HEADING_WEIGHT * heading_gain * heading_gain;
        Command { acceleration_mps2, steering_rate_radps: -gradient / (curvature + 1.0) }
    }
}

/// The value at `index`, the last one beyond the end, zero of an empty profile.
fn held(profile: &[f64], index: usize) -> f64 {
    profile.get(index).or(profile.last()).copied().unwrap_or(0.0)
}
