//! The kinematic bicycle with first-order actuators, reference point rear axle.
//!
//! Source: nuplan-devkit `motion_model/kinematic_bicycle.py`, NAVSIM `batch_kinematic_bicycle.py`.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{EgoBody, Pose2};

use crate::state::VehicleState;

/// The front wheels turn no further than this, rad.
pub const MAX_STEERING_RAD: f64 = std::f64::consts::FRAC_PI_3;

/// Time constant with which the acceleration follows its command, s.
const ACCELERATION_LAG_S: f64 = 0.2;

/// Time constant with which the front-wheel angle follows its command, s.
const STEERING_LAG_S: f64 = 0.05;

/// What a tracker asks of the vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Command {
    /// Acceleration along the vehicle's x axis, m/s².
    pub acceleration_mps2: f64,
    /// Rate of the front-wheel angle, rad/s.
    pub steering_rate_radps: f64,
}

/// The state `dt_s` seconds (over zero) later under `command`: one explicit Euler step, as the devkit does.
pub fn propagate(state: &VehicleState, command: Command, dt_s: f64, body: &EgoBody) -> VehicleState {
    propagate_turning(state, state.speed_mps * state.steering_rad.tan() / body.wheelbase, command, dt_s, body)
}

/// [`propagate`] for a state whose yaw rate is known to be that of its steering, as after an earlier step.
pub(super) fn propagate_on(state: &VehicleState, command: Command, dt_s: f64, body: &EgoBody) -> VehicleState {
    propagate_turning(state, state.yaw_rate_radps, command, dt_s, body)
}

#[inline]
fn propagate_turning(
    state: &VehicleState,
    yaw_rate_radps: f64,
    command: Command,
    dt_s: f64,
    body: &EgoBody,
) -> VehicleState {
    let acceleration_mps2 = state.acceleration_mps2
        + dt_s / (dt_s + ACCELERATION_LAG_S) * (command.acceleration_mps2 - state.acceleration_mps2);
    let steering_change = dt_s / (dt_s + STEERING_LAG_S) * (command.steering_rate_radps * dt_s);

    let heading = state.pose.heading();
    let distance_m = state.speed_mps * dt_s;
    let speed_mps = state.speed_mps + acceleration_mps2 * dt_s;
    let steering_rad = (state.steering_rad + steering_change).clamp(-MAX_STEERING_RAD, MAX_STEERING_RAD);
    VehicleState {
        pose: Pose2::new(
            state.pose.x + heading.x * distance_m,
            state.pose.y + heading.y * distance_m,
            wrap_angle(state.pose.yaw + yaw_rate_radps * dt_s),
        ),
        speed_mps,
        acceleration_mps2,
        steering_rad,
        yaw_rate_radps: speed_mps * steering_rad.tan() / body.wheelbase,
    }
}
