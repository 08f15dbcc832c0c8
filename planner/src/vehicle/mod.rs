//! The vehicle: a tracker that follows a plan and a kinematic bicycle that obeys the tracker.
//!
//! This is the pair that nuPlan and NAVSIM drive every plan with before they score it, so a plan that cannot be
//! followed scores as what the vehicle would really do.
//!
//! ```
//! use tandem_planner::{PLAN_STATES, VehicleState, vehicle};
//! use tandem_datasets::{EgoBody, Pose2};
//!
//! let start = VehicleState { speed_mps: 10.0, ..Default::default() };
//! let plan: Vec<_> = (0..PLAN_STATES)
//!     .map(|step| VehicleState { pose: Pose2::new(step as f64, 0.0, 0.0), ..start })
//!     .collect();
//! let driven = vehicle::simulate(&start, &plan, &EgoBody::default());
//! assert!((driven[40].pose.x - 40.0).abs() < 1e-6);
//! ```

mod bicycle;
mod profile;
mod tracker;

pub use bicycle::{Command, MAX_STEERING_RAD, propagate};
pub use tracker::Tracker;

use tandem_datasets::EgoBody;

use crate::state::{PLAN_STATES, Rollout, STEP_S, VehicleState};

/// Drives `plan` (reference states [`STEP_S`] apart, the first one now) from `start`: [`PLAN_STATES`] states, the
/// first one `start` itself.
///
/// Only the poses of the plan are followed; its speeds and accelerations are estimated from them, as in nuPlan.
/// States that are not finite make a rollout that is not finite; nothing panics.
pub fn simulate(start: &VehicleState, plan: &[VehicleState], body: &EgoBody) -> Rollout {
    let tracker = Tracker::new(plan);
    let mut driven = Rollout::with_capacity(PLAN_STATES);
    driven.push(*start);
    let mut state = propagate(start, tracker.command_at_step(start, 0, body), STEP_S, body);
    driven.push(state);
    for step in 1..PLAN_STATES - 1 {
        state = bicycle::propagate_on(&state, tracker.command_at_step(&state, step, body), STEP_S, body);
        driven.push(state);
    }
    driven
}

/// Drives one step of `dt_s` seconds (over zero) along `plan`, whose first state lies `age_s` seconds in the past.
pub fn step(state: &VehicleState, plan: &[VehicleState], age_s: f64, dt_s: f64, body: &EgoBody) -> VehicleState {
    propagate(state, Tracker::new(plan).command(state, age_s, body), dt_s, body)
}

#[cfg(test)]
mod tests;
