//! The real Argoverse 2 logs: frames, centrelines and what is absent.

#![allow(clippy::unwrap_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::collections::BTreeMap;
use std::path::Path;

use data::data;
use nalgebra::Point2;
use tandem_datasets::{Class, Log, discover};

fn logs(path: &Path) -> BTreeMap<String, Log> {
    discover(path).unwrap().iter().map(|log| (log.id[..8].to_owned(), log.read().unwrap())).collect()
}

#[test]
fn sensor_logs_load_with_what_they_have() {
    let Some(data) = data() else { return };
    let logs = logs(&data.join("av2/val"));
    let counts: Vec<_> = logs
        .iter()
        .map(|(id, log)| (&**id, log.tracks.len(), log.tracks.iter().map(|track| track.states.len()).sum::<usize>()))
        .collect();
    assert_eq!(counts, [("7fab2350", 114, 11_364), ("adcf7d18", 146, 12_078), ("b87683ae", 74, 6_542)]);
    let bare = &logs["b87683ae"];
    assert!(bare.map.is_none() && bare.ego.states.is_empty() && bare.notes.len() == 3, "{:?}", bare.notes);
    assert_eq!(logs["7fab2350"].cameras.len(), 9);
    assert_eq!(logs["adcf7d18"].location, "PIT");
    assert_eq!(logs["adcf7d18"].map.as_ref().unwrap().parts().lanes.len(), 199);
}

/// Cones, signs and bollards stand on the ground while the ego drives: its poses and the boxes' frame must agree.
#[test]
fn standing_things_stand_still_in_the_map() {
    let Some(data) = data() else { return };
    for log in logs(&data.join("av2/val")).values().filter(|log| !log.ego.states.is_empty()) {
        let standing: Vec<_> = log
            .tracks
            .iter()
            .filter(|track| {
                matches!(track.class, Class::Cone) || matches!(&*track.source_class, "BOLLARD" | "SIGN" | "STOP_SIGN")
            })
            .collect();
        assert!(standing.len() > 5);
        for track in standing {
            let first = track.states[0].pose.position();
            let moved = track.states.iter().map(|state| (state.pose.position() - first).norm()).fold(0.0, f64::max);
            assert!(moved < 0.5, "{} {} moves {moved} m", track.source_class, track.source_id);
        }
    }
}

/// Speed by differences, summed up over time, is the way that was driven.
#[test]
fn ego_speed_adds_up_to_the_way_driven() {
    let Some(data) = data() else { return };
    for log in logs(&data.join("av2")).values().filter(|log| !log.ego.states.is_empty()) {
        let (mut way, mut by_speed) = (0.0, 0.0);
        for pair in log.ego.states.windows(2) {
            way += (pair[1].pose().position() - pair[0].pose().position()).norm();
            by_speed += pair[0].speed_mps.midpoint(pair[1].speed_mps) * pair[1].stamp.seconds_since(pair[0].stamp);
        }
        assert!(way > 5.0 && (way - by_speed).abs() < 0.01 * way + 0.1, "{}: {way} m, {by_speed} m by speed", log.id);
        let lanes = log.map.as_ref().unwrap();
        let on_lane = log.ego.states.iter().filter(|state| !lanes.lanes_at(state.pose().position()).is_empty()).count();
        assert!(on_lane as f64 > 0.95 * log.ego.states.len() as f64, "{}: on a lane in {on_lane} states", log.id);
    }
}

#[test]
fn the_scenario_loads_with_ego_and_map() {
    let Some(data) = data() else { return };
    let log = logs(&data.join("av2/motion_forecasting")).remove("0a1e6f0a").unwrap();
    assert_eq!((log.tracks.len(), log.ego.states.len(), log.location.as_str()), (57, 110, "austin"));
    let (first, last) = log.span().unwrap();
    assert!((last.seconds_since(first) - 10.9).abs() < 1e-6);
    assert_eq!(log.map.unwrap().parts().lanes.len(), 71);
}

/// The forecasting maps carry centrelines made by their publisher: ours, from the edges, run along them.
#[test]
fn centrelines_agree_with_the_published_ones() {
    let Some(data) = data() else { return };
    let directory = data.join("av2/motion_forecasting/0a1e6f0a-1817-4a98-b02e-db8c9327d151");
    let map = discover(&directory).unwrap()[0].read().unwrap().map.unwrap();
    let archive = directory.join("log_map_archive_0a1e6f0a-1817-4a98-b02e-db8c9327d151.json");
    let archive: serde_json::Value = serde_json::from_slice(&std::fs::read(archive).unwrap()).unwrap();
    let mut offsets: Vec<f64> = Vec::new();
    for (lane, number) in map.parts().lanes.iter().zip(0..) {
        for point in archive["lane_segments"][&lane.source_id]["centerline"].as_array().unwrap() {
            let point = Point2::new(point["x"].as_f64().unwrap(), point["y"].as_f64().unwrap());
            offsets.push(map.project(tandem_datasets::LaneId(number), point).left_m.abs());
        }
    }
    offsets.sort_by(f64::total_cmp);
    assert!(offsets.len() > 500);
    let (median, worst) = (offsets[offsets.len() / 2], offsets[offsets.len() - 1]);
    assert!(median < 0.02 && worst < 0.5, "median {median} m, worst {worst} m");
}

/// The whole folder, nested and mixed, with files of no log format between.
#[test]
fn the_whole_folder_is_walked() {
    let Some(data) = data() else { return };
    let found = discover(&data).unwrap();
    let ids: Vec<_> = found.iter().map(|log| &*log.id).collect();
    for id in ["scene-0061", "scene-0103", "scene-0553", "scene-0757"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    let paths: Vec<_> = found.iter().map(|log| &log.path).collect();
    assert!(paths.is_sorted(), "{paths:?}");
}
