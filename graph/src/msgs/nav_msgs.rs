//! Odometry, paths and occupancy grids.

use super::builtin_interfaces::Time;
use super::geometry_msgs::{Pose, PoseStamped, PoseWithCovariance, TwistWithCovariance};
use super::std_msgs::Header;

message! {
    /// Where a vehicle is and how fast.
    nav_msgs::Odometry {
        /// Time, and the frame of the pose.
        header: Header,
        /// The vehicle's own frame, in which the twist is.
        child_frame_id: String,
        /// `header.frame_id` from `child_frame_id`.
        pose: PoseWithCovariance,
        /// Velocity in the vehicle's own frame.
        twist: TwistWithCovariance,
    }
}

message! {
    /// A path as poses.
    nav_msgs::Path {
        /// Time and frame.
        header: Header,
        /// The poses, first to last.
        poses: Vec<PoseStamped>,
    }
}

message! {
    /// What a grid of cells covers.
    nav_msgs::MapMetaData {
        /// When it was loaded.
        map_load_time: Time,
        /// Cell size, m.
        resolution: f32,
        /// Cells along x.
        width: u32,
        /// Cells along y.
        height: u32,
        /// The first cell's outer corner.
        origin: Pose,
    }
}

message! {
    /// A grid of cells that are free or occupied.
    nav_msgs::OccupancyGrid {
        /// Time and frame.
        header: Header,
        /// What it covers.
        info: MapMetaData,
        /// Row-major: 0 free to 100 occupied, −1 unknown.
        data: Vec<i8>,
    }
}
