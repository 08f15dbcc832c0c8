//! What a log has around its vehicle, as training and evaluation know it.

use nalgebra::{Isometry3, Vector3};
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::log::planar;
use tandem_datasets::{DetectionClass, Log, Track};
use tandem_graph::Stamp;
use tandem_sim::camera::Subject;

use crate::eval::Attribute;
use crate::model::heads::FORECAST_STEPS;
use crate::path::STEPS;
use crate::truth::{EgoFuture, FORECAST_STEP_S, Thing};

/// Slower than this an object stands, m/s.
const STANDING_MPS: f64 = 0.3;

/// An object in the vehicle's frame; `None` for what is in none of the classes.
///
/// States farther apart than `max_gap_ns` are not filled in.
pub(super) fn thing(
    log: &Log,
    subject: &Subject,
    map_from_ego: &Isometry3<f64>,
    stamp: Stamp,
    max_gap_ns: i64,
) -> Option<Thing> {
    let track = &log.tracks[subject.number as usize];
    let class = subject.detection?;
    let ego = planar(map_from_ego);
    let in_ego = |x: f64, y: f64| {
        let point = ego.inverse_transform([x, y].into());
        [point.x, point.y]
    };
    let [x, y] = in_ego(subject.pose.x, subject.pose.y);
    let velocity =
        map_from_ego.inverse_transform_vector(&Vector3::new(subject.velocity_mps[0], subject.velocity_mps[1], 0.0));
    let future = std::array::from_fn(|step| {
        let then = after(stamp, step);
        track.at(then, max_gap_ns).map(|state| in_ego(state.pose.x, state.pose.y))
    });
    debug_assert_eq!(future.len(), FORECAST_STEPS);
    Some(Thing {
        class,
        center: [x, y, subject.z - map_from_ego.translation.z],
        size: subject.size,
        yaw_rad: wrap_angle(subject.pose.yaw - ego.yaw),
        velocity_mps: Some([velocity.x, velocity.y]),
        attribute: attribute(class, track, subject),
        future,
    })
}

/// When a step of a forecast from a stamp is.
fn after(stamp: Stamp, step: usize) -> Stamp {
    stamp.offset_ns(((step + 1) as f64 * FORECAST_STEP_S * 1e9) as i64)
}

/// How the vehicle of a log went on from a stamp, seen from where it is put; `None` where the log does not say.
pub(super) fn ego_future(log: &Log, map_from_ego: &Isometry3<f64>, stamp: Stamp) -> Option<EgoFuture> {
    let ego = planar(map_from_ego);
    let mut positions = [[0.0; 2]; STEPS];
    for (step, position) in positions.iter_mut().enumerate() {
        let then = after(stamp, step);
        let place = planar(&log.ego_at(then)?.map_from_ego).position();
        let point = ego.inverse_transform(place);
        *position = [point.x, point.y];
    }
    Some(EgoFuture { speed_mps: log.ego_at(stamp)?.speed_mps, positions })
}

/// After nuScenes' annotators: parked is who never moves, stopped who stands for now.
fn attribute(class: DetectionClass, track: &Track, subject: &Subject) -> Option<Attribute> {
    let speed = |velocity: [f64; 2]| velocity[0].hypot(velocity[1]);
    let moves = speed(subject.velocity_mps) > STANDING_MPS;
    let ever_moves = || track.states.iter().any(|state| speed(state.velocity_mps) > STANDING_MPS);
    match class {
        DetectionClass::TrafficCone | DetectionClass::Barrier => None,
        DetectionClass::Pedestrian if moves => Some(Attribute::PedestrianMoving),
        DetectionClass::Pedestrian => Some(Attribute::PedestrianStanding),
        DetectionClass::Bicycle | DetectionClass::Motorcycle if ever_moves() => Some(Attribute::CycleWithRider),
        DetectionClass::Bicycle | DetectionClass::Motorcycle => Some(Attribute::CycleWithoutRider),
        _ if moves => Some(Attribute::VehicleMoving),
        _ if ever_moves() => Some(Attribute::VehicleStopped),
        _ => Some(Attribute::VehicleParked),
    }
}
