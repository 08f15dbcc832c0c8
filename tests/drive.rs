//! `tandem drive`, `replay` and `log` as a user runs them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{Dir, data};

#[test]
fn driving_worlds_prints_the_documented_json_and_writes_a_page() {
    let dir = Dir::new();
    let drive = ["drive", "--world", "0,5", "--planner", "tandem,human", "--perception", "truth"];
    let results = dir.tandem(drive.iter().chain(&["--report", "page", "--json"])).json();
    let runs = results["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    for run in runs {
        for field in ["score", "nc", "dac", "ddc", "tlc", "ep", "ttc", "lk", "hc", "ec"] {
            let value = run[field].as_f64().unwrap_or_else(|| panic!("{field} in {run}"));
            assert!((0.0..=1.0).contains(&value), "{field}: {value}");
        }
        for field in ["log", "planner", "traffic"] {
            assert!(run[field].is_string(), "{field} in {run}");
        }
        for field in ["distance_m", "at_fault_collisions", "duration_s"] {
            assert!(run[field].is_number(), "{field} in {run}");
        }
    }
    let summary = results["summary"].as_array().unwrap();
    assert_eq!(summary.len(), 2);
    assert!(summary.iter().all(|row| row["logs"] == 2 && row["score_mean"].is_number() && row["traffic"] == "replay"));
    assert_eq!(results["lost_messages"], 0);
    assert_eq!(results["recording_sha256"].as_str().unwrap().len(), 64);
    let page = std::fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    assert!(page.contains("world-0005-pedestrians"));
}

#[test]
fn generated_worlds_are_driven_from_pixels_unless_told_otherwise() {
    let dir = Dir::new();
    let results = dir.tandem(["drive", "--town", "1", "--planner", "tandem,human", "--json"]).json();
    let runs = results["runs"].as_array().unwrap();
    let who: Vec<_> = runs.iter().map(|run| (run["planner"].as_str(), run["perception"].as_str())).collect();
    let expected = [("tandem", "cameras"), ("tandem", "truth"), ("human", "truth")];
    assert_eq!(who, expected.map(|(planner, perception)| (Some(planner), Some(perception))));
    assert!(runs.iter().all(|run| run["complete"] == true && run["lost_unintended"] == 0), "{results}");
}

#[test]
fn two_runs_and_a_replay_of_the_recording_give_the_same_digest() {
    let dir = Dir::new();
    let drive = ["drive", "--world", "2", "--planner", "tandem", "--perception", "truth", "--json", "--record"];
    let first = dir.tandem(drive.iter().chain(&["a.mcap"])).json();
    let second = dir.tandem(drive.iter().chain(&["b.mcap"])).json();
    assert_eq!(first["recording_sha256"], second["recording_sha256"]);
    assert!(std::fs::read(dir.path().join("a.mcap")).unwrap() == std::fs::read(dir.path().join("b.mcap")).unwrap());
    let replayed = dir.tandem(["replay", "a.mcap", "--json"]).json();
    assert_eq!(replayed["replayed_sha256"], first["recording_sha256"]);
}

#[test]
fn a_recording_with_another_trajectory_in_it_does_not_replay() {
    let dir = Dir::new();
    let drive = ["drive", "--planner", "tandem", "--perception", "truth", "--json"];
    dir.tandem(drive.iter().chain(&["--world", "0", "--record", "a.mcap"])).json();
    dir.tandem(drive.iter().chain(&["--world", "1", "--record", "b.mcap"])).json();
    let (a, b) = (dir.tandem(["replay", "a.mcap"]), dir.tandem(["replay", "b.mcap"]));
    assert_eq!((a.code, b.code), (Some(0), Some(0)), "{a:?} {b:?}");
    dir.write("cut.mcap", &std::fs::read(dir.path().join("a.mcap")).unwrap()[..20_000]);
    assert_ne!(dir.tandem(["replay", "cut.mcap"]).code, Some(0));
}

#[test]
fn a_drive_by_cameras_says_so_replays_and_names_the_camera_that_is_not_there() {
    let dir = Dir::new();
    let drive = ["drive", "--world", "2", "--planner", "tandem", "--perception", "oracle", "--image-size", "64x24"];
    let rest = ["--camera-fault", "back_left:missing@2..4", "--record", "a.mcap", "--json"];
    let results = dir.tandem(drive.iter().chain(&rest)).json();
    assert_eq!(results["runs"][0]["perception"], "oracle");
    assert_eq!(results["runs"][0]["injection"], "camera back_left missing 2–4 s");
    assert_eq!(results["complete"], true);
    let replayed = dir.tandem(["replay", "a.mcap", "--json"]).json();
    assert_eq!(replayed["replayed_sha256"], results["recording_sha256"]);
    let refused = dir.tandem(drive.iter().chain(&["--camera-fault", "rear:late@2..4"]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let error = &refused.stderr;
    assert!(error.contains("rear") && error.contains("back_left"), "{error}");
}

#[test]
fn shards_put_together_are_the_whole() {
    let dir = Dir::new();
    let drive = ["drive", "--world", "0..5", "--planner", "idm", "--perception", "truth", "--json"];
    let whole = dir.tandem(drive).json();
    let mut merge = vec!["drive".to_owned(), "--json".to_owned(), "--merge".to_owned()];
    for shard in ["1/2", "2/2"] {
        let name = format!("{}.json", &shard[..1]);
        let part = dir.tandem(drive.iter().chain(&["--shard", shard]));
        part.json();
        dir.write(&name, &part.stdout);
        merge.push(name);
    }
    assert_eq!(dir.tandem(&merge).json(), whole);
}

#[test]
fn lost_messages_are_counted_and_an_intended_loss_is_no_failure() {
    let dir = Dir::new();
    let drive = ["drive", "--world", "0", "--planner", "tandem", "--perception", "truth"];
    let results = dir.tandem(drive.iter().chain(&["--drop", "0.2", "--delay-ms", "100", "--json"])).json();
    assert!(results["lost_messages"].as_u64().unwrap() > 20, "{results}");
    assert!(results["runs"][0]["injection"].as_str().unwrap().contains("drop 0.2"));
}

#[test]
fn every_real_log_loads_and_every_drivable_one_is_driven() {
    let Some(data) = data() else { return };
    let dir = Dir::new();
    let path = data.to_str().unwrap();
    let info = dir.tandem(["log", "info", path, "--json"]).json();
    let logs = info["logs"].as_array().unwrap();
    assert!(logs.len() >= 20, "{} logs", logs.len());
    let results = dir.tandem(["drive", path, "--planner", "idm,human", "--json"]).json();
    let drivable = logs.iter().filter(|log| {
        log["lanes"].as_u64() > Some(0) && log["ego_distance_m"].is_number() && log["agents"].as_u64() > Some(0)
    });
    let mut expected: Vec<_> = drivable.map(|log| log["log"].as_str().unwrap()).collect();
    let mut driven: Vec<_> =
        results["runs"].as_array().unwrap().iter().map(|run| run["log"].as_str().unwrap()).collect();
    expected.sort_unstable();
    driven.sort_unstable();
    driven.dedup();
    assert_eq!(driven, expected);
}

#[test]
fn a_converted_log_is_the_same_log() {
    let Some(data) = data() else { return };
    let dir = Dir::new();
    let source = data.join("scenarios/scenarionet/nuscenes_scene-0103.json.gz");
    let source = source.to_str().unwrap();
    assert_eq!(dir.tandem(["log", "convert", source, "out.mcap"]).code, Some(0));
    let (before, after) =
        (dir.tandem(["log", "info", source, "--json"]), dir.tandem(["log", "info", "out.mcap", "--json"]));
    let (before, after) = (before.json(), after.json());
    for field in ["log", "tracks", "agents", "lanes", "signals", "duration_s", "ego_distance_m", "description", "tags"]
    {
        assert_eq!(before["logs"][0][field], after["logs"][0][field], "{field}");
    }
}
