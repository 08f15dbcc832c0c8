//! The LQR tracker: from a state and a plan to an acceleration and a steering rate.
//!
//! Source: nuplan-devkit `tracker/lqr.py`, NAVSIM `batch_lqr.py`. Two one-shot problems over a horizon of 1 s with
//! the input held: the speed at the horizon, then the lateral and heading error at the horizon under the speeds that
//! the first one leads to. Close to standstill a proportional controller stops the vehicle instead.

use nalgebra::Vector2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{EgoBody, Pose2};

use super::bicycle::Command;
use super::profile;
use crate::state::{STEP_S, VehicleState};

/// Steps of [`STEP_S`] that the tracker looks ahead.
pub(super) const HORIZON_STEPS: usize = 10;
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
    headings: Vec<Vector2<f64>>,
    /// Speed and curvature at each pose, m/s and 1/m, held for [`HORIZON_STEPS`] after the last.
    speed_mps: Vec<f64>,
    curvature_pm: Vec<f64>,
}

impl<'a> Tracker<'a> {
    /// Fits speed and curvature to the plan's poses, [`STEP_S`] apart. A plan of fewer than two states means: stop.
    pub fn new(plan: &'a [VehicleState]) -> Self {
        let headings: Vec<_> = plan.iter().map(|state| state.pose.heading()).collect();
        let (mut speed_mps, mut curvature_pm) = profile::fit(plan, &headings);
        for profile in [&mut speed_mps, &mut curvature_pm] {
            let last = profile.last().copied().unwrap_or(0.0);
            profile.resize(plan.len() + HORIZON_STEPS, last);
        }
        Self { plan, headings, speed_mps, curvature_pm }
    }

    /// The command when the plan's first state lies `age_s` seconds in the past; the plan's end holds beyond it.
    pub fn command(&self, state: &VehicleState, age_s: f64, body: &EgoBody) -> Command {
        let position = (age_s / STEP_S).clamp(0.0, self.plan.len() as f64);
        // Within a nanosecond of a step it is that step: sums of 0.1 s shall not interpolate.
        if (position - position.round()).abs() < 1e-8 {
            return self.command_at_step(state, position.round() as usize, body);
        }
        let (step, part) = (position.floor() as usize, position.fract());
        let Some((before, after)) = self.pose(step).zip(self.pose(step + 1)) else { return stop(state.speed_mps) };
        let reference = before.lerp(&after, part);
        let between = |profile: &[f64]| -> [f64; HORIZON_STEPS + 1] {
            let at = |index: usize| profile[index.min(profile.len() - 1)];
            std::array::from_fn(|ahead| at(step + ahead) + (at(step + ahead + 1) - at(step + ahead)) * part)
        };
        let (speed_mps, curvature_pm) = (between(&self.speed_mps), between(&self.curvature_pm));
        self.solve(state, reference, reference.heading(), speed_mps[HORIZON_STEPS], &curvature_pm, body)
    }

    /// The command at one of the plan's own steps; the plan's end holds beyond it.
    pub fn command_at_step(&self, state: &VehicleState, step: usize, body: &EgoBody) -> Command {
        let step = step.min(self.plan.len().saturating_sub(1));
        let Some(reference) = self.pose(step) else { return stop(state.speed_mps) };
        let ahead_mps = self.speed_mps[step + HORIZON_STEPS];
        let curvature_pm = &self.curvature_pm[step..step + HORIZON_STEPS];
        self.solve(state, reference, self.headings[step], ahead_mps, curvature_pm, body)
    }

    fn pose(&self, step: usize) -> Option<Pose2> {
        self.plan.get(step).or(self.plan.last()).map(|state| state.pose)
    }

    fn solve(
        &self,
        state: &VehicleState,
        reference: Pose2,
        heading: Vector2<f64>,
        ahead_mps: f64,
        curvature_pm: &[f64],
        body: &EgoBody,
    ) -> Command {
        let speed_error = state.speed_mps - ahead_mps;
        let is_stopping = state.speed_mps <= STOPPING_SPEED_MPS && ahead_mps <= STOPPING_SPEED_MPS;
        if is_stopping || self.plan.len() < 2 {
            return stop(speed_error);
        }
        let horizon_s = HORIZON_STEPS as f64 * STEP_S;
        let acceleration_mps2 = -horizon_s * SPEED_WEIGHT * speed_error / (horizon_s * SPEED_WEIGHT * horizon_s + 1.0);

        let (dx, dy) = (state.pose.x - reference.x, state.pose.y - reference.y);
        let mut lateral_m = heading.x * dy - heading.y * dx;
        let mut heading_rad = wrap_angle(state.pose.yaw - reference.yaw);
        let steered_pm = state.steering_rad / body.wheelbase;
        // How both errors answer to a unit steering rate.
        let (mut lateral_gain, mut heading_gain) = (0.0, 0.0);
        for (step, curvature_pm) in curvature_pm.iter().take(HORIZON_STEPS).enumerate() {
            let moved_m = (state.speed_mps + acceleration_mps2 * STEP_S * step as f64) * STEP_S;
            lateral_m += moved_m * heading_rad;
            heading_rad += moved_m * (steered_pm - curvature_pm);
            lateral_gain += moved_m * heading_gain;
            heading_gain += moved_m * (STEP_S * step as f64 / body.wheelbase);
        }
        heading_rad = wrap_angle(heading_rad);
        let gradient = LATERAL_WEIGHT * lateral_gain * lateral_m + HEADING_WEIGHT * heading_gain * heading_rad;
        let curvature = LATERAL_WEIGHT * lateral_gain * lateral_gain + HEADING_WEIGHT * heading_gain * heading_gain;
        Command { acceleration_mps2, steering_rate_radps: -gradient / (curvature + 1.0) }
    }
}

fn stop(speed_error_mps: f64) -> Command {
    Command { acceleration_mps2: -STOPPING_GAIN * speed_error_mps, steering_rate_radps: 0.0 }
}
