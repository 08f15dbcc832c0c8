//! Boxes followed over time: those of a frame become sightings of tracks in the map, and tracks correct the boxes.
//!
//! A box alone is as good as one look. Its track has seen the thing before, knows by how far it moved, and so places it
//! better and tells better how fast it is; its futures go on from there.

use nalgebra::{Isometry3, Matrix2, Point3, Rotation2, Vector2, Vector3};
use tandem_datasets::DetectionClass;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::log::planar;
use tandem_graph::Stamp;

use crate::decode::SeenBox;
use crate::track::{Detection, TrackedObject, Tracker, TrackerConfig};
use crate::truth::FORECAST_STEP_S;

/// Cameras tell bearings better than distances: standard deviations of a place along the ray and across it, m and their
/// rise with the distance, about the errors on worlds that the network was not trained on.
const ALONG_M: [f64; 2] = [0.12, 0.036];
const ACROSS_M: [f64; 2] = [0.24, 0.0072];

/// The share of a wrong speed that a network's futures do not allow for themselves: they were learnt beside speeds that
/// were as wrong. Set on worlds 300000 to 300009.
const NOT_ALLOWED_FOR: f64 = 0.7;

/// Follows the boxes of a network.
#[derive(Debug, Clone)]
pub struct Follower {
    tracker: Tracker,
    /// Of the latest frame.
    detections: Vec<Detection>,
}

impl Default for Follower {
    fn default() -> Self {
        Self { tracker: Tracker::new(TrackerConfig::default()), detections: Vec::new() }
    }
}

impl Follower {
    /// Takes in the boxes of a frame, gives those that belong to an object its place, heading and velocity, and returns
    /// the objects, which say by [`TrackedObject::seen_as`] which box is theirs.
    pub fn follow(&mut self, stamp: Stamp, map_from_ego: &Isometry3<f64>, boxes: &mut [SeenBox]) -> &[TrackedObject] {
        self.detections.clear();
        self.detections.extend(boxes.iter().map(|seen| detection(seen, map_from_ego)));
        let objects = self.tracker.update(stamp, &self.detections);
        let ego_from_map = map_from_ego.inverse();
        for object in objects {
            if let Some(seen) = object.seen_as.and_then(|index| boxes.get_mut(index)) {
                correct(seen, object, &ego_from_map);
            }
        }
        objects
    }
}

/// A box as a detection in the map.
fn detection(seen: &SeenBox, map_from_ego: &Isometry3<f64>) -> Detection {
    let yaw_rad = planar(map_from_ego).yaw;
    let velocity_mps = turned(seen.velocity_mps, map_from_ego);
    Detection {
        class: seen.class,
        center: (map_from_ego * Point3::from(seen.center)).into(),
        size: seen.size,
        yaw_rad: wrap_angle(seen.yaw_rad + yaw_rad),
        // Half a second of walking is less than a cell: what the network says of it is a guess, and its places tell more.
        velocity_mps: (seen.class != DetectionClass::Pedestrian).then_some(velocity_mps),
        score: seen.score,
        covariance: Some(covariance(seen.center, yaw_rad)),
    }
}

/// The covariance in the map of a place seen in the frame of a vehicle that looks along `yaw_rad`, m².
fn covariance([x, y, _]: [f64; 3], yaw_rad: f64) -> Matrix2<f64> {
    let distance_m = x.hypot(y);
    let variance = |[base_m, rise]: [f64; 2]| (base_m + rise * distance_m).powi(2);
    let turn = Rotation2::new(yaw_rad + y.atan2(x)).into_inner();
    turn * Matrix2::from_diagonal(&Vector2::new(variance(ALONG_M), variance(ACROSS_M))) * turn.transpose()
}

/// A velocity along the axes of one frame, along those of another.
pub(crate) fn turned([x, y]: [f64; 2], to_from: &Isometry3<f64>) -> [f64; 2] {
    let turned = to_from * Vector3::new(x, y, 0.0);
    [turned.x, turned.y]
}

/// Gives a box what is known of its object.
fn correct(seen: &mut SeenBox, object: &TrackedObject, ego_from_map: &Isometry3<f64>) {
    let center: [f64; 3] = (ego_from_map * Point3::from(object.center)).into();
    let velocity_mps = turned(object.velocity_mps, ego_from_map);
    for future in seen.futures.iter_mut().flatten() {
        for (step, position) in (1..).zip(&mut future.positions) {
            for axis in 0..2 {
                let faster_mps = NOT_ALLOWED_FOR * (velocity_mps[axis] - seen.velocity_mps[axis]);
                position[axis] += center[axis] - seen.center[axis] + faster_mps * FORECAST_STEP_S * f64::from(step);
            }
        }
    }
    (seen.center, seen.velocity_mps) = (center, velocity_mps);
    seen.yaw_rad = wrap_angle(object.yaw_rad + planar(ego_from_map).yaw);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Future;
    use crate::model::heads::{FORECAST_STEPS, MODES};

    fn car(center: [f64; 3], velocity_mps: [f64; 2]) -> SeenBox {
        let positions = std::array::from_fn(|step| {
            let seconds = FORECAST_STEP_S * (step + 1) as f64;
            [center[0] + velocity_mps[0] * seconds, center[1] + velocity_mps[1] * seconds]
        });
        SeenBox {
            class: DetectionClass::Car,
            score: 0.8,
            center,
            size: [4.5, 1.9, 1.6],
            yaw_rad: 0.0,
            velocity_mps,
            attribute: None,
            futures: Some([Future { probability: 1.0, positions }; MODES]),
        }
    }

    #[test]
    fn a_car_said_to_stand_gets_the_speed_at_which_its_places_move_and_futures_of_that_speed() {
        let mut follower = Follower::default();
        for step in 0..20 {
            let seconds = 0.2 * f64::from(step);
            // The vehicle drives and turns; the car goes north at 6 m/s beside it.
            let turned = nalgebra::UnitQuaternion::from_axis_angle(&Vector3::z_axis(), 0.1 * seconds);
            let map_from_ego = Isometry3::from_parts(nalgebra::Translation3::new(2.0 * seconds, 0.0, 0.0), turned);
            let there = Point3::new(15.0, 6.0 * seconds, 0.8);
            let mut boxes = [car((map_from_ego.inverse() * there).into(), [0.0; 2])];
            let objects = follower.follow(Stamp::from_seconds(seconds), &map_from_ego, &mut boxes);
            if step < 10 {
                continue;
            }
            let [object] = objects else { panic!("one car: {objects:?}") };
            assert_eq!(object.seen_as, Some(0));
            let velocity = map_from_ego * Vector3::new(boxes[0].velocity_mps[0], boxes[0].velocity_mps[1], 0.0);
            assert!((velocity.y - 6.0).abs() < 1.0 && velocity.x.abs() < 0.5, "{velocity}");
            let [x, y] = boxes[0].futures.unwrap()[0].positions[FORECAST_STEPS - 1];
            let later = map_from_ego * Point3::new(x, y, 0.0);
            assert!((later.y - there.y - 0.7 * 18.0).abs() < 3.5 && (later.x - 15.0).abs() < 1.5, "{later}");
        }
    }

    #[test]
    fn places_are_less_sure_along_the_ray() {
        let [[xx, _], [_, yy]] = covariance([20.0, 0.0, 0.0], 0.0).into();
        assert!(xx > 4.0 * yy);
        // A vehicle that looks north and sees something ahead.
        let [[xx, _], [_, yy]] = covariance([20.0, 0.0, 0.0], std::f64::consts::FRAC_PI_2).into();
        assert!(yy > 4.0 * xx);
    }
}
