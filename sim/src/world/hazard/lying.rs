//! What lies or stands on the lane: fallen cargo, tyres, branches, and cars that broke down.

use std::f64::consts::PI;

use super::super::stage::Stage;
use super::street::{Plot, Side, Street, Until, Wish};
use super::things;
use tandem_planner::MetaAction;

/// How the ego gets past.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// By the next lane.
    NextLane,
    /// Within its lane, over a little.
    Aside,
    /// Not at all.
    Blocked,
}

fn open(mut stage: Stage, strip_m: f64) -> (Street, Way) {
    let way = match stage.draw(0.0, 1.0) {
        p if p < 0.5 => Way::NextLane,
        p if p < 0.8 => Way::Aside,
        _ => Way::Blocked,
    };
    let lane = if stage.chance(0.7) { Side::Right } else { Side::Left };
    let strip_m = if way == Way::Aside { strip_m } else { 0.0 };
    (Street::open(stage, Wish { several_lanes: way == Way::NextLane, lane, strip_m, rural: false }), way)
}

/// Answers what takes up the lane from `from_m` to `to_m`; the actions and the speed cap.
fn answer(street: &mut Street, way: Way, [from_m, to_m]: [f64; 2], aside_m: f64) -> (Vec<MetaAction>, f64) {
    match way {
        Way::NextLane => {
            let change = street.change_lane(from_m);
            (vec![MetaAction::SlowDown, change], street.slow(from_m - 12.0, to_m, 0.75))
        }
        Way::Aside => {
            street.shift(from_m - 42.0, 30.0, aside_m);
            street.shift(to_m + 6.0, 25.0, -aside_m);
            (vec![MetaAction::SlowDown, MetaAction::ShiftSlightlyLeft], street.slow(from_m - 12.0, to_m, 0.55))
        }
        // The reference driver stops behind what is in its way by itself.
        Way::Blocked => {
            (vec![MetaAction::SlowDown, MetaAction::Stop, MetaAction::Wait], street.slow(from_m - 14.0, to_m, 0.5))
        }
    }
}

/// Debris on the lane.
pub(super) fn debris(stage: Stage) -> (Street, Plot) {
    let (mut street, way) = open(stage, 0.0);
    let (at_m, edge_m) = (street.at_m, street.layout.lane_m / 2.0);
    let mut actors = Vec::new();
    let count = if way == Way::Aside { 1 } else { street.stage.draw(1.0, 4.0) as usize };
    for index in 0..count {
        let turned_rad = street.stage.draw(-PI, PI);
        let turn_rad = if way == Way::Aside { 0.0 } else { turned_rad };
        let (thing, left_m) = match way {
            Way::Aside => (things::small_debris(&mut street.stage), -edge_m + street.stage.draw(0.35, 0.5)),
            _ => (things::debris(&mut street.stage), street.stage.draw(-0.5, 0.5)),
        };
        let along_m = at_m + 0.8 + 3.0 * index as f64;
        actors.push(street.put(thing, along_m, left_m, turn_rad));
    }
    let to_m = at_m + 3.0 * count as f64;
    let (actions, speed_cap_mps) = answer(&mut street, way, [at_m, to_m], 0.95);
    street.parked([at_m - 10.0, at_m + 10.0], 0.5);
    street.traffic(true, way != Way::Blocked);
    let plot = Plot {
        description: "Debris lies on the lane",
        actors,
        closed: Vec::new(),
        goes_first: false,
        actions,
        speed_cap_mps,
        over: Until::Passed(to_m),
        weather: None,
    };
    (street, plot)
}

/// A vehicle that broke down, its hazard lights on, a warning triangle behind it.
pub(super) fn stalled(stage: Stage) -> (Street, Plot) {
    let (mut street, way) = open(stage, 1.9);
    let (at_m, edge_m) = (street.at_m, street.layout.lane_m / 2.0);
    let vehicle = things::stalled(&mut street.stage);
    let [length_m, width_m, _] = vehicle.size;
    let left_m = if way == Way::Aside { 0.75 - edge_m - width_m / 2.0 } else { street.stage.draw(-0.3, 0.3) };
    let lean_rad = street.stage.draw(-0.06, 0.06);
    let mut actors = vec![street.put(vehicle, at_m + length_m / 2.0 + 0.4, left_m, lean_rad)];
    if street.stage.chance(0.7) {
        let (triangle, back_m) = (things::triangle(&mut street.stage), street.stage.draw(14.0, 28.0));
        let left_m = -edge_m - street.stage.draw(0.3, 0.5);
        actors.push(street.put(triangle, at_m - back_m, left_m, PI));
    }
    if street.stage.chance(0.6) {
        let driver = things::person(&mut street.stage);
        let (ahead_m, left_m) = (street.stage.draw(1.0, 5.0), -street.kerb_m() - 0.7);
        street.put(driver, at_m + ahead_m, left_m, 1.0);
    }
    let to_m = at_m + length_m + 0.5;
    let (actions, speed_cap_mps) = answer(&mut street, way, [at_m, to_m], 1.05);
    street.parked([at_m - 14.0, at_m + 16.0], 0.5);
    street.traffic(way != Way::Aside, way != Way::Blocked);
    let plot = Plot {
        description: "A car broke down on the lane",
        actors,
        closed: Vec::new(),
        goes_first: false,
        actions,
        speed_cap_mps,
        over: Until::Passed(to_m),
        weather: None,
    };
    (street, plot)
}
