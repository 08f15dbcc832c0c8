//! Waymo scenarios as JSON: GPUDrive's files (3D, radians, ego named) and Nocturne's (2D, degrees, ego unnamed).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use nalgebra::Point3;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::light::Lights;
use super::road::{self, RoadKind};
use super::{Agent, INVALID, Parts, assemble, class_of, steady_stamp};
use crate::draft::Draft;
use crate::error::Error;
use crate::geometry::Pose2;
use crate::json::{self, Coordinates, Kind, Name, Ordered, Scalar, Series, null_as_default};
use crate::log::{Format, Log, TrackState};
use crate::motion::signal_color;
use crate::source::{LogRef, Reader};

/// How a path becomes logs of these files.
pub(crate) const READER: Reader = Reader { format: Format::WaymoJson, recognises, discover };

fn recognises(path: &Path) -> bool {
    json::kind(path) == Some(Kind::Waymo)
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    let file = path.to_owned();
    Ok(vec![LogRef::new(json::id(path), Format::WaymoJson, path, move || read(&file))])
}

/// Reads one scenario.
///
/// # Errors
/// [`Error::Json`] and [`Error::Value`] with the field, [`Error::Map`] for a map that can't be built.
pub fn read(path: &Path) -> Result<Log, Error> {
    log(path, json::parse(path)?)
}

/// A whole file.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    scenario_id: Name,
    objects: Vec<Object>,
    #[serde(default, deserialize_with = "null_as_default")]
    roads: Vec<Road>,
    #[serde(default, deserialize_with = "null_as_default")]
    tl_states: Ordered<Light>,
    #[serde(default, deserialize_with = "null_as_default")]
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    sdc_track_index: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Object {
    position: Places,
    heading: Series,
    velocity: Option<Places>,
    valid: Option<Series>,
    length: Option<Series>,
    width: Option<Series>,
    height: Option<Series>,
    #[serde(default)]
    r#type: Name,
    #[serde(default)]
    id: Name,
}

#[derive(Debug, Deserialize)]
struct Road {
    geometry: Places,
    #[serde(default)]
    r#type: Name,
    map_element_id: Option<i64>,
    #[serde(default)]
    id: Name,
}

/// A light: one row each time that it was seen.
#[derive(Debug, Deserialize)]
struct Light {
    state: Vec<Name>,
    x: Option<Series>,
    y: Option<Series>,
    time_index: Option<Vec<Scalar>>,
}

/// Points as a list, as one point, or as one list for each axis.
#[derive(Debug)]
struct Places(Vec<[f64; 3]>);

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlacesVisitor;
        impl<'de> Visitor<'de> for PlacesVisitor {
            type Value = Places;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("points")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Places, A::Error> {
                let mut places = Vec::new();
                while let Some(Coordinates(place)) = list.next_element()? {
                    places.push(place);
                }
                Ok(Places(places))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Places, A::Error> {
                let Axes { x, y, z, .. } = Axes::deserialize(MapAccessDeserializer::new(map))?;
                let rows = rows_of(&x);
                if rows_of(&y) != rows || z.as_ref().is_some_and(|z| rows_of(z) != rows) {
                    return Err(serde::de::Error::custom("x, y and z have different lengths"));
                }
                let axis = |series: &Series, row| at(series, row).unwrap_or(f64::NAN);
                let place = |row| [axis(&x, row), axis(&y, row), z.as_ref().map_or(0.0, |z| axis(z, row))];
                Ok(Places((0..rows).map(place).collect()))
            }
        }
        deserializer.deserialize_any(PlacesVisitor)
    }
}

#[derive(Deserialize)]
struct Axes {
    x: Series,
    y: Series,
    z: Option<Series>,
    #[serde(flatten)]
    _others: BTreeMap<String, IgnoredAny>,
}

/// How many rows a series has by itself.
fn rows_of(series: &Series) -> usize {
    match series {
        Series::Constant(_) => 1,
        Series::Rows(rows) => rows.len(),
    }
}

fn at(series: &Series, row: usize) -> Option<f64> {
    match series {
        Series::Constant(value) => Some(*value),
        Series::Rows(rows) => rows.get(row).copied(),
    }
}

/// The body of Waymo's vehicle, m: the recording car where a file does not name it.
const WAYMO_BODY_M: [f64; 2] = [5.286, 2.332];

pub(super) fn log(path: &Path, file: File) -> Result<Log, Error> {
    let mut notes = Vec::new();
    let id = if file.scenario_id.0.is_empty() { json::stem(path) } else { file.scenario_id.0 };
    // Waymo's headings lie within half a turn; Nocturne writes degrees, and seldom small ones.
    let headings = file.objects.iter().flat_map(|object| match &object.heading {
        Series::Constant(heading) => std::slice::from_ref(heading),
        Series::Rows(headings) => headings.as_slice(),
    });
    let in_degrees = headings.filter(|heading| **heading != INVALID).any(|heading| heading.abs() > 6.5);
    if in_degrees {
        notes.push("headings are in degrees, as Nocturne writes them".into());
    }
    let rows = file.objects.iter().map(|object| object.position.0.len()).max().unwrap_or(0);
    let mut agents = Vec::with_capacity(file.objects.len());
    for (index, object) in file.objects.into_iter().enumerate() {
        agents.push(agent(path, index, object, in_degrees)?);
    }
    let ego = file.metadata.sdc_track_index.or_else(|| {
        let found = recording_car(&agents)?;
        notes.push("ego: not named in the file; the only object with the size of Waymo's car".into());
        Some(found)
    });
    let mut draft = Draft::default();
    for (index, road) in file.roads.into_iter().enumerate() {
        let kind =
            road.map_element_id.and_then(RoadKind::of_number).unwrap_or_else(|| RoadKind::of_name(&road.r#type.0));
        // Nocturne's roads have no ids; a bare number would be mistaken for the lane of a light.
        let id = if road.id.0.is_empty() { format!("road {index}") } else { road.id.0 };
        road::add(&mut draft, kind, id, road.geometry.0.into_iter().map(Point3::from).collect());
    }
    let lights = lights(&file.tl_states.0, rows);
    let stamps: Vec<_> = (0..rows).map(steady_stamp).collect();
    let parts = Parts { id, format: Format::WaymoJson, agents, ego, draft, notes };
    assemble(path, parts, |lanes, notes| lights.tracks(&stamps, lanes, notes))
}

fn recording_car(agents: &[Agent]) -> Option<usize> {
    let is_waymo = |agent: &Agent| {
        [0, 1].iter().all(|axis| agent.size[*axis].is_some_and(|extent| (extent - WAYMO_BODY_M[*axis]).abs() < 1e-3))
    };
    let mut found = agents.iter().enumerate().filter(|(_, agent)| is_waymo(agent)).map(|(index, _)| index);
    found.next().filter(|_| found.next().is_none())
}

fn agent(path: &Path, index: usize, object: Object, in_degrees: bool) -> Result<Agent, Error> {
    let rows = object.position.0.len();
    let series = [
        ("heading", Some(rows_of(&object.heading))),
        ("velocity", object.velocity.as_ref().map(|velocity| velocity.0.len())),
        ("valid", object.valid.as_ref().map(rows_of)),
    ];
    for (field, length) in series {
        if let Some(length) = length.filter(|length| *length != rows && *length != 1) {
            let reason = format!("has {length} rows, position has {rows}");
            return Err(Error::value(path, format!("object {index}"), field, reason));
        }
    }
    let states = object.position.0.iter().enumerate().filter_map(|(row, [x, y, z])| {
        let valid = object.valid.as_ref().is_none_or(|valid| at(valid, row).is_some_and(|flag| flag != 0.0));
        if !valid || *x == INVALID || *y == INVALID {
            return None;
        }
        let heading = at(&object.heading, row).unwrap_or(f64::NAN);
        let yaw = if in_degrees { heading.to_radians() } else { heading };
        let velocity = object.velocity.as_ref().and_then(|velocity| velocity.0.get(row).copied());
        let velocity = velocity.filter(|velocity| velocity[0] != INVALID).unwrap_or([0.0; 3]);
        Some(TrackState {
            stamp: steady_stamp(row),
            pose: Pose2::new(*x, *y, crate::geometry::wrap_angle(yaw)),
            z: if *z == INVALID { 0.0 } else { *z },
            velocity_mps: [velocity[0], velocity[1]],
        })
    });
    let agent = Agent {
        id: if object.id.0.is_empty() { index.to_string() } else { object.id.0.clone() },
        class: class_of(&object.r#type.0),
        source_class: object.r#type.0.clone(),
        size: [None; 3],
        states: states.collect(),
    };
    let sizes = [&object.length, &object.width, &object.height].map(|series| match series {
        None => Vec::new(),
        Some(Series::Constant(extent)) => vec![*extent],
        Some(Series::Rows(rows)) => rows.clone(),
    });
    Ok(agent.with_sizes(sizes))
}

fn lights(file: &[(String, Light)], rows: usize) -> Lights {
    let mut lights = Lights::default();
    for (id, light) in file {
        let place = |series: &Option<Series>| series.as_ref().and_then(|series| at(series, 0));
        let stop_point = place(&light.x).zip(place(&light.y)).map(|(x, y)| [x, y]);
        for (index, state) in light.state.iter().enumerate() {
            let row = match &light.time_index {
                Some(rows) => rows.get(index).map_or(index, |row| row.0.max(0.0) as usize),
                None => index,
            };
            if row < rows {
                lights.add(id, row, signal_color(&state.0), stop_point);
            }
        }
    }
    lights
}
