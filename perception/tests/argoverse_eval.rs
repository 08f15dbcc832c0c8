//! The detection measures on Argoverse 2 boxes, against what the av2 toolkit says of the same files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use serde_json::Value;
use tandem_datasets::argoverse::cuboids;
use tandem_perception::eval::argoverse::{Metrics, evaluate};

/// The toolkit rounds to three decimals.
fn assert_rounds_to(expected: &Value, metrics: &Metrics, at: &str) {
    let actual = serde_json::to_value(metrics).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        let (expected, actual) = (value.as_f64().unwrap(), actual[key].as_f64().unwrap());
        assert!((expected - actual).abs() <= 0.0005 + 1e-9, "{at}.{key}: {actual}, not {expected}");
    }
}

#[test]
fn every_number_rounds_to_the_toolkits() {
    let Some(data) = data::data() else { return };
    let golden = data.join("golden/av2_detection");
    let expected: Value = serde_json::from_slice(&std::fs::read(golden.join("metrics.json")).unwrap()).unwrap();
    for (case, labels) in [
        ("detections_identity", "labels"),
        ("detections_assignment", "labels"),
        ("detections", "labels"),
        ("adcf7d18_perturbed_detections", "adcf7d18_labels_first40"),
    ] {
        let detections = cuboids(&golden.join(format!("{case}.feather")), "score").unwrap();
        let truth = cuboids(&golden.join(format!("{labels}.feather")), "num_interior_pts").unwrap();
        let mut all = Vec::new();
        let metrics = expected[case]["metrics"].as_object().unwrap();
        for (category, expected) in metrics.iter().filter(|(category, _)| *category != "AVERAGE_METRICS") {
            let actual = evaluate(category, &truth, &detections);
            assert_rounds_to(expected, &actual, &format!("{case}.{category}"));
            all.push(actual);
        }
        assert_rounds_to(&metrics["AVERAGE_METRICS"], &Metrics::mean(&all), case);
    }
}

#[test]
fn a_category_without_truth_has_the_worst_values() {
    assert_eq!(evaluate("BUS", &[], &[]).cds, 0.0);
    assert_eq!(Metrics::mean(&[]).ate, 2.0);
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let Some(data) = data::data() else { return };
    let error = cuboids(&data.join("golden/av2_detection/labels.feather"), "confidence").unwrap_err().to_string();
    assert!(error.contains("labels.feather") && error.contains("confidence"), "{error}");
}
