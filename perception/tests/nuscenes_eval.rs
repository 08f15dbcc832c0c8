//! The detection measures on real scenes, against what the nuScenes devkit says of the same files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use serde_json::Value;
use tandem_perception::eval::detection::Breakdown;
use tandem_perception::eval::{DetectionMetrics, nuscenes, results::Results};

/// Every number of `expected` is in `actual` at the same place, and null where it is null.
fn assert_close(expected: &Value, actual: &Value, at: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            assert_eq!(expected.len(), actual.len(), "{at}");
            for (key, value) in expected {
                assert_close(value, actual.get(key).unwrap_or_else(|| panic!("{at}.{key}")), &format!("{at}.{key}"));
            }
        }
        (Value::Number(expected), Value::Number(actual)) => {
            let (expected, actual) = (expected.as_f64().unwrap(), actual.as_f64().unwrap());
            assert!((expected - actual).abs() < 1e-9, "{at}: {actual}, not {expected}");
        }
        _ => assert_eq!(expected, actual, "{at}"),
    }
}

#[test]
fn every_number_equals_the_devkits() {
    let Some(data) = data::data() else { return };
    let golden = data.join("golden/nuscenes_eval");
    for (name, split) in [
        ("scene-0103_noise_low", "mini_val"),
        ("scene-0103_noise_mid", "mini_val"),
        ("scene-0103_noise_high", "mini_val"),
        ("scene-0103_centerpoint", "mini_val"),
        ("scenes-0061-0553-0757_noise_mid", "mini_train"),
    ] {
        let path = golden.join(name).join("results.json");
        let results = Results::read(&path).unwrap();
        let keyframes = nuscenes::keyframes_of(&data.join("nuscenes"), None, split).unwrap();
        let samples = nuscenes::samples(&keyframes, &results, &path).unwrap();
        let metrics = DetectionMetrics::of(&samples);
        let actual = metrics.devkit_json();
        let expected: Value =
            serde_json::from_slice(&std::fs::read(golden.join(name).join("metrics_summary.json")).unwrap()).unwrap();
        for key in ["label_aps", "mean_dist_aps", "mean_ap", "label_tp_errors", "tp_errors", "tp_scores", "nd_score"] {
            assert_close(&expected[key], &actual[key], &format!("{name}: {key}"));
        }
        let truths: usize = metrics.classes.iter().map(|class| class.truths).sum();
        let detections: usize = metrics.classes.iter().map(|class| class.detections).sum();
        assert_eq!(expected["_about"]["gt_boxes_after_filter"], truths);
        assert_eq!(expected["_about"]["pred_boxes_after_filter"], detections);

        let parts = Breakdown::of(&samples);
        let in_parts =
            |class: usize| parts.by_distance.iter().map(|part| part.metrics.classes[class].truths).sum::<usize>();
        for (index, class) in metrics.classes.iter().enumerate() {
            assert_eq!(in_parts(index), class.truths, "{name}: every box is in one ring");
        }
    }
}

#[test]
fn results_that_lack_a_sample_are_refused() {
    let Some(data) = data::data() else { return };
    let path = data.join("golden/nuscenes_eval/scene-0103_noise_low/results.json");
    let mut results = Results::read(&path).unwrap();
    let keyframes = nuscenes::keyframes_of(&data.join("nuscenes"), Some("v1.0-mini"), "scene-0103").unwrap();
    let (token, _) = results.results.remove(3);
    let error = nuscenes::samples(&keyframes, &results, &path).unwrap_err().to_string();
    assert!(error.contains(&token) && error.contains("results.json"), "{error}");
    let error = nuscenes::keyframes_of(&data.join("nuscenes"), None, "scene-9999").unwrap_err().to_string();
    assert!(error.contains("scene-9999"), "{error}");
}
