//! A scenario of the Argoverse 2 motion-forecasting data set: one parquet file of tracks, and a map beside it.

use std::collections::HashMap;
use std::path::Path;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use tandem_graph::Stamp;

use super::{EGO_BODY, classes, map_in};
use crate::columns::{Table, parquet};
use crate::error::Error;
use crate::geometry::Pose2;
use crate::log::{Ego, EgoState, Format, Log, Track, TrackState};
use crate::source::{LogRef, Reader, file_name};
use crate::{kinematics, motion};

pub(crate) const READER: Reader = Reader { format: Format::Argoverse2Motion, recognises, discover };

/// The recording vehicle's track id.
const EGO: &str = "AV";

fn recognises(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with("scenario_") && name.ends_with(".parquet") && path.is_file()
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    let name = file_name(path);
    let id = name.trim_start_matches("scenario_").trim_end_matches(".parquet").to_owned();
    let file = path.to_owned();
    Ok(vec![LogRef::new(id.clone(), READER.format, path, move || read(&file, &id))])
}

fn read(path: &Path, id: &str) -> Result<Log, Error> {
    let table = parquet::read(path)?;
    let mut notes = vec!["sizes are those usual for each class: the scenario has none".to_owned()];
    let first_text = |name: &str| Ok(table.texts(name)?.into_iter().next().unwrap_or_default());
    let focal: String = first_text("focal_track_id")?;
    let location: String = first_text("city")?;
    let mut tracks = tracks(&table)?;

    let mut states = Vec::new();
    if let Some(number) = tracks.iter().position(|track| track.source_id == EGO) {
        states = ego_states(&tracks.remove(number).states);
    } else {
        notes.push(format!("no ego: the scenario has no track {EGO}"));
    }
    let map = map_in(path.parent().unwrap_or(Path::new(".")), &mut notes)?.map(|(_, map)| map);
    Ok(Log {
        id: id.to_owned(),
        format: READER.format,
        source: path.to_owned(),
        location,
        description: if focal.is_empty() { String::new() } else { format!("focal track {focal}") },
        tags: Vec::new(),
        ego: Ego { body: EGO_BODY, states },
        tracks,
        map,
        signals: Vec::new(),
        cameras: Vec::new(),
        images: Vec::new(),
        notes,
    })
}

/// All tracks in the order in which they first appear, the ego's among them.
fn tracks(table: &Table) -> Result<Vec<Track>, Error> {
    let clock = Clock::read(table)?;
    let ids = table.texts("track_id")?;
    let object_types = table.texts("object_type")?;
    let steps = table.integers("timestep")?;
    let mut columns = Vec::new();
    for name in ["position_x", "position_y", "heading", "velocity_x", "velocity_y"] {
        let column = table.numbers(name)?;
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            return Err(Error::value(table.path(), format!("row {row}"), name, "is not finite"));
        }
        columns.push(column);
    }
    let mut number_of: HashMap<&str, usize> = HashMap::new();
    let mut tracks: Vec<Track> = Vec::new();
    for row in 0..ids.len() {
        let value = |column: usize| columns[column][row];
        let number = *number_of.entry(&ids[row]).or_insert_with(|| {
            let class = classes::of_object_type(&object_types[row]);
            tracks.push(Track {
                source_id: ids[row].clone(),
                class,
                source_class: object_types[row].clone(),
                size: motion::usual_size(class),
                states: Vec::new(),
            });
            tracks.len() - 1
        });
        let track = &mut tracks[number];
        track.states.push(TrackState {
            stamp: clock.at(table, row, steps[row])?,
            pose: Pose2::new(value(0), value(1), value(2)),
            z: track.size[2] / 2.0,
            velocity_mps: [value(3), value(4)],
        });
    }
    for track in &mut tracks {
        track.states.sort_by_key(|state| state.stamp);
    }
    Ok(tracks)
}

/// Steps are evenly spread over the scenario (av2-api `load_argoverse_scenario_parquet`).
struct Clock {
    start_ns: f64,
    end_ns: f64,
    steps: i64,
}

impl Clock {
    fn read(table: &Table) -> Result<Self, Error> {
        let first = |name: &str| {
            let value = table.numbers(name)?.first().copied();
            value.ok_or_else(|| Error::damaged(table.path(), "the table has no rows"))
        };
        Ok(Self {
            start_ns: first("start_timestamp")?,
            end_ns: first("end_timestamp")?,
            steps: first("num_timestamps")? as i64,
        })
    }

    fn at(&self, table: &Table, row: usize, step: i64) -> Result<Stamp, Error> {
        if !(0..self.steps).contains(&step) {
            let reason = format!("is {step}, not within the scenario's {} steps", self.steps);
            return Err(Error::value(table.path(), format!("row {row}"), "timestep", reason));
        }
        // From the start, so that the double's coarse nanoseconds round once.
        let since_start_ns = (self.end_ns - self.start_ns) * step as f64 / (self.steps - 1).max(1) as f64;
        Ok(Stamp::from_ns((self.start_ns as i64).saturating_add(since_start_ns.round() as i64)))
    }
}

/// The ego's poses. Its positions are those of the rear axle, as everywhere in Argoverse: in turns they move along the
/// heading, without the sideways motion that a point ahead of the axle would have.
fn ego_states(states: &[TrackState]) -> Vec<EgoState> {
    let poses: Vec<_> = states
        .iter()
        .map(|state| {
            let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), state.pose.yaw);
            let pose = Isometry3::from_parts(Translation3::new(state.pose.x, state.pose.y, 0.0), rotation);
            (state.stamp, pose)
        })
        .collect();
    kinematics::ego_states(&poses)
}
