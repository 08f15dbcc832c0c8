//! Detections in ROS's own form, for viewers and tools that know no Autoware (vision_msgs 4.1.1).

use super::geometry_msgs::{Pose, PoseWithCovariance, Vector3};
use super::std_msgs::Header;

message! {
    /// A class and how likely it is.
    vision_msgs::ObjectHypothesis {
        /// The class.
        class_id: String,
        /// How likely, 0 to 1.
        score: f64,
    }
}

message! {
    /// A class, how likely it is, and where the object then is.
    vision_msgs::ObjectHypothesisWithPose {
        /// The class.
        hypothesis: ObjectHypothesis,
        /// Where.
        pose: PoseWithCovariance,
    }
}

message! {
    /// A box in space.
    #[derive(Copy)]
    vision_msgs::BoundingBox3D {
        /// Its centre.
        center: Pose,
        /// Its extent along its own x, y and z, m.
        size: Vector3,
    }
}

message! {
    /// One detected object.
    vision_msgs::Detection3D {
        /// Time and frame.
        header: Header,
        /// What it may be.
        results: Vec<ObjectHypothesisWithPose>,
        /// Its box.
        bbox: BoundingBox3D,
        /// Its name, stable over time.
        id: String,
    }
}

message! {
    /// The detected objects.
    vision_msgs::Detection3DArray {
        /// Time and frame.
        header: Header,
        /// The objects.
        detections: Vec<Detection3D>,
    }
}
