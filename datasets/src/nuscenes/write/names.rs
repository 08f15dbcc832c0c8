//! The fixed vocabulary of nuScenes: categories, attributes and visibilities, and which of them fits a track.

use crate::log::{Class, Track};

/// All categories (nuscenes-devkit `docs/instructions_nuscenes.md`).
pub(super) const CATEGORIES: [&str; 23] = [
    "human.pedestrian.adult",
    "human.pedestrian.child",
    "human.pedestrian.wheelchair",
    "human.pedestrian.stroller",
    "human.pedestrian.personal_mobility",
    "human.pedestrian.police_officer",
    "human.pedestrian.construction_worker",
    "animal",
    "vehicle.car",
    "vehicle.motorcycle",
    "vehicle.bicycle",
    "vehicle.bus.bendy",
    "vehicle.bus.rigid",
    "vehicle.truck",
    "vehicle.construction",
    "vehicle.emergency.ambulance",
    "vehicle.emergency.police",
    "vehicle.trailer",
    "movable_object.barrier",
    "movable_object.trafficcone",
    "movable_object.pushable_pullable",
    "movable_object.debris",
    "static_object.bicycle_rack",
];

/// All attributes.
pub(super) const ATTRIBUTES: [&str; 8] = [
    "vehicle.moving",
    "vehicle.stopped",
    "vehicle.parked",
    "cycle.with_rider",
    "cycle.without_rider",
    "pedestrian.sitting_lying_down",
    "pedestrian.standing",
    "pedestrian.moving",
];

/// The levels of visibility with their bounds in per cent; their tokens are 1 to 4.
pub(super) const VISIBILITIES: [(&str, u32, u32); 4] =
    [("v0-40", 0, 40), ("v40-60", 40, 60), ("v60-80", 60, 80), ("v80-100", 80, 100)];

/// The token of the level that a visible share in [0, 1] falls into.
pub(super) fn visibility(share: f64) -> String {
    let level = VISIBILITIES.iter().rposition(|(_, from, _)| share * 100.0 >= f64::from(*from)).unwrap_or(0);
    (level + 1).to_string()
}

/// The category of a track: its own where it is one of nuScenes', else the one nearest to its class.
pub(super) fn category(track: &Track) -> &'static str {
    let known = CATEGORIES.into_iter().find(|name| *name == track.source_class);
    known.unwrap_or(match track.class {
        Class::Car => "vehicle.car",
        Class::Truck => "vehicle.truck",
        Class::Bus => "vehicle.bus.rigid",
        Class::Trailer => "vehicle.trailer",
        Class::Motorcycle => "vehicle.motorcycle",
        Class::Bicycle => "vehicle.bicycle",
        Class::Pedestrian => "human.pedestrian.adult",
        Class::Animal => "animal",
        Class::Cone => "movable_object.trafficcone",
        Class::Barrier => "movable_object.barrier",
        Class::Other => "movable_object.debris",
    })
}

/// The attribute of a track at a speed; `moves` tells whether it ever does.
pub(super) fn attribute(track: &Track, speed_mps: f64, moves: bool) -> Option<&'static str> {
    Some(match track.class {
        Class::Bicycle | Class::Motorcycle if moves => "cycle.with_rider",
        Class::Bicycle | Class::Motorcycle => "cycle.without_rider",
        Class::Pedestrian if speed_mps > 0.2 => "pedestrian.moving",
        Class::Pedestrian => "pedestrian.standing",
        Class::Car | Class::Truck | Class::Bus | Class::Trailer => match (speed_mps > 0.2, moves) {
            (true, _) => "vehicle.moving",
            (false, true) => "vehicle.stopped",
            (false, false) => "vehicle.parked",
        },
        Class::Animal | Class::Cone | Class::Barrier | Class::Other => return None,
    })
}
