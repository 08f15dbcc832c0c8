//! The simulator's side of the graph: what stands in for the car, its sensors and its map.

mod convert;
mod map_server;
mod monitor;
mod perception;
mod vehicle;

pub use map_server::MapServer;
pub use monitor::{Monitor, Planned};
pub use perception::{PERCEPTION_RADIUS_M, Perception};
pub use vehicle::{SILENCE_S, Vehicle};

/// The period of the simulated nodes.
pub const PERIOD: std::time::Duration = std::time::Duration::from_millis(100);
