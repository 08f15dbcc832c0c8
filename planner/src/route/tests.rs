use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::maps::{MapBuilder, arc, straight};

/// Poses along points, 1 m apart at most, moved by seeded noise of up to `noise_m` that drifts slowly.
fn drive(points: &[[f64; 2]], noise_m: f64, seed: u64) -> Vec<Pose2> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut noise = [0.0_f64; 2];
    let mut poses = Vec::new();
    let apart = |pair: &&[[f64; 2]]| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]) > 0.01;
    for pair in points.windows(2).filter(apart) {
        let yaw = (pair[1][1] - pair[0][1]).atan2(pair[1][0] - pair[0][0]);
        for t in [0.0, 0.5] {
            for side in &mut noise {
                *side = (*side + rng.random_range(-0.3..=0.3) * noise_m).clamp(-noise_m, noise_m);
            }
            let x = pair[0][0] + (pair[1][0] - pair[0][0]) * t + noise[0];
            let y = pair[0][1] + (pair[1][1] - pair[0][1]) * t + noise[1];
            poses.push(Pose2::new(x, y, yaw + rng.random_range(-0.05..=0.05)));
        }
    }
    poses
}

fn lanes_of(route: &Route) -> Vec<Option<u32>> {
    route.segments().iter().map(|segment| segment.lane.map(|lane| lane.0)).collect()
}

/// A junction: lane 0 leads east into 1 (left turn, on to 4), 2 (straight, on to 5) and 3 (right turn, on to 6).
fn junction() -> Map {
    let mut map = MapBuilder::default();
    let entry = map.lane(&straight([-100.0, 0.0], [0.0, 0.0]));
    let left = map.lane(&arc([0.0, 0.0], 0.0, 12.0, std::f64::consts::FRAC_PI_2));
    let through = map.lane(&straight([0.0, 0.0], [24.0, 0.0]));
    let right = map.lane(&arc([0.0, 0.0], 0.0, 8.0, -std::f64::consts::FRAC_PI_2));
    let north = map.lane(&straight([12.0, 12.0], [12.0, 400.0]));
    let east = map.lane(&straight([24.0, 0.0], [450.0, 0.0]));
    let south = map.lane(&straight([8.0, -8.0], [8.0, -400.0]));
    for (turn, exit) in [(left, north), (through, east), (right, south)] {
        map.connect(entry, turn);
        map.connect(turn, exit);
        map.get(turn).in_intersection = true;
        map.get(turn).speed_limit_mps = None;
    }
    map.build()
}

#[test]
fn a_noisy_left_turn_is_matched_to_its_lanes() {
    let map = junction();
    let mut points = straight([-60.0, 0.0], [0.0, 0.0]);
    points.extend(arc([0.0, 0.0], 0.0, 12.0, std::f64::consts::FRAC_PI_2));
    points.extend(straight([12.0, 12.0], [12.0, 60.0]));
    for seed in 0..20 {
        let route = Route::from_path(&map, &drive(&points, 1.3, seed)).unwrap();
        assert_eq!(lanes_of(&route), [Some(0), Some(1), Some(4)], "seed {seed}");
        assert!(route.notes().is_empty(), "{:?}", route.notes());
        assert!(route.is_on_route(LaneId(1)) && !route.is_on_route(LaneId(2)) && !route.is_on_route(LaneId(3)));
        assert!(route.centerline().length_m() - route.goal_m() > 299.0);
        assert_eq!(route.stop_line_m(LaneId(2)), None);
        let stop_m = route.stop_line_m(LaneId(1)).unwrap();
        assert!((route.centerline().at(stop_m).position() - Point2::origin()).norm() < 0.5);
        assert_eq!(route.speed_limit_mps(stop_m - 5.0), Some(13.0));
        assert_eq!(route.speed_limit_mps(stop_m + 5.0), None);
    }
}

#[test]
fn beyond_the_goal_the_straightest_successor_is_followed() {
    let map = junction();
    let route = Route::from_path(&map, &drive(&straight([-60.0, 0.0], [-20.0, 0.0]), 0.5, 1)).unwrap();
    assert_eq!(lanes_of(&route), [Some(0), Some(2), Some(5)]);
    assert!((route.centerline().at(route.goal_m()).x + 20.0).abs() < 2.5);
}

#[test]
fn a_standing_ego_has_a_route() {
    let map = junction();
    let route = Route::from_path(&map, &vec![Pose2::new(-30.0, 0.4, 0.02); 100]).unwrap();
    assert_eq!(lanes_of(&route), [Some(0), Some(2), Some(5)]);
}

/// Two lanes side by side without declared neighbours, in pieces of 50 m; `connected` says whether pieces are linked.
fn two_lanes(connected: bool, declared: bool) -> Map {
    let mut map = MapBuilder::default();
    let mut before: Option<[LaneId; 2]> = None;
    for k in 0..12 {
        let (from, to) = (50.0 * k as f64, 50.0 * (k + 1) as f64);
        let right = map.lane(&straight([from, 0.0], [to, 0.0]));
        let left = map.lane(&straight([from, 3.5], [to, 3.5]));
        if declared {
            map.beside(left, right);
        }
        if let (Some(before), true) = (before, connected) {
            map.connect(before[0], right);
            map.connect(before[1], left);
        }
        before = Some([right, left]);
    }
    map.build()
}

fn lane_change() -> Vec<Pose2> {
    let mut points = straight([10.0, 0.0], [110.0, 0.0]);
    points.extend(straight([140.0, 3.5], [240.0, 3.5]));
    drive(&points, 0.4, 3)
}

#[test]
fn a_lane_change_becomes_a_smooth_line_between_the_lanes() {
    for (connected, declared) in [(true, true), (true, false), (false, false)] {
        let map = two_lanes(connected, declared);
        let route = Route::from_path(&map, &lane_change()).unwrap();
        let lanes: Vec<_> = route.segments().iter().filter_map(|s| s.lane).take_while(|l| l.0 < 10).collect();
        assert_eq!(&lanes[..2], &[LaneId(0), LaneId(2)], "{connected} {declared}");
        assert_eq!(&lanes[lanes.len() - 2..], &[LaneId(7), LaneId(9)], "{connected} {declared}");
        let line = route.centerline();
        let sharpest = (0..(line.length_m() as usize)).map(|s| line.curvature(s as f64).abs()).fold(0.0, f64::max);
        assert!(sharpest < 0.05, "curvature {sharpest} for {connected} {declared}");
        assert!(line.project(Point2::new(60.0, 0.0)).left_m.abs() < 0.1);
        assert!(line.project(Point2::new(220.0, 3.5)).left_m.abs() < 0.1);
        assert!(route.notes().is_empty() || !connected);
    }
}

#[test]
fn lanes_beside_are_found_by_place_and_by_name() {
    for declared in [true, false] {
        let map = two_lanes(true, declared);
        let route = Route::from_path(&map, &drive(&straight([10.0, 0.0], [120.0, 0.0]), 0.0, 0)).unwrap();
        assert!(route.is_on_route(LaneId(1)) && route.is_on_route(LaneId(3)));
        let [left, right] = route.lanes_beside_m(60.0);
        assert!((left.unwrap() - 3.5).abs() < 1e-6 && right.is_none());
        assert_eq!(route.segment_at(25.0).beside, [LaneId(1)]);
    }
}

#[test]
fn oncoming_lanes_are_not_on_the_route() {
    let mut map = MapBuilder::default();
    map.lane(&straight([0.0, 0.0], [400.0, 0.0]));
    map.lane(&straight([400.0, 3.5], [0.0, 3.5]));
    let route = Route::from_path(&map.build(), &drive(&straight([10.0, 0.5], [120.0, 0.5]), 1.2, 5)).unwrap();
    assert_eq!(lanes_of(&route), [Some(0)]);
    assert!(!route.is_on_route(LaneId(1)));
    assert_eq!(route.lanes_beside_m(60.0), [None, None]);
}

#[test]
fn a_turn_across_the_road_is_followed() {
    let mut map = MapBuilder::default();
    map.lane(&straight([0.0, 0.0], [100.0, 0.0]));
    map.lane(&straight([100.0, 12.0], [-300.0, 12.0]));
    let mut points = straight([20.0, 0.0], [80.0, 0.0]);
    points.extend(arc([80.0, 0.0], 0.0, 6.0, std::f64::consts::PI));
    points.extend(straight([78.0, 12.0], [20.0, 12.0]));
    let route = Route::from_path(&map.build(), &drive(&points, 0.3, 9)).unwrap();
    assert_eq!(lanes_of(&route), [Some(0), None, Some(1)]);
    assert!(route.notes()[0].contains("no lane near"), "{:?}", route.notes());
    for point in &points {
        let found = route.centerline().project(Point2::new(point[0], point[1]));
        assert!(found.left_m.abs() < 1.6, "{found:?} at {point:?}");
    }
}

#[test]
fn a_gap_in_the_map_is_bridged_by_the_driven_path() {
    let mut map = MapBuilder::default();
    map.lane(&straight([0.0, 0.0], [60.0, 0.0]));
    map.lane(&straight([110.0, 0.0], [500.0, 0.0]));
    let route = Route::from_path(&map.build(), &drive(&straight([10.0, 0.8], [160.0, 0.8]), 0.0, 0)).unwrap();
    assert_eq!(lanes_of(&route), [Some(0), None, Some(1)]);
    let line = route.centerline();
    assert!((line.at(85.0).y - 0.8).abs() < 0.1 && line.at(140.0).y.abs() < 0.1);
}

#[test]
fn where_there_is_no_lane_at_all_the_path_is_the_route() {
    let mut map = MapBuilder::default();
    map.lane(&straight([0.0, 500.0], [60.0, 500.0]));
    let route = Route::from_path(&map.build(), &drive(&straight([10.0, 0.0], [160.0, 0.0]), 0.0, 0)).unwrap();
    assert_eq!(lanes_of(&route), [None]);
    assert!((route.centerline().length_m() - 149.0).abs() < 2.0);
    assert_eq!(route.notes().len(), 2);
}

#[test]
fn named_lanes_make_the_same_route_as_the_path_along_them() {
    let map = junction();
    let goal = Pose2::new(12.0, 60.0, 1.57);
    let route = Route::new(&map, &[LaneId(0), LaneId(1), LaneId(4)], goal).unwrap();
    let mut points = straight([-60.0, 0.0], [0.0, 0.0]);
    points.extend(arc([0.0, 0.0], 0.0, 12.0, std::f64::consts::FRAC_PI_2));
    points.extend(straight([12.0, 12.0], [12.0, 60.0]));
    let driven = Route::from_path(&map, &drive(&points, 0.5, 2)).unwrap();
    assert_eq!(lanes_of(&route), lanes_of(&driven));
    for (a, b) in route.centerline().points().iter().zip(driven.centerline().points()) {
        assert!((a - b).norm() < 1e-3, "{a} is not {b}");
    }
    assert!((route.goal_m() - (100.0 + 18.85 + 48.0)).abs() < 0.5, "{}", route.goal_m());
}

#[test]
fn unusable_input_is_an_error() {
    let map = junction();
    assert_eq!(Route::new(&map, &[], Pose2::default()).unwrap_err(), Error::Empty { field: "lanes" });
    assert_eq!(Route::new(&map, &[LaneId(99)], Pose2::default()).unwrap_err(), Error::NoSuchLane { number: 99 });
    assert_eq!(Route::from_path(&map, &[]).unwrap_err(), Error::Empty { field: "path" });
    let nan = Pose2::new(f64::NAN, 0.0, 0.0);
    assert_eq!(Route::from_path(&map, &[nan]).unwrap_err(), Error::Empty { field: "path" });
}

#[test]
fn a_route_comes_back_from_its_message_to_the_last_bit() {
    let across = {
        let mut map = MapBuilder::default();
        map.lane(&straight([0.0, 0.0], [60.0, 0.0]));
        map.lane(&straight([110.0, 0.0], [500.0, 0.0]));
        map.build()
    };
    let gap = Route::from_path(&across, &drive(&straight([10.0, 0.8], [160.0, 0.8]), 0.3, 4)).unwrap();
    let change_map = two_lanes(true, true);
    let change = Route::from_path(&change_map, &lane_change()).unwrap();
    for (map, route) in [(&across, gap), (&change_map, change)] {
        let back = Route::from_message(map, &route.message(tandem_graph::Stamp::ZERO)).unwrap();
        assert_eq!(back.centerline().points(), route.centerline().points());
        assert_eq!(back.segments(), route.segments());
        assert_eq!(back.goal_m(), route.goal_m());
    }
}

#[test]
fn a_route_message_that_means_nothing_is_an_error() {
    let map = junction();
    let mut message = Route::new(&map, &[LaneId(0)], Pose2::default()).unwrap().message(tandem_graph::Stamp::ZERO);
    let mut with = |id: i64, text: &str| {
        message.segments[0].preferred_primitive.id = id;
        message.segments[0].preferred_primitive.primitive_type = text.to_owned();
        Route::from_message(&map, &message).map(|_| ())
    };
    assert_eq!(with(0, "lane"), Ok(()));
    assert_eq!(with(99, "lane"), Err(Error::NoSuchLane { number: 99 }));
    for text in ["lane 3", "lane 5 1", "lane NaN 3", "path 1 2", "path 1 2 3", "path a b c d"] {
        assert!(matches!(with(0, text), Err(Error::Primitive { .. })), "{text}");
    }
    message.segments.clear();
    assert_eq!(Route::from_message(&map, &message).unwrap_err(), Error::Empty { field: "segments" });
}
