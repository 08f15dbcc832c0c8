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
