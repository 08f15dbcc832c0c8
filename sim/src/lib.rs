//! Generated worlds, log replay, closed loop and report.

pub mod trace;

pub use trace::{Frame, FrameAgent, RunResult, Trace};
