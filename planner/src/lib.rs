//! Proposals, simulation, driving score, guidance from the slow system, and fallback.

mod error;
pub mod frenet;
pub mod guidance;
pub mod idm;
pub mod plan;
pub mod route;
pub mod score;
pub mod state;
pub mod vehicle;

pub use error::Error;
pub use frenet::{Frenet, FrenetFrame};
pub use plan::{Fallback, Plan, Planner};
pub use route::{Route, RouteSegment};
pub use score::SubScores;
pub use state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
