//! ScenarioNet logs of real drives: they load, fast, and say what their own data sets say.

#![allow(clippy::unwrap_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use data::data;
use nalgebra::Point2;
use serde_json::Value;
use tandem_datasets::{DrivableSource, Lane, LaneId, Log, Map, scenarionet};
use tandem_graph::Stamp;

fn log(data: &Path, name: &str) -> Log {
    scenarionet::read(&data.join(format!("scenarios/scenarionet/{name}.json.gz"))).unwrap()
}

const NUSCENES: [&str; 6] = [
    "nuscenes_scene-0061",
    "nuscenes_scene-0103",
    "nuscenes_scene-0553",
    "nuscenes_scene-0655",
    "nuscenes_scene-0757",
    "nuscenes_scene-0796",
];
const WAYMO: &str = "waymo_eb4b91b10ca94ff2";

#[test]
fn all_logs_load_in_well_under_a_second() {
    let Some(data) = data() else { return };
    for name in NUSCENES.iter().chain([&WAYMO]) {
        let started = Instant::now();
        let log = log(&data, name);
        let elapsed_s = started.elapsed().as_secs_f64();
        let (first, last) = log.span().unwrap();
        let duration_s = last.seconds_since(first);
        let lanes = log.map.as_ref().unwrap().parts().lanes.len();
        println!(
            "{} {duration_s:.2} s, {} tracks, {lanes} lanes, loaded in {elapsed_s:.3} s",
            log.id,
            log.tracks.len()
        );
        println!("{:#?}", log.notes);
        assert!(elapsed_s < 1.0, "{name} took {elapsed_s} s");
        assert!(duration_s > 18.0);
        assert!(log.ego.body.length > log.ego.body.width);
    }
}

#[test]
fn nuscenes_lanes_connect_and_the_ego_stays_on_the_drivable_area() {
    let Some(data) = data() else { return };
    for name in NUSCENES {
        let log = log(&data, name);
        let map = log.map.as_ref().unwrap();
        let lanes = &map.parts().lanes;
        let joined = lanes.iter().filter(|lane| !lane.successors.is_empty() || !lane.predecessors.is_empty()).count();
        assert!(joined as f64 > 0.97 * lanes.len() as f64, "{name}: {joined} of {} lanes joined", lanes.len());
        assert!(lanes.iter().any(|lane| lane.in_intersection) && lanes.iter().any(|lane| lane.left_neighbor.is_some()));

        assert_eq!(map.drivable_source(), DrivableSource::Polygons);
        for state in &log.ego.states {
            for corner in log.ego.body.outline(state.pose()).corners() {
                assert!(map.is_drivable(corner), "{name}: the ego left the road at {:?}", state.stamp);
            }
        }
        let on_lane = log.ego.states.iter().filter(|state| !map.lanes_at(state.pose().position()).is_empty()).count();
        println!("{name}: ego on a lane in {on_lane} of {} states", log.ego.states.len());
        assert!(on_lane as f64 > 0.9 * log.ego.states.len() as f64, "{name}: ego on a lane in {on_lane} states");
    }
}

/// What geometry alone says must be what Waymo's map says.
#[test]
fn joined_lanes_without_their_links_are_found_again() {
    let Some(data) = data() else { return };
    let file = data.join(format!("scenarios/scenarionet/{WAYMO}.json.gz"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    for feature in record["map_features"].as_object_mut().unwrap().values_mut() {
        for field in ["entry_lanes", "exit_lanes", "left_neighbor", "right_neighbor"] {
            feature.as_object_mut().unwrap().remove(field);
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let stripped = directory.path().join("stripped.json");
    std::fs::write(&stripped, record.to_string()).unwrap();

    let (told, found) = (log(&data, WAYMO).map.unwrap(), scenarionet::read(&stripped).unwrap().map.unwrap());
    let successors = |lane: &Lane| lane.successors.clone();
    let (told_links, found_links) = (links(&told, successors), links(&found, successors));
    // A lane of a single point is a link only where the source says so.
    let missing = told_links.difference(&found_links).count();
    let more = found_links.difference(&told_links).count();
    println!("{} links, {missing} not found, {more} more", told_links.len());
    assert!(missing <= told_links.len() / 50 && more <= told_links.len() / 20);

    let left = |lane: &Lane| lane.left_neighbor.into_iter().collect();
    let (told_left, found_left) = (links(&told, left), links(&found, left));
    let agreed = told_left.intersection(&found_left).count();
    println!("{} left neighbours told, {} found, {agreed} the same", told_left.len(), found_left.len());
    assert!(agreed as f64 > 0.8 * told_left.len() as f64, "{agreed} of {}", told_left.len());
}

fn links(map: &Map, to: impl Fn(&Lane) -> Vec<LaneId>) -> BTreeSet<(String, String)> {
    let name = |id: LaneId| map.lane(id).source_id.clone();
    let lanes = map.parts().lanes.iter();
    lanes.flat_map(|lane| to(lane).into_iter().map(|id| (lane.source_id.clone(), name(id)))).collect()
}

/// The lidar keyframes' ego poses of a nuScenes scene: seconds since the first one, and the position.
fn true_poses(data: &Path, scene: &str) -> Vec<(f64, Point2<f64>)> {
    let table = |name: &str| -> Vec<Value> {
        let file = data.join(format!("nuscenes/v1.0-mini/{name}.json"));
        serde_json::from_reader(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap()
    };
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let scene = table("scene").into_iter().find(|row| row["name"] == scene).unwrap();
    let samples: BTreeSet<_> = table("sample")
        .iter()
        .filter(|row| row["scene_token"] == scene["token"])
        .map(|row| text(row, "token"))
        .collect();
    let poses: BTreeMap<_, _> = table("ego_pose").into_iter().map(|row| (text(&row, "token"), row)).collect();
    let mut found: Vec<_> = table("sample_data")
        .iter()
        .filter(|row| row["is_key_frame"] == true && samples.contains(row["sample_token"].as_str().unwrap()))
        .filter(|row| row["filename"].as_str().unwrap().contains("LIDAR_TOP"))
        .map(|row| {
            let at = &poses[row["ego_pose_token"].as_str().unwrap()]["translation"];
            (row["timestamp"].as_i64().unwrap(), Point2::new(at[0].as_f64().unwrap(), at[1].as_f64().unwrap()))
        })
        .collect();
    found.sort_by_key(|(stamp, _)| *stamp);
    let first = found[0].0;
    found.into_iter().map(|(stamp, point)| ((stamp - first) as f64 * 1e-6, point)).collect()
}

#[test]
fn the_repaired_ego_clock_agrees_with_nuscenes_own_poses() {
    let Some(data) = data() else { return };
    // Median distance, m; by the file's own clock it is 0.78, 0.09, 0.00 and 0.00.
    for (scene, limit_m) in [("scene-0061", 0.10), ("scene-0103", 0.10), ("scene-0553", 0.01), ("scene-0757", 0.01)] {
        let log = log(&data, &format!("nuscenes_{scene}"));
        let ego_at = |seconds: f64| log.ego_at(Stamp::from_seconds(seconds)).unwrap().pose().position();
        let truth = true_poses(&data, scene).into_iter();
        let mut errors: Vec<f64> = truth.map(|(seconds, point)| (ego_at(seconds) - point).norm()).collect();
        errors.sort_by(f64::total_cmp);
        println!("{scene}: median {:.3} m, greatest {:.3} m", errors[errors.len() / 2], errors[errors.len() - 1]);
        assert!(errors[errors.len() / 2] < limit_m, "{scene}: {:.3} m", errors[errors.len() / 2]);
    }
}
