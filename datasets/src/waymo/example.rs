//! A `tf.Example` of Waymo's motion data as a log.
//!
//! Features as described at waymo.com/open/data/motion/tfexample: up to 128 objects in past, current and future, the
//! road as sampled points, and up to 16 lights.

use std::collections::BTreeMap;
use std::path::Path;

use nalgebra::Point3;

use super::light::{Lights, color_of_state};
use super::proto::{Example, Feature};
use super::road::{self, RoadKind};
use super::{Agent, Parts, assemble, class_of_type, steady_stamp};
use crate::draft::Draft;
use crate::error::Error;
use crate::geometry::Pose2;
use crate::log::{Format, Log, TrackState};

/// The stretches of time that every state is split into, in order.
const STRETCHES: [&str; 3] = ["past", "current", "future"];
/// Rows in each.
const STEPS: [usize; 3] = [10, 1, 80];

/// An example's features, asked for by name.
struct Features<'e> {
    path: &'e Path,
    features: BTreeMap<String, Feature>,
}

impl Features<'_> {
    fn error(&self, name: &str, reason: impl ToString) -> Error {
        Error::value(self.path, "tf.Example", name, reason)
    }

    /// A feature's numbers, whatever their type; empty if it is not there.
    fn optional(&self, name: &str) -> Vec<f64> {
        let Some(feature) = self.features.get(name) else { return Vec::new() };
        if let Some(list) = &feature.float_list {
            list.value.iter().copied().map(f64::from).collect()
        } else if let Some(list) = &feature.int64_list {
            list.value.iter().map(|number| *number as f64).collect()
        } else {
            Vec::new()
        }
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        let numbers = self.optional(name);
        if numbers.is_empty() { Err(self.error(name, "is missing or has no numbers")) } else { Ok(numbers) }
    }

    /// A state's values over past, current and future: one row of steps an object.
    fn states(&self, field: &str, objects: usize) -> Result<Vec<Vec<f64>>, Error> {
        let mut rows = vec![Vec::new(); objects];
        for stretch in STRETCHES {
            let name = format!("state/{stretch}/{field}");
            // Test records have no future.
            let values = if stretch == "future" { self.optional(&name) } else { self.numbers(&name)? };
            if values.len() % objects != 0 {
                return Err(self.error(&name, format!("has {} values for {objects} objects", values.len())));
            }
            let steps = values.len() / objects;
            for (row, values) in rows.iter_mut().zip(values.chunks(steps.max(1))) {
                row.extend_from_slice(values);
            }
        }
        Ok(rows)
    }
}

/// `scenario/id`.
pub(super) fn id(example: &Example) -> Option<String> {
    let id = example.features.as_ref()?.feature.get("scenario/id")?.bytes_list.as_ref()?.value.first()?;
    String::from_utf8(id.clone()).ok()
}

pub(super) fn log(path: &Path, example: Example) -> Result<Log, Error> {
    let Some(id) = id(&example) else {
        return Err(Error::value(path, "tf.Example", "scenario/id", "is missing"));
    };
    let features = Features { path, features: example.features.map(|features| features.feature).unwrap_or_default() };
    let ids = features.numbers("state/id")?;
    let (agents, kept) = agents(&features, &ids)?;
    let is_sdc = features.optional("state/is_sdc");
    let ego = kept.iter().position(|object| is_sdc.get(*object).is_some_and(|flag| *flag == 1.0));
    let mut notes = vec!["map: sampled road points, as many as the record holds".to_owned()];
    if features.optional("state/future/x").is_empty() {
        notes.push("no future: a test record".into());
    }
    let parts = Parts { id, format: Format::WaymoRecord, agents, ego, draft: draft(&features)?, notes };
    let stamps: Vec<_> = (0..STEPS.iter().sum()).map(steady_stamp).collect();
    assemble(path, parts, |lanes, notes| lights(&features).tracks(&stamps, lanes, notes))
}

/// The objects that were seen at all, and their places in the record.
fn agents(features: &Features, ids: &[f64]) -> Result<(Vec<Agent>, Vec<usize>), Error> {
    let objects = ids.len();
    let states = |field| features.states(field, objects);
    let [x, y, z] = [states("x")?, states("y")?, states("z")?];
    let [yaw, valid] = [states("bbox_yaw")?, states("valid")?];
    let [velocity_x, velocity_y] = [states("velocity_x")?, states("velocity_y")?];
    let [length, width, height] = [states("length")?, states("width")?, states("height")?];
    let columns = [&x, &y, &z, &yaw, &valid, &velocity_x, &velocity_y, &length, &width, &height];
    let rows = columns.iter().map(|column| column[0].len()).min().unwrap_or(0);
    let types = features.optional("state/type");

    let (mut agents, mut kept) = (Vec::new(), Vec::new());
    for object in 0..objects {
        let seen: Vec<usize> = (0..rows).filter(|row| valid[object][*row] == 1.0).collect();
        if seen.is_empty() {
            continue;
        }
        let (class, source_class) = class_of_type(types.get(object).map_or(0, |number| *number as i64));
        let state = |row: usize| TrackState {
            stamp: steady_stamp(row),
            pose: Pose2::new(x[object][row], y[object][row], yaw[object][row]),
            z: z[object][row],
            velocity_mps: [velocity_x[object][row], velocity_y[object][row]],
        };
        let agent = Agent {
            id: (ids[object] as i64).to_string(),
            class,
            source_class: source_class.into(),
            size: [None; 3],
            states: seen.iter().copied().map(state).collect(),
        };
        let sizes = [&length, &width, &height].map(|extent| seen.iter().map(|row| extent[object][*row]).collect());
        agents.push(agent.with_sizes(sizes));
        kept.push(object);
    }
    Ok((agents, kept))
}

/// The road: consecutive valid samples of one id are one feature.
fn draft(features: &Features) -> Result<Draft, Error> {
    let ids = features.optional("roadgraph_samples/id");
    let types = features.optional("roadgraph_samples/type");
    let valid = features.optional("roadgraph_samples/valid");
    let xyz = features.optional("roadgraph_samples/xyz");
    let samples = ids.len();
    if types.len() != samples || valid.len() != samples || xyz.len() != samples * 3 {
        let lengths = format!("{samples} ids, {} types, {} valid, {} coordinates", types.len(), valid.len(), xyz.len());
        return Err(features.error("roadgraph_samples", format!("do not go together: {lengths}")));
    }
    let mut draft = Draft::default();
    let mut sample = 0;
    while sample < samples {
        let (id, number) = (ids[sample], types[sample]);
        let mut points = Vec::new();
        while sample < samples && ids[sample] == id && types[sample] == number {
            if valid[sample] == 1.0 {
                points.push(Point3::new(xyz[sample * 3], xyz[sample * 3 + 1], xyz[sample * 3 + 2]));
            }
            sample += 1;
        }
        if let (false, Some(kind)) = (points.is_empty(), RoadKind::of_number(number as i64)) {
            road::add(&mut draft, kind, (id as i64).to_string(), points);
        }
        // A NaN id equals no id, not even itself.
        sample += usize::from(id.is_nan() || number.is_nan());
    }
    Ok(draft)
}

fn lights(features: &Features) -> Lights {
    let mut lights = Lights::default();
    let mut first_row = 0;
    for (stretch, steps) in STRETCHES.into_iter().zip(STEPS) {
        let column = |field: &str| features.optional(&format!("traffic_light_state/{stretch}/{field}"));
        let [lanes, states, valid, x, y] = ["id", "state", "valid", "x", "y"].map(column);
        let values = [&lanes, &states, &valid, &x, &y].iter().map(|column| column.len()).min().unwrap_or(0);
        let lights_a_row = (values / steps).max(1);
        for index in (0..values).filter(|index| valid[*index] == 1.0) {
            let row = first_row + index / lights_a_row;
            let (lane, color) = ((lanes[index] as i64).to_string(), color_of_state(states[index] as i64));
            lights.add(&lane, row, color, Some([x[index], y[index]]));
        }
        first_row += steps;
    }
    lights
}
