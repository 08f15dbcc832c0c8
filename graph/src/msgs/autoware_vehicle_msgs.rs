//! What an Autoware vehicle reports.

use super::builtin_interfaces::Time;

message! {
    /// The steering angle.
    #[derive(Copy)]
    autoware_vehicle_msgs::SteeringReport {
        /// When.
        stamp: Time,
        /// Angle of the front wheels, rad, left positive.
        steering_tire_angle: f32,
    }
}
