use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

use super::proto::{
    DynamicMapState, LaneCenter, MapFeature, MapPoint, ObjectState, Scenario, StopSign, TrafficSignalLaneState,
    TypedLine,
};
use super::*;
use crate::log::SignalColor;
use crate::map::{LaneId, LineKind};

fn file() -> Value {
    json!({
        "name": "made-up", "scenario_id": "abc",
        "objects": [
            {"position": [{"x": 0, "y": 0, "z": 1}, {"x": 1, "y": 0, "z": 1}], "velocity": [{"x": 10, "y": 0}, {"x": 10, "y": 0}],
             "heading": [0, 0], "valid": [true, true], "length": 4.6, "width": 1.9, "height": 1.6, "type": "vehicle", "id": 4},
            {"position": [{"x": -10000, "y": -10000}, {"x": 9, "y": 1}], "velocity": [{"x": -10000, "y": -10000}, {"x": 0, "y": 1}],
             "heading": [-10000, 1.5], "valid": [false, true], "length": 0.7, "width": 0.6, "type": "pedestrian"}
        ],
        "roads": [
            {"geometry": [{"x": -10, "y": 0}, {"x": 20, "y": 0}], "type": "lane", "id": 70, "map_element_id": 2},
            {"geometry": [{"x": 20, "y": 0}, {"x": 50, "y": 0}], "type": "lane", "id": 71, "map_element_id": 2},
            {"geometry": [{"x": -10, "y": -3}, {"x": 50, "y": -3}], "type": "road_edge"},
            {"geometry": [{"x": -10, "y": 3}, {"x": 50, "y": 3}], "type": "road_line", "map_element_id": 7},
            {"geometry": {"x": 19, "y": -3}, "type": "stop_sign"},
            {"geometry": [{"x": 1, "y": 1}, {"x": 2, "y": 1}, {"x": 2, "y": 2}, {"x": 1, "y": 1}], "type": "crosswalk"}
        ],
        "tl_states": {"999": {"state": ["stop", "go"], "x": [20, 20], "y": [0, 0], "time_index": [0, 1]}},
        "metadata": {"sdc_track_index": 0}
    })
}

fn read_value(value: &Value) -> Result<Log, Error> {
    let path = Path::new("made-up.json");
    let log = json::log(path, crate::json::parse_bytes(path, value.to_string().as_bytes())?)?;
    crate::validate::validate(&log)?;
    Ok(log)
}

#[test]
fn every_part_of_a_json_file_arrives() {
    let log = read_value(&file()).unwrap();
    assert_eq!((log.id.as_str(), log.ego.states.len(), log.tracks.len()), ("abc", 2, 1));
    assert_eq!(log.ego.states[1].speed_mps, 10.0);
    let walker = &log.tracks[0];
    assert_eq!((walker.class, walker.states.len(), walker.states[0].pose.yaw), (Class::Pedestrian, 1, 1.5));
    let map = log.map.unwrap();
    assert_eq!(map.lane(LaneId(0)).successors, [LaneId(1)]);
    let parts = map.parts();
    assert_eq!(parts.lines.iter().map(|line| line.kind).collect::<Vec<_>>(), [LineKind::RoadEdge, LineKind::Solid]);
    assert_eq!((parts.stop_signs.len(), parts.crossings[0].exterior.len()), (1, 3));
    // Its id is no lane's; the lane that starts where traffic stops is.
    assert_eq!((log.signals[0].lane, log.signals[0].at(steady_stamp(1))), (LaneId(1), SignalColor::Green));
}

#[test]
fn nocturnes_layouts_are_read() {
    let mut value = file();
    value["metadata"] = json!(null);
    value["objects"][0]["length"] = json!(5.285_999_774_932_861);
    value["objects"][0]["width"] = json!(2.332_000_017_166_137_7);
    value["objects"][0]["heading"] = json!([90.0, -270.0]);
    value["objects"][0]["position"] = json!({"x": [0, 1], "y": [0, 0]});
    let log = read_value(&value).unwrap();
    for state in &log.ego.states {
        assert!((state.pose().yaw - std::f64::consts::FRAC_PI_2).abs() < 1e-9, "degrees");
    }
    assert!(log.notes.iter().any(|note| note.contains("Waymo's car")), "{:?}", log.notes);
}

#[test]
fn without_an_ego_there_is_none() {
    let mut value = file();
    value.as_object_mut().unwrap().remove("metadata");
    let log = read_value(&value).unwrap();
    assert!(log.ego.states.is_empty() && log.notes.iter().any(|note| note.contains("no ego")), "{:?}", log.notes);
}

#[test]
fn errors_name_file_and_field() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (|v| drop(v.as_object_mut().unwrap().remove("objects")), "missing field `objects`"),
        (|v| v["objects"][1]["heading"] = json!("north"), "`objects[1].heading`"),
        (|v| v["objects"][0]["position"] = json!([{"x": 1}]), "missing field `y`"),
        (|v| v["objects"][0]["valid"] = json!([true, true, true]), "object 0: `valid` has 3 rows, position has 2"),
        (|v| v["objects"][0]["position"][1]["x"] = json!(null), "ego state 1: `position` is not finite"),
        (|v| v["metadata"]["sdc_track_index"] = json!(9), "`sdc_track_index` is 9, but there are 2 objects"),
        (|v| v["roads"][0]["geometry"][0]["x"] = json!(1e300), "lane 70"),
        (|v| v["objects"] = json!([]), "`sdc_track_index`"),
    ];
    for (change, expected) in cases {
        let mut value = file();
        change(&mut value);
        let error = read_value(&value).unwrap_err().to_string();
        assert!(error.starts_with("made-up.json") && error.contains(expected), "{error:?} should tell {expected:?}");
        assert!(!error.contains('\n'), "one line: {error:?}");
    }
}

fn scenario() -> Scenario {
    let point = |x: f64, y: f64| MapPoint { x, y, z: 0.0 };
    let state = |x: f64| ObjectState {
        center_x: x,
        center_z: 0.8,
        length: 4.6,
        width: 1.9,
        height: 1.6,
        velocity_x: 10.0,
        valid: true,
        ..ObjectState::default()
    };
    let lane = |id, from, to, entry_lanes: &[i64], exit_lanes: &[i64]| MapFeature {
        id,
        lane: Some(LaneCenter {
            speed_limit_mph: 25.0,
            polyline: vec![point(from, 0.0), point(to, 0.0)],
            entry_lanes: entry_lanes.to_vec(),
            exit_lanes: exit_lanes.to_vec(),
            ..LaneCenter::default()
        }),
        ..MapFeature::default()
    };
    let sign = StopSign { lane: vec![70], position: Some(point(20.0, -3.0)) };
    let edge = TypedLine { r#type: 1, polyline: vec![point(-10.0, -3.0), point(50.0, -3.0)] };
    let light = |state| TrafficSignalLaneState { lane: 71, state, stop_point: Some(point(20.0, 0.0)) };
    Scenario {
        scenario_id: "abc".into(),
        timestamps_seconds: vec![0.0, 0.1],
        tracks: vec![
            proto::Track { id: 4, object_type: 1, states: vec![state(9.0), ObjectState::default()] },
            proto::Track { id: 5, object_type: 1, states: vec![state(0.0), state(1.0)] },
        ],
        sdc_track_index: Some(1),
        dynamic_map_states: vec![
            DynamicMapState { lane_states: vec![light(4)] },
            DynamicMapState { lane_states: Vec::new() },
        ],
        map_features: vec![
            lane(70, -10.0, 20.0, &[], &[71]),
            lane(71, 20.0, 50.0, &[70], &[]),
            MapFeature { id: 72, stop_sign: Some(sign), ..MapFeature::default() },
            MapFeature { id: 73, road_edge: Some(edge), ..MapFeature::default() },
        ],
    }
}

#[test]
fn every_part_of_a_scenario_arrives() {
    let log = tfrecord::log(Path::new("x.tfrecord"), 0, &scenario().encode_to_vec()).unwrap();
    assert_eq!((log.id.as_str(), log.ego.states.len(), log.tracks[0].states.len()), ("abc", 2, 1));
    let map = log.map.unwrap();
    assert_eq!(
        (map.lane(LaneId(0)).successors.as_slice(), map.parts().stop_signs[0].1.as_slice()),
        ([LaneId(1)].as_slice(), [LaneId(0)].as_slice())
    );
    assert!((map.lane(LaneId(0)).speed_limit_mps.unwrap() - 11.176).abs() < 1e-9);
    let light = &log.signals[0];
    assert_eq!([0, 1].map(|row| light.at(steady_stamp(row))), [SignalColor::Red, SignalColor::Unknown]);
}

#[test]
fn what_is_wrong_with_a_scenario_is_told() {
    let error = |change: fn(&mut Scenario)| {
        let mut scenario = scenario();
        change(&mut scenario);
        tfrecord::log(Path::new("x.tfrecord"), 0, &scenario.encode_to_vec()).unwrap_err().to_string()
    };
    assert!(
        error(|s| s.timestamps_seconds[1] = 0.0).contains("scenario abc row 1: `timestamps_seconds` does not rise")
    );
    assert!(error(|s| s.sdc_track_index = Some(7)).contains("`sdc_track_index` is 7"));
    let cut = &scenario().encode_to_vec()[..50];
    assert!(tfrecord::log(Path::new("x.tfrecord"), 99, cut).unwrap_err().to_string().contains("byte 99"));
}

proptest! {
    #[test]
    fn no_damaged_record_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), keep in any::<prop::sample::Index>()) {
        let mut bytes = scenario().encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(keep.index(bytes.len()) + 1);
        if let Ok(log) = tfrecord::log(Path::new("x.tfrecord"), 0, &bytes) {
            let _either_is_fine = crate::validate::validate(&log);
        }
    }

    #[test]
    fn no_damaged_json_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = file().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let path = Path::new("made-up.json");
        if let Ok(file) = crate::json::parse_bytes(path, &bytes) {
            let _either_is_fine = json::log(path, file);
        }
    }
}
