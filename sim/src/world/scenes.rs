//! The situations of generated worlds: each function sets one stage.

use nalgebra::Point2;
use tandem_datasets::{Class, LaneId, Polygon, Pose2};

use super::curve::Curve;
use super::road::{Layout, Road};
use super::stage::{EGO, Stage, green_then_red, red_then_green};

/// Where the recording vehicle starts, m along its lane.
const START_M: f64 = 40.0;

/// Car behind, car ahead, parked row and so on are placed up to here, m along the road.
const REACH_M: f64 = 330.0;

fn layout(stage: &mut Stage, forward: usize, backward: usize, limit_mps: f64) -> Layout {
    Layout { forward, backward, lane_m: stage.draw(3.4, 3.8), parking_m: 0.0, limit_mps }
}

/// A reference line about 480 m long, straight or gently bent, anywhere and in any direction.
fn reference(stage: &mut Stage, bend: bool) -> Curve {
    let yaw = stage.draw(-std::f64::consts::PI, std::f64::consts::PI);
    let start = Curve::start(Pose2::new(stage.draw(-500.0, 500.0), stage.draw(-500.0, 500.0), yaw));
    if !bend {
        return start.straight(480.0);
    }
    let side = if stage.chance(0.5) { 1.0 } else { -1.0 };
    let (radius_m, turn_rad) = (stage.draw(28.0, 110.0), stage.draw(0.6, 1.6));
    let back = if stage.chance(0.5) { -side } else { side };
    start
        .straight(stage.draw(70.0, 120.0))
        .arc(radius_m * turn_rad, side * turn_rad)
        .straight(stage.draw(20.0, 60.0))
        .arc(radius_m * 1.5 * 0.5, back * 0.5)
        .straight(200.0)
}

/// Oncoming traffic, and people on both pavements.
fn surroundings(stage: &mut Stage, road: &Road, layout: &Layout, reference: &Curve) {
    for (_, lane) in road.backward.clone() {
        let speed = layout.limit_mps * 0.9;
        stage.stream(&lane, 20.0, 440.0, (25.0, 80.0), speed);
    }
    let kerb_m = layout.lane_m * layout.forward as f64 + layout.parking_m;
    for _ in 0..stage.draw(2.0, 9.0) as usize {
        let (along_m, aside_m) = (stage.draw(60.0, REACH_M), stage.draw(1.2, 3.0));
        stage.walks_along(reference, along_m, -(kerb_m + aside_m));
    }
}

/// A straight road behind a leader whose speed changes.
pub(super) fn straight(stage: &mut Stage) -> &'static str {
    following(stage, false);
    "A straight road, following a car whose speed changes"
}

/// A winding road behind a leader.
pub(super) fn curve(stage: &mut Stage) -> &'static str {
    following(stage, true);
    "A winding road, following a car whose speed changes"
}

fn following(stage: &mut Stage, bend: bool) {
    let lanes = if stage.chance(0.5) { 2 } else { 1 };
    let limit_mps = if bend { stage.draw(9.0, 13.0) } else { stage.draw(10.0, 16.0) };
    let layout = layout(stage, lanes, 1, limit_mps);
    let reference = reference(stage, bend);
    let road = stage.map.road(&reference, &layout);
    let own = road.forward[lanes - 1].1.clone();
    let speed = limit_mps * stage.draw(0.6, 0.95);
    stage.ego(own.clone(), START_M, speed, limit_mps);
    let (gap_m, slow_s, slow_mps) = (stage.draw(22.0, 40.0), stage.draw(4.0, 8.0), limit_mps * stage.draw(0.0, 0.5));
    let leader = stage.car(&own, START_M + gap_m, speed, limit_mps * 0.9);
    leader.desired = vec![(0.0, limit_mps * 0.9), (slow_s, slow_mps), (slow_s + 5.0, limit_mps)];
    stage.stream(&own, START_M + 75.0, REACH_M, (25.0, 60.0), limit_mps * 0.9);
    for (_, lane) in &road.forward[..lanes - 1] {
        stage.stream(lane, 10.0, REACH_M, (20.0, 50.0), limit_mps);
    }
    surroundings(stage, &road, &layout, &reference);
}

/// Parked cars on both sides, some of them out into the lane.
pub(super) fn parked_cars(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(8.0, 11.0);
    let layout = Layout { parking_m: 2.3, ..layout(stage, 1, 1, limit_mps) };
    let bend = stage.chance(0.3);
    let reference = reference(stage, bend);
    let road = stage.map.road(&reference, &layout);
    let own = road.forward[0].1.clone();
    let speed = limit_mps * stage.draw(0.5, 0.9);
    // A driver keeps half a metre away from the row.
    stage.ego(own.clone(), START_M, speed, limit_mps).shifts.push(super::actor::Shift {
        from_m: START_M - 30.0,
        over_m: 30.0,
        by_m: 0.35,
    });
    let strip_m = layout.lane_m / 2.0 + layout.parking_m / 2.0;
    for side in [-1.0, 1.0] {
        let mut along_m = START_M + stage.draw(5.0, 25.0);
        while along_m < REACH_M {
            let left_m = if side < 0.0 { -strip_m + stage.draw(0.0, 0.3) } else { strip_m + layout.lane_m };
            stage.parked(&own, along_m, left_m);
            along_m += if stage.chance(0.25) { stage.draw(14.0, 30.0) } else { stage.draw(6.5, 9.0) };
        }
    }
    surroundings(stage, &road, &layout, &reference);
    "A street with parked cars on both sides"
}

/// A crossing with people on it, and now and then somebody who crosses elsewhere.
pub(super) fn pedestrians(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(8.0, 12.0);
    let layout = layout(stage, 1, 1, limit_mps);
    let reference = reference(stage, false);
    let road = stage.map.road(&reference, &layout);
    let own = road.forward[0].1.clone();
    let at_m = START_M + stage.draw(50.0, 75.0);
    stage.map.crossing(&reference, at_m, 4.0, layout.lane_m, -layout.lane_m);
    let speed = limit_mps * stage.draw(0.6, 0.9);
    stage.ego(own.clone(), START_M, speed, limit_mps);
    surroundings(stage, &road, &layout, &reference);
    let drivers: Vec<_> =
        (0..stage.actors.len()).filter(|&i| stage.actors[i].motion == super::actor::Motion::Drive).collect();
    let (right_m, left_m) = (-(layout.lane_m / 2.0 + 1.5), layout.lane_m * 1.5 + 1.5);
    for _ in 0..stage.draw(1.0, 5.0) as usize {
        let start_s = stage.draw(0.5, 6.0);
        let ends = if stage.chance(0.6) { (right_m, left_m) } else { (left_m, right_m) };
        let along_m = at_m + stage.draw(-1.5, 1.5);
        let walker = stage.walks_across(&own, along_m, ends.0, ends.1, start_s);
        drivers.iter().for_each(|&driver| stage.give_way(driver, walker));
    }
    let jaywalker = stage.chance(0.5);
    if jaywalker {
        let (along_m, start_s) = (at_m + stage.draw(50.0, 90.0), stage.draw(6.0, 14.0));
        let walker = stage.walks_across(&own, along_m, right_m, left_m, start_s);
        drivers.iter().for_each(|&driver| stage.give_way(driver, walker));
    }
    if jaywalker { "People on a crossing, and a jaywalker after it" } else { "People on a crossing" }
}

/// A car from the next lane moves in ahead.
pub(super) fn cut_in(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(10.0, 16.0);
    let layout = layout(stage, 2, 1, limit_mps);
    let reference = reference(stage, false);
    let road = stage.map.road(&reference, &layout);
    let (left, own) = (road.forward[0].1.clone(), road.forward[1].1.clone());
    let speed = limit_mps * stage.draw(0.8, 0.95);
    stage.ego(own.clone(), START_M, speed, limit_mps * 0.95);
    let (ahead_m, wait_m, over_m) = (stage.draw(16.0, 24.0), stage.draw(15.0, 50.0), stage.draw(30.0, 45.0));
    let cutter = stage.car(&left, START_M + ahead_m, speed + 0.5, limit_mps);
    cutter.desired.push((9.0, limit_mps * 0.8));
    cutter.shifts.push(super::actor::Shift { from_m: START_M + ahead_m + wait_m, over_m, by_m: -layout.lane_m });
    stage.stream(&own, START_M + 90.0, REACH_M, (30.0, 60.0), limit_mps * 0.9);
    stage.stream(&left, START_M + 110.0, REACH_M, (25.0, 60.0), limit_mps);
    surroundings(stage, &road, &layout, &reference);
    "A car from the left lane cuts in"
}

/// Something blocks the lane; the next lane is the way round.
pub(super) fn obstacle(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(8.0, 12.0);
    let layout = layout(stage, 2, 1, limit_mps);
    let reference = reference(stage, false);
    let road = stage.map.road(&reference, &layout);
    let (left, own) = (road.forward[0].1.clone(), road.forward[1].1.clone());
    let speed = limit_mps * stage.draw(0.6, 0.9);
    let at_m = START_M + stage.draw(80.0, 110.0);
    let ego = stage.ego(own.clone(), START_M, speed, limit_mps);
    for (from_m, by_m) in [(at_m - 48.0, layout.lane_m), (at_m + 14.0, -layout.lane_m)] {
        ego.shifts.push(super::actor::Shift { from_m, over_m: 36.0, by_m });
    }
    let broken_down = stage.chance(0.5);
    if broken_down {
        let lean_m = stage.draw(-0.5, 0.2);
        stage.parked(&own, at_m, lean_m);
    } else {
        for row in 0..4 {
            let along_m = at_m - 4.0 + 2.5 * f64::from(row);
            stage.still(
                Class::Cone,
                [0.4, 0.4, 0.8],
                &own,
                along_m,
                layout.lane_m / 2.0 - 0.3 - 0.5 * f64::from(3 - row),
            );
        }
        stage.still(Class::Barrier, [0.6, 2.2, 1.1], &own, at_m + 5.0, 0.0);
    }
    stage.stream(&left, START_M + 70.0, REACH_M, (40.0, 80.0), limit_mps);
    surroundings(stage, &road, &layout, &reference);
    if broken_down { "A broken-down vehicle blocks the lane" } else { "A construction site blocks the lane" }
}

/// A passage little wider than the car.
pub(super) fn narrow_passage(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(7.0, 9.0);
    let layout = layout(stage, 1, 1, limit_mps);
    let reference = reference(stage, false);
    let road = stage.map.road(&reference, &layout);
    let own = road.forward[0].1.clone();
    let speed = limit_mps * stage.draw(0.5, 0.9);
    let at_m = START_M + stage.draw(50.0, 70.0);
    let ego = stage.ego(own.clone(), START_M, speed, limit_mps);
    ego.desired = vec![(0.0, limit_mps * 0.6)];
    let width_m = 2.297 + stage.draw(0.7, 1.1);
    for row in 0..8 {
        let along_m = at_m + 3.0 * f64::from(row);
        for side in [-1.0, 1.0] {
            stage.still(Class::Barrier, [2.2, 0.5, 1.1], &own, along_m, side * (width_m / 2.0 + 0.25));
        }
    }
    surroundings(stage, &road, &layout, &reference);
    "Barriers leave a passage little wider than the car"
}

/// A lane joins from the right; the recording vehicle is on it or beside it.
pub(super) fn merge(stage: &mut Stage) -> &'static str {
    let limit_mps = stage.draw(10.0, 14.0);
    let layout = layout(stage, 1, 0, limit_mps);
    let reference = reference(stage, false);
    let join_m = 150.0;
    let before = stage.map.road(&reference.between(0.0, join_m), &layout);
    let after = stage.map.road(&reference.between(join_m, reference.length()), &layout);
    let (main, onward) = (before.forward[0].clone(), after.forward[0].clone());
    let end = main.1.at(main.1.length());
    let angle_rad = stage.draw(0.25, 0.45);
    let far = end.transform(Point2::new(-60.0, -60.0 * angle_rad.tan() - 2.0));
    let heading = Pose2::new(far.x, far.y, end.yaw + angle_rad * 0.6);
    let ramp = Curve::start(heading.ahead(-90.0)).straight(90.0).blend(end);
    let ramp_layout = Layout { limit_mps: limit_mps * 0.9, ..layout };
    let ramp_road = stage.map.lane(&ramp, &ramp_layout, false);
    let surface = stage.map.parts.lanes[ramp_road.0 as usize].surface.clone();
    stage.map.parts.drivable.push(surface);
    stage.map.connect(main.0, onward.0);
    stage.map.connect(ramp_road, onward.0);
    let (through, joining) = (main.1.then(&onward.1), ramp.then(&onward.1));
    let on_ramp = stage.chance(0.5);
    let speed = limit_mps * stage.draw(0.6, 0.85);
    let from_m = if on_ramp { ramp.length() - 85.0 } else { join_m - 95.0 };
    stage.ego(if on_ramp { joining.clone() } else { through.clone() }, from_m, speed, limit_mps);
    if on_ramp {
        stage.stream(&through, 10.0, REACH_M, (35.0, 70.0), limit_mps * 0.85);
    } else {
        stage.stream(&through, from_m + 45.0, REACH_M, (40.0, 70.0), limit_mps * 0.9);
        stage.car(&joining, ramp.length() - 70.0, speed * 0.8, limit_mps * 0.85);
    }
    let own_on_main = |index: usize| if on_ramp { index != EGO } else { index + 1 != stage.actors.len() };
    let (main_road, ramps): (Vec<_>, Vec<_>) = (0..stage.actors.len()).partition(|&index| own_on_main(index));
    for &late in &ramps {
        main_road.iter().for_each(|&first| stage.give_way(late, first));
    }
    if on_ramp { "Merging onto a road with traffic" } else { "A car merges from the right" }
}

/// A crossroads with lights or without, to be passed straight on or in a turn.
pub(super) fn intersection(stage: &mut Stage) -> &'static str {
    const RADIUS_M: f64 = 15.0;
    let limit_mps = stage.draw(9.0, 13.0);
    let layout = layout(stage, 1, 1, limit_mps);
    let turned = stage.draw(-3.0, 3.0);
    let arms: Vec<(Curve, Road)> = (0..4)
        .map(|arm| {
            let yaw = turned + f64::from(arm) * std::f64::consts::FRAC_PI_2 + stage.draw(-0.1, 0.1);
            let out = Curve::start(Pose2::new(0.0, 0.0, yaw).ahead(RADIUS_M)).straight(260.0);
            let road = stage.map.road(&out, &layout);
            (out, road)
        })
        .collect();
    let half_m = layout.lane_m;
    let corners = arms.iter().flat_map(|(out, _)| {
        let at = out.at(0.0);
        [at.transform(Point2::new(0.0, -half_m)), at.transform(Point2::new(0.0, half_m))]
    });
    let area = Polygon { exterior: corners.collect(), holes: Vec::new() };
    stage.map.parts.drivable.push(area.clone());
    stage.map.parts.intersections.push(area);
    // way[from][to]: the whole way from the far end of one arm to the far end of another.
    let mut ways: Vec<Vec<Option<(Curve, LaneId)>>> = vec![vec![None; 4]; 4];
    for from in 0..4 {
        for to in (0..4).filter(|&to| to != from) {
            let (entry, exit) = (arms[from].1.backward[0].clone(), arms[to].1.forward[0].clone());
            let connector = Curve::start(entry.1.at(entry.1.length())).blend(exit.1.at(0.0));
            let lane = stage.map.lane(&connector, &layout, true);
            stage.map.connect(entry.0, lane);
            stage.map.connect(lane, exit.0);
            ways[from][to] = Some((entry.1.then(&connector).then(&exit.1), lane));
        }
    }
    let stop_m = 260.0 - 1.0;
    let lights = stage.chance(0.65);
    let turn = stage.draw(0.0, 3.0) as usize;
    let way = |from: usize, to: usize| ways[from][to].clone().map(|(curve, _)| curve);
    let to = turn + 1;
    let speed = limit_mps * stage.draw(0.6, 0.9);
    let from_m = stop_m - stage.draw(60.0, 90.0);
    let Some(own) = way(0, to) else { return "" };
    stage.ego(own.clone(), from_m, speed, limit_mps);
    if stage.chance(0.5) {
        stage.car(&own, from_m + 20.0, speed, limit_mps * 0.9);
    }
    let mut oncoming = Vec::new();
    if let Some(curve) = way(2, 0) {
        let first = stage.actors.len();
        stage.stream(&curve, 120.0, 215.0, (25.0, 60.0), limit_mps * 0.9);
        oncoming.extend(first..stage.actors.len());
    }
    let first_crossing = stage.actors.len();
    for (from, to) in [(1, 3), (3, 1)] {
        if let Some(curve) = way(from, to) {
            let reach_m = if lights { 215.0 } else { 120.0 };
            stage.stream(&curve, 60.0, reach_m, (20.0, 60.0), limit_mps * 0.9);
        }
    }
    let drivers = 0..first_crossing;
    if lights {
        let starts_red = stage.chance(0.6);
        let change_s = stage.draw(5.0, 9.0);
        let pair = if starts_red {
            [red_then_green(change_s + 4.0), green_then_red(change_s)]
        } else {
            [green_then_red(change_s + 9.0), red_then_green(change_s + 13.0)]
        };
        stage.lights.extend(pair);
        for (from, row) in ways.iter().enumerate() {
            for (curve, lane) in row.iter().flatten() {
                let stop = curve.at(stop_m);
                stage.light_lanes.push((from % 2, *lane, [stop.x, stop.y]));
            }
        }
        for (index, actor) in stage.actors.iter_mut().enumerate() {
            let light = usize::from(index >= first_crossing);
            actor.stop_lines.push(super::actor::StopLine { along_m: stop_m, light });
        }
    }
    for driver in drivers.clone() {
        // Turning left gives way to those who come the other way; cross traffic gives way where no light rules.
        if turn == 2 && !oncoming.contains(&driver) {
            oncoming.iter().for_each(|&other| stage.give_way(driver, other));
        }
        if !lights {
            (first_crossing..stage.actors.len()).for_each(|crossing| stage.give_way(crossing, driver));
        }
    }
    match (lights, turn) {
        (true, 0) => "A right turn at lights",
        (true, 1) => "Straight on at lights",
        (true, _) => "An unprotected left turn at lights",
        (false, 0) => "A right turn at a crossroads without lights",
        (false, 1) => "Straight on over a crossroads without lights",
        (false, _) => "A left turn at a crossroads without lights",
    }
}
