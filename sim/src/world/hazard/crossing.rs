//! Who comes out onto the lane: people from behind vehicles, children after a ball or from a bus, animals.

use super::super::stage::Stage;
use super::street::{Plot, Side, Street, Until, Wish};
use super::things;
use tandem_planner::MetaAction;

fn open(stage: Stage, strip_m: f64, rural: bool) -> Street {
    Street::open(stage, Wish { several_lanes: false, lane: Side::Right, strip_m, rural })
}

fn plot(
    street: &Street,
    description: &'static str,
    actors: Vec<usize>,
    actions: Vec<MetaAction>,
    cap_mps: f64,
) -> Plot {
    Plot {
        description,
        actors,
        closed: Vec::new(),
        goes_first: false,
        actions,
        speed_cap_mps: cap_mps,
        over: Until::Passed(street.at_m),
        weather: None,
    }
}

/// Somebody steps out in front of a parked lorry or van.
pub(super) fn jaywalker(stage: Stage) -> (Street, Plot) {
    let mut street = open(stage, 2.4, false);
    let (at_m, edge_m) = (street.at_m, street.layout.lane_m / 2.0);
    let vehicle = things::tall_vehicle(&mut street.stage);
    let aside_m = edge_m + street.layout.parking_m / 2.0;
    let ahead_m = street.stage.draw(0.9, 1.5);
    street.put(vehicle, at_m - ahead_m - vehicle.size[0] / 2.0, -aside_m, 0.0);
    let (walker, speed_mps) = (things::person(&mut street.stage), street.stage.draw(1.5, 2.3));
    let from_m = edge_m + street.stage.draw(1.0, 1.6);
    let (start_s, to_m) = (street.start_s(from_m, speed_mps), street.far_kerb_m() + 1.2);
    let walker = street.crosses(walker, at_m, [-from_m, to_m], start_s, speed_mps);
    let cap_mps = street.slow(at_m - 26.0, at_m, 0.5);
    street.parked([at_m - 18.0, at_m + 8.0], 0.6);
    street.traffic(true, true);
    street.yield_to(walker, 0.0);
    let actions = vec![MetaAction::SlowDownRapidly, MetaAction::Stop, MetaAction::Wait];
    let plot = plot(&street, "Somebody steps out from behind a parked vehicle", vec![walker], actions, cap_mps);
    (street, plot)
}

/// A deer or a dog runs across.
pub(super) fn animal(mut stage: Stage) -> (Street, Plot) {
    let is_deer = stage.chance(0.6);
    let mut street = open(stage, 0.0, is_deer);
    let at_m = street.at_m;
    let (animal, speed_mps) = match is_deer {
        true => (things::deer(&mut street.stage), street.stage.draw(3.0, 6.0)),
        false => (things::dog(&mut street.stage), street.stage.draw(2.2, 4.0)),
    };
    let from_right = street.stage.chance(0.6);
    let beyond_m = street.stage.draw(1.5, 4.0);
    let (right_m, left_m) = (-street.kerb_m() - beyond_m, street.far_kerb_m() + beyond_m);
    let ends = if from_right { [right_m, left_m] } else { [left_m, right_m] };
    let start_s = street.start_s(ends[0].abs(), speed_mps);
    let animal = street.crosses(animal, at_m, ends, start_s, speed_mps);
    let cap_mps = street.slow(at_m - 22.0, at_m, 0.45);
    street.parked([at_m - 20.0, at_m + 12.0], 0.4);
    street.traffic(true, true);
    // It stands at the roadside before.
    street.yield_to(animal, 2.0);
    let words = if is_deer { "A deer runs across the road" } else { "A dog runs across the road" };
    let actions = vec![MetaAction::SlowDownRapidly, MetaAction::Stop, MetaAction::Wait];
    let plot = plot(&street, words, vec![animal], actions, cap_mps);
    (street, plot)
}

/// A ball rolls out between parked cars, and a child runs after it.
pub(super) fn ball(stage: Stage) -> (Street, Plot) {
    let mut street = open(stage, 2.2, false);
    let (at_m, edge_m) = (street.at_m, street.layout.lane_m / 2.0);
    let (child, speed_mps) = (things::child(&mut street.stage), street.stage.draw(2.2, 3.2));
    let from_m = edge_m + street.stage.draw(1.6, 2.2);
    let (start_s, to_m) = (street.start_s(from_m, speed_mps), street.far_kerb_m() + 1.0);
    let child = street.crosses(child, at_m, [-from_m, to_m], start_s, speed_mps);
    let (ball, ball_mps) = (things::ball(&mut street.stage), street.stage.draw(2.4, 3.4));
    let (ahead_m, before_s) = (street.stage.draw(0.6, 1.4), street.stage.draw(1.2, 2.0));
    let ball = street.crosses(ball, at_m + ahead_m, [-from_m, to_m], (start_s - before_s).max(0.0), ball_mps);
    for along_m in [at_m - street.stage.draw(3.6, 4.2), at_m + street.stage.draw(4.4, 5.2)] {
        let car = things::car(&mut street.stage);
        street.put(car, along_m, -(edge_m + street.layout.parking_m / 2.0), 0.0);
    }
    let cap_mps = street.slow(at_m - 24.0, at_m, 0.45);
    street.parked([at_m - 9.0, at_m + 10.0], 0.75);
    street.traffic(true, true);
    [ball, child].into_iter().for_each(|walker| street.yield_to(walker, 0.0));
    let actions = vec![MetaAction::SlowDownRapidly, MetaAction::Stop, MetaAction::Wait];
    let plot =
        plot(&street, "A ball rolls onto the road, and a child runs after it", vec![ball, child], actions, cap_mps);
    (street, plot)
}

/// A school bus has stopped, and children cross in front of it.
pub(super) fn school_bus(stage: Stage) -> (Street, Plot) {
    let mut street = open(stage, 2.9, false);
    let (at_m, edge_m) = (street.at_m, street.layout.lane_m / 2.0);
    let bus = things::school_bus(&mut street.stage);
    let aside_m = edge_m + 0.1 + bus.size[1] / 2.0;
    let bus = street.put(bus, at_m - 1.4 - bus.size[0] / 2.0, -aside_m, 0.0);
    let mut actors = vec![bus];
    let to_m = street.far_kerb_m() + 1.2;
    for number in 0..street.stage.draw(1.0, 4.0) as usize {
        let (child, speed_mps) = (things::child(&mut street.stage), street.stage.draw(1.4, 2.4));
        let from_m = edge_m + street.stage.draw(1.0, 1.8);
        let start_s = street.start_s(from_m, speed_mps) + 0.9 * number as f64;
        actors.push(street.crosses(child, at_m + 0.7 * number as f64, [-from_m, to_m], start_s, speed_mps));
    }
    let mut actions = vec![MetaAction::SlowDown, MetaAction::Stop, MetaAction::Wait];
    actions.push(MetaAction::GoStraightSlowly);
    let cap_mps = street.slow(at_m - 30.0, at_m + 4.0, 0.4);
    street.parked([at_m - 26.0, at_m + 12.0], 0.4);
    street.traffic(true, true);
    actors[1..].iter().for_each(|&child| street.yield_to(child, 0.0));
    let plot = plot(&street, "Children cross in front of a school bus", actors, actions, cap_mps);
    (street, plot)
}
