use std::path::PathBuf;
use std::sync::Arc;

use nalgebra::{Isometry3, Point2, Point3};
use tandem_datasets::{
    Class, Ego, EgoBody, EgoState, Format, Lane, LaneId, LaneUse, Map, MapParts, Polygon, Pose2, SignalTrack,
    TrackState,
};

use super::*;

fn stamp(seconds: f64) -> Stamp {
    Stamp::from_seconds(seconds)
}

fn road() -> Map {
    let lane = Lane {
        source_id: "road".into(),
        usage: LaneUse::Vehicle,
        centerline: (0..=60).map(|i| Point3::new(5.0 * f64::from(i), 0.0, 0.0)).collect(),
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: Polygon {
            exterior: vec![
                Point2::new(0.0, -2.0),
                Point2::new(300.0, -2.0),
                Point2::new(300.0, 2.0),
                Point2::new(0.0, 2.0),
            ],
            holes: Vec::new(),
        },
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: None,
        in_intersection: false,
    };
    Map::new(MapParts { lanes: vec![lane], ..MapParts::default() }).unwrap()
}

/// A track at 10 Hz for 10 s whose position along x is `x_m` of the time, s.
fn track(class: Class, y_m: f64, x_m: impl Fn(f64) -> f64) -> Track {
    let state = |tick: i32| {
        let t = f64::from(tick) * 0.1;
        let velocity = (x_m(t + 0.05) - x_m(t - 0.05)) / 0.1;
        TrackState { stamp: stamp(t), pose: Pose2::new(x_m(t), y_m, 0.0), z: 0.0, velocity_mps: [velocity, 0.0] }
    };
    Track {
        source_id: format!("{class:?} {y_m}"),
        class,
        source_class: String::new(),
        size: [4.0, 2.0, 1.5],
        states: (0..=100).map(state).collect(),
    }
}

fn log(tracks: Vec<Track>, signals: Vec<SignalTrack>) -> Arc<Log> {
    let ego = EgoState { stamp: Stamp::ZERO, map_from_ego: Isometry3::identity(), speed_mps: 0.0, yaw_rate_radps: 0.0 };
    Arc::new(Log {
        id: "road".into(),
        format: Format::World,
        source: PathBuf::new(),
        location: String::new(),
        description: String::new(),
        tags: Vec::new(),
        ego: Ego { body: EgoBody::default(), states: vec![ego, EgoState { stamp: stamp(10.0), ..ego }] },
        tracks,
        map: Some(Arc::new(road())),
        signals,
        cameras: Vec::new(),
        images: Vec::new(),
        notes: Vec::new(),
    })
}

/// Drives the traffic for `seconds` past an ego standing at `ego_x_m`; returns the agents of each step.
fn run(log: &Arc<Log>, mode: TrafficMode, ego_x_m: f64, seconds: f64) -> Vec<Vec<FrameAgent>> {
    let mut traffic = Traffic::new(log, mode, Stamp::ZERO);
    let ego = Box2 { pose: Pose2::new(ego_x_m, 0.0, 0.0), length: 5.0, width: 2.0 };
    let mut steps = vec![traffic.agents().to_vec()];
    for tick in 1..=(seconds * 10.0) as i32 {
        traffic.advance(stamp(f64::from(tick) * 0.1), &ego, 0.0);
        steps.push(traffic.agents().to_vec());
    }
    steps
}

#[test]
fn replay_is_the_log_whatever_the_ego_does() {
    let log = log(vec![track(Class::Car, 0.0, |t| 10.0 + 8.0 * t)], Vec::new());
    let steps = run(&log, TrafficMode::Replay, 40.0, 10.0);
    assert!((steps[55][0].pose.x - (10.0 + 8.0 * 5.5)).abs() < 1e-9);
    assert!((steps[55][0].speed_mps - 8.0).abs() < 1e-9);
}

#[test]
fn a_reactive_car_stops_behind_the_ego_that_the_log_drove_through() {
    let log = log(vec![track(Class::Car, 0.0, |t| 10.0 + 8.0 * t)], Vec::new());
    let steps = run(&log, TrafficMode::Reactive, 80.0, 30.0);
    let last = steps.last().unwrap()[0];
    assert!(last.speed_mps < 0.1, "{last:?}");
    let gap = (80.0 - 2.5) - (last.pose.x + 2.0);
    assert!((0.5..3.0).contains(&gap), "{gap}");
}

#[test]
fn a_reactive_car_on_a_free_road_drives_as_fast_as_in_the_log_and_on_beyond_it() {
    let log = log(vec![track(Class::Car, 0.0, |t| 10.0 + 8.0 * t)], Vec::new());
    let steps = run(&log, TrafficMode::Reactive, -20.0, 14.0);
    assert!((steps[99][0].pose.x - (10.0 + 8.0 * 9.9)).abs() < 1.0, "{:?}", steps[99]);
    // The log ends after 10 s at x = 90 m; the car goes on and leaves 120 m from the ego, at x = 100 m.
    let farthest = steps.iter().flatten().map(|agent| agent.pose.x).fold(0.0, f64::max);
    assert!((99.0..100.0).contains(&farthest), "{farthest}");
    assert!(steps[140].is_empty());
}

#[test]
fn pedestrians_parked_cars_and_cars_off_the_lanes_are_replayed() {
    let log = log(
        vec![
            track(Class::Pedestrian, 0.0, |t| 30.0 + t),
            track(Class::Car, 0.0, |_| 60.0),
            track(Class::Car, 9.0, |t| 10.0 + 5.0 * t),
            track(Class::Car, 0.0, |t| 8.0 * t),
        ],
        Vec::new(),
    );
    let traffic = Traffic::new(&log, TrafficMode::Reactive, Stamp::ZERO);
    assert_eq!(traffic.reactive_count(), 1);
    assert_eq!(traffic.agents().iter().map(|agent| agent.id).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_red_light_holds_a_late_car_that_passed_it_in_the_log() {
    // In the log the car passes the light at x = 0 of the only lane's start; so put the line where the lane starts
    // and the car before it: the path reaches the lane from outside.
    let mut car = track(Class::Car, 0.0, |t| -20.0 + 8.0 * t);
    car.states.retain(|state| state.stamp >= Stamp::ZERO);
    let light = |red_from_s: f64| SignalTrack {
        lane: LaneId(0),
        stop_point: None,
        states: vec![(Stamp::ZERO, SignalColor::Green), (stamp(red_from_s), SignalColor::Red)],
    };
    // Green until 4 s, when the log's car has long passed (at 2.25 s): a free road lets it pass here as well.
    let free = run(&log(vec![car.clone()], vec![light(4.0)]), TrafficMode::Reactive, 60.0, 5.0);
    assert!(free[50][0].pose.x > 5.0);
    // An ego that waits on the line until after the change holds it; then the light does.
    let log = log(vec![car], vec![light(4.0)]);
    let mut traffic = Traffic::new(&log, TrafficMode::Reactive, Stamp::ZERO);
    for tick in 1..=150 {
        let ego_x = if tick < 50 { 4.0 } else { 60.0 };
        let ego = Box2 { pose: Pose2::new(ego_x, 0.0, 0.0), length: 5.0, width: 2.0 };
        traffic.advance(stamp(f64::from(tick) * 0.1), &ego, 0.0);
    }
    let car = traffic.agents()[0];
    assert!(car.speed_mps < 0.1 && car.pose.x < 0.0, "{car:?}");
}

#[test]
fn a_car_that_waits_in_the_log_leaves_no_earlier_here() {
    let wait = |t: f64| {
        if t < 2.0 {
            10.0 + 5.0 * t
        } else if t < 6.0 {
            20.0
        } else {
            20.0 + 5.0 * (t - 6.0)
        }
    };
    let log = log(vec![track(Class::Car, 0.0, wait)], Vec::new());
    let steps = run(&log, TrafficMode::Reactive, 120.0, 9.0);
    assert!(steps[59][0].pose.x < 21.0, "{:?}", steps[59]);
    assert!(steps[90][0].pose.x > 22.0, "{:?}", steps[90]);
}

#[test]
fn a_car_that_appears_later_waits_for_room() {
    let mut car = track(Class::Car, 0.0, |t| 10.0 + 4.0 * t);
    car.states.retain(|state| state.stamp >= stamp(3.0));
    let log = log(vec![car], Vec::new());
    let appears = |ego_x: f64| run(&log, TrafficMode::Reactive, ego_x, 9.0).iter().position(|step| !step.is_empty());
    assert_eq!(appears(100.0), Some(30));
    // The ego stands where the log has the car from 3 s on; it is free of it once the log's car is past.
    assert!(appears(22.0).is_some_and(|tick| tick > 35));
}
