//! The tree of frames.

use super::geometry_msgs::TransformStamped;

message! {
    /// Transforms between frames.
    tf2_msgs::TFMessage {
        /// The transforms.
        transforms: Vec<TransformStamped>,
    }
}
