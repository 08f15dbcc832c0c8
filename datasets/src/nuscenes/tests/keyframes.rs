//! Keyframes with their labels, from a directory made in memory.

use serde_json::json;

use super::fixture::{Fixture, KEYFRAMES, table};
use crate::Error;
use crate::nuscenes::{Keyframe, keyframes};

fn read(fixture: &Fixture) -> Result<Vec<Keyframe>, Error> {
    keyframes(&fixture.write(), None, |scene| scene == "scene-0001")
}

#[test]
fn a_keyframe_has_the_lidars_ego_and_all_labels() {
    let mut fixture = Fixture::new();
    let label = fixture.row("sample_annotation", "car-1-2");
    (label["attribute_tokens"], label["num_radar_pts"]) = (json!(["attribute-0"]), json!(4));
    let found = read(&fixture).unwrap();
    assert_eq!(found.len(), KEYFRAMES);
    assert_eq!((&*found[2].token, &*found[2].scene, found[2].ego), ("sample-1-2", "scene-0001", [110.0, 50.0, 0.0]));
    let [car, cone] = &found[2].labels[..] else { panic!("{:?}", found[2].labels) };
    assert_eq!((&*car.category, &*car.attribute, &*car.instance, car.points), ("vehicle.car", "any", "car-1", 5));
    assert_eq!((&*cone.category, &*cone.attribute, cone.size), ("movable_object.trafficcone", "", [4.5, 1.9, 1.6]));
    // Three metres each half second; one-sided at the ends.
    for (keyframe, speed_mps) in found.iter().zip([6.0; KEYFRAMES]) {
        let [vx, vy] = keyframe.labels[0].velocity_mps.unwrap();
        assert!((vx - speed_mps).abs() < 1e-5 && vy == 0.0, "{vx}");
    }
}

#[test]
fn a_label_alone_or_far_from_its_neighbours_in_time_has_no_velocity() {
    let mut fixture = Fixture::new();
    for step in 0..KEYFRAMES {
        let label = fixture.row("sample_annotation", &format!("cone-1-{step}"));
        (label["prev"], label["next"]) = (json!(""), json!(""));
    }
    // One neighbour may be 1.5 s away, two 3 s apart.
    let timestamp = &mut fixture.row("sample", "sample-1-3")["timestamp"];
    *timestamp = json!(timestamp.as_u64().unwrap() + 2_100_000);
    let found = read(&fixture).unwrap();
    assert!(found.iter().all(|keyframe| keyframe.labels[1].velocity_mps.is_none()));
    let of_car = |step: usize| found[step].labels[0].velocity_mps;
    assert!(of_car(0).is_some() && of_car(1).is_some());
    assert_eq!((of_car(2), of_car(3)), (None, None));
}

#[test]
fn what_is_wrong_is_named() {
    let break_row = |name: &str, token: &str, field: &str, value: serde_json::Value| {
        let mut fixture = Fixture::new();
        fixture.row(name, token)[field] = value;
        read(&fixture).unwrap_err().to_string()
    };
    for (name, token, field, value) in [
        ("sample_annotation", "car-1-0", "attribute_tokens", json!(["attribute-0", "attribute-0"])),
        ("sample_annotation", "car-1-0", "attribute_tokens", json!(["nowhere"])),
        ("sample_annotation", "car-1-0", "size", json!([1.0, 0.0, 1.0])),
        ("sample_annotation", "car-1-0", "num_lidar_pts", json!("many")),
        ("sample_annotation", "car-1-1", "prev", json!("nowhere")),
    ] {
        let error = break_row(name, token, field, value);
        assert!(error.contains("sample_annotation.json") && error.contains(field), "{error}");
    }
    let error = break_row("sample_data", "lidar-1-2", "is_key_frame", json!(false));
    assert!(error.contains("sample-1-2") && error.contains("LIDAR_TOP"), "{error}");
}

#[test]
fn a_directory_without_tables_is_refused() {
    let fixture = Fixture::new();
    assert!(matches!(keyframes(&fixture.path("nowhere"), None, |_| true), Err(Error::NotFound { .. })));
    assert!(matches!(keyframes(&fixture.write(), Some("v1.0-other"), |_| true), Err(Error::MissingTable { .. })));
    let mut lacking = Fixture::new();
    lacking.files.remove(&table("attribute"));
    let error = keyframes(&lacking.write(), Some("v1.0-test"), |_| true).unwrap_err();
    assert!(error.to_string().contains("attribute.json"), "{error}");
}
