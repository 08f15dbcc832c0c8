//! Waymo scenarios of real drives, as JSON and as TFRecords: they load, fast, and hold together.

#![allow(clippy::unwrap_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::time::Instant;

use data::data;
use tandem_datasets::{Format, Log, discover};

fn read_all(folder: &str, format: Format) -> Option<Vec<Log>> {
    let found = discover(data()?.join(folder)).unwrap();
    let logs = found.iter().map(|log_ref| {
        assert_eq!(log_ref.format, format, "{log_ref:?}");
        let started = Instant::now();
        let log = log_ref.read().unwrap();
        let elapsed_s = started.elapsed().as_secs_f64();
        let lanes = log.map.as_ref().unwrap().parts().lanes.len();
        let (tracks, lights) = (log.tracks.len(), log.signals.len());
        println!("{}: {tracks} tracks, {lanes} lanes, {lights} lights, {elapsed_s:.3} s\n{:#?}", log.id, log.notes);
        assert_eq!(log.id, log_ref.id);
        assert!(elapsed_s < 1.0, "{} took {elapsed_s} s", log.id);
        log
    });
    Some(logs.collect())
}

/// What must hold for any drive by a person.
fn assert_sound(log: &Log) {
    let map = log.map.as_ref().unwrap();
    let states = &log.ego.states;
    assert!(states.len() > 80, "{}: {} ego states", log.id, states.len());
    let mut farthest_m: f64 = 0.0;
    for pair in states.windows(2) {
        // Speed along the heading is what the positions say: headings, axes and clocks agree.
        let step_m = pair[0].pose().inverse_transform(pair[1].pose().position()).x;
        let by_speed_m = (pair[0].speed_mps + pair[1].speed_mps) / 2.0 * pair[1].stamp.seconds_since(pair[0].stamp);
        farthest_m = farthest_m.max((step_m - by_speed_m).abs());
    }
    assert!(farthest_m < 0.15, "{}: a step is {farthest_m} m off its speed", log.id);
    let corners = states.iter().flat_map(|state| log.ego.body.outline(state.pose()).corners());
    let off_road = corners.filter(|corner| !map.is_drivable(*corner)).count();
    println!("{}: {:?}, {off_road} of {} corners off the road", log.id, map.drivable_source(), states.len() * 4);
    assert!(off_road * 50 <= states.len() * 4, "{}: {off_road} corners off the road", log.id);
    let joined = map.parts().lanes.iter().filter(|lane| !lane.successors.is_empty()).count();
    assert!(joined * 2 > map.parts().lanes.len(), "{}: {joined} lanes lead on", log.id);
}

#[test]
fn json_logs_load_and_hold_together() {
    let Some(logs) = read_all("scenarios/womd_json", Format::WaymoJson) else { return };
    assert_eq!(logs.len(), 5);
    logs.iter().for_each(assert_sound);
    let lights: Vec<_> = logs.iter().map(|log| log.signals.len()).collect();
    assert_eq!(lights, [0, 0, 0, 0, 11], "every light has its lane");
}

#[test]
fn records_load_and_hold_together() {
    let Some(logs) = read_all("scenarios/womd_proto", Format::WaymoRecord) else { return };
    let ids: Vec<_> = logs.iter().map(|log| log.id.as_str()).collect();
    assert_eq!(ids, ["637f20cafde22ff8", "a3bb37c25ce56418"]);
    logs.iter().for_each(assert_sound);
}
