//! Every way in which a log can be wrong gives one line that says where.

use std::sync::{Arc, LazyLock};

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_ipc::CompressionType;
use proptest::prelude::*;
use serde_json::json;

use super::fixture::{Columns, SensorFixture, column, feather, parquet_bytes, scenario, write_scenario};
use crate::{Error, Log, discover};

fn one_line_with(result: Result<Log, Error>, parts: &[&str]) -> Error {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "`{text}` does not name `{part}`");
    }
    error
}

/// The column with one value replaced.
fn with_value(columns: &mut Columns, name: &str, row: usize, value: Option<f64>) {
    let array = column(columns, name);
    let old = array.as_any().downcast_ref::<Float64Array>().unwrap();
    let mut values: Vec<Option<f64>> = old.iter().collect();
    values[row] = value;
    *array = Arc::new(Float64Array::from(values));
}

#[test]
fn a_truncated_feather_is_damaged_wherever_it_ends() {
    let fixture = SensorFixture::new();
    let path = fixture.write();
    let whole = std::fs::read(path.join("annotations.feather")).unwrap();
    for len in [0, 3, 6, 9, 100, whole.len() / 2, whole.len() - 1] {
        fixture.write_bytes("annotations.feather", &whole[..len]);
        let result = discover(&path).unwrap()[0].read();
        let error = one_line_with(result, &["annotations.feather", "damaged"]);
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    }
}

#[test]
fn a_missing_column_is_named() {
    for (file, name) in
        [("annotations", "track_uuid"), ("annotations", "qw"), ("city_SE3", "ty_m"), ("city_SE3", "timestamp_ns")]
    {
        let mut fixture = SensorFixture::new();
        let columns = if file == "annotations" { &mut fixture.annotations } else { &mut fixture.poses };
        columns.as_mut().unwrap().retain(|(known, _)| *known != name);
        let error = one_line_with(fixture.read(), &[file, name, "missing"]);
        assert!(matches!(error, Error::Column { .. }), "{error:?}");
    }
}

#[test]
fn a_column_of_the_wrong_type_is_named() {
    let mut fixture = SensorFixture::new();
    let columns = fixture.annotations.as_mut().unwrap();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["far"; columns[0].1.len()]));
    *column(columns, "tx_m") = text;
    one_line_with(fixture.read(), &["annotations.feather", "tx_m", "Utf8", "not a number"]);
}

#[test]
fn a_pose_that_is_not_a_number_is_named_with_row_and_field() {
    for (name, value, reason) in
        [("tx_m", Some(f64::NAN), "finite"), ("qz", Some(f64::INFINITY), "finite"), ("ty_m", None, "null")]
    {
        let mut fixture = SensorFixture::new();
        with_value(fixture.poses.as_mut().unwrap(), name, 13, value);
        one_line_with(fixture.read(), &["city_SE3_egovehicle.feather", "row 13", name, reason]);
        let mut fixture = SensorFixture::new();
        with_value(fixture.annotations.as_mut().unwrap(), name, 7, value);
        one_line_with(fixture.read(), &["annotations.feather", "row 7", name, reason]);
    }
}

#[test]
fn a_rotation_of_zero_is_named() {
    let mut fixture = SensorFixture::new();
    with_value(fixture.poses.as_mut().unwrap(), "qw", 2, Some(0.0));
    with_value(fixture.poses.as_mut().unwrap(), "qz", 2, Some(0.0));
    one_line_with(fixture.read(), &["city_SE3_egovehicle.feather", "row 2", "zero"]);
}

#[test]
fn a_log_without_rows_has_zero_length() {
    let mut fixture = SensorFixture::new();
    for columns in [&mut fixture.poses, &mut fixture.annotations] {
        for (_, array) in columns.as_mut().unwrap() {
            *array = array.slice(0, 0);
        }
    }
    let error = one_line_with(fixture.read(), &["log-7", "zero length"]);
    assert!(matches!(error, Error::ZeroLength { .. }), "{error:?}");
}

#[test]
fn a_map_of_the_wrong_type_is_named_with_its_field() {
    let mut fixture = SensorFixture::new();
    fixture.map.as_mut().unwrap()["lane_segments"]["2"]["left_lane_boundary"] = json!("left");
    one_line_with(fixture.read(), &["log_map_archive", "left_lane_boundary", "column"]);
}

#[test]
fn an_empty_map_is_named() {
    let mut fixture = SensorFixture::new();
    fixture.map = Some(json!({"lane_segments": {}, "drivable_areas": {}, "pedestrian_crossings": {}}));
    let error = one_line_with(fixture.read(), &["log_map_archive", "empty"]);
    assert!(matches!(error, Error::Map { .. }), "{error:?}");
}

#[test]
fn a_step_beyond_the_scenario_is_named() {
    let mut columns = scenario();
    let mut steps: Vec<i64> =
        column(&mut columns, "timestep").as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec();
    steps[4] = 400;
    *column(&mut columns, "timestep") = Arc::new(Int64Array::from(steps));
    let (_directory, path) = write_scenario(&parquet_bytes(&columns));
    one_line_with(discover(path).unwrap()[0].read(), &["scenario_s-1.parquet", "row 4", "timestep", "400"]);
}

#[test]
fn a_truncated_parquet_is_damaged_wherever_it_ends() {
    let whole = parquet_bytes(&scenario());
    for len in [0, 4, 11, whole.len() / 2, whole.len() - 1] {
        let (_directory, path) = write_scenario(&whole[..len]);
        let error = one_line_with(discover(path).unwrap()[0].read(), &["scenario_s-1.parquet", "damaged"]);
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    }
}

/// One file of each compression, and a scenario.
static FEATHERS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let columns = SensorFixture::new().annotations.unwrap();
    [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)]
        .map(|compression| feather(&columns, compression))
});
static SCENARIO: LazyLock<Vec<u8>> = LazyLock::new(|| parquet_bytes(&scenario()));

/// Overwrites up to a few bytes somewhere, and perhaps cuts the file behind them.
fn damage(whole: &[u8], at: prop::sample::Index, bytes: &[u8], cut: bool) -> Vec<u8> {
    let mut damaged = whole.to_vec();
    let at = at.index(damaged.len());
    for (target, byte) in damaged[at..].iter_mut().zip(bytes) {
        *target = *byte;
    }
    if cut {
        damaged.truncate(at + bytes.len());
    }
    damaged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_feather_never_panics(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..9), cut in prop::bool::weighted(0.1), kind in 0..3_usize) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("annotations.feather");
        std::fs::write(&path, damage(&FEATHERS[kind], at, &bytes, cut)).unwrap();
        for log in discover(directory.path()).unwrap() {
            let _either = log.read();
        }
    }

    #[test]
    fn a_damaged_parquet_never_panics(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..9), cut in prop::bool::weighted(0.1)) {
        let (_directory, path) = write_scenario(&damage(&SCENARIO, at, &bytes, cut));
        for log in discover(path).unwrap() {
            let _either = log.read();
        }
    }

    #[test]
    fn a_damaged_map_never_panics(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..9), cut in prop::bool::weighted(0.1)) {
        let (directory, path) = write_scenario(&SCENARIO);
        let map = directory.path().join("log_map_archive_s-1.json");
        let whole = std::fs::read(&map).unwrap();
        std::fs::write(&map, damage(&whole, at, &bytes, cut)).unwrap();
        for log in discover(path).unwrap() {
            let _either = log.read();
        }
    }
}
