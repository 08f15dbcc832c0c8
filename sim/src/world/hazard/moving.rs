//! Vehicles that do what others don't: on duty, against the traffic, out of their line.

use super::super::actor::Shift;
use super::super::stage::Stage;
use super::street::{FRONT_M, Plot, Side, Street, Until, Wish};
use super::things;
use tandem_planner::MetaAction;

/// How far the ego moves aside on a road of one lane and a strip, m.
fn aside_m(street: &Street) -> f64 {
    let half_m = street.plain_ego.size[1] / 2.0;
    (street.kerb_m() - half_m - 0.35).min(1.8)
}

/// An emergency vehicle on duty: it comes from behind, or stands on the lane.
pub(super) fn emergency(mut stage: Stage) -> (Street, Plot) {
    if stage.chance(0.3) { stands(stage) } else { comes(stage) }
}

fn comes(mut stage: Stage) -> (Street, Plot) {
    let several_lanes = stage.chance(0.5);
    let wish = Wish { several_lanes, lane: Side::Left, strip_m: 2.0, rural: false };
    let mut street = Street::open(stage, wish);
    let pass_s = street.at_s + 1.5;
    let speed_mps = street.speed_mps + street.stage.draw(4.5, 7.5);
    let vehicle = things::emergency(&mut street.stage);
    let from_m = street.along_m(pass_s) - speed_mps * pass_s;
    // Where there is one lane it drives along the middle of the road.
    let left_m = if several_lanes { 0.0 } else { street.layout.lane_m / 2.0 - 0.1 };
    let path = street.own.shifted(left_m);
    let vehicle = street.moves(vehicle, path, from_m, speed_mps);
    let from_m = street.along_m(pass_s - 5.0);
    let (move_over, speed_cap_mps) = if several_lanes {
        let side = street.free_side();
        let (over_m, by_m) = (street.speed_mps * 3.2, side.sign() * street.layout.lane_m);
        street.shift(from_m, over_m, by_m);
        (side.change(), street.slow(from_m + FRONT_M + over_m, from_m + over_m + 25.0, 0.6))
    } else {
        let by_m = aside_m(&street);
        street.shift(from_m, street.speed_mps * 2.6, -by_m);
        (MetaAction::ShiftSlightlyRight, street.slow(from_m + 30.0, from_m + 60.0, 0.45))
    };
    street.traffic(several_lanes, false);
    let plot = Plot {
        description: "An emergency vehicle comes from behind",
        actors: vec![vehicle],
        closed: Vec::new(),
        goes_first: true,
        actions: vec![MetaAction::SlowDown, move_over, MetaAction::GoStraightSlowly],
        speed_cap_mps,
        over: Until::Ahead(vehicle),
        weather: None,
    };
    (street, plot)
}

fn stands(mut stage: Stage) -> (Street, Plot) {
    let lane = if stage.chance(0.7) { Side::Right } else { Side::Left };
    let mut street = Street::open(stage, Wish { several_lanes: true, lane, strip_m: 0.0, rural: false });
    let at_m = street.at_m;
    let vehicle = things::emergency(&mut street.stage);
    let (length_m, left_m) = (vehicle.size[0], street.stage.draw(-0.2, 0.2));
    let lean_rad = street.stage.draw(-0.25, 0.25);
    let vehicle = street.put(vehicle, at_m + length_m / 2.0 + 0.4, left_m, lean_rad);
    // What it stands there for.
    let car = things::car(&mut street.stage);
    let (turn_rad, ahead_m) = (street.stage.draw(-0.6, 0.6), street.stage.draw(5.0, 8.0));
    street.put(car, at_m + length_m + ahead_m, -0.2, turn_rad);
    let to_m = at_m + length_m + ahead_m + 3.0;
    let change = street.change_lane(at_m);
    let speed_cap_mps = street.slow(at_m - 15.0, to_m, 0.5);
    street.traffic(true, true);
    let plot = Plot {
        description: "An emergency vehicle stands on the lane with its lights on",
        actors: vec![vehicle],
        closed: Vec::new(),
        goes_first: false,
        actions: vec![MetaAction::SlowDown, change, MetaAction::GoStraightSlowly],
        speed_cap_mps,
        over: Until::Passed(to_m),
        weather: None,
    };
    (street, plot)
}

/// A car comes towards the ego in its own lane.
pub(super) fn wrong_way(mut stage: Stage) -> (Street, Plot) {
    let several_lanes = stage.chance(0.6);
    let mut street = Street::open(stage, Wish { several_lanes, lane: Side::Left, strip_m: 2.0, rural: false });
    let (meet_s, speed_mps) = (street.at_s, street.stage.draw(6.0, 9.0));
    let meet_m = street.along_m(meet_s);
    let car = things::car(&mut street.stage);
    let against = street.own.reversed();
    let from_m = against.length() - (meet_m + FRONT_M + car.size[0] / 2.0 + speed_mps * meet_s);
    let car = street.moves(car, against, from_m, speed_mps);
    let from_m = street.along_m(meet_s - 4.8);
    let (move_over, speed_cap_mps) = if several_lanes {
        let side = street.free_side();
        let (over_m, by_m) = (street.speed_mps * 3.0, side.sign() * street.layout.lane_m);
        street.shift(from_m, over_m, by_m);
        (side.change(), street.slow(from_m + over_m, from_m + over_m + 20.0, 0.6))
    } else {
        // The other drives rather in the middle of the road.
        street.stage.actors[car].shifts.push(Shift { from_m: -1.0, over_m: 1.0, by_m: -0.7 });
        let by_m = aside_m(&street);
        street.shift(from_m, street.speed_mps * 2.6, -by_m);
        (MetaAction::ShiftSlightlyRight, street.slow(from_m + 25.0, from_m + 55.0, 0.4))
    };
    street.traffic(false, false);
    let plot = Plot {
        description: "A car comes the wrong way",
        actors: vec![car],
        closed: Vec::new(),
        goes_first: false,
        actions: vec![MetaAction::SlowDownRapidly, move_over],
        speed_cap_mps,
        over: Until::Behind(car),
        weather: None,
    };
    (street, plot)
}

/// A cyclist at the kerb swerves into the lane.
pub(super) fn cyclist(stage: Stage) -> (Street, Plot) {
    let wish = Wish { several_lanes: false, lane: Side::Right, strip_m: 0.0, rural: false };
    let mut street = Street::open(stage, wish);
    let (edge_m, speed_mps) = (street.layout.lane_m / 2.0, street.stage.draw(3.2, 4.8));
    // It swerves when the ego would be about to pass.
    let rider = things::cyclist(&mut street.stage);
    let swerve_s = street.at_s - 1.1;
    let from_m = street.along_m(street.at_s) + FRONT_M + rider.size[0] / 2.0 - speed_mps * street.at_s;
    let path = street.own.shifted(-edge_m + 0.2);
    let rider = street.moves(rider, path, from_m, speed_mps);
    let swerve_m = from_m + speed_mps * swerve_s;
    let (by_m, over_m) = (street.stage.draw(1.0, 1.5), street.stage.draw(3.5, 5.0));
    let back_m = street.stage.draw(10.0, 16.0);
    for (from_m, by_m) in [(swerve_m, by_m), (swerve_m + back_m, -by_m)] {
        street.stage.actors[rider].shifts.push(Shift { from_m, over_m, by_m });
    }
    // What it swerves around.
    let car = things::car(&mut street.stage);
    if street.layout.parking_m > car.size[1] {
        street.put(car, swerve_m + over_m + 4.0, -edge_m - street.layout.parking_m / 2.0, 0.0);
    }
    let cap_mps = street.slow(street.along_m(swerve_s), street.along_m(street.at_s) + 30.0, 0.5);
    street.parked([street.at_m - 15.0, street.at_m + 25.0], 0.4);
    street.traffic(true, true);
    let plot = Plot {
        description: "A cyclist swerves into the lane",
        actors: vec![rider],
        closed: Vec::new(),
        goes_first: false,
        actions: vec![MetaAction::SlowDown, MetaAction::GoStraightSlowly],
        speed_cap_mps: cap_mps,
        over: Until::Passed(swerve_m + back_m + over_m),
        weather: None,
    };
    (street, plot)
}
