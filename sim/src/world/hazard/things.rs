//! What hazards are made of: classes, categories and sizes that vary.

use tandem_datasets::Class;

use super::super::stage::Stage;
use crate::camera::Guise;

/// A thing of a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thing {
    pub class: Class,
    pub category: &'static str,
    /// Length, width, height, m.
    pub size: [f64; 3],
}

impl Thing {
    /// A thing whose sides are up to a tenth longer or shorter.
    fn about(stage: &mut Stage, class: Class, category: &'static str, size: [f64; 3]) -> Self {
        Self { class, category, size: size.map(|side| side * stage.draw(0.9, 1.1)) }
    }

    fn guised(stage: &mut Stage, class: Class, guise: Guise, size: [f64; 3]) -> Self {
        Self::about(stage, class, guise.category(), size)
    }
}

pub(super) fn person(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Pedestrian, "human.pedestrian.adult", [0.7, 0.65, 1.74])
}

pub(super) fn child(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Pedestrian, "human.pedestrian.child", [0.5, 0.48, 1.2])
}

pub(super) fn worker(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Pedestrian, "human.pedestrian.construction_worker", [0.75, 0.7, 1.76])
}

pub(super) fn cyclist(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Bicycle, "vehicle.bicycle", [1.75, 0.62, 1.7])
}

pub(super) fn car(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Car, "vehicle.car", [4.6, 1.9, 1.6])
}

/// A lorry or a van that one can't see past.
pub(super) fn tall_vehicle(stage: &mut Stage) -> Thing {
    if stage.chance(0.5) {
        Thing::about(stage, Class::Truck, "vehicle.truck", [7.2, 2.3, 3.0])
    } else {
        Thing { size: [stage.draw(5.2, 5.9), 2.0, stage.draw(2.2, 2.6)], ..car(stage) }
    }
}

pub(super) fn digger(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Truck, "vehicle.construction", [5.8, 2.3, 3.0])
}

pub(super) fn cone(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Cone, "movable_object.trafficcone", [0.4, 0.4, 0.95])
}

/// A barrier, long across its heading.
pub(super) fn barrier(stage: &mut Stage) -> Thing {
    Thing::about(stage, Class::Barrier, "movable_object.barrier", [0.5, 2.0, 1.0])
}

/// A vehicle that stands with its hazard lights on.
pub(super) fn stalled(stage: &mut Stage) -> Thing {
    if stage.chance(0.75) {
        Thing::guised(stage, Class::Car, Guise::StalledCar, [4.5, 1.85, 1.55])
    } else {
        Thing::guised(stage, Class::Truck, Guise::StalledTruck, [7.2, 2.25, 3.0])
    }
}

/// A police car, an ambulance or a fire engine.
pub(super) fn emergency(stage: &mut Stage) -> Thing {
    match stage.draw(0.0, 3.0) as usize {
        0 => Thing::guised(stage, Class::Car, Guise::Police, [4.7, 1.85, 1.6]),
        1 => Thing::guised(stage, Class::Truck, Guise::Ambulance, [5.9, 2.0, 2.6]),
        _ => Thing::guised(stage, Class::Truck, Guise::FireEngine, [7.8, 2.2, 3.0]),
    }
}

pub(super) fn school_bus(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Bus, Guise::SchoolBus, [9.8, 2.35, 3.0])
}

pub(super) fn deer(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Animal, Guise::Deer, [1.75, 0.55, 1.65])
}

pub(super) fn dog(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Animal, Guise::Dog, [0.95, 0.35, 0.7])
}

pub(super) fn ball(stage: &mut Stage) -> Thing {
    let side_m = stage.draw(0.24, 0.36);
    Thing { class: Class::Other, category: Guise::Ball.category(), size: [side_m; 3] }
}

/// Fallen cargo, a tyre, boards or a crown of a tree: what a lorry loses or a storm leaves.
pub(super) fn debris(stage: &mut Stage) -> Thing {
    match stage.draw(0.0, 4.0) as usize {
        0 => Thing::about(stage, Class::Other, "movable_object.debris", [1.1, 1.0, 0.8]),
        1 => Thing::guised(stage, Class::Other, Guise::Tyre, [0.95, 0.95, 0.3]),
        2 => Thing::guised(stage, Class::Other, Guise::Planks, [1.2, 1.6, 0.3]),
        _ => Thing::guised(stage, Class::Other, Guise::Branch, [1.6, 2.2, 1.0]),
    }
}

/// Debris that leaves most of a lane free.
pub(super) fn small_debris(stage: &mut Stage) -> Thing {
    match stage.draw(0.0, 2.0) as usize {
        0 => Thing::about(stage, Class::Other, "movable_object.debris", [0.8, 0.7, 0.6]),
        _ => Thing::guised(stage, Class::Other, Guise::Tyre, [0.75, 0.75, 0.28]),
    }
}

pub(super) fn triangle(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Other, Guise::Triangle, [0.25, 0.6, 0.55])
}

/// A board across a lane, long across its heading.
pub(super) fn closure(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Other, Guise::Closure, [0.6, 2.2, 1.25])
}

pub(super) fn closed_sign(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Other, Guise::ClosedSign, [0.2, 0.85, 2.3])
}

pub(super) fn works_sign(stage: &mut Stage) -> Thing {
    Thing::guised(stage, Class::Other, Guise::WorksSign, [0.2, 0.95, 2.2])
}
