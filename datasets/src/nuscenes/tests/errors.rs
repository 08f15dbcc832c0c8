//! Every way in which a directory can be wrong gives one line that says where.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Fixture, KEYFRAMES, read_first, table};
use super::reading::expansion;
use crate::{Error, discover};

/// The error of reading the first scene, checked to be one line that holds all of `parts`.
fn error_with(fixture: &Fixture, parts: &[&str]) -> Error {
    let error = fixture.read_first().unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "`{text}` does not name `{part}`");
    }
    error
}

#[test]
fn a_missing_table_is_named() {
    for name in super::super::TABLES {
        let mut fixture = Fixture::new();
        fixture.files.remove(&table(name)).unwrap();
        let error = error_with(&fixture, &[&format!("{name}.json"), "missing"]);
        assert!(matches!(error, Error::MissingTable { .. }), "{error:?}");
    }
}

#[test]
fn a_dangling_token_is_named_with_table_row_and_field() {
    for (name, row, field) in [
        ("scene", "scene-0", "log_token"),
        ("sample", "sample-0-1", "scene_token"),
        ("sample_data", "sweep-0-1", "sample_token"),
        ("sample_data", "sweep-0-1", "ego_pose_token"),
        ("sample_data", "image-0-1", "calibrated_sensor_token"),
        ("calibrated_sensor", "cal-front", "sensor_token"),
        ("sample_annotation", "car-0-1", "sample_token"),
        ("sample_annotation", "car-0-1", "instance_token"),
        ("sample_annotation", "car-0-1", "prev"),
        ("sample_annotation", "car-0-1", "next"),
        ("instance", "car-0", "category_token"),
    ] {
        let mut fixture = Fixture::new();
        fixture.row(name, row)[field] = json!("ffffffffffffffffffffffffffffffff");
        let parts = [&*format!("{name}.json"), row, field, "ffffffffffffffffffffffffffffffff", "does not exist"];
        let error = error_with(&fixture, &parts);
        assert!(matches!(error, Error::Dangling { .. }), "{error:?}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_row_field_and_position() {
    for (name, row, field, value) in [
        ("ego_pose", "lidar-0-0", "translation", json!("here")),
        ("ego_pose", "lidar-0-0", "rotation", json!([1.0, 0.0, 0.0])),
        ("sample_data", "lidar-0-0", "timestamp", json!(1.5)),
        ("sample_annotation", "car-0-0", "size", json!([1.0, null, 2.0])),
        ("scene", "scene-0", "name", json!(61)),
        ("sample", "sample-0-0", "token", json!(null)),
    ] {
        let mut fixture = Fixture::new();
        fixture.row(name, row)[field] = value;
        let error = error_with(&fixture, &[&format!("{name}.json"), field, "line 1, column"]);
        assert!(matches!(error, Error::Json { .. }), "{error:?}");
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    let mut fixture = Fixture::new();
    fixture.row("sample_annotation", "car-0-0").as_object_mut().unwrap().remove("size");
    error_with(&fixture, &["sample_annotation.json", "`size`"]);
}

#[test]
fn a_pose_that_is_not_a_number_is_an_error_at_its_position() {
    let fixture = Fixture::new();
    let root = fixture.write();
    // As Python's json module writes it.
    let text = serde_json::to_string(&fixture.files[&table("ego_pose")]).unwrap().replacen("100.0", "NaN", 1);
    fixture.write_bytes(&table("ego_pose"), text.as_bytes());
    let text = read_first(discover(root)).unwrap_err().to_string();
    assert!(text.contains("ego_pose.json") && text.contains("column"), "{text}");
}

#[test]
fn a_rotation_of_zero_is_named() {
    let mut fixture = Fixture::new();
    fixture.row("ego_pose", "sweep-0-1")["rotation"] = json!([0.0, 0.0, 0.0, 0.0]);
    error_with(&fixture, &["ego_pose.json", "row sweep-0-1", "`rotation`", "zero"]);
}

#[test]
fn a_camera_without_intrinsics_is_named() {
    let mut fixture = Fixture::new();
    fixture.row("calibrated_sensor", "cal-front")["camera_intrinsic"] = json!([]);
    error_with(&fixture, &["calibrated_sensor.json", "cal-front", "camera_intrinsic"]);
}

#[test]
fn a_negative_size_is_named() {
    let mut fixture = Fixture::new();
    fixture.row("sample_annotation", "car-0-0")["size"] = json!([1.9, -4.5, 1.6]);
    error_with(&fixture, &["track car-0", "size"]);
}

#[test]
fn a_log_of_no_length_is_named() {
    let mut fixture = Fixture::new();
    let keep = |rows: &mut Value, keep: fn(&str) -> bool| {
        rows.as_array_mut().unwrap().retain(|row| keep(row["token"].as_str().unwrap()));
    };
    keep(fixture.files.get_mut(&table("sample_data")).unwrap(), |token| token == "lidar-0-0");
    let error = error_with(&fixture, &["scene-0000", "zero length"]);
    assert!(matches!(error, Error::ZeroLength { .. }), "{error:?}");
    for name in ["sample_data", "sample", "sample_annotation"] {
        fixture.files.insert(table(name), json!([]));
    }
    error_with(&fixture, &["scene-0000", "zero length", "no ego pose"]);
}

#[test]
fn a_table_that_ends_early_is_an_error_with_its_position() {
    let fixture = Fixture::new();
    let root = fixture.write();
    let whole = serde_json::to_vec(&fixture.files[&table("sample")]).unwrap();
    fixture.write_bytes(&table("sample"), &whole[..whole.len() / 2]);
    let text = read_first(discover(root)).unwrap_err().to_string();
    assert!(text.contains("sample.json, line 1, column") && text.contains("EOF"), "{text}");
}

#[test]
fn a_map_with_a_dangling_reference_is_named() {
    for (layer, field) in
        [("polygon", "exterior_node_tokens"), ("drivable_area", "polygon_tokens"), ("lane_divider", "line_token")]
    {
        let mut map = expansion();
        let value = if field.ends_with('s') { json!(["nowhere"]) } else { json!("nowhere") };
        map[layer][0][field] = value;
        let mut fixture = Fixture::new();
        fixture.files.insert("maps/expansion/singapore-onenorth.json".into(), map);
        error_with(&fixture, &["singapore-onenorth.json", field, "nowhere"]);
    }
}

#[test]
fn one_broken_source_below_a_directory_hides_no_other() {
    let fixture = Fixture::new();
    fixture.write();
    let holder = tempfile::tempdir().unwrap();
    let copy = |name: &str, without: Option<&str>| {
        for file in fixture.files.keys().filter(|file| without.is_none_or(|without| **file != table(without))) {
            let target = holder.path().join(name).join(file);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(fixture.path(file), target).unwrap();
        }
    };
    copy("a-broken", Some("ego_pose"));
    copy("b-whole", None);
    let found = discover(holder.path()).unwrap();
    assert_eq!(found.iter().map(|log| &*log.id).collect::<Vec<_>>(), ["a-broken", "scene-0000", "scene-0001"]);
    assert!(found[0].read().unwrap_err().to_string().contains("ego_pose.json"));
    assert!(found[1].read().is_ok());
}

#[test]
fn a_path_that_is_no_data_set_is_said_to_be_none() {
    let empty = tempfile::tempdir().unwrap();
    std::fs::write(empty.path().join("notes.txt"), "hello").unwrap();
    for path in [empty.path().to_owned(), empty.path().join("notes.txt")] {
        let error = discover(&path).unwrap_err();
        assert!(matches!(error, Error::NotADataSet { .. }), "{error:?}");
        assert!(error.to_string().contains("nuScenes"), "{error}");
    }
    assert!(matches!(discover(empty.path().join("absent")).unwrap_err(), Error::NotFound { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut or overwritten bytes in any table or in the map may be an error, and are never a panic.
    #[test]
    fn damaged_files_never_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..6), cut in any::<bool>()) {
        let mut fixture = Fixture::new();
        fixture.files.insert("maps/expansion/singapore-onenorth.json".into(), expansion());
        let root = fixture.write();
        let (file, json) = fixture.files.iter().nth(which.index(fixture.files.len())).unwrap();
        let mut text = serde_json::to_vec(json).unwrap();
        let at = at.index(text.len());
        for (target, byte) in text[at..].iter_mut().zip(&bytes) {
            *target = *byte;
        }
        if cut {
            text.truncate(at + bytes.len());
        }
        fixture.write_bytes(file, &text);
        for log in discover(root).into_iter().flatten() {
            let _either = log.read();
        }
    }

    /// Any number in any place that holds one is read or refused.
    #[test]
    fn extreme_numbers_never_panic(row in 0..KEYFRAMES, value in prop_oneof![any::<f64>().prop_filter("JSON has none", |v| v.is_finite()), Just(1e300), Just(-1e300)]) {
        let mut fixture = Fixture::new();
        fixture.row("ego_pose", &format!("lidar-0-{row}"))["translation"][0] = json!(value);
        fixture.row("sample_annotation", &format!("car-0-{row}"))["translation"][1] = json!(value);
        fixture.row("sample_data", &format!("sweep-0-{row}"))["timestamp"] = json!(value as i64);
        let mut map = expansion();
        map["arcline_path_3"]["a"][0]["radius"] = json!(value);
        map["arcline_path_3"]["link"][0]["segment_length"][1] = json!(value);
        fixture.files.insert("maps/expansion/singapore-onenorth.json".into(), map);
        let _either = fixture.read_first();
    }
}
