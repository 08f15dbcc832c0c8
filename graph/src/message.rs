//! What every message on the graph is: a ROS 2 type with a name, a type hash and a CDR encoding.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Stamp;

/// A ROS 2 message type, carried as CDR on every link and in every recording.
pub trait Message: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The ROS name, such as `sensor_msgs/msg/Image`.
    const NAME: &'static str;

    /// The RIHS01 type hash (`RIHS01_` and 64 hex digits), computed from the definition.
    fn type_hash() -> &'static str;

    /// The `.msg` text with all referenced types, in the form that MCAP's `ros2msg` encoding wants.
    fn definition() -> &'static str;

    /// The capture stamp that the message itself carries (its header's), if it has one.
    fn stamp(&self) -> Option<Stamp>;
}
