//! What is found in a town: kinds of vehicles, people and things with nuScenes' categories and sizes that vary.

use tandem_datasets::Class;

use super::super::stage::Stage;

/// A thing of a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub class: Class,
    pub category: &'static str,
    /// Length, width, height, m.
    pub size: [f64; 3],
}

/// Mean size and how far it varies, m; the means are those of nuScenes' training set.
type Spread = [(f64, f64); 3];

fn kind(stage: &mut Stage, class: Class, category: &'static str, spread: Spread) -> Kind {
    // The sum of two draws: most are near the mean.
    let size = spread.map(|(mean, most)| mean + most * (stage.draw(-0.5, 0.5) + stage.draw(-0.5, 0.5)));
    Kind { class, category, size }
}

pub(super) fn car(stage: &mut Stage) -> Kind {
    kind(stage, Class::Car, "vehicle.car", [(4.6, 0.8), (1.95, 0.2), (1.7, 0.35)])
}

pub(super) fn truck(stage: &mut Stage) -> Kind {
    kind(stage, Class::Truck, "vehicle.truck", [(6.9, 2.0), (2.45, 0.3), (2.8, 0.8)])
}

pub(super) fn bus(stage: &mut Stage) -> Kind {
    kind(stage, Class::Bus, "vehicle.bus.rigid", [(11.0, 1.5), (2.85, 0.2), (3.5, 0.4)])
}

pub(super) fn trailer(stage: &mut Stage) -> Kind {
    kind(stage, Class::Trailer, "vehicle.trailer", [(12.0, 2.0), (2.8, 0.2), (3.9, 0.3)])
}

pub(super) fn construction_vehicle(stage: &mut Stage) -> Kind {
    kind(stage, Class::Truck, "vehicle.construction", [(6.4, 1.8), (2.7, 0.3), (3.2, 0.6)])
}

pub(super) fn motorcycle(stage: &mut Stage) -> Kind {
    kind(stage, Class::Motorcycle, "vehicle.motorcycle", [(2.1, 0.3), (0.77, 0.15), (1.5, 0.2)])
}

pub(super) fn bicycle(stage: &mut Stage) -> Kind {
    kind(stage, Class::Bicycle, "vehicle.bicycle", [(1.7, 0.2), (0.6, 0.12), (1.3, 0.25)])
}

pub(super) fn person(stage: &mut Stage) -> Kind {
    match stage.draw(0.0, 1.0) {
        p if p < 0.90 => {
            kind(stage, Class::Pedestrian, "human.pedestrian.adult", [(0.73, 0.2), (0.67, 0.15), (1.77, 0.17)])
        }
        p if p < 0.98 => {
            kind(stage, Class::Pedestrian, "human.pedestrian.child", [(0.55, 0.12), (0.5, 0.1), (1.3, 0.25)])
        }
        _ => kind(stage, Class::Pedestrian, "human.pedestrian.police_officer", [(0.73, 0.2), (0.7, 0.15), (1.8, 0.12)]),
    }
}

pub(super) fn worker(stage: &mut Stage) -> Kind {
    let category = "human.pedestrian.construction_worker";
    kind(stage, Class::Pedestrian, category, [(0.75, 0.2), (0.72, 0.15), (1.76, 0.12)])
}

pub(super) fn cone(stage: &mut Stage) -> Kind {
    kind(stage, Class::Cone, "movable_object.trafficcone", [(0.41, 0.08), (0.41, 0.08), (1.07, 0.25)])
}

pub(super) fn barrier(stage: &mut Stage) -> Kind {
    kind(stage, Class::Barrier, "movable_object.barrier", [(0.5, 0.12), (2.5, 0.4), (0.98, 0.1)])
}

pub(super) fn debris(stage: &mut Stage) -> Kind {
    kind(stage, Class::Other, "movable_object.debris", [(1.0, 0.7), (0.9, 0.5), (0.7, 0.45)])
}

/// Bins, trolleys and the like.
pub(super) fn pushable(stage: &mut Stage) -> Kind {
    kind(stage, Class::Other, "movable_object.pushable_pullable", [(0.6, 0.15), (0.6, 0.15), (1.05, 0.2)])
}

/// Somebody who drives in a lane.
pub(super) fn driving(stage: &mut Stage) -> Kind {
    match stage.draw(0.0, 1.0) {
        p if p < 0.74 => car(stage),
        p if p < 0.84 => truck(stage),
        p if p < 0.90 => bus(stage),
        p if p < 0.92 => construction_vehicle(stage),
        _ => motorcycle(stage),
    }
}

/// A vehicle parked on a strip `strip_m` wide.
pub(super) fn parked(stage: &mut Stage, strip_m: f64) -> Kind {
    let mut kind = match stage.draw(0.0, 1.0) {
        p if p < 0.80 => car(stage),
        p if p < 0.87 => truck(stage),
        p if p < 0.90 => bus(stage),
        p if p < 0.95 => trailer(stage),
        p if p < 0.97 => construction_vehicle(stage),
        _ => motorcycle(stage),
    };
    kind.size[1] = kind.size[1].min(strip_m - 0.05);
    kind
}
