//! Bad input to the fast system, one test a case: one clear line each, nothing lost.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::OnceLock;

use serde_json::{Value, json};
use support::Dir;

/// A network of random weights, small enough to be made in a moment, as its file's bytes.
fn weights() -> &'static [u8] {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let dir = Dir::new();
        dir.write("plan.json", serde_json::to_string(&plan()).unwrap());
        let ran = dir.tandem(["perception", "train", "--plan", "plan.json", "--out", "out", "--pretrained", "none"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        std::fs::read(dir.path().join("out/weights.safetensors")).unwrap()
    })
}

/// One step of a small network.
fn plan() -> Value {
    let text = include_str!("../perception/plans/front.json");
    let mut plan: Value = serde_json::from_str(text).unwrap();
    plan["steps"] = json!(1);
    plan["accumulate"] = json!(1);
    let network = &mut plan["network"];
    for (field, value) in [
        ("cameras", json!(6)),
        ("image", json!([32, 96])),
        ("neck", json!(8)),
        ("context", json!(4)),
        ("lifted", json!(4)),
        ("encoder", json!([4, 8, 8])),
        ("head", json!(8)),
    ] {
        network[field] = value;
    }
    network["grid"]["cells"] = json!(32);
    plan
}

fn drive(dir: &Dir, more: &[&str]) -> support::Ran {
    let fixed = ["drive", "--world", "2", "--perception", "cameras", "--weights", "weights.safetensors"];
    dir.tandem(fixed.iter().chain(more))
}

#[test]
fn weights_that_are_not_there_are_named() {
    drive(&Dir::new(), &[]).is_bad_input(&["weights.safetensors", "No such file"]);
}

#[test]
fn weights_cut_short_are_named() {
    let dir = Dir::new();
    dir.write("weights.safetensors", &weights()[..weights().len() / 2]);
    drive(&dir, &[]).is_bad_input(&["weights.safetensors"]);
    dir.write("weights.safetensors", b"");
    drive(&dir, &[]).is_bad_input(&["weights.safetensors"]);
}

#[test]
fn weights_of_another_configuration_are_named() {
    let dir = Dir::new();
    // The file says of itself which network it is of; here that is another one.
    let text = String::from_utf8_lossy(weights()).into_owned();
    assert!(text.contains(r#"\"neck\":8"#));
    let mut bytes = weights().to_vec();
    let place = bytes.windows(10).position(|part| part == br#"\"neck\":8"#).unwrap();
    bytes[place + 9] = b'9';
    dir.write("weights.safetensors", bytes);
    drive(&dir, &[]).is_bad_input(&["weights.safetensors"]);
}

#[test]
fn a_file_that_is_no_network_is_named() {
    let dir = Dir::new();
    dir.write("weights.safetensors", b"\x02\0\0\0\0\0\0\0{}");
    drive(&dir, &[]).is_bad_input(&["weights.safetensors"]);
}

#[test]
fn a_rig_without_cameras_is_named() {
    let dir = Dir::new();
    dir.write("weights.safetensors", weights());
    dir.write("rig.json", r#"{"cameras": []}"#);
    drive(&dir, &["--rig", "rig.json"]).is_bad_input(&["rig.json"]);
}

#[test]
fn a_calibration_that_is_no_number_is_named() {
    let dir = Dir::new();
    dir.write("weights.safetensors", weights());
    let camera = r#"{"name": "CAM_FRONT", "position_m": [1.7, 0.0, 1.5], "yaw_deg": 0.0, "pitch_deg": 0.0,
        "roll_deg": 0.0, "focal_px": 1e999, "principal_point_px": [48.0, 16.0], "image_size": [96, 32]}"#;
    dir.write("rig.json", format!(r#"{{"cameras": [{camera}]}}"#));
    drive(&dir, &["--rig", "rig.json"]).is_bad_input(&["rig.json"]);
}

#[test]
fn a_plan_with_an_unknown_field_is_named() {
    let dir = Dir::new();
    let mut plan = plan();
    plan["stepz"] = json!(3);
    dir.write("plan.json", plan.to_string());
    dir.tandem(["perception", "train", "--plan", "plan.json", "--out", "out", "--pretrained", "none"])
        .is_bad_input(&["plan.json", "stepz"]);
}

#[test]
fn a_backbone_file_that_is_none_is_named() {
    let dir = Dir::new();
    dir.write("plan.json", plan().to_string());
    dir.write("backbone.pth", b"no weights");
    let ran =
        dir.tandem(["perception", "train", "--plan", "plan.json", "--out", "out", "--pretrained", "backbone.pth"]);
    ran.is_bad_input(&["backbone.pth"]);
}

#[test]
fn drives_without_images_and_broken_images_are_named() {
    let Some(data) = support::data() else { return };
    let dir = Dir::new();
    dir.write("plan.json", plan().to_string());
    let train = |source: &str| {
        let source = format!("nuscenes:{source}");
        dir.tandem([
            "perception",
            "train",
            "--plan",
            "plan.json",
            "--out",
            "out",
            "--pretrained",
            "none",
            "--data",
            &source,
        ])
    };
    train("nowhere").is_bad_input(&["nowhere"]);
    let tables = data.join("nuscenes/v1.0-mini");
    for table in std::fs::read_dir(tables).unwrap() {
        let table = table.unwrap().path();
        let name = table.file_name().unwrap().to_string_lossy().into_owned();
        dir.write(&format!("nuscenes/v1.0-mini/{name}"), std::fs::read(&table).unwrap());
    }
    train("nuscenes").is_bad_input(&["nuscenes", "images"]);
    let front = std::fs::read_dir(data.join("nuscenes/samples/CAM_FRONT")).unwrap().next().unwrap().unwrap().path();
    let name = front.file_name().unwrap().to_string_lossy().into_owned();
    dir.write(&format!("nuscenes/samples/CAM_FRONT/{name}"), &std::fs::read(&front).unwrap()[..2000]);
    train("nuscenes").is_bad_input(&[&name]);
}
