//! The ego vehicle's state as odometry.

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};
use tandem_graph::Stamp;
use tandem_graph::msgs::geometry_msgs;
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::msgs::std_msgs::Header;

use super::{EGO_FRAME, MAP_FRAME};
use crate::log::EgoState;

/// An ego state as odometry: the rear axle's pose in `map`, speed and yaw rate in `base_link`.
pub fn odometry(state: &EgoState) -> Odometry {
    let mut odometry = Odometry {
        header: Header::new(state.stamp, MAP_FRAME),
        child_frame_id: EGO_FRAME.to_owned(),
        ..Odometry::default()
    };
    let (position, rotation) = (&state.map_from_ego.translation, &state.map_from_ego.rotation);
    odometry.pose.pose.position = geometry_msgs::Point { x: position.x, y: position.y, z: position.z };
    odometry.pose.pose.orientation =
        geometry_msgs::Quaternion { x: rotation.i, y: rotation.j, z: rotation.k, w: rotation.w };
    odometry.twist.twist.linear.x = state.speed_mps;
    odometry.twist.twist.angular.z = state.yaw_rate_radps;
    odometry
}

/// The ego state behind odometry. A rotation of length zero, as of a message never filled, is no rotation.
pub fn ego_state(odometry: &Odometry) -> EgoState {
    let geometry_msgs::Pose { position, orientation } = odometry.pose.pose;
    let quaternion = Quaternion::new(orientation.w, orientation.x, orientation.y, orientation.z);
    let rotation = if (quaternion.norm() - 1.0).abs() < 1e-9 {
        // Already of unit length: kept to the last bit.
        UnitQuaternion::new_unchecked(quaternion)
    } else {
        UnitQuaternion::try_new(quaternion, 1e-9).unwrap_or_default()
    };
    EgoState {
        stamp: Stamp::from(odometry.header.stamp),
        map_from_ego: Isometry3::from_parts(Translation3::new(position.x, position.y, position.z), rotation),
        speed_mps: odometry.twist.twist.linear.x,
        yaw_rate_radps: odometry.twist.twist.angular.z,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ego_state_comes_back_to_the_last_bit() {
        let state = EgoState {
            stamp: Stamp::from_ns(1_532_402_927_647_951_000),
            map_from_ego: Isometry3::new(
                nalgebra::Vector3::new(411.3, 1180.9, -0.2),
                nalgebra::Vector3::new(0.01, -0.02, 1.9),
            ),
            speed_mps: 8.75,
            yaw_rate_radps: -0.031,
        };
        assert_eq!(ego_state(&odometry(&state)), state);
    }
}
