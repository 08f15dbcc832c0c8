//! Generated worlds, log replay, closed loop and report.

pub mod camera;
pub mod course;
pub mod drive;
pub mod error;
pub mod faults;
pub mod judge;
pub mod known;
pub mod narrate;
pub mod nodes;
mod occlusion;
mod overlap;
mod path;
pub mod replay;
pub mod report;
pub mod sight;
pub mod suite;
pub mod trace;
pub mod traffic;
pub mod world;

pub use course::Course;
pub use drive::{Companion, Driven, Setup, drive};
pub use error::Error;
pub use faults::Faults;
pub use sight::{CameraSight, Sight};
pub use trace::{Frame, FrameAgent, RunResult, Trace};
pub use traffic::TrafficMode;
