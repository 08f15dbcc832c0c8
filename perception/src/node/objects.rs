//! From boxes and tracks to messages.

use nalgebra::{Isometry3, Point3};
use tandem_datasets::log::planar;
use tandem_datasets::messages::{self, MAP_FRAME, Object};
use tandem_datasets::{Pose2, TrackState};
use tandem_graph::Stamp;
use tandem_graph::msgs::autoware_perception_msgs::{PredictedObject, PredictedObjects, PredictedPath};
use tandem_graph::msgs::autoware_planning_msgs::{Trajectory, TrajectoryPoint};
use tandem_graph::msgs::builtin_interfaces::Duration;
use tandem_graph::msgs::geometry_msgs::{Point, Pose, Quaternion};
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tandem_msgs::{Embedding, MapLane, VectorMap};

use crate::decode::{Future, SeenBox};
use crate::lanes::SeenLane;
use crate::path::EgoPath;
use crate::track::TrackedObject;
use crate::truth::FORECAST_STEP_S;

/// The tracked objects with the futures of the boxes that they were seen as.
pub(super) fn message(
    stamp: Stamp,
    tracked: &[TrackedObject],
    boxes: &[SeenBox],
    map_from_ego: &Isometry3<f64>,
) -> PredictedObjects {
    let object = |tracked: &TrackedObject| {
        let mut message = messages::object(&Object {
            // Ids are counted up from 0; a drive of years stays below 2³².
            number: tracked.id.0 as u32,
            class: tracked.class.class(),
            size: tracked.size,
            state: TrackState {
                stamp,
                pose: Pose2::new(tracked.center[0], tracked.center[1], tracked.yaw_rad),
                z: tracked.center[2],
                velocity_mps: tracked.velocity_mps,
            },
        });
        message.existence_probability = tracked.existence as f32;
        if let Some(seen) = tracked.seen_as.and_then(|index| boxes.get(index)) {
            message.kinematics.predicted_paths =
                seen.futures.iter().flatten().map(|future| path(&message, future, map_from_ego)).collect();
        }
        message
    };
    PredictedObjects { header: Header::new(stamp, MAP_FRAME), objects: tracked.iter().map(object).collect() }
}

/// A future as a path in the map that begins where the object is.
fn path(object: &PredictedObject, future: &Future, map_from_ego: &Isometry3<f64>) -> PredictedPath {
    let now = object.kinematics.initial_pose_with_covariance.pose;
    let mut last = (now.position.x, now.position.y, now.orientation.yaw_rad());
    let mut path = vec![now];
    for [x, y] in future.positions {
        let place = map_from_ego * Point3::new(x, y, 0.0);
        let (dx, dy) = (place.x - last.0, place.y - last.1);
        // What hardly moves keeps its heading.
        let yaw_rad = if dx.hypot(dy) > 0.3 { dy.atan2(dx) } else { last.2 };
        last = (place.x, place.y, yaw_rad);
        path.push(Pose {
            position: Point { x: place.x, y: place.y, z: now.position.z },
            orientation: Quaternion::from_yaw(yaw_rad),
        });
    }
    let time_step = Duration { sec: 0, nanosec: (FORECAST_STEP_S * 1e9) as u32 };
    PredictedPath { path, time_step, confidence: future.probability as f32 }
}

/// Seen lanes as a map of centrelines.
pub(super) fn lanes(stamp: Stamp, lanes: &[SeenLane], map_from_ego: &Isometry3<f64>) -> VectorMap {
    let point = |[x, y]: &[f64; 2]| {
        let place = map_from_ego * Point3::new(*x, *y, 0.0);
        Point { x: place.x, y: place.y, z: place.z }
    };
    let lane = |lane: &SeenLane| MapLane { centerline: lane.points.iter().map(point).collect(), ..MapLane::default() };
    VectorMap { header: Header::new(stamp, MAP_FRAME), lanes: lanes.iter().map(lane).collect(), ..VectorMap::default() }
}

/// The ego path as a trajectory in the map that begins where the vehicle is.
pub(super) fn trajectory(stamp: Stamp, path: &EgoPath, speed_mps: f64, map_from_ego: &Isometry3<f64>) -> Trajectory {
    let ego_yaw_rad = planar(map_from_ego).yaw;
    let places = std::iter::once(([0.0; 3], speed_mps)).chain(path.places.into_iter().zip(path.speeds_mps));
    let point = |(step, ([x, y, yaw], speed_mps)): (usize, ([f64; 3], f64))| {
        let place = map_from_ego * Point3::new(x, y, 0.0);
        TrajectoryPoint {
            time_from_start: Duration::from_ns((step as f64 * FORECAST_STEP_S * 1e9) as i64),
            pose: Pose {
                position: Point { x: place.x, y: place.y, z: place.z },
                orientation: Quaternion::from_yaw(ego_yaw_rad + yaw),
            },
            longitudinal_velocity_mps: speed_mps as f32,
            ..TrajectoryPoint::default()
        }
    };
    Trajectory { header: Header::new(stamp, MAP_FRAME), points: places.enumerate().map(point).collect() }
}

/// The scene's embedding.
pub(super) fn embedding(stamp: Stamp, values: &[f32]) -> Embedding {
    Embedding { header: Header::new(stamp, messages::EGO_FRAME), values: values.to_vec() }
}

/// A pose as a message.
pub(super) fn pose_message(pose: &Isometry3<f64>) -> Pose {
    let (t, q) = (pose.translation, pose.rotation);
    Pose { position: Point { x: t.x, y: t.y, z: t.z }, orientation: Quaternion { x: q.i, y: q.j, z: q.k, w: q.w } }
}
