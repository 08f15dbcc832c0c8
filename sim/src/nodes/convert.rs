//! Between the simulator's states and the messages of the graph.

use tandem_datasets::Pose2;
use tandem_datasets::messages::{EGO_FRAME, MAP_FRAME};
use tandem_graph::Stamp;
use tandem_graph::msgs::autoware_planning_msgs::{Trajectory, TrajectoryPoint};
use tandem_graph::msgs::autoware_vehicle_msgs::SteeringReport;
use tandem_graph::msgs::geometry_msgs::{
    AccelWithCovarianceStamped, Point, Pose, Quaternion, Transform, TransformStamped, Vector3,
};
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tf2_msgs::TFMessage;
use tandem_planner::{Rollout, VehicleState};

pub(super) fn odometry(now: Stamp, state: &VehicleState) -> Odometry {
    let mut message =
        Odometry { header: Header::new(now, MAP_FRAME), child_frame_id: EGO_FRAME.into(), ..Odometry::default() };
    message.pose.pose = Pose {
        position: Point { x: state.pose.x, y: state.pose.y, z: 0.0 },
        orientation: Quaternion::from_yaw(state.pose.yaw),
    };
    message.twist.twist.linear.x = state.speed_mps;
    message.twist.twist.angular.z = state.yaw_rate_radps;
    message
}

pub(super) fn acceleration(now: Stamp, state: &VehicleState) -> AccelWithCovarianceStamped {
    let mut message =
        AccelWithCovarianceStamped { header: Header::new(now, EGO_FRAME), ..AccelWithCovarianceStamped::default() };
    message.accel.accel.linear.x = state.acceleration_mps2;
    message
}

pub(super) fn steering(now: Stamp, state: &VehicleState) -> SteeringReport {
    SteeringReport { stamp: now.into(), steering_tire_angle: state.steering_rad as f32 }
}

pub(super) fn transform(now: Stamp, state: &VehicleState) -> TFMessage {
    let transform = Transform {
        translation: Vector3 { x: state.pose.x, y: state.pose.y, z: 0.0 },
        rotation: Quaternion::from_yaw(state.pose.yaw),
    };
    let header = Header::new(now, MAP_FRAME);
    TFMessage { transforms: vec![TransformStamped { header, child_frame_id: EGO_FRAME.into(), transform }] }
}

/// The states of a trajectory; `None` if there are none or any of them is not finite.
pub(super) fn rollout(trajectory: &Trajectory) -> Option<Rollout> {
    let state = |point: &TrajectoryPoint| {
        let position = point.pose.position;
        let pose = Pose2::new(position.x, position.y, point.pose.orientation.yaw_rad());
        let finite = pose.x.is_finite() && pose.y.is_finite() && pose.yaw.is_finite();
        finite.then_some(VehicleState {
            pose,
            speed_mps: point.longitudinal_velocity_mps.into(),
            acceleration_mps2: point.acceleration_mps2.into(),
            steering_rad: point.front_wheel_angle_rad.into(),
            yaw_rate_radps: point.heading_rate_rps.into(),
        })
    };
    let states: Rollout = trajectory.points.iter().map(state).collect::<Option<_>>()?;
    (!states.is_empty()).then_some(states)
}

/// The ego as an odometry message has it: rear axle and speed.
pub(super) fn ego(odometry: &Odometry) -> (Pose2, f64) {
    let pose = &odometry.pose.pose;
    (Pose2::new(pose.position.x, pose.position.y, pose.orientation.yaw_rad()), odometry.twist.twist.linear.x)
}
