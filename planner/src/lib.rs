//! Proposals, simulation, driving score, guidance from the slow system, and fallback.

pub mod guidance;
pub mod route;
pub mod state;
