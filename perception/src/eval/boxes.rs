//! True and detected boxes of a sample, in the map, wherever they come from.

use std::f64::consts::{PI, TAU};

use nalgebra::Point3;
use serde::{Deserialize, Serialize};
use tandem_datasets::{Box3, DetectionClass};

/// What a thing is doing (nuscenes-devkit `eval/detection/constants.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attribute {
    /// A walker.
    #[serde(rename = "pedestrian.moving")]
    PedestrianMoving,
    /// Someone who sits or lies.
    #[serde(rename = "pedestrian.sitting_lying_down")]
    PedestrianSitting,
    /// Someone who stands.
    #[serde(rename = "pedestrian.standing")]
    PedestrianStanding,
    /// A cycle with someone on it.
    #[serde(rename = "cycle.with_rider")]
    CycleWithRider,
    /// A cycle left alone.
    #[serde(rename = "cycle.without_rider")]
    CycleWithoutRider,
    /// A vehicle that moves.
    #[serde(rename = "vehicle.moving")]
    VehicleMoving,
    /// A vehicle that stands for long.
    #[serde(rename = "vehicle.parked")]
    VehicleParked,
    /// A vehicle that stands for now.
    #[serde(rename = "vehicle.stopped")]
    VehicleStopped,
}

impl Attribute {
    const NAMES: [(Self, &str); 8] = [
        (Self::PedestrianMoving, "pedestrian.moving"),
        (Self::PedestrianSitting, "pedestrian.sitting_lying_down"),
        (Self::PedestrianStanding, "pedestrian.standing"),
        (Self::CycleWithRider, "cycle.with_rider"),
        (Self::CycleWithoutRider, "cycle.without_rider"),
        (Self::VehicleMoving, "vehicle.moving"),
        (Self::VehicleParked, "vehicle.parked"),
        (Self::VehicleStopped, "vehicle.stopped"),
    ];

    /// The attribute of that name in nuScenes' tables.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(attribute, _)| *attribute)
    }
}

/// A box that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthBox {
    /// What it is.
    pub class: DetectionClass,
    /// Its centre in the map, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Radians from the map's x axis, counter-clockwise.
    pub yaw_rad: f64,
    /// Along the map's axes, m/s; `None` where it is not known, so that no velocity error counts.
    pub velocity_mps: Option<[f64; 2]>,
    /// `None` where it has none, so that no attribute error counts.
    pub attribute: Option<Attribute>,
    /// Whether any sensor saw it; boxes that none saw do not count.
    pub is_seen: bool,
}

/// A box that was detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedBox {
    /// What it is taken for.
    pub class: DetectionClass,
    /// Its centre in the map, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Radians from the map's x axis, counter-clockwise.
    pub yaw_rad: f64,
    /// Along the map's axes, m/s.
    pub velocity_mps: [f64; 2],
    /// What it seems to be doing.
    pub attribute: Option<Attribute>,
    /// The confidence; higher is surer.
    pub score: f64,
}

/// All boxes at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// A name that is its own.
    pub token: String,
    /// What results can be told apart by, such as the weather; empty for none.
    pub tag: String,
    /// Where the ego is in the map, m.
    pub ego: [f64; 2],
    /// What is there.
    pub truth: Vec<TruthBox>,
    /// What was detected.
    pub detections: Vec<DetectedBox>,
    /// Racks; cycles in them do not count, true or detected.
    pub bicycle_racks: Vec<Box3>,
}

impl Sample {
    /// Distance of a point from the ego on the ground, m.
    pub(crate) fn ego_distance_m(&self, center: [f64; 3]) -> f64 {
        let [dx, dy] = [center[0] - self.ego[0], center[1] - self.ego[1]];
        (dx * dx + dy * dy).sqrt()
    }

    /// The sample with only the boxes that count: within their class's range, seen, and not in a bicycle rack
    /// (nuscenes-devkit `eval/common/loaders.py`, `filter_eval_boxes`).
    pub fn counted(&self) -> Self {
        let counts = |class: DetectionClass, center: [f64; 3]| {
            let is_cycle = matches!(class, DetectionClass::Bicycle | DetectionClass::Motorcycle);
            self.ego_distance_m(center) < class.range_m()
                && !(is_cycle && self.bicycle_racks.iter().any(|rack| contains(rack, center)))
        };
        self.kept(|truth| truth.is_seen && counts(truth.class, truth.center), |found| counts(found.class, found.center))
    }

    /// The sample with only some of its boxes.
    pub(crate) fn kept(&self, truth: impl Fn(&TruthBox) -> bool, detections: impl Fn(&DetectedBox) -> bool) -> Self {
        Self {
            token: self.token.clone(),
            tag: self.tag.clone(),
            ego: self.ego,
            truth: self.truth.iter().copied().filter(truth).collect(),
            detections: self.detections.iter().copied().filter(detections).collect(),
            bicycle_racks: Vec::new(),
        }
    }
}

/// Whether a point lies in a box or on its surface.
fn contains(body: &Box3, point: [f64; 3]) -> bool {
    let local = body.map_from_box.inverse_transform_point(&Point3::from(point));
    (0..3).all(|axis| local[axis].abs() <= body.size[axis] / 2.0)
}

/// The yaw of a quaternion w, x, y, z of any length, rad: that of the turned x axis, seen from above.
pub fn yaw_of([w, x, y, z]: [f64; 4]) -> f64 {
    (2.0 * (x * y + w * z)).atan2(w * w + x * x - y * y - z * z)
}

/// The quaternion w, x, y, z of an upright box.
pub fn rotation_of(yaw_rad: f64) -> [f64; 4] {
    let (sin, cos) = (yaw_rad / 2.0).sin_cos();
    [cos, 0.0, 0.0, sin]
}

/// One minus the intersection over union of two boxes laid upon each other, centres and axes aligned.
pub(crate) fn scale_error(truth: [f64; 3], found: [f64; 3]) -> f64 {
    let volume = |size: [f64; 3]| size.iter().product::<f64>();
    let shared = volume(std::array::from_fn(|axis| truth[axis].min(found[axis])));
    1.0 - shared / (volume(truth) + volume(found) - shared)
}

/// The angle between two headings that are the same after `period_rad` (a full turn, or half of one), rad in [0, π].
pub(crate) fn yaw_error(a_rad: f64, b_rad: f64, period_rad: f64) -> f64 {
    let difference = (a_rad - b_rad + period_rad / 2.0).rem_euclid(period_rad) - period_rad / 2.0;
    if difference > PI { (difference - TAU).abs() } else { difference.abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barrier_turned_by_half_is_the_same_barrier() {
        assert!(yaw_error(0.2, 0.2 + PI, PI) < 1e-12);
        assert!((yaw_error(0.2, 0.2 + PI, TAU) - PI).abs() < 1e-12);
        assert!((yaw_error(3.1, -3.1, TAU) - (TAU - 6.2)).abs() < 1e-12);
    }

    #[test]
    fn yaw_and_quaternion_are_inverse() {
        for yaw in [-3.0, -0.5, 0.0, 1.2, 3.1] {
            let doubled = rotation_of(yaw).map(|part| 2.0 * part);
            assert!((yaw_of(doubled) - yaw).abs() < 1e-12);
        }
    }

    #[test]
    fn a_box_twice_as_long_overlaps_by_half() {
        assert!((scale_error([2.0, 2.0, 2.0], [4.0, 2.0, 2.0]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_names_of_attributes_are_those_of_the_files() {
        for (attribute, name) in Attribute::NAMES {
            assert_eq!(serde_json::to_value(attribute).unwrap(), name);
        }
    }
}
