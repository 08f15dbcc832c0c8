//! Stretches of road that can't be driven: construction sites, closed roads, flooded lanes.

use std::f64::consts::{FRAC_PI_2, PI};

use super::super::stage::Stage;
use super::street::{Plot, Side, Street, Until, Wish};
use super::things;
use crate::camera::Weather;
use tandem_planner::MetaAction;

/// A construction site that takes a lane, or a part of it.
pub(super) fn construction(mut stage: Stage) -> (Street, Plot) {
    let takes_lane = stage.chance(0.55);
    let wish = Wish { several_lanes: takes_lane, lane: Side::Right, strip_m: 0.0, rural: false };
    let mut street = Street::open(stage, wish);
    let (at_m, edge_m, kerb_m) = (street.at_m, street.layout.lane_m / 2.0, street.kerb_m());
    let length_m = street.stage.draw(20.0, 34.0);
    let to_m = at_m + length_m;
    // The left border of the site, after a taper that begins at the kerb.
    let border_m = if takes_lane { edge_m - 0.3 } else { 0.75 - edge_m };
    let taper_m = if takes_lane { 16.0 } else { 8.0 };
    let mut actors = Vec::new();
    let mut along_m = at_m;
    while along_m <= to_m {
        let share = ((along_m - at_m) / taper_m).min(1.0);
        let left_m = -kerb_m + (border_m + kerb_m) * share;
        let cone = things::cone(&mut street.stage);
        actors.push(street.put(cone, along_m, left_m, 0.0));
        along_m += if share < 1.0 { 2.2 } else { 4.0 };
    }
    let middle_m = (border_m - kerb_m) / 2.0;
    let barrier = things::barrier(&mut street.stage);
    let inward_m = border_m - 0.2 - barrier.size[1] / 2.0;
    actors.push(street.put(barrier, at_m + taper_m + 1.5, inward_m, 0.0));
    // Machines stand in the site where there is room, else beyond the kerb.
    let digger = things::digger(&mut street.stage);
    let turn_rad = street.stage.draw(-0.3, 0.3);
    let right_m = if takes_lane { middle_m - 0.2 } else { -kerb_m - 1.6 };
    street.put(digger, at_m + length_m * 0.72, right_m, turn_rad);
    for _ in 0..street.stage.draw(1.0, 3.5) as usize {
        let worker = things::worker(&mut street.stage);
        let (along_m, yaw_rad) = (at_m + street.stage.draw(taper_m, length_m * 0.5), street.stage.draw(-PI, PI));
        let left_m = -kerb_m + street.stage.draw(-1.0, 0.4);
        street.put(worker, along_m, left_m, yaw_rad);
    }
    let sign = things::works_sign(&mut street.stage);
    let sign_m = street.stage.draw(25.0, 38.0);
    actors.push(street.put(sign, at_m - sign_m, -kerb_m - 0.8, PI));
    let closed = street.stretch([at_m + taper_m, to_m], [-kerb_m - 0.5, border_m - 0.1], 0.0);
    let (actions, speed_cap_mps) = if takes_lane {
        let change = street.change_lane(at_m + 2.0);
        (vec![MetaAction::SlowDown, change, MetaAction::GoStraightSlowly], street.slow(at_m - 15.0, to_m, 0.6))
    } else {
        street.shift(at_m - 36.0, 30.0, 0.8);
        (vec![MetaAction::SlowDown, MetaAction::ShiftSlightlyLeft], street.slow(at_m - 12.0, to_m, 0.5))
    };
    street.parked([at_m - 20.0, to_m + 8.0], 0.5);
    street.traffic(takes_lane, true);
    let plot = Plot {
        description: if takes_lane {
            "A construction site takes the lane"
        } else {
            "A construction site narrows the lane"
        },
        actors,
        closed: vec![closed],
        goes_first: false,
        actions,
        speed_cap_mps,
        over: Until::Passed(to_m),
        weather: None,
    };
    (street, plot)
}

/// A road closed by signs, and by boards behind them.
pub(super) fn closed_road(mut stage: Stage) -> (Street, Plot) {
    let several_lanes = stage.chance(0.35);
    let lane = if stage.chance(0.5) { Side::Right } else { Side::Left };
    let mut street = Street::open(stage, Wish { several_lanes, lane, strip_m: 0.0, rural: false });
    let (at_m, kerb_m, far_m) = (street.at_m, street.kerb_m(), street.far_kerb_m());
    let mut actors = Vec::new();
    for left_m in [-kerb_m - 0.7, far_m + 0.7] {
        let sign = things::closed_sign(&mut street.stage);
        actors.push(street.put(sign, at_m - 2.0, left_m, PI));
    }
    // Boards some metres behind the signs, with gaps that a car would fit through here and there.
    let boards_m = at_m + street.stage.draw(4.0, 12.0);
    let mut left_m = -kerb_m + 1.3;
    while left_m < far_m - 1.2 {
        let board = things::closure(&mut street.stage);
        let lean_rad = street.stage.draw(-0.12, 0.12);
        actors.push(street.put(board, boards_m, left_m, PI + lean_rad));
        left_m += board.size[1] + street.stage.draw(0.3, 0.9);
    }
    if street.stage.chance(0.5) {
        let (digger, back_m) = (things::digger(&mut street.stage), street.stage.draw(12.0, 25.0));
        street.put(digger, boards_m + back_m, street.layout.lane_m / 2.0, FRAC_PI_2);
    }
    let closed = street.stretch([at_m, at_m + 70.0], [-kerb_m - 0.5, far_m + 0.5], 0.0);
    street.stop_before(at_m - 1.5);
    let speed_cap_mps = street.slow(at_m - 16.0, at_m, 0.5);
    street.parked([at_m - 14.0, at_m + 70.0], 0.4);
    street.traffic(false, false);
    let plot = Plot {
        description: "The road is closed",
        actors,
        closed: vec![closed],
        goes_first: false,
        actions: vec![MetaAction::SlowDown, MetaAction::Stop, MetaAction::Wait],
        speed_cap_mps,
        over: Until::Passed(at_m),
        weather: None,
    };
    (street, plot)
}

/// Water stands on the lane, or on the whole road.
pub(super) fn flood(mut stage: Stage) -> (Street, Plot) {
    let leaves_a_lane = stage.chance(0.6);
    let wish = Wish { several_lanes: leaves_a_lane, lane: Side::Right, strip_m: 0.0, rural: false };
    let weather = if stage.chance(0.6) { Weather::Rain } else { Weather::Clear };
    let mut street = Street::open(stage, wish);
    let (at_m, kerb_m, edge_m) = (street.at_m, street.kerb_m(), street.layout.lane_m / 2.0);
    let to_m = at_m + street.stage.draw(16.0, 30.0);
    let left_m = if leaves_a_lane { edge_m - 0.15 } else { street.far_kerb_m() + 0.8 };
    let water = street.stretch([at_m, to_m], [-kerb_m - 0.8, left_m], 0.5);
    let (actions, speed_cap_mps) = if leaves_a_lane {
        let change = street.change_lane(at_m);
        (vec![MetaAction::SlowDown, change], street.slow(at_m - 10.0, to_m, 0.55))
    } else {
        street.stop_before(at_m - 1.0);
        (vec![MetaAction::SlowDown, MetaAction::Stop, MetaAction::Wait], street.slow(at_m - 16.0, at_m, 0.5))
    };
    street.parked([at_m - 10.0, to_m + 6.0], 0.5);
    street.traffic(leaves_a_lane, leaves_a_lane);
    let plot = Plot {
        description: if leaves_a_lane { "The lane is flooded" } else { "The road is flooded" },
        actors: Vec::new(),
        closed: vec![water],
        goes_first: false,
        actions,
        speed_cap_mps,
        over: Until::Passed(to_m),
        weather: Some(weather),
    };
    (street, plot)
}
