//! The message types of the stack, one module a ROS package, with exactly the field names that ROS has.
//!
//! ```
//! use tandem_graph::msgs::{geometry_msgs::Quaternion, std_msgs};
//! use tandem_graph::{Message, Stamp, cdr};
//!
//! let header = std_msgs::Header::new(Stamp::from_seconds(1.5), "map");
//! assert_eq!(Message::stamp(&header), Some(Stamp::from_ns(1_500_000_000)));
//! assert_eq!(cdr::decode::<std_msgs::Header>(&cdr::encode(&header)?)?, header);
//! assert_eq!(Quaternion::DESCRIPTION.text(), "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n");
//! # Ok::<(), cdr::Error>(())
//! ```

mod array;
#[macro_use]
mod declare;

pub mod autoware_perception_msgs;
pub mod autoware_planning_msgs;
pub mod autoware_vehicle_msgs;
pub mod builtin_interfaces;
pub mod diagnostic_msgs;
pub mod geometry_msgs;
pub mod nav_msgs;
pub mod rosgraph_msgs;
pub mod sensor_msgs;
pub mod std_msgs;
pub mod tandem_msgs;
pub mod tf2_msgs;
pub mod unique_identifier_msgs;
pub mod vision_msgs;
pub mod visualization_msgs;
