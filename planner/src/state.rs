//! What a planner sees and what it answers: ego, agents with their predicted paths, signals, route.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_datasets::{Box2, Class, EgoBody, LaneId, Map, Pose2, SignalColor};
use tandem_graph::Stamp;

use crate::guidance::Guidance;
use crate::route::Route;

/// Time between the states of a plan, s.
pub const STEP_S: f64 = 0.1;

/// States of a plan: now and 40 steps of 0.1 s, as in nuPlan and NAVSIM.
pub const PLAN_STATES: usize = 41;

/// The ego vehicle as the planner and the vehicle model know it. Reference point: rear axle.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct VehicleState {
    /// Rear axle in the map.
    pub pose: Pose2,
    /// Speed along the vehicle's x axis, m/s.
    pub speed_mps: f64,
    /// Acceleration along the vehicle's x axis, m/s².
    pub acceleration_mps2: f64,
    /// Front-wheel angle, rad, left positive.
    pub steering_rad: f64,
    /// Yaw rate, rad/s.
    pub yaw_rate_radps: f64,
}

impl VehicleState {
    /// The state that is `t` of the way from this one to `next`, 0 to 1.
    pub(crate) fn lerp(&self, next: &Self, t: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * t;
        Self {
            pose: self.pose.lerp(&next.pose, t),
            speed_mps: mix(self.speed_mps, next.speed_mps),
            acceleration_mps2: mix(self.acceleration_mps2, next.acceleration_mps2),
            steering_rad: mix(self.steering_rad, next.steering_rad),
            yaw_rate_radps: mix(self.yaw_rate_radps, next.yaw_rate_radps),
        }
    }
}

/// A planned or driven motion: states at a fixed step of [`STEP_S`], the first one now.
pub type Rollout = Vec<VehicleState>;

/// Another agent or object, seen now, with where it is expected to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its number, stable over time.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// Length along its heading, m.
    pub length: f64,
    /// Width, m.
    pub width: f64,
    /// Box centres at steps of [`STEP_S`] from now on; the first one is now. Holds its last value beyond its end.
    pub path: Vec<Pose2>,
    /// Speed now, m/s.
    pub speed_mps: f64,
}

impl Agent {
    /// Its outline at step `step` of the plan.
    pub fn outline(&self, step: usize) -> Option<Box2> {
        let pose = *self.path.get(step).or(self.path.last())?;
        Some(Box2 { pose, length: self.length, width: self.width })
    }
}

/// Everything a planner may use for one cycle.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The time that the plan starts from.
    pub now: Stamp,
    /// The ego vehicle at `now`.
    pub ego: VehicleState,
    /// Its dimensions.
    pub body: EgoBody,
    /// Ego states up to and including `now`, at steps of [`STEP_S`], oldest first; at least one.
    pub history: Vec<VehicleState>,
    /// The others, propagated to `now`.
    pub agents: Vec<Agent>,
    /// The colour of each controlled lane, as last seen.
    pub signals: Vec<(LaneId, SignalColor)>,
    /// The map.
    pub map: Arc<Map>,
    /// Where to go.
    pub route: Arc<Route>,
    /// What the slow system wants taken care of.
    pub guidance: Guidance,
}
