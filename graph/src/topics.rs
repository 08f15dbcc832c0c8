//! The topics of the stack: what each is called, what it carries, and in which frame.

use crate::Topic;
use crate::msgs::autoware_perception_msgs::{PredictedObjects, TrafficLightGroupArray};
use crate::msgs::autoware_planning_msgs::{LaneletRoute, Trajectory};
use crate::msgs::autoware_vehicle_msgs::SteeringReport;
use crate::msgs::diagnostic_msgs::DiagnosticArray;
use crate::msgs::geometry_msgs::AccelWithCovarianceStamped;
use crate::msgs::nav_msgs::{OccupancyGrid, Odometry};
use crate::msgs::sensor_msgs::{CameraInfo, CompressedImage};
use crate::msgs::tandem_msgs::{Embedding, PlanStatus, SceneJudgment, VectorMap};
use crate::msgs::tf2_msgs::TFMessage;

/// Pose of the rear axle in `map`, velocity in `base_link`; captured at the state's time.
pub const ODOMETRY: Topic<Odometry> = Topic::new("/ego/odometry");

/// Acceleration of the ego vehicle: `linear.x` in `base_link`, m/s².
pub const ACCELERATION: Topic<AccelWithCovarianceStamped> = Topic::new("/ego/acceleration");

/// Angle of the front wheels, rad, left positive.
pub const STEERING: Topic<SteeringReport> = Topic::new("/ego/steering");

/// The objects around, in `map`. The object id carries the agent's number; without predicted paths the planner
/// predicts for itself.
pub const OBJECTS: Topic<PredictedObjects> = Topic::new("/perception/objects");

/// Traffic lights; the group's id is the number of the lane that it governs.
pub const SIGNALS: Topic<TrafficLightGroupArray> = Topic::new("/perception/signals");

/// The vector map, latched.
pub const MAP: Topic<VectorMap> = Topic::new("/map/vector");

/// The route, latched. Ids are lane numbers of the map.
pub const ROUTE: Topic<LaneletRoute> = Topic::new("/map/route");

/// What the slow system says.
pub const JUDGMENT: Topic<SceneJudgment> = Topic::new("/slow/judgment");

/// The plan: 41 points 0.1 s apart, the first one now.
pub const TRAJECTORY: Topic<Trajectory> = Topic::new("/planning/trajectory");

/// The planner's account of its plan.
pub const STATUS: Topic<PlanStatus> = Topic::new("/planning/status");

/// The health of every link, once a second.
pub const DIAGNOSTICS: Topic<DiagnosticArray> = Topic::new("/diagnostics");

/// The tree of frames.
pub const TF: Topic<TFMessage> = Topic::new("/tf");

/// The frames that never move, latched: where each camera sits on the vehicle.
pub const TF_STATIC: Topic<TFMessage> = Topic::new("/tf_static");

/// The objects as they truly are in a simulation, in `map`: what its cameras see, and what no planner reads.
pub const SIM_OBJECTS: Topic<PredictedObjects> = Topic::new("/sim/objects");

/// Where vehicles may be around this one, as the fast system sees it: 0 surely, 100 surely not; axes are the vehicle's.
pub const BEV_GRID: Topic<OccupancyGrid> = Topic::new("/perception/grid");

/// The lanes around as the fast system sees them, in `map`: centrelines and nothing else.
pub const SEEN_LANES: Topic<VectorMap> = Topic::new("/perception/lanes");

/// The scene in one vector, to search by.
pub const EMBEDDING: Topic<Embedding> = Topic::new("/perception/embedding");

/// Where the fast system would drive, in `map`: points half a second apart, the first one now.
pub const EGO_PATH: Topic<Trajectory> = Topic::new("/perception/ego_path");

/// The fast system's account of itself: which cameras it does without, and why.
pub const PERCEPTION_STATUS: Topic<DiagnosticArray> = Topic::new("/perception/status");

/// What topics and frames call a camera: its own name in lower case without a leading `cam_`, and `_` for all that a
/// topic's name can't hold. `CAM_FRONT_LEFT` is `front_left`.
pub fn camera_name(camera: &str) -> String {
    let lower = camera.to_lowercase();
    let name = lower.strip_prefix("cam_").unwrap_or(&lower);
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// A camera's images, stamped with the time of exposure: `/camera/<name>/image`, named by [`camera_name`].
pub fn camera_image(camera: &str) -> Topic<CompressedImage> {
    Topic::named(format!("/camera/{}/image", camera_name(camera)))
}

/// A camera's calibration, published before each of its images with the same stamp: `/camera/<name>/camera_info`.
pub fn camera_info(camera: &str) -> Topic<CameraInfo> {
    Topic::named(format!("/camera/{}/camera_info", camera_name(camera)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_named_in_lower_case_without_what_says_that_they_are_cameras() {
        assert_eq!(camera_image("CAM_FRONT_LEFT").name(), "/camera/front_left/image");
        assert_eq!(camera_info("ring_rear_left").name(), "/camera/ring_rear_left/camera_info");
        assert_eq!(camera_name(&camera_name("CAM_BACK")), "back");
        assert_eq!(camera_name("wide angle/2"), "wide_angle_2");
    }
}
