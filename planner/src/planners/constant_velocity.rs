//! Straight on at the present speed: the least that a planner can do.

use crate::plan::{Plan, Planner};
use crate::state::{PLAN_STATES, STEP_S, Scene, VehicleState};

/// Keeps speed and heading, whatever is ahead.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConstantVelocity;

impl Planner for ConstantVelocity {
    fn name(&self) -> &'static str {
        "constant-velocity"
    }

    fn is_checked(&self) -> bool {
        false
    }

    fn plan(&mut self, scene: &Scene) -> Plan {
        let ego = scene.ego;
        let at = |step: usize| VehicleState {
            pose: ego.pose.ahead(ego.speed_mps * step as f64 * STEP_S),
            speed_mps: ego.speed_mps,
            ..VehicleState::default()
        };
        let rollout = (0..PLAN_STATES).map(at).collect();
        Plan { rollout, proposal: "straight on".to_owned(), scores: None, fallback: None }
    }
}
