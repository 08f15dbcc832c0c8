use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::map::LaneId;

/// Two lanes in a row, a crossing one, a car ahead of the ego vehicle and a light.
fn record() -> Value {
    json!({
        "id": "made-up", "version": "1", "length": 3,
        "metadata": {"ts": [0.0, 0.1, 0.2], "sdc_id": "ego", "dataset": "waymo", "map": "nowhere"},
        "tracks": {
            "ego": {"type": "VEHICLE", "metadata": {"type": "VEHICLE"}, "state": {
                "position": [[0, 0, 1], [1, 0, 1], [2, 0, 1]], "heading": [0, 0, 0],
                "velocity": [[10, 0], [10, 0], [10, 0]], "valid": [1, 1, true],
                "length": [[4.6], [4.6], [4.6]], "width": [2, 2, 2], "height": 1.6}},
            "7": {"type": "CYCLIST", "metadata": {"type": "vehicle.motorcycle"}, "state": {
                "position": [[9, 0], [9, 0], [9, 0]], "heading": [[0], [0], [0]], "valid": [0, 1, 1]}}
        },
        "dynamic_map_states": {
            "b": {"lane": "b", "stop_point": [20, 0, 0], "state": {"object_state": ["LANE_STATE_STOP", null, "LANE_STATE_GO"]}}
        },
        "map_features": {
            "a": {"type": "LANE_SURFACE_STREET", "polyline": [[-10, 0, 0], [0, 0, 0], [20, 0, 0]], "exit_lanes": ["b"],
                  "speed_limit_kmh": 36},
            "b": {"type": "LANE_SURFACE_STREET", "polyline": [[20, 0, 0], [40, 0, 0]]},
            "c": {"type": "LANE_SURFACE_STREET", "polyline": [[30, -20, 0], [30, 20, 0]]},
            "d": {"type": "ROAD_EDGE_BOUNDARY", "polyline": [[-10, -3, 0], [20, -3, 0]]},
            "e": {"type": "CROSSWALK", "polygon": [[18, -2], [19, -2], [19, 2], [18, 2]]},
            "f": {"type": "STOP_SIGN", "lane": ["a"], "position": [20, -3, 1]}
        }
    })
}

fn read_value(value: &Value) -> Result<Log, Error> {
    let path = Path::new("made-up.json");
    let log = log(path, json::parse_bytes(path, value.to_string().as_bytes())?)?;
    crate::validate::validate(&log)?;
    Ok(log)
}

#[test]
fn every_part_of_a_record_arrives() {
    let log = read_value(&record()).unwrap();
    assert_eq!((log.id.as_str(), log.location.as_str(), log.tracks.len()), ("made-up", "nowhere", 1));

    let ego = &log.ego;
    assert_eq!((ego.body.length, ego.body.width), (4.6, 2.0));
    let state = ego.states[1];
    assert!((state.pose().x - (1.0 - ego.body.rear_axle_to_center)).abs() < 1e-9, "from the box's centre to the axle");
    assert!((state.map_from_ego.translation.z - 0.2).abs() < 1e-9, "on the ground");
    assert_eq!(state.speed_mps, 10.0);

    let track = &log.tracks[0];
    assert_eq!((track.class, track.states.len()), (crate::Class::Motorcycle, 2));
    assert_eq!(track.size, crate::motion::usual_size(crate::Class::Motorcycle));

    let map = log.map.unwrap();
    let [a, b, c] = [0, 1, 2].map(|number| map.lane(LaneId(number)));
    assert_eq!((a.successors.as_slice(), b.predecessors.as_slice()), ([LaneId(1)].as_slice(), [LaneId(0)].as_slice()));
    assert_eq!(a.speed_limit_mps, Some(10.0));
    assert!(!a.in_intersection && b.in_intersection && c.in_intersection);
    assert_eq!((map.parts().lines.len(), map.parts().crossings.len()), (1, 1));
    assert_eq!(map.parts().stop_signs[0].1, [LaneId(0)]);

    let light = &log.signals[0];
    assert_eq!((light.lane, light.stop_point), (LaneId(1), Some([20.0, 0.0])));
    let colors: Vec<_> = light.states.iter().map(|(_, color)| *color).collect();
    assert_eq!(colors, [crate::SignalColor::Red, crate::SignalColor::Unknown, crate::SignalColor::Green]);
}

/// What reading the record says after `change`.
fn error_after(change: impl FnOnce(&mut Value)) -> String {
    let mut value = record();
    change(&mut value);
    read_value(&value).unwrap_err().to_string()
}

#[test]
fn errors_name_file_and_field() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 10] = [
        (|v| drop(v.as_object_mut().unwrap().remove("tracks")), "missing field `tracks`"),
        (|v| v["tracks"] = json!([]), "`tracks`"),
        (|v| v["tracks"]["ego"]["state"]["position"][1] = json!("east"), "`tracks.ego.state.position[1]`"),
        (|v| v["tracks"]["ego"]["state"]["position"][1][0] = json!(null), "ego state 1: `position` is not finite"),
        (
            |v| v["tracks"]["7"]["state"]["heading"] = json!([0, 0]),
            "track 7: `state.heading` has 2 rows, position has 3",
        ),
        (|v| v["metadata"]["sdc_id"] = json!("nobody"), "metadata: `sdc_id` names track `nobody`"),
        (|v| v["metadata"]["ts"] = json!([0, 0.2, 0.1]), "row 2: `metadata.ts` does not rise"),
        (|v| v["metadata"]["ts"] = json!([0, 1e300, 0.1]), "row 1: `metadata.ts` is not a time"),
        (|v| v["map_features"]["b"]["polyline"][1] = json!([null, 0]), "lane b"),
        (|v| v["tracks"] = json!({"ego": {"state": {"position": [], "heading": []}}}), "zero length"),
    ];
    for (change, expected) in cases {
        let error = error_after(change);
        assert!(error.starts_with("made-up.json") && error.contains(expected), "{error:?} should tell {expected:?}");
        assert!(!error.contains('\n'), "one line: {error:?}");
    }
}

#[test]
fn a_record_without_lanes_has_no_map() {
    let mut value = record();
    value["map_features"] = json!({});
    let log = read_value(&value).unwrap();
    assert!(log.map.is_none() && log.signals.is_empty());
    assert!(log.notes.iter().any(|note| note.contains("no map")), "{:?}", log.notes);
}

#[test]
fn truncated_and_foreign_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let text = record().to_string();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();

    let whole = write("whole.json.gz", &packed);
    assert!(recognises(&whole));
    assert_eq!(discover(&whole).unwrap()[0].id, "made-up");
    assert!(matches!(read(&write("cut.json.gz", &packed[..packed.len() / 2])), Err(Error::Damaged { .. })));
    assert!(matches!(read(&write("cut.json", &text.as_bytes()[..text.len() / 2])), Err(Error::Json { .. })));
    assert!(!recognises(&write("other.json", b"{\"type\": \"FeatureCollection\"}")));
    assert!(!recognises(&write("list.json", b"[1, 2]")));
    let pickle = write("sd_nuscenes_v1.0_scene-0001.pkl", b"\x80\x04");
    assert!(discover(&pickle).unwrap_err().to_string().contains("scenarionet_to_json.py"));
}

/// Replaces the `index`-th value in the tree, counted depth first.
fn replace(value: &mut Value, index: &mut usize, with: &Value) {
    if *index == 0 {
        *value = with.clone();
    }
    *index = index.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, index, with)),
        Value::Object(entries) => entries.values_mut().for_each(|item| replace(item, index, with)),
        _ => {}
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!("x")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[1, 2], [1, 2], [1, 2], [1, 2]])),
        any::<i64>().prop_map(|number| json!(number)),
        prop_oneof![Just(1e308), Just(-1e308), Just(1e-308), -100.0..100.0].prop_map(|number| json!(number)),
    ]
}

proptest! {
    #[test]
    fn no_wrong_value_anywhere_panics(changes in prop::collection::vec((0..150usize, odd_value()), 1..4)) {
        let mut value = record();
        for (index, with) in changes {
            replace(&mut value, &mut { index }, &with);
        }
        let _either_is_fine = read_value(&value);
    }

    #[test]
    fn no_damaged_byte_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), keep in any::<prop::sample::Index>()) {
        let mut bytes = record().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(keep.index(bytes.len()) + 1);
        let path = Path::new("made-up.json");
        if let Ok(record) = json::parse_bytes(path, &bytes) {
            let _either_is_fine = log(path, record);
        }
    }
}
