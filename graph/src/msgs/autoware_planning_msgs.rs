//! Routes and trajectories (Autoware's of April 2026).

use super::builtin_interfaces::Duration;
use super::geometry_msgs::Pose;
use super::std_msgs::Header;
use super::unique_identifier_msgs::UUID;

message! {
    /// Where the vehicle shall be, and how it shall move there.
    #[derive(Copy)]
    autoware_planning_msgs::TrajectoryPoint {
        /// Since the trajectory's stamp.
        time_from_start: Duration,
        /// The rear axle.
        pose: Pose,
        /// Speed forward, m/s.
        longitudinal_velocity_mps: f32,
        /// Speed to the left, m/s.
        lateral_velocity_mps: f32,
        /// Acceleration forward, m/s².
        acceleration_mps2: f32,
        /// Yaw rate, rad/s, counter-clockwise.
        heading_rate_rps: f32,
        /// Front-wheel angle, rad, left positive.
        front_wheel_angle_rad: f32,
        /// Rear-wheel angle, rad, left positive.
        rear_wheel_angle_rad: f32,
    }
}

message! {
    /// A planned trajectory.
    autoware_planning_msgs::Trajectory {
        /// Time that the first point holds at, and frame.
        header: Header,
        /// The points, first to last.
        points: Vec<TrajectoryPoint>,
    }
}

message! {
    /// A lane of a route.
    #[derive(Eq)]
    autoware_planning_msgs::LaneletPrimitive {
        /// The lane's number in the map.
        id: i64,
        /// What it is: `lane`.
        primitive_type: String,
    }
}

message! {
    /// A stretch of a route: lanes side by side.
    #[derive(Eq)]
    autoware_planning_msgs::LaneletSegment {
        /// The lane to follow.
        preferred_primitive: LaneletPrimitive,
        /// All lanes that may be used, the preferred one among them.
        primitives: Vec<LaneletPrimitive>,
    }
}

message! {
    /// A route over the map.
    autoware_planning_msgs::LaneletRoute {
        /// Time and frame.
        header: Header,
        /// Where it starts.
        start_pose: Pose,
        /// Where it ends.
        goal_pose: Pose,
        /// The way between, first to last.
        segments: Vec<LaneletSegment>,
        /// The route's name.
        uuid: UUID,
        /// Whether the goal may be moved.
        allow_modification: bool,
    }
}
