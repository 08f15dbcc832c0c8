//! Bad input gets one clear line that names file and field, and exit code 2.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::Dir;

/// A small valid ScenarioNet record: a straight lane, the ego and one car for three seconds.
fn scenario() -> Value {
    let steps = 31;
    let line = |x: f64, speed: f64| -> Vec<Value> {
        (0..steps).map(|i| json!([x + speed * 0.1 * f64::from(i), 0.0, 0.0])).collect()
    };
    let track = |id: &str, x: f64, speed: f64| {
        json!({
            "type": "VEHICLE",
            "state": {
                "position": line(x, speed),
                "heading": vec![0.0; 31],
                "velocity": vec![[speed, 0.0]; 31],
                "valid": vec![1.0; 31],
                "length": vec![4.6; 31],
                "width": vec![1.9; 31],
                "height": vec![1.6; 31],
            },
            "metadata": {"track_length": steps, "type": "VEHICLE", "object_id": id, "dataset": "nuscenes"},
        })
    };
    json!({
        "id": "small",
        "version": "1",
        "length": steps,
        "metadata": {
            "id": "small", "scenario_id": "small", "dataset": "nuscenes", "coordinate": "right-handed",
            "metadrive_processed": false, "sdc_id": "ego", "ts": (0..steps).map(|i| f64::from(i) * 0.1).collect::<Vec<_>>(),
        },
        "tracks": {"ego": track("ego", 0.0, 8.0), "car": track("car", 30.0, 8.0)},
        "dynamic_map_states": {},
        "map_features": {
            "lane": {
                "type": "LANE_SURFACE_STREET",
                "polyline": [[-20.0, 0.0], [0.0, 0.0], [300.0, 0.0]],
                "polygon": [[-20.0, -1.8], [300.0, -1.8], [300.0, 1.8], [-20.0, 1.8]],
            },
        },
    })
}

fn write(dir: &Dir, scenario: &Value) -> std::path::PathBuf {
    dir.write("small.json", serde_json::to_vec(scenario).unwrap())
}

#[test]
fn the_unbroken_scenario_is_good_input() {
    let dir = Dir::new();
    let path = write(&dir, &scenario());
    let info = dir.tandem([std::ffi::OsStr::new("log"), "info".as_ref(), path.as_os_str(), "--json".as_ref()]).json();
    assert_eq!(info["logs"][0]["tracks"], 1);
    assert_eq!(dir.tandem(["drive", "small.json", "--planner", "tandem"]).code, Some(0));
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    Dir::new().tandem(["drive", "nowhere"]).is_bad_input(&["nowhere", "no such file"]);
}

#[test]
fn a_directory_that_is_no_data_set_is_named() {
    let dir = Dir::new();
    dir.write("photos/holiday.txt", "sun");
    dir.tandem(["drive", "photos"]).is_bad_input(&["photos", "no log of a known format"]);
}

#[test]
fn a_file_cut_short_is_named_with_the_place() {
    let dir = Dir::new();
    let text = serde_json::to_string(&scenario()).unwrap();
    dir.write("small.json", &text[..text.len() / 2]);
    dir.tandem(["drive", "small.json"]).is_bad_input(&["small.json", "line 1, column"]);
}

#[test]
fn a_json_value_of_the_wrong_type_is_named_with_the_place() {
    let dir = Dir::new();
    let mut broken = scenario();
    broken["tracks"]["car"]["state"]["heading"] = json!("north");
    write(&dir, &broken);
    dir.tandem(["drive", "small.json"]).is_bad_input(&["small.json"]);
}

#[test]
fn an_empty_map_is_named() {
    let dir = Dir::new();
    let mut broken = scenario();
    broken["map_features"] = json!({});
    write(&dir, &broken);
    dir.tandem(["drive", "small.json"]).is_bad_input(&["small", "map"]);
}

#[test]
fn a_pose_that_is_no_number_is_named() {
    let dir = Dir::new();
    // JSON has no NaN; this is the number that no float can hold.
    let text = serde_json::to_string(&scenario()).unwrap().replacen("[8.0,0.0,0.0]", "[1e999,0.0,0.0]", 1);
    dir.write("small.json", text);
    dir.tandem(["drive", "small.json"]).is_bad_input(&["small.json"]);
}

#[test]
fn a_log_of_zero_length_is_named() {
    let dir = Dir::new();
    let mut broken = scenario();
    broken["length"] = json!(0);
    broken["metadata"]["ts"] = json!([]);
    for track in ["ego", "car"] {
        for field in ["position", "heading", "velocity", "valid", "length", "width", "height"] {
            broken["tracks"][track]["state"][field] = json!([]);
        }
    }
    write(&dir, &broken);
    dir.tandem(["drive", "small.json"]).is_bad_input(&["small"]);
}

#[test]
fn a_missing_table_is_named() {
    let dir = Dir::new();
    dir.write("nuscenes/v1.0-mini/scene.json", "[]");
    dir.tandem(["drive", "nuscenes"]).is_bad_input(&["v1.0-mini", ".json", "missing"]);
}

#[test]
fn a_truncated_feather_is_named() {
    let dir = Dir::new();
    let map = r#"{"pedestrian_crossings": {}, "lane_segments": {}, "drivable_areas": {}}"#;
    dir.write("log/map/log_map_archive_log____PIT_city_1.json", map);
    dir.write("log/city_SE3_egovehicle.feather", b"ARROW1\0\0\xff\xff\xff\xff");
    dir.write("log/annotations.feather", b"ARROW1\0\0\xff\xff\xff\xff");
    dir.tandem(["drive", "log"]).is_bad_input(&[".feather"]);
}

#[test]
fn a_planner_that_does_not_exist_is_a_usage_error() {
    let ran = Dir::new().tandem(["drive", "--planner", "psychic"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("psychic"), "{}", ran.stderr);
}
