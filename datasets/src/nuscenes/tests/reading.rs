use nalgebra::Point2;
use serde_json::json;

use super::fixture::{Fixture, KEYFRAMES};
use crate::{Class, DrivableSource, Format, LineKind, discover};

#[test]
fn a_directory_gives_one_log_a_scene_in_the_tables_order() {
    let fixture = Fixture::new();
    let root = fixture.write();
    let logs = discover(&root).unwrap();
    assert_eq!(logs.iter().map(|log| &*log.id).collect::<Vec<_>>(), ["scene-0000", "scene-0001"]);
    let log = logs[0].read().unwrap();
    assert_eq!(log.format, Format::NuScenes);
    assert_eq!(log.location, "singapore-onenorth");
    assert_eq!(log.tags, ["night", "rain"]);
    assert!(logs[1].read().unwrap().tags.is_empty(), "terrain is not rain");
    // The version directory itself will do as well.
    assert_eq!(discover(root.join("v1.0-test")).unwrap().len(), 2);
}

#[test]
fn ego_poses_come_from_all_sensor_readings_and_speed_from_their_differences() {
    let log = Fixture::new().read_first().unwrap();
    assert_eq!(log.ego.states.len(), 3 * KEYFRAMES);
    for state in &log.ego.states {
        assert!((state.speed_mps - 10.0).abs() < 1e-6, "{state:?}");
        assert!(state.yaw_rate_radps.abs() < 1e-9);
    }
    assert!(log.notes.iter().any(|note| note.contains("CAN bus")), "{:?}", log.notes);
}

#[test]
fn readings_at_one_time_give_one_pose() {
    let mut fixture = Fixture::new();
    let time = fixture.row("sample_data", "lidar-0-1")["timestamp"].clone();
    fixture.row("sample_data", "image-0-1")["timestamp"] = time;
    assert_eq!(fixture.read_first().unwrap().ego.states.len(), 3 * KEYFRAMES - 1);
}

#[test]
fn tracks_have_the_devkits_velocities_and_the_common_classes() {
    let log = Fixture::new().read_first().unwrap();
    let [car, cone] = &log.tracks[..] else { panic!("{:?}", log.tracks) };
    assert_eq!((car.class, cone.class), (Class::Car, Class::Cone));
    assert_eq!(car.size, [4.5, 1.9, 1.6]);
    assert_eq!(car.states.len(), KEYFRAMES);
    for state in &car.states {
        // 3 m per half second; the yaw of the fixture's quaternion is half a turn.
        assert!((state.velocity_mps[0] - 6.0).abs() < 1e-9 && state.velocity_mps[1] == 0.0);
        assert!((state.pose.yaw.abs() - std::f64::consts::PI).abs() < 1e-9);
    }
    assert_eq!(cone.states[1].velocity_mps, [0.0, 0.0]);
}

#[test]
fn an_instance_seen_once_or_too_rarely_has_no_velocity() {
    let mut fixture = Fixture::new();
    // Four steps of a second and a half: three seconds across both neighbours is the devkit's limit.
    for step in 0..KEYFRAMES {
        fixture.row("sample", &format!("sample-0-{step}"))["timestamp"] =
            json!(1_600_000_000_000_000_u64 + step as u64 * 1_600_000);
    }
    for state in &fixture.read_first().unwrap().tracks[0].states {
        assert_eq!(state.velocity_mps, [0.0, 0.0]);
    }
}

#[test]
fn cameras_are_calibrated_and_images_are_referred_to_though_absent() {
    let log = Fixture::new().read_first().unwrap();
    assert_eq!(log.cameras.len(), 1);
    assert_eq!((log.cameras[0].name.as_str(), log.cameras[0].image_size), ("CAM_FRONT", [1600, 900]));
    assert_eq!(log.images.len(), KEYFRAMES);
    assert!(log.images[0].path.ends_with("samples/image/0.jpg"));
    let pose = log.images[2].map_from_ego.unwrap();
    assert!((pose.translation.x - 110.12).abs() < 1e-9);
}

#[test]
fn a_second_calibration_of_a_channel_is_a_camera_of_its_own() {
    let mut fixture = Fixture::new();
    let mut second = fixture.row("calibrated_sensor", "cal-front").clone();
    second["token"] = json!("cal-small");
    second["camera_intrinsic"][0][0] = json!(400.0);
    fixture.files.get_mut("v1.0-test/calibrated_sensor.json").unwrap().as_array_mut().unwrap().push(second);
    fixture.row("sample_data", "image-0-2")["calibrated_sensor_token"] = json!("cal-small");
    fixture.row("sample_data", "image-0-2")["width"] = json!(640);
    let log = fixture.read_first().unwrap();
    assert_eq!(log.cameras.iter().map(|camera| &*camera.name).collect::<Vec<_>>(), ["CAM_FRONT", "CAM_FRONT_2"]);
    assert_eq!(log.cameras[1].intrinsics[(0, 0)], 400.0);
    assert_eq!(log.cameras[1].image_size[0], 640);
    assert_eq!(log.images.iter().map(|image| image.camera).collect::<Vec<_>>(), [0, 0, 1, 0]);
    assert!(log.notes.iter().any(|note| note.contains("CAM_FRONT_2")));
}

#[test]
fn the_can_bus_tells_speed_and_yaw_rate_where_it_was_recorded() {
    let mut fixture = Fixture::new();
    let message = |micros: u64, speed: f64| {
        json!({"utime": 1_600_000_000_000_000_u64 + micros, "vel": [speed, 0.0, 0.0], "rotation_rate": [0.0, 0.0, 0.1],
               "accel": [0.0, 0.0, 9.8], "pos": [0.0, 0.0, 0.0], "orientation": [1.0, 0.0, 0.0, 0.0]})
    };
    fixture.files.insert("can_bus/scene-0000_pose.json".into(), json!([message(20_000, 10.4), message(0, 10.0)]));
    let states = fixture.read_first().unwrap().ego.states;
    // At the image of the first keyframe, 12 ms: three fifths of the way.
    assert!((states[1].speed_mps - 10.24).abs() < 1e-9, "{:?}", states[1]);
    assert_eq!(states[1].yaw_rate_radps, 0.1);
    assert_eq!(states[5].yaw_rate_radps, 0.0, "beyond the messages the poses tell");
}

/// A square with its lower left corner at (`x`, `y`), as map layers `node` and `polygon`.
fn square(map: &mut serde_json::Value, token: &str, x: f64, y: f64, width: f64, height: f64) {
    let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
    let tokens: Vec<_> = (0..4).map(|corner| format!("{token}-{corner}")).collect();
    for (node, (x, y)) in tokens.iter().zip(corners) {
        map["node"].as_array_mut().unwrap().push(json!({"token": node, "x": x, "y": y}));
    }
    map["polygon"].as_array_mut().unwrap().push(json!({"token": token, "exterior_node_tokens": tokens, "holes": []}));
}

/// A lane from x = 100 to 120, a connector to 130, a lane to 150, and one a kilometre away.
pub fn expansion() -> serde_json::Value {
    let mut map = json!({"version": "1.3", "node": [], "polygon": []});
    square(&mut map, "area-a", 100.0, 48.0, 20.0, 4.0);
    square(&mut map, "area-b", 130.0, 48.0, 20.0, 4.0);
    square(&mut map, "area-far", 1_200.0, 48.0, 20.0, 4.0);
    square(&mut map, "road", 90.0, 40.0, 80.0, 20.0);
    square(&mut map, "crossing", 119.0, 40.0, 3.0, 20.0);
    square(&mut map, "junction", 120.0, 40.0, 10.0, 20.0);
    square(&mut map, "stop", 117.0, 48.0, 2.0, 4.0);
    square(&mut map, "parking", 100.0, 30.0, 20.0, 5.0);
    let lane = |name: &str| json!({"token": name, "polygon_token": format!("area-{name}"), "lane_type": "CAR"});
    map["lane"] = json!([lane("a"), lane("b"), lane("far")]);
    map["lane_connector"] = json!([{"token": "link", "polygon_token": "area-a"}]);
    let straight = |x: f64, length: f64| {
        json!([{"start_pose": [x, 50.0, 0.0], "end_pose": [x + length, 50.0, 0.0], "shape": "LSR", "radius": 500.0,
                "segment_length": [0.0, length, 0.0]}])
    };
    map["arcline_path_3"] = json!({"a": straight(100.0, 20.0), "link": straight(120.0, 10.0),
                                   "b": straight(130.0, 20.0), "far": straight(1_200.0, 20.0)});
    map["connectivity"] = json!({"a": {"incoming": [], "outgoing": ["link"]},
                                 "link": {"incoming": ["a"], "outgoing": ["b"]},
                                 "b": {"incoming": ["link"], "outgoing": ["far"]}});
    map["drivable_area"] = json!([{"token": "d", "polygon_tokens": ["road"]}]);
    map["carpark_area"] = json!([{"token": "p", "polygon_token": "parking", "orientation": 0.0}]);
    map["road_segment"] = json!([{"token": "r", "polygon_token": "junction", "is_intersection": true}]);
    map["ped_crossing"] = json!([{"token": "c", "polygon_token": "crossing"}]);
    map["stop_line"] = json!([{"token": "s", "polygon_token": "stop", "stop_line_type": "STOP_SIGN"}]);
    map["line"] = json!([{"token": "divider", "node_tokens": ["area-a-2", "area-a-3", "area-b-3"]}]);
    map["lane_divider"] = json!([{"token": "ld", "line_token": "divider", "lane_divider_segments": [
        {"node_token": "area-a-2", "segment_type": "DOUBLE_DASHED_WHITE"},
        {"node_token": "area-a-3", "segment_type": "SINGLE_SOLID_WHITE"},
        {"node_token": "area-b-3", "segment_type": "NIL"}]}]);
    map
}

#[test]
fn the_map_expansion_around_the_path_is_read_where_it_is_there() {
    for file in ["maps/expansion/singapore-onenorth.json", "maps/singapore-onenorth.json"] {
        let mut fixture = Fixture::new();
        fixture.files.insert(file.into(), expansion());
        let log = fixture.read_first().unwrap();
        let map = log.map.unwrap();
        let parts = map.parts();
        let ids: Vec<_> = parts.lanes.iter().map(|lane| &*lane.source_id).collect();
        assert_eq!(ids, ["a", "b", "link"], "the far lane is out of range");
        let [a, b, link] = &parts.lanes[..] else { panic!() };
        assert_eq!(a.successors.iter().map(|id| &*map.lane(*id).source_id).collect::<Vec<_>>(), ["link"]);
        assert_eq!(b.predecessors.iter().map(|id| &*map.lane(*id).source_id).collect::<Vec<_>>(), ["link"]);
        assert!(b.successors.is_empty());
        assert!(link.in_intersection && !a.in_intersection && !b.in_intersection);
        assert!(link.surface.contains(Point2::new(125.0, 50.5)));
        assert_eq!(map.drivable_source(), DrivableSource::Polygons);
        assert!(map.is_drivable(Point2::new(110.0, 32.0)), "car parks are drivable");
        assert_eq!((parts.crossings.len(), parts.intersections.len()), (1, 1));
        assert_eq!(parts.stop_signs.len(), 1);
        assert_eq!(parts.stop_signs[0].1.iter().map(|id| &*map.lane(*id).source_id).collect::<Vec<_>>(), ["a"]);
        let kinds: Vec<_> = parts.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Dashed, LineKind::Solid, LineKind::Stop]);
    }
}

#[test]
fn without_a_map_the_log_says_which_file_is_absent() {
    let log = Fixture::new().read_first().unwrap();
    assert!(log.map.is_none());
    assert!(log.notes.iter().any(|note| note.contains("maps/expansion/singapore-onenorth.json")), "{:?}", log.notes);
}
