//! `tandem log info`: one row a log, or JSON.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;
use tandem_datasets::{DrivableSource, Format, Log, LogRef};

use crate::outcome::Outcome;
use crate::table::table;

/// What is in one log.
#[derive(Serialize)]
struct Info {
    log: String,
    format: Format,
    source: PathBuf,
    location: String,
    description: String,
    tags: Vec<String>,
    duration_s: f64,
    ego_distance_m: Option<f64>,
    tracks: usize,
    agents: usize,
    lanes: usize,
    drivable: Option<DrivableSource>,
    signals: usize,
    cameras: Vec<String>,
    images: usize,
    images_present: usize,
    notes: Vec<String>,
}

impl Info {
    fn of(log: &Log) -> Self {
        let way = |pair: &[tandem_datasets::EgoState]| (pair[1].pose().position() - pair[0].pose().position()).norm();
        Self {
            log: log.id.clone(),
            format: log.format,
            source: log.source.clone(),
            location: log.location.clone(),
            description: log.description.clone(),
            tags: log.tags.clone(),
            duration_s: log.span().map_or(0.0, |(first, last)| last.seconds_since(first)),
            ego_distance_m: (!log.ego.states.is_empty()).then(|| log.ego.states.windows(2).map(way).sum()),
            tracks: log.tracks.len(),
            agents: log.tracks.iter().filter(|track| track.class.is_agent()).count(),
            lanes: log.map.as_ref().map_or(0, |map| map.parts().lanes.len()),
            drivable: log.map.as_ref().map(|map| map.drivable_source()),
            signals: log.signals.len(),
            cameras: log.cameras.iter().map(|camera| camera.name.clone()).collect(),
            images: log.images.len(),
            images_present: log.images.iter().filter(|image| image.path.is_file()).count(),
            notes: log.notes.clone(),
        }
    }
}

/// A log that was found but can't be read.
#[derive(Serialize)]
struct Failure {
    log: String,
    source: PathBuf,
    error: String,
}

#[derive(Serialize)]
struct Output {
    logs: Vec<Info>,
    failures: Vec<Failure>,
}

pub fn run(paths: &[PathBuf], json: bool) -> anyhow::Result<Outcome> {
    let refs = super::find(paths)?;
    let infos: Vec<_> = refs.par_iter().map(info).collect();
    let mut output = Output { logs: Vec::new(), failures: Vec::new() };
    for info in infos {
        match info {
            Ok(info) => output.logs.push(info),
            Err(failure) => output.failures.push(failure),
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&output)?);
    } else {
        print(&output);
    }
    Ok(if output.failures.is_empty() { Outcome::Done } else { Outcome::BadInput })
}

fn info(log_ref: &LogRef) -> Result<Info, Failure> {
    log_ref.read().map(|log| Info::of(&log)).map_err(|error| Failure {
        log: log_ref.id.clone(),
        source: log_ref.path.clone(),
        error: error.to_string(),
    })
}

fn print(output: &Output) {
    let columns = ["log", "format", "place", "s", "ego m", "tracks", "agents", "lanes", "signals", "cameras", "images"];
    let mut rows = table(&columns, 3);
    for info in &output.logs {
        rows.add_row([
            info.log.clone(),
            name(&info.format),
            info.location.clone(),
            format!("{:.1}", info.duration_s),
            info.ego_distance_m.map_or("–".to_owned(), |way_m| format!("{way_m:.0}")),
            info.tracks.to_string(),
            info.agents.to_string(),
            info.lanes.to_string(),
            info.signals.to_string(),
            info.cameras.len().to_string(),
            format!("{}/{}", info.images_present, info.images),
        ]);
    }
    println!("{rows}");
    for info in output.logs.iter().filter(|info| !info.notes.is_empty()) {
        println!("{}: {}", info.log, info.notes.join("; "));
    }
    for failure in &output.failures {
        eprintln!("tandem: {}", failure.error);
    }
}

/// A format as `--json` names it.
fn name(format: &Format) -> String {
    serde_json::to_value(format).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
