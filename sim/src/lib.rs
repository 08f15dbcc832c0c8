//! Generated worlds, log replay, closed loop and report.

pub mod error;
pub mod faults;
mod path;
pub mod report;
pub mod suite;
pub mod trace;
pub mod traffic;
pub mod world;

pub use error::Error;
pub use faults::Faults;
pub use trace::{Frame, FrameAgent, RunResult, Trace};
pub use traffic::TrafficMode;
