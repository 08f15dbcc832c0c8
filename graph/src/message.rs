//! What every message on the graph is: a ROS 2 type with a name, a type hash and a CDR encoding.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Stamp;
use crate::description::Description;
use crate::field::Field;

/// A ROS 2 message type, carried as CDR on every link and in every recording.
pub trait Message: Field + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it is made of.
    const DESCRIPTION: &'static Description;

    /// The ROS name, such as `sensor_msgs/msg/Image`.
    const NAME: &'static str = Self::DESCRIPTION.name;

    /// The RIHS01 type hash (`RIHS01_` and 64 hex digits), computed from the definition.
    fn type_hash() -> &'static str;

    /// The `.msg` text with all referenced types, in the form that MCAP's `ros2msg` encoding wants.
    fn definition() -> &'static str;

    /// The capture stamp that the message itself carries: the first in it, which is its header's if it has one.
    fn stamp(&self) -> Option<Stamp> {
        Field::stamp(self)
    }
}
