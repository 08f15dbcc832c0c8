//! Waymo motion scenarios: JSON as GPUDrive and Nocturne write it, and native TFRecords of `Scenario` or `tf.Example`.

mod example;
mod json;
mod light;
mod proto;
mod road;
mod scenario;
mod tfrecord;

pub(crate) use json::READER as JSON_READER;
pub use json::read as read_json;
pub(crate) use tfrecord::READER as RECORD_READER;

use std::path::Path;
use std::sync::Arc;

use tandem_graph::Stamp;

use crate::draft::Draft;
use crate::error::Error;
use crate::log::{Class, Ego, EgoBody, Format, Log, SignalTrack, Track, TrackState};
use crate::map::Map;
use crate::motion::{Reference, Speed, ego_states, median_extent, usual_size};
use light::Lanes;

/// What Waymo writes where there is no value.
const INVALID: f64 = -10_000.0;

/// Time between rows, s.
const ROW_S: f64 = 0.1;

/// The stamp of a row where the file has none.
fn steady_stamp(row: usize) -> Stamp {
    Stamp::from_seconds(row as f64 * ROW_S)
}

/// One object of a scenario, the recording vehicle among them.
#[derive(Debug)]
struct Agent {
    id: String,
    class: Class,
    source_class: String,
    /// Length, width and height where the file has them, m.
    size: [Option<f64>; 3],
    states: Vec<TrackState>,
}

impl Agent {
    /// The median of what the file says of its extents.
    fn with_sizes(mut self, sizes: [Vec<f64>; 3]) -> Self {
        self.size = sizes.map(|extents| median_extent(extents.into_iter()));
        self
    }
}

fn class_of(name: &str) -> Class {
    match name {
        "vehicle" => Class::Car,
        "pedestrian" => Class::Pedestrian,
        "cyclist" => Class::Bicycle,
        _ => Class::Other,
    }
}

/// The class behind `Track.ObjectType` of scenario.proto, and its name.
fn class_of_type(object_type: i64) -> (Class, &'static str) {
    let name = match object_type {
        1 => "vehicle",
        2 => "pedestrian",
        3 => "cyclist",
        4 => "other",
        _ => "unset",
    };
    (class_of(name), name)
}

/// A scenario in parts.
struct Parts {
    id: String,
    format: Format,
    agents: Vec<Agent>,
    /// The recording vehicle's index in `agents`.
    ego: Option<usize>,
    draft: Draft,
    notes: Vec<String>,
}

/// Makes a log of its parts. The lights are made by `signals` once lanes have their numbers.
fn assemble(
    path: &Path,
    parts: Parts,
    signals: impl FnOnce(&Lanes, &mut Vec<String>) -> Vec<SignalTrack>,
) -> Result<Log, Error> {
    let Parts { id, format, mut agents, ego, draft, mut notes } = parts;
    let ego = match ego {
        Some(index) if index >= agents.len() => {
            let reason = format!("is {index}, but there are {} objects", agents.len());
            return Err(Error::value(path, format!("scenario {id}"), "sdc_track_index", reason));
        }
        Some(index) => ego_of(agents.remove(index)),
        None => {
            notes.push("no ego vehicle: the file does not say which object recorded it".into());
            Ego::default()
        }
    };
    let tracks = agents.into_iter().filter(|agent| !agent.states.is_empty()).map(track_of).collect();
    let (map_parts, ids) = draft.build(&mut notes);
    let starts = map_parts.lanes.iter().filter_map(|lane| lane.centerline.first()).map(|point| point.xy()).collect();
    let signals = signals(&Lanes { ids, starts }, &mut notes);
    let map = if map_parts.lanes.is_empty() && map_parts.drivable.is_empty() {
        notes.push("no map: the scenario has no lanes".into());
        None
    } else {
        Some(Arc::new(Map::new(map_parts).map_err(|reason| Error::Map { path: path.to_owned(), reason })?))
    };
    Ok(Log {
        id,
        format,
        source: path.to_owned(),
        location: String::new(),
        description: String::new(),
        tags: vec!["waymo".into()],
        ego,
        tracks,
        map,
        signals,
        cameras: Vec::new(),
        images: Vec::new(),
        notes,
    })
}

fn ego_of(agent: Agent) -> Ego {
    let default = EgoBody::default();
    let [length, width, height] = agent.size;
    let body = EgoBody::of_size(
        length.unwrap_or(default.length),
        width.unwrap_or(default.width),
        height.unwrap_or(default.height),
    );
    let states = ego_states(&agent.states, &body, Reference::BoxCenter, Speed::Recorded);
    Ego { body, states }
}

fn track_of(agent: Agent) -> Track {
    let usual = usual_size(agent.class);
    Track {
        source_id: agent.id,
        class: agent.class,
        source_class: agent.source_class,
        size: [0, 1, 2].map(|axis| agent.size[axis].unwrap_or(usual[axis])),
        states: agent.states,
    }
}

#[cfg(test)]
mod tests;
