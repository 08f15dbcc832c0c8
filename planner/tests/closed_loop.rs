//! Tandem in closed loop on small maps: no collision, progress, a calm ride.

mod support;

use nalgebra::Point2;
use support::maps::{MapBuilder, arc, straight};
use support::{Actor, Drive, Stage};
use tandem_datasets::{Class, EgoBody, LaneId, Map, Polygon, Pose2, SignalColor};
use tandem_planner::guidance::Guidance;
use tandem_planner::planners::Tandem;
use tandem_planner::{Planner, VehicleState};

fn start(speed_mps: f64) -> VehicleState {
    VehicleState { pose: Pose2::new(5.0, 0.0, 0.0), speed_mps, ..VehicleState::default() }
}

/// A lane along x at y = 0 with wide shoulders.
fn road() -> Map {
    let mut map = MapBuilder::default();
    map.lane(&straight([-50.0, 0.0], [600.0, 0.0]));
    map.drivable(&[[-50.0, -4.5], [600.0, -4.5], [600.0, 4.5], [-50.0, 4.5]]);
    map.build()
}

fn drive(stage: &Stage, seconds: f64) -> Drive {
    let drive = stage.drive(&mut Tandem::default(), seconds);
    drive.print();
    drive
}

#[track_caller]
fn assert_sound(drive: &Drive) {
    let scores = drive.score().raw;
    assert_eq!((scores.nc, scores.dac, scores.ddc, scores.tlc), (1.0, 1.0, 1.0, 1.0), "{scores:?}");
    assert_eq!((scores.ttc, scores.hc), (1.0, 1.0), "{scores:?}");
}

#[test]
fn a_free_road_is_driven_at_the_limit_in_the_middle() {
    let drive = drive(&Stage::new(road(), &[LaneId(0)], start(5.0)), 15.0);
    assert_sound(&drive);
    assert!((drive.end().speed_mps - 13.0).abs() < 0.7, "{}", drive.end().speed_mps);
    assert!(drive.states.iter().all(|state| state.pose.y.abs() < 0.05));
    assert!(drive.score().raw.ec > 0.95, "{}", drive.score().raw.ec);
}

#[test]
fn it_stops_behind_a_stopped_car_that_fills_the_road() {
    let mut map = MapBuilder::default();
    map.lane(&straight([-50.0, 0.0], [600.0, 0.0]));
    let mut stage = Stage::new(map.build(), &[LaneId(0)], start(10.0));
    stage.actors.push(Actor::parked(100.0, 0.0));
    let drive = drive(&stage, 25.0);
    assert_sound(&drive);
    // Bumper to bumper: 2.3 m of half a car, 4.05 m from the rear axle to the own front.
    let gap_m = 100.0 - 2.3 - drive.end().pose.x - 4.05;
    assert!(drive.end().speed_mps.abs() < 0.1 && (0.8..4.5).contains(&gap_m), "{gap_m} m");
}

#[test]
fn it_passes_a_car_parked_half_on_the_lane() {
    let mut stage = Stage::new(road(), &[LaneId(0)], start(8.0));
    stage.actors.push(Actor::parked(90.0, -2.0));
    let drive = drive(&stage, 20.0);
    assert_sound(&drive);
    assert!(drive.end().pose.x > 130.0, "{}", drive.end().pose.x);
    // Near enough to the centreline for lane keeping; it need not come back for less.
    assert!(drive.end().pose.y.abs() < 0.5, "{}", drive.end().pose.y);
}

#[test]
fn it_drives_past_rows_of_parked_cars() {
    let mut stage = Stage::new(road(), &[LaneId(0)], start(8.0));
    for k in 0..8 {
        stage.actors.push(Actor::parked(40.0 + 12.0 * f64::from(k), -2.7));
        stage.actors.push(Actor::parked(46.0 + 12.0 * f64::from(k), 2.7));
    }
    let drive = drive(&stage, 20.0);
    assert_sound(&drive);
    assert!(drive.end().pose.x > 160.0, "{}", drive.end().pose.x);
}

#[test]
fn it_lets_a_pedestrian_cross() {
    for (x, start_s) in [(60.0, 1.0), (70.0, 2.5), (45.0, 0.0)] {
        let mut stage = Stage::new(road(), &[LaneId(0)], start(9.0));
        stage.actors.push(Actor::crossing(x, -5.0, 1.4, start_s));
        let drive = drive(&stage, 16.0);
        assert_sound(&drive);
        assert!(drive.end().pose.x > x + 20.0, "{}", drive.end().pose.x);
    }
}

#[test]
fn it_does_not_come_to_stand_in_the_way_of_a_stream_of_cars() {
    let mut stage = Stage::new(road(), &[LaneId(0)], start(9.0));
    for k in 0..6 {
        let from_y = -25.0 - 24.0 * f64::from(k);
        let motion = move |t: f64| (Pose2::new(70.0, from_y + 9.0 * t, std::f64::consts::FRAC_PI_2), 9.0);
        stage.actors.push(Actor { class: Class::Car, size: [4.6, 1.9], motion: Box::new(motion) });
    }
    let drive = drive(&stage, 28.0);
    assert_sound(&drive);
    // Front 4.05 m before the rear axle, back 1 m behind it; the cars cover the metre on either side of 70 m.
    let stands = |x: f64, speed_mps: f64| speed_mps < 1.0 && x + 4.05 > 69.0 && x - 1.0 < 71.0;
    assert!(!drive.states.iter().any(|state| stands(state.pose.x, state.speed_mps)));
    assert!(drive.end().pose.x > 90.0, "{}", drive.end().pose.x);
}

#[test]
fn it_follows_a_slower_car() {
    let mut stage = Stage::new(road(), &[LaneId(0)], start(12.0));
    stage.actors.push(Actor::driving(60.0, 0.0, 5.0));
    let drive = drive(&stage, 25.0);
    assert_sound(&drive);
    assert!((drive.end().speed_mps - 5.0).abs() < 0.5, "{}", drive.end().speed_mps);
    assert!(drive.score().raw.ec > 0.9, "{}", drive.score().raw.ec);
}

#[test]
fn a_right_angle_is_turned_within_its_lane_and_in_comfort() {
    let mut map = MapBuilder::default();
    let before = map.lane(&straight([-20.0, 0.0], [60.0, 0.0]));
    let turn = map.lane(&arc([60.0, 0.0], 0.0, 9.0, std::f64::consts::FRAC_PI_2));
    let after = map.lane(&straight([69.0, 9.0], [69.0, 300.0]));
    map.connect(before, turn);
    map.connect(turn, after);
    map.get(turn).in_intersection = true;
    map.drivable(&[[-20.0, -3.0], [73.0, -3.0], [73.0, 300.0], [65.0, 300.0], [55.0, 5.0], [-20.0, 3.0]]);
    let drive = drive(&Stage::new(map.build(), &[LaneId(0), LaneId(1), LaneId(2)], start(9.0)), 22.0);
    assert_sound(&drive);
    assert_eq!(drive.score().raw.lk, 1.0);
    assert!(drive.end().pose.y > 40.0, "{:?}", drive.end().pose);
}

#[test]
fn it_waits_at_a_red_light_and_goes_on_green() {
    let mut map = MapBuilder::default();
    let before = map.lane(&straight([-20.0, 0.0], [80.0, 0.0]));
    let through = map.lane(&straight([80.0, 0.0], [100.0, 0.0]));
    let after = map.lane(&straight([100.0, 0.0], [400.0, 0.0]));
    map.connect(before, through);
    map.connect(through, after);
    let mut stage = Stage::new(map.build(), &[LaneId(0), LaneId(1), LaneId(2)], start(10.0));
    stage.signals = Box::new(|t| vec![(LaneId(1), if t < 14.0 { SignalColor::Red } else { SignalColor::Green })]);
    let drive = drive(&stage, 24.0);
    assert_sound(&drive);
    assert!(drive.states[140].speed_mps < 0.2 && drive.states[140].pose.x + 4.05 > 75.0);
    assert!(drive.end().pose.x > 110.0);
}

/// A rectangle of map points from one corner to the opposite one, m.
fn ring([x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> Vec<Point2<f64>> {
    [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(Point2::from).to_vec()
}

/// A judgment of the start that closes a region and holds in full for fifteen seconds.
fn closed(region: Vec<Point2<f64>>) -> Guidance {
    Guidance { time_to_live_s: 30.0, closed: vec![region], ..Guidance::default() }
}

fn enters(drive: &Drive, region: &[Point2<f64>]) -> bool {
    let area = Polygon { exterior: region.to_vec(), holes: Vec::new() };
    let corners = |state: &VehicleState| EgoBody::default().outline(state.pose).corners();
    drive.states.iter().any(|state| corners(state).iter().any(|corner| area.contains(*corner)))
}

#[test]
fn it_goes_round_what_only_the_slow_system_sees() {
    let region = ring([80.0, -1.8], [84.0, -0.2]);
    let stage = Stage { guidance: closed(region.clone()), ..Stage::new(road(), &[LaneId(0)], start(9.0)) };
    let drive = drive(&stage, 14.0);
    assert_sound(&drive);
    assert!(!enters(&drive, &region) && drive.end().pose.x > 105.0, "{}", drive.end().pose.x);
}

#[test]
fn it_stops_before_a_closed_road_as_long_as_that_is_said() {
    let region = ring([80.0, -4.6], [110.0, 4.6]);
    let stage = Stage { guidance: closed(region.clone()), ..Stage::new(road(), &[LaneId(0)], start(9.0)) };
    let (before, after) = (drive(&stage, 14.0), drive(&stage, 34.0));
    assert_sound(&before);
    assert!(!enters(&before, &region) && before.end().speed_mps < 0.3, "{}", before.end().speed_mps);
    assert!(after.end().pose.x > 80.0, "{}", after.end().pose.x);
}

#[test]
fn it_does_not_believe_that_a_road_is_closed_on_which_others_drive_or_for_somebody_who_is_not_there() {
    let region = ring([80.0, -4.6], [110.0, 4.6]);
    let mut stage = Stage { guidance: closed(region.clone()), ..Stage::new(road(), &[LaneId(0)], start(9.0)) };
    stage.actors.push(Actor::driving(85.0, 0.0, 12.0));
    // Doubt lasts eight seconds.
    assert!(drive(&stage, 8.0).end().pose.x > 72.0);
    let guidance = Guidance { about: vec![99], ..closed(region) };
    let stage = Stage { guidance, ..Stage::new(road(), &[LaneId(0)], start(9.0)) };
    assert!(drive(&stage, 8.0).end().pose.x > 72.0);
}

#[test]
fn a_cap_holds_about_what_it_is_about() {
    let guidance = Guidance { speed_cap_mps: Some(4.0), ..closed(ring([80.0, 1.6], [90.0, 3.0])) };
    let stage = Stage { guidance, ..Stage::new(road(), &[LaneId(0)], start(10.0)) };
    let drive = drive(&stage, 15.0);
    assert_sound(&drive);
    let fastest = |from_m: f64, to_m: f64| {
        let there = drive.states.iter().filter(|state| (from_m..to_m).contains(&state.pose.x));
        there.map(|state| state.speed_mps).fold(0.0, f64::max)
    };
    assert!(fastest(80.0, 86.0) < 4.6 && fastest(5.0, 45.0) > 10.0, "{} {}", fastest(80.0, 86.0), fastest(5.0, 45.0));
}

#[test]
fn the_same_run_twice_is_the_same_to_the_bit() {
    let run = || {
        let mut stage = Stage::new(road(), &[LaneId(0)], start(8.0));
        stage.actors.push(Actor::parked(90.0, -2.0));
        stage.actors.push(Actor::crossing(60.0, -5.0, 1.4, 1.0));
        stage.drive(&mut Tandem::default(), 10.0).states
    };
    assert_eq!(run(), run());
}

#[test]
fn all_planners_answer_every_scene_with_a_whole_plan() {
    let stage = Stage::new(road(), &[LaneId(0)], start(8.0));
    let track = [(tandem_graph::Stamp::ZERO, start(8.0))];
    for name in tandem_planner::planners::NAMES {
        let mut planner: Box<dyn Planner> = tandem_planner::planners::by_name(name, &track).unwrap();
        assert_eq!(planner.name(), name);
        let drive = stage.drive(planner.as_mut(), 6.0);
        assert!(drive.end().pose.x > 40.0, "{name} got to {}", drive.end().pose.x);
        assert!(drive.plans.iter().all(|plan| plan.rollout.len() == tandem_planner::PLAN_STATES), "{name}");
    }
    assert!(tandem_planner::planners::by_name("nobody", &[]).is_err());
    assert!(tandem_planner::planners::by_name("human", &[]).is_err());
}
