//! The ten object classes of the nuScenes detection task, shared by networks, metrics and exports.

use serde::{Deserialize, Serialize};

use crate::log::{Class, Track};

/// A class of the nuScenes detection task (nuscenes-devkit `eval/detection/constants.py`), in the order of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectionClass {
    /// A passenger car, van or pick-up.
    Car,
    /// A lorry.
    Truck,
    /// A bus, rigid or bendy.
    Bus,
    /// A trailer.
    Trailer,
    /// An excavator, crane or the like.
    ConstructionVehicle,
    /// A person on foot.
    Pedestrian,
    /// A motorcycle or scooter.
    Motorcycle,
    /// A bicycle.
    Bicycle,
    /// A traffic cone.
    TrafficCone,
    /// A temporary barrier.
    Barrier,
}

/// Categories of the nuScenes taxonomy by prefix, longest first where one begins another
/// (nuscenes-devkit `eval/detection/utils.py`, `category_to_detection_name`).
const CATEGORIES: [(&str, DetectionClass); 12] = [
    ("vehicle.car", DetectionClass::Car),
    ("vehicle.truck", DetectionClass::Truck),
    ("vehicle.bus.", DetectionClass::Bus),
    ("vehicle.trailer", DetectionClass::Trailer),
    ("vehicle.construction", DetectionClass::ConstructionVehicle),
    ("human.pedestrian.adult", DetectionClass::Pedestrian),
    ("human.pedestrian.child", DetectionClass::Pedestrian),
    ("human.pedestrian.construction_worker", DetectionClass::Pedestrian),
    ("human.pedestrian.police_officer", DetectionClass::Pedestrian),
    ("vehicle.motorcycle", DetectionClass::Motorcycle),
    ("movable_object.trafficcone", DetectionClass::TrafficCone),
    ("movable_object.barrier", DetectionClass::Barrier),
];

impl DetectionClass {
    /// All classes, in the order of nuScenes' tables.
    pub const ALL: [Self; 10] = [
        Self::Car,
        Self::Truck,
        Self::Bus,
        Self::Trailer,
        Self::ConstructionVehicle,
        Self::Pedestrian,
        Self::Motorcycle,
        Self::Bicycle,
        Self::TrafficCone,
        Self::Barrier,
    ];

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name in nuScenes' result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Bus => "bus",
            Self::Trailer => "trailer",
            Self::ConstructionVehicle => "construction_vehicle",
            Self::Pedestrian => "pedestrian",
            Self::Motorcycle => "motorcycle",
            Self::Bicycle => "bicycle",
            Self::TrafficCone => "traffic_cone",
            Self::Barrier => "barrier",
        }
    }

    /// The class of that name in nuScenes' result files.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// How far from the ego boxes of this class count, m (nuscenes-devkit `detection_cvpr_2019.json`).
    pub fn range_m(self) -> f64 {
        match self {
            Self::Pedestrian | Self::Motorcycle | Self::Bicycle => 40.0,
            Self::TrafficCone | Self::Barrier => 30.0,
            _ => 50.0,
        }
    }

    /// The class of a nuScenes category such as `vehicle.bus.rigid`; `None` for those that the task leaves out.
    pub fn of_category(category: &str) -> Option<Self> {
        // The rack is the one category that begins like a class and is none.
        if category == "vehicle.bicycle" {
            return Some(Self::Bicycle);
        }
        CATEGORIES.iter().find(|(prefix, _)| category.starts_with(prefix)).map(|(_, class)| *class)
    }

    /// The class of a log's track: by its category where that is one of nuScenes', else by the common class.
    pub fn of(track: &Track) -> Option<Self> {
        if track.source_class.contains('.') {
            return Self::of_category(&track.source_class);
        }
        Self::of_class(track.class)
    }

    /// The class nearest to a common class; `None` for animals and other things.
    pub fn of_class(class: Class) -> Option<Self> {
        Some(match class {
            Class::Car => Self::Car,
            Class::Truck => Self::Truck,
            Class::Bus => Self::Bus,
            Class::Trailer => Self::Trailer,
            Class::Motorcycle => Self::Motorcycle,
            Class::Bicycle => Self::Bicycle,
            Class::Pedestrian => Self::Pedestrian,
            Class::Cone => Self::TrafficCone,
            Class::Barrier => Self::Barrier,
            Class::Animal | Class::Other => return None,
        })
    }

    /// The common class.
    pub fn class(self) -> Class {
        match self {
            Self::Car => Class::Car,
            Self::Truck | Self::ConstructionVehicle => Class::Truck,
            Self::Bus => Class::Bus,
            Self::Trailer => Class::Trailer,
            Self::Pedestrian => Class::Pedestrian,
            Self::Motorcycle => Class::Motorcycle,
            Self::Bicycle => Class::Bicycle,
            Self::TrafficCone => Class::Cone,
            Self::Barrier => Class::Barrier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_found_by_its_name() {
        assert!(DetectionClass::ALL.into_iter().all(|class| DetectionClass::named(class.name()) == Some(class)));
        assert!(DetectionClass::ALL.into_iter().enumerate().all(|(index, class)| class.index() == index));
    }

    #[test]
    fn categories_that_the_task_leaves_out_have_no_class() {
        for category in ["static_object.bicycle_rack", "human.pedestrian.wheelchair", "vehicle.emergency.police"] {
            assert_eq!(DetectionClass::of_category(category), None, "{category}");
        }
        assert_eq!(DetectionClass::of_category("vehicle.bus.rigid"), Some(DetectionClass::Bus));
        assert_eq!(DetectionClass::of_category("vehicle.construction"), Some(DetectionClass::ConstructionVehicle));
    }
}
