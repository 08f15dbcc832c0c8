//! What stands beside the lanes of a town: parked vehicles, construction sites, bins, bicycles and debris.

use std::f64::consts::{FRAC_PI_2, PI};

use tandem_datasets::Pose2;

use super::super::curve::{Curve, beside};
use super::fleet;
use super::plan::{Plan, Strip};
use super::populate::{NEAR_M, Town, turned};

/// A link's middle in the direction of those who have this side on their right.
pub(super) fn side(plan: &Plan, link: usize, against: bool) -> Curve {
    let reference = &plan.links[link].reference;
    if against { reference.reversed() } else { reference.clone() }
}

/// How far from junctions nothing stands that would hide people at crossings, m.
const CLEAR_M: f64 = 14.0;

/// A construction site beside the lanes: cones and barriers around it, a vehicle, workers and debris within.
pub(super) fn site(town: &mut Town) {
    let on_way = town.stage.chance(0.75);
    let candidates: Vec<_> = if on_way { town.links.clone() } else { (0..town.plan.links.len()).collect() };
    let link = candidates[(town.stage.draw(0.0, 1.0) * candidates.len().min(3) as f64) as usize];
    let against = town.stage.chance(0.5);
    let side = side(town.plan, link, against);
    let length_m = town.stage.draw(16.0, 32.0);
    let room_m = side.length() - length_m - 2.0 * CLEAR_M;
    if room_m < 1.0 {
        return;
    }
    let from_m = CLEAR_M + town.stage.draw(0.0, room_m);
    if !town.take(link, against, [from_m, from_m + length_m]) {
        return;
    }
    let street = &town.plan.streets[town.plan.links[link].street];
    let (inner_m, kerb_m) = (street.half_m() - street.layout.parking_m, street.half_m());
    let edge_m = inner_m + 0.5;
    let at = |along_m: f64, right_m: f64| beside(side.at(from_m + along_m), -right_m);
    // Cones from the kerb to the lane's edge and back, barriers between them.
    let taper_m = 6.0;
    let mut along_m = 0.0;
    while along_m < length_m {
        let share = (along_m / taper_m).min((length_m - along_m) / taper_m).min(1.0);
        let right_m = (kerb_m + 0.4).max(edge_m + 0.3) * (1.0 - share) + edge_m * share;
        let pose = at(along_m, right_m);
        if share < 1.0 || town.stage.chance(0.3) {
            let yaw = town.stage.draw(-PI, PI);
            let kind = fleet::cone(&mut town.stage);
            town.stand(kind, turned(pose, yaw));
            along_m += town.stage.draw(1.6, 2.6);
        } else {
            // A barrier looks across the road.
            let kind = fleet::barrier(&mut town.stage);
            let half_m = kind.size[1] / 2.0;
            let turn_rad = FRAC_PI_2 + town.stage.draw(-0.06, 0.06);
            town.stand(kind, turned(at(along_m + half_m, edge_m), turn_rad));
            along_m += kind.size[1] + town.stage.draw(0.3, 1.2);
        }
    }
    let vehicle = fleet::construction_vehicle(&mut town.stage);
    let right_m = (edge_m + 1.2 + vehicle.size[1] / 2.0).max(kerb_m + town.stage.draw(0.0, 2.0));
    let turn_rad = if town.stage.chance(0.5) { 0.0 } else { PI } + town.stage.draw(-0.25, 0.25);
    town.stand(vehicle, turned(at(length_m * 0.5, right_m), turn_rad));
    for _ in 0..town.stage.draw(1.0, 4.0) as usize {
        let (along_m, right_m) = (town.stage.draw(2.0, length_m - 2.0), kerb_m + town.stage.draw(0.5, 4.0));
        let kind = fleet::worker(&mut town.stage);
        let yaw = town.stage.draw(-PI, PI);
        town.stand(kind, turned(at(along_m, right_m), yaw));
    }
    for _ in 0..town.stage.draw(1.0, 4.0) as usize {
        let (along_m, right_m) = (town.stage.draw(3.0, length_m - 3.0), edge_m + town.stage.draw(1.0, 4.5));
        let kind = fleet::debris(&mut town.stage);
        let yaw = town.stage.draw(-PI, PI);
        town.stand(kind, turned(at(along_m, right_m), yaw));
    }
}

/// A few cones or barriers at the kerb.
pub(super) fn marked_place(town: &mut Town) {
    let link = town.links[(town.stage.draw(0.0, 1.0) * town.links.len().min(2) as f64) as usize];
    let against = town.stage.chance(0.5);
    let side = side(town.plan, link, against);
    let from_m = town.stage.draw(CLEAR_M, (side.length() - CLEAR_M - 8.0).max(CLEAR_M + 1.0));
    if !town.take(link, against, [from_m, from_m + 8.0]) {
        return;
    }
    let kerb_m = town.plan.streets[town.plan.links[link].street].half_m();
    let is_cones = town.stage.chance(0.5);
    for row in 0..town.stage.draw(2.0, 5.0) as usize {
        let pose = beside(side.at(from_m + 3.0 * row as f64), -(kerb_m + 0.7));
        let kind = if is_cones { fleet::cone(&mut town.stage) } else { fleet::barrier(&mut town.stage) };
        let turn_rad = FRAC_PI_2 + town.stage.draw(-0.15, 0.15);
        town.stand(kind, turned(pose, turn_rad));
    }
}

/// Vehicles on the parking strips.
pub(super) fn parked(town: &mut Town) {
    let share = town.stage.draw(0.45, 0.95);
    for link in 0..town.plan.links.len() {
        let street = town.plan.streets[town.plan.links[link].street];
        if street.strip != Strip::Parking {
            continue;
        }
        for against in [false, true] {
            let side = side(town.plan, link, against);
            let mut along_m = CLEAR_M + town.stage.draw(0.0, 4.0);
            while along_m < side.length() - CLEAR_M {
                let kind = fleet::parked(&mut town.stage, street.layout.parking_m);
                let to_m = along_m + kind.size[0];
                let room_m = (street.layout.parking_m - kind.size[1] - 0.05).min(0.5);
                let left_m = -(street.half_m() - kind.size[1] / 2.0 - town.stage.draw(0.0, room_m));
                let place = beside(side.at((along_m + to_m) / 2.0), left_m);
                let fits = to_m < side.length() - CLEAR_M && town.is_near(place.position(), NEAR_M);
                if fits && town.stage.chance(share) && town.take(link, against, [along_m, to_m]) {
                    let around = if town.stage.chance(0.06) { PI } else { 0.0 };
                    let turn_rad = around + town.stage.draw(-0.035, 0.035);
                    town.stand(kind, turned(place, turn_rad));
                }
                along_m = to_m + town.stage.draw(0.6, 2.4);
            }
        }
    }
    // What was taken for parking does not keep people off the pavement.
    town.taken.retain(|(_, _, [from, to])| to - from > 15.0);
}

/// Bins, bicycles, motorcycles and debris along the kerbs, and vehicles on forecourts.
pub(super) fn pavement(town: &mut Town) {
    for link in 0..town.plan.links.len() {
        let kerb_m = town.plan.streets[town.plan.links[link].street].half_m();
        for against in [false, true] {
            let side = side(town.plan, link, against);
            for _ in 0..town.stage.draw(0.0, 4.0) as usize {
                let along_m = town.stage.draw(CLEAR_M, side.length() - CLEAR_M);
                let (kind, turn_rad) = match town.stage.draw(0.0, 1.0) {
                    p if p < 0.35 => (fleet::bicycle(&mut town.stage), town.stage.draw(-0.3, 0.3)),
                    p if p < 0.55 => (fleet::motorcycle(&mut town.stage), town.stage.draw(-0.3, 0.3)),
                    p if p < 0.85 => (fleet::pushable(&mut town.stage), town.stage.draw(-PI, PI)),
                    _ => (fleet::debris(&mut town.stage), town.stage.draw(-PI, PI)),
                };
                let pose = beside(side.at(along_m), -(kerb_m + 0.55));
                if town.is_near(pose.position(), NEAR_M) && town.take(link, against, [along_m - 1.0, along_m + 1.0]) {
                    town.stand(kind, turned(pose, turn_rad));
                }
            }
        }
    }
    town.taken.retain(|(_, _, [from, to])| to - from > 15.0);
}

/// A row of vehicles across the street, on a forecourt beyond the pavement.
pub(super) fn forecourt(town: &mut Town) {
    let link = town.links[(town.stage.draw(0.0, 1.0) * town.links.len().min(3) as f64) as usize];
    let against = town.stage.chance(0.5);
    let side = side(town.plan, link, against);
    let kerb_m = town.plan.streets[town.plan.links[link].street].half_m();
    let count = town.stage.draw(3.0, 9.0) as usize;
    let from_m = town.stage.draw(CLEAR_M + 4.0, (side.length() / 2.0).max(CLEAR_M + 5.0));
    let to_m = from_m + 2.8 * count as f64;
    if to_m > side.length() - CLEAR_M {
        return;
    }
    for space in 0..count {
        let kind = fleet::car(&mut town.stage);
        let pose: Pose2 = beside(side.at(from_m + 2.8 * (space as f64 + 0.5)), -(kerb_m + 4.6 + kind.size[0] / 2.0));
        let turn_rad = if town.stage.chance(0.6) { FRAC_PI_2 } else { -FRAC_PI_2 } + town.stage.draw(-0.06, 0.06);
        if town.stage.chance(0.75) {
            town.stand(kind, turned(pose, turn_rad));
        }
    }
    let ring =
        [(from_m - 0.5, kerb_m), (from_m - 0.5, kerb_m + 10.5), (to_m + 0.5, kerb_m + 10.5), (to_m + 0.5, kerb_m)];
    let exterior = ring.map(|(along_m, right_m)| beside(side.at(along_m), -right_m).position()).to_vec();
    town.stage.map.parts.drivable.push(tandem_datasets::Polygon { exterior, holes: Vec::new() });
}
