//! Proposals, simulation, driving score, guidance from the slow system, and fallback.

mod error;
pub mod fallback;
pub mod frenet;
pub mod guidance;
pub mod idm;
mod margin;
mod meta_action;
pub mod node;
pub mod plan;
pub mod planners;
pub mod predict;
pub mod proposals;
pub mod route;
pub mod score;
mod signals;
pub mod state;
mod trust;
pub mod validate;
pub mod vehicle;

#[cfg(test)]
#[path = "../tests/support/maps.rs"]
#[allow(dead_code, reason = "the benches use all of it")]
mod maps;

pub use error::Error;
pub use frenet::{Frenet, FrenetFrame};
pub use meta_action::MetaAction;
pub use plan::{Fallback, Plan, Planner};
pub use route::{Route, RouteSegment};
pub use score::SubScores;
pub use state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
