//! `tandem perception` as a user runs it.

mod support;

use support::{Dir, data};

#[test]
fn eval_prints_the_devkits_score_and_names_what_is_wrong() {
    let Some(data) = data() else { return };
    let results = data.join("golden/nuscenes_eval/scene-0103_centerpoint/results.json");
    let dir = Dir::new();
    let eval = |results: &std::path::Path, more: &[&str]| {
        let fixed = ["perception", "eval", "--results", &results.to_string_lossy(), "--nuscenes"].map(str::to_owned);
        let nuscenes = data.join("nuscenes").to_string_lossy().into_owned();
        dir.tandem(fixed.into_iter().chain([nuscenes]).chain(more.iter().map(|arg| (*arg).to_owned())))
    };
    let report = eval(&results, &["--version", "v1.0-mini", "--split", "mini_val", "--json"]).json();
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(results.with_file_name("metrics_summary.json")).unwrap()).unwrap();
    let score = |value: &serde_json::Value| value["nd_score"].as_f64().unwrap();
    assert!((score(&report["devkit"]) - score(&expected)).abs() < 1e-9);
    assert_eq!(report["samples"], 40);

    let table = eval(&results, &[]);
    assert_eq!(table.code, Some(0));
    assert!(table.stdout.contains("0.3310") && table.stdout.contains("15-30 m"), "{}", table.stdout);

    eval(&results, &["--split", "scene-0061"]).is_bad_input(&["results.json"]);
    eval(&results, &["--split", "scene-9999"]).is_bad_input(&["scene-9999"]);
    let broken = dir.write("broken.json", r#"{"meta":{},"results":{}}"#);
    eval(&broken, &[]).is_bad_input(&["broken.json", "meta"]);
}

#[test]
fn export_writes_a_model_and_says_when_its_weights_are_random() {
    let dir = Dir::new();
    let export = |args: &[&str]| dir.tandem(["perception", "export"].iter().chain(args));
    let report = export(&["tiny.onnx", "--config", "tiny", "--json"]).json();
    let bytes = std::fs::read(dir.path().join("tiny.onnx")).unwrap();
    assert_eq!((&report["network"], &report["is_random"]), (&"tiny".into(), &true.into()));
    assert_eq!(report["bytes"], bytes.len());
    // Nearly every weight is in the file: those that only training looks at are not, and equal ones are there once.
    assert!(bytes.len() as u64 > report["parameters"].as_u64().unwrap() * 3);

    let said = export(&["any.onnx", "--config", "tiny", "--dynamic-batch"]);
    assert_eq!(said.code, Some(0));
    assert!(said.stdout.contains("random"), "{}", said.stdout);

    let broken = dir.write("broken.safetensors", "not weights");
    export(&["m.onnx", "--weights", &broken.to_string_lossy()]).is_bad_input(&["broken.safetensors"]);
    export(&["nowhere/m.onnx", "--config", "tiny"]).is_bad_input(&["nowhere"]);
    assert!(!dir.path().join("m.onnx").exists());

    // Without either, the program's own weights.
    let report = export(&["own.onnx", "--json"]).json();
    assert_eq!((&report["network"], &report["is_random"]), (&"tiny".into(), &false.into()));
}

#[test]
fn bench_says_how_long_each_stage_takes_and_what_was_not_built_in() {
    let dir = Dir::new();
    let bench = |args: &[&str]| dir.tandem(["perception", "bench"].iter().chain(args));
    let stages = bench(&["--frames", "2", "--image", "320x180", "--json"]).json();
    let number = |stage: &serde_json::Value, name: &str| stage[name].as_f64().unwrap();
    let stages: Vec<_> = stages.as_array().unwrap().clone();
    let names: Vec<_> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(names, ["prepare", "network", "decode", "track", "frame"]);
    assert!(stages.iter().all(|stage| number(stage, "p50_ms") <= number(stage, "most_ms")));
    let parts: f64 = stages[..4].iter().map(|stage| number(stage, "most_ms")).sum();
    assert!(number(&stages[4], "p50_ms") <= parts + 1.0, "{stages:?}");

    assert!(bench(&["--half"]).stderr.contains("--device"));
    if cfg!(not(feature = "torch")) {
        let out = dir.path().join("out");
        let train = ["perception", "train", "--device", "torch-cuda", "--out", out.to_str().unwrap()];
        assert!(dir.tandem(train.iter()).stderr.contains("feature `torch`"));
        assert!(!out.exists());
    }
}
