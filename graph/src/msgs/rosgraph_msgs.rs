//! Simulated time.

use super::builtin_interfaces::Time;

message! {
    /// The time now, for nodes that do not use the wall clock.
    #[derive(Copy, Eq)]
    rosgraph_msgs::Clock {
        /// Now.
        clock: Time,
    }
}
