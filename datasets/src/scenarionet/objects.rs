//! The moving part of a ScenarioNet record: its clock, tracks and ego vehicle.

use std::path::Path;

use tandem_graph::Stamp;

use super::clock;
use super::record::{Object, Record, States};
use crate::error::Error;
use crate::geometry::Pose2;
use crate::json::Series;
use crate::log::{Class, Ego, EgoBody, Track, TrackState};
use crate::motion::{Reference, Speed, ego_states, median_extent, usual_size};

/// Time between rows where the record does not say, s.
const ROW_S: f64 = 0.1;
/// Stamps count from the record's start, or from the Unix epoch; larger ones are not seconds.
const MAX_STAMP_S: f64 = 4e9;

/// The stamp of every row: as recorded; steady where the record has no or too few stamps.
pub(super) fn stamps(path: &Path, record: &Record, notes: &mut Vec<String>) -> Result<Vec<Stamp>, Error> {
    let rows = record.tracks.0.iter().map(|(_, object)| object.state.position.len()).max().unwrap_or(0);
    let recorded = &record.metadata.ts;
    if let Some(row) = recorded.iter().position(|stamp| !(stamp.0.is_finite() && stamp.0.abs() < MAX_STAMP_S)) {
        return Err(Error::value(path, format!("row {row}"), "metadata.ts", "is not a time in seconds"));
    }
    if recorded.len() >= rows {
        let stamps: Vec<_> = recorded.iter().take(rows).map(|stamp| Stamp::from_seconds(stamp.0)).collect();
        if let Some(row) = stamps.windows(2).position(|pair| pair[1] <= pair[0]) {
            return Err(Error::value(path, format!("row {}", row + 1), "metadata.ts", "does not rise"));
        }
        return Ok(stamps);
    }
    let row_s = record.metadata.sample_rate.map_or(ROW_S, |seconds| seconds.0);
    if !(row_s > 1e-3 && row_s < 10.0) {
        return Err(Error::value(path, "metadata", "sample_rate", "is not a time step in seconds"));
    }
    notes.push(format!("metadata.ts has {} of {rows} rows; taken as steady at {row_s} s", recorded.len()));
    Ok((0..rows).map(|row| Stamp::from_seconds(row as f64 * row_s)).collect())
}

/// All tracks but the ego's, in the record's order.
pub(super) fn tracks(
    path: &Path,
    record: &Record,
    stamps: &[Stamp],
    notes: &mut Vec<String>,
) -> Result<Vec<Track>, Error> {
    let mut tracks = Vec::new();
    let mut without_size = 0;
    for (id, object) in &record.tracks.0 {
        if *id == record.metadata.sdc_id.0 {
            continue;
        }
        let states = valid_states(path, id, &object.state, stamps)?;
        if states.is_empty() {
            continue;
        }
        let class = class(object);
        let size = size(&object.state);
        without_size += usize::from(size.iter().any(Option::is_none));
        let usual = usual_size(class);
        tracks.push(Track {
            source_id: id.clone(),
            class,
            source_class: source_class(object).to_owned(),
            size: [0, 1, 2].map(|axis| size[axis].unwrap_or(usual[axis])),
            states,
        });
    }
    if without_size > 0 {
        notes.push(format!("{without_size} tracks without a full size have the usual one of their class"));
    }
    Ok(tracks)
}

/// The ego vehicle: the track that `metadata.sdc_id` names.
pub(super) fn ego(path: &Path, record: &Record, stamps: &[Stamp], notes: &mut Vec<String>) -> Result<Ego, Error> {
    let id = &record.metadata.sdc_id.0;
    if id.is_empty() {
        notes.push("no ego vehicle: metadata.sdc_id is missing".into());
        return Ok(Ego::default());
    }
    let Some((_, object)) = record.tracks.0.iter().find(|(track, _)| track == id) else {
        return Err(Error::value(path, "metadata", "sdc_id", format!("names track `{id}`, which does not exist")));
    };
    let mut states = valid_states(path, id, &object.state, stamps)?;
    let [length, width, height] = size(&object.state);
    let mut body = match (length, width) {
        (Some(length), Some(width)) if width > length => {
            notes.push(format!("ego: length {length} m and width {width} m were swapped in the file"));
            EgoBody::of_size(width, length, height.unwrap_or(EgoBody::default().height))
        }
        (Some(length), Some(width)) => EgoBody::of_size(length, width, height.unwrap_or(EgoBody::default().height)),
        _ => {
            notes.push("ego: no size in the file; nuPlan's vehicle assumed".into());
            EgoBody::default()
        }
    };
    let nuscenes = is_nuscenes(record);
    if record.metadata.dataset.0 == "av2" {
        // ScenarioNet writes 4 m × 2 m × 1 m for every vehicle of Argoverse 2 (`converter/argoverse2/utils.py`).
        body = EgoBody::default();
        notes.push("ScenarioNet estimates the sizes of Argoverse 2 objects from their class".into());
    }
    if nuscenes {
        match clock::repair(&mut states) {
            Some(repair) => {
                notes.push(format!(
                    "ego: {} rows span lost or late CAN messages and put the track up to {:.2} m and at last {:.2} s off \
                     its clock; their stamps were repaired",
                    repair.rows, repair.moved_m, repair.ahead_s
                ));
                if let Some(last) = stamps.last() {
                    states.retain(|state| state.stamp <= *last);
                }
            }
            None => notes.push("ego: no CAN message is missing in the track".into()),
        }
        notes.push(format!(
            "objects: rows lie on a nominal 0.5 s keyframe clock, real keyframes 0.40 to 0.60 s apart; at the ego's \
             highest speed 0.1 s is {:.1} m",
            0.1 * top_speed_mps(&states)
        ));
    }
    // nuScenes' ego frame is the rear axle; Waymo, nuPlan and Argoverse 2 tracks are box centres.
    let reference = if nuscenes { Reference::RearAxle } else { Reference::BoxCenter };
    let speed = if object.state.velocity.is_some() && !nuscenes { Speed::Recorded } else { Speed::Positions };
    let flat = states.iter().all(|state| state.z == 0.0);
    let mut states = ego_states(&states, &body, reference, speed);
    if flat {
        states.iter_mut().for_each(|state| state.map_from_ego.translation.z = 0.0);
    }
    Ok(Ego { body, states })
}

fn is_nuscenes(record: &Record) -> bool {
    record.metadata.dataset.0 == "nuscenes"
}

fn top_speed_mps(states: &[TrackState]) -> f64 {
    let speeds = states.windows(2).map(|pair| {
        (pair[1].pose.position() - pair[0].pose.position()).norm() / pair[1].stamp.seconds_since(pair[0].stamp)
    });
    speeds.fold(0.0, f64::max)
}

/// The rows that are valid, with velocities by differences where the record has none.
fn valid_states(path: &Path, id: &str, state: &States, stamps: &[Stamp]) -> Result<Vec<TrackState>, Error> {
    let rows = state.position.len();
    let lengths = [
        ("heading", Some(state.heading.len())),
        ("velocity", state.velocity.as_ref().map(Vec::len)),
        ("valid", state.valid.as_ref().map(Vec::len)),
    ];
    for (field, length) in lengths {
        if let Some(length) = length.filter(|length| *length != rows) {
            let reason = format!("has {length} rows, position has {rows}");
            return Err(Error::value(path, format!("track {id}"), format!("state.{field}"), reason));
        }
    }
    let is_valid = |row: usize| state.valid.as_ref().is_none_or(|valid| valid[row].0);
    let position = |row: usize| state.position[row].0;
    let velocity = |row: usize| -> [f64; 2] {
        let difference = || {
            let (from, to) =
                if row + 1 < rows && is_valid(row + 1) { (row, row + 1) } else { (row.saturating_sub(1), row) };
            if from == to || !is_valid(from) {
                return [0.0; 2];
            }
            let elapsed_s = stamps[to].seconds_since(stamps[from]);
            [0, 1].map(|axis| (position(to)[axis] - position(from)[axis]) / elapsed_s)
        };
        match &state.velocity {
            None => difference(),
            // Forward differences leave the last row before a gap at exactly zero.
            Some(velocity) if velocity[row].0[..2] == [0.0; 2] && !(row + 1 < rows && is_valid(row + 1)) => {
                difference()
            }
            Some(velocity) => [velocity[row].0[0], velocity[row].0[1]],
        }
    };
    Ok((0..rows)
        .filter(|row| is_valid(*row))
        .map(|row| {
            let [x, y, z] = position(row);
            let pose = Pose2::new(x, y, state.heading[row].0);
            TrackState { stamp: stamps[row], pose, z, velocity_mps: velocity(row) }
        })
        .collect())
}

/// Median length, width and height over the valid rows; `None` where the record does not say.
fn size(state: &States) -> [Option<f64>; 3] {
    [&state.length, &state.width, &state.height].map(|series| match series.as_ref()? {
        Series::Constant(extent) => median_extent(std::iter::once(*extent)),
        Series::Rows(rows) => {
            let is_valid = |row: usize| state.valid.as_ref().and_then(|valid| valid.get(row)).is_none_or(|flag| flag.0);
            median_extent(rows.iter().enumerate().filter(|(row, _)| is_valid(*row)).map(|(_, extent)| *extent))
        }
    })
}

/// The data set's own class, which says more than MetaDrive's where it differs.
fn source_class(object: &Object) -> &str {
    if object.metadata.r#type.0.is_empty() { &object.r#type.0 } else { &object.metadata.r#type.0 }
}

fn class(object: &Object) -> Class {
    let detail = source_class(object);
    // nuScenes' names have dots; MetaDrive's have none.
    if detail.contains('.') {
        return crate::nuscenes::class(detail);
    }
    match object.r#type.0.as_str() {
        "VEHICLE" => Class::Car,
        "PEDESTRIAN" => Class::Pedestrian,
        "CYCLIST" => Class::Bicycle,
        "TRAFFIC_CONE" => Class::Cone,
        "TRAFFIC_BARRIER" => Class::Barrier,
        _ => Class::Other,
    }
}
