#![allow(clippy::unwrap_used)]

use super::*;

const TEXT: &str = r#"{
    "images": {"input": "i", "layout": "nchw", "cameras": 1, "size": [32, 64], "order": "bgr",
               "mean": [0, 0, 0], "std": [1, 1, 1]},
    "outputs": {"boxes": "b", "scores": "s", "labels": "l",
                "columns": ["x", "y", "bottom-z", "log-length", "width", "height", "yaw", "velocity-x", "velocity-y"]},
    "classes": ["car", null, "pedestrian"],
    "ego_from_model": {"translation_m": [1, 2, 3], "yaw_rad": 1.5707963267948966},
    "min_score": 0.5
}"#;

#[test]
fn boxes_come_into_the_vehicles_frame_and_the_unwanted_are_left_out() {
    let description: Description = serde_json::from_str(TEXT).unwrap();
    let row = [10.0, 1.0, -1.0, 4.0_f32.ln(), 2.0, 1.5, 0.5, 3.0, 0.0];
    let (mut broken, mut endless) = (row, row);
    broken[0] = f32::NAN;
    endless[3] = 1e6;
    let boxes = [row, row, row, row, broken, endless, row].concat();
    let scores = [0.6, 0.9, 0.9, 0.4, 0.9, 0.9, 0.8];
    let seen = description.decode(&boxes, &scores, Some(&[0, 1, 9, 0, 0, 0, 2])).unwrap();
    assert_eq!(seen.iter().map(|seen| seen.class.name()).collect::<Vec<_>>(), ["pedestrian", "car"]);
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
    // A quarter turn to the left: x → y, y → −x.
    seen[1]
        .center
        .into_iter()
        .zip([1.0 - 1.0, 2.0 + 10.0, 3.0 - 1.0 + 0.75])
        .for_each(|(found, wanted)| near(found, wanted));
    seen[1].size.into_iter().zip([4.0, 2.0, 1.5]).for_each(|(found, wanted)| near(found, wanted));
    seen[1].velocity_mps.into_iter().zip([0.0, 3.0]).for_each(|(found, wanted)| near(found, wanted));
    near(seen[1].yaw_rad, 0.5 + std::f64::consts::FRAC_PI_2);
    assert!(description.decode(&boxes, &scores[1..], Some(&[0; 7])).is_err());
}

#[test]
fn without_labels_the_best_of_the_classes_counts() {
    let mut description: Description = serde_json::from_str(TEXT).unwrap();
    description.outputs.labels = None;
    let seen = description.decode(&[1.0; 18], &[0.1, 0.2, 0.7, 0.6, 0.9, 0.1], None).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].class, seen[0].score as f32), (DetectionClass::Pedestrian, 0.7));
}

#[test]
fn a_wrong_description_is_an_error_that_names_the_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("detector.json");
    for (from, to, field) in [
        ("\"car\"", "\"tank\"", "classes"),
        ("\"x\", ", "\"wrong\", ", "outputs.columns[0]"),
        ("\"x\", ", "", "outputs.columns"),
        (r#"["car", null, "pedestrian"]"#, "[]", "classes"),
        ("[32, 64]", "[0, 64]", "images.size"),
        ("[1, 1, 1]", "[1, 0, 1]", "images.std"),
        ("\"yaw\", ", "\"sin-yaw\", ", "outputs.columns"),
        ("\"min_score\"", "\"score\"", "score"),
    ] {
        std::fs::write(&path, TEXT.replace(from, to)).unwrap();
        let error = Description::read(&path).unwrap_err().to_string();
        assert!(error.contains("detector.json") && error.contains(field), "{field}: {error}");
        assert_eq!(error.lines().count(), 1);
    }
}
