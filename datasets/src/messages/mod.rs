//! Logs and maps as the messages of the graph, and back.

mod camera;
mod ego;
mod map;
mod object;
mod signal;

pub use camera::{camera_frame, camera_info, camera_of, mounts};
pub use ego::{ego_state, odometry};
pub use map::{map_parts, vector_map};
pub use object::{Object, class_of, label_of, object, object_of, objects};
pub use signal::{color_of, signal_group, signals};

/// The frame of everything that has a place in the world.
pub const MAP_FRAME: &str = "map";

/// The frame of the ego vehicle: rear axle, on the ground.
pub const EGO_FRAME: &str = "base_link";
