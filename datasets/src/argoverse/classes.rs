//! What Argoverse 2 calls things, and what that is in common terms.

use crate::log::Class;

/// The class of an annotation (av2-api `datasets/sensor/constants.py`, `AnnotationCategories`).
pub(super) fn of_annotation(category: &str) -> Class {
    match category {
        "REGULAR_VEHICLE" => Class::Car,
        "BOX_TRUCK" | "LARGE_VEHICLE" | "TRUCK" | "TRUCK_CAB" => Class::Truck,
        "ARTICULATED_BUS" | "BUS" | "RAILED_VEHICLE" | "SCHOOL_BUS" => Class::Bus,
        "MESSAGE_BOARD_TRAILER" | "TRAFFIC_LIGHT_TRAILER" | "VEHICULAR_TRAILER" => Class::Trailer,
        "MOTORCYCLE" | "MOTORCYCLIST" => Class::Motorcycle,
        "BICYCLE" | "BICYCLIST" | "WHEELED_RIDER" => Class::Bicycle,
        "OFFICIAL_SIGNALER" | "PEDESTRIAN" | "STROLLER" | "WHEELCHAIR" => Class::Pedestrian,
        "ANIMAL" | "DOG" => Class::Animal,
        "CONSTRUCTION_BARREL" | "CONSTRUCTION_CONE" => Class::Cone,
        _ => Class::Other,
    }
}

/// The class of a forecasting track (av2-api `datasets/motion_forecasting/data_schema.py`, `ObjectType`).
pub(super) fn of_object_type(object_type: &str) -> Class {
    match object_type {
        "vehicle" => Class::Car,
        "bus" => Class::Bus,
        "motorcyclist" => Class::Motorcycle,
        "cyclist" | "riderless_bicycle" => Class::Bicycle,
        "pedestrian" => Class::Pedestrian,
        _ => Class::Other,
    }
}
