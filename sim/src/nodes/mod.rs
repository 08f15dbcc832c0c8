//! The simulator's side of the graph: what stands in for the car, its sensors and its map.

mod brakes;
mod cameras;
mod convert;
mod keeper;
mod map_server;
mod monitor;
mod oracle;
mod vehicle;

pub use cameras::{Cameras, Picture};
pub use keeper::{Audience, Keeper, PERCEPTION_RADIUS_M};
pub use map_server::MapServer;
pub use monitor::{Monitor, Perceived, Planned};
pub use oracle::Oracle;
pub use vehicle::{SILENCE_S, Vehicle};

/// The period of the simulated nodes.
pub const PERIOD: std::time::Duration = std::time::Duration::from_millis(100);
