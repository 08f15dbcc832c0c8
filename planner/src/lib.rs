//! Proposals, simulation, driving score, guidance from the slow system, and fallback.

pub mod guidance;
pub mod plan;
pub mod route;
pub mod score;
pub mod state;
pub mod vehicle;

pub use plan::{Fallback, Plan, Planner};
pub use score::SubScores;
pub use state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
