//! A ScenarioNet record as its JSON export holds it (metadrive `scenario/scenario_description.py`).

use serde::Deserialize;

use crate::json::{Coordinates, Flag, Name, Ordered, Scalar, Series, null_as_default};

/// One scenario.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    pub id: Name,
    pub metadata: Metadata,
    pub tracks: Ordered<Object>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub map_features: Ordered<Feature>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub dynamic_map_states: Ordered<Signal>,
}

/// What is said of the scenario as a whole.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    /// Seconds of each row.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ts: Vec<Scalar>,
    /// The key of the ego vehicle in `tracks`.
    #[serde(default)]
    pub sdc_id: Name,
    /// `nuscenes`, `waymo`, `nuplan`, `av2`, ….
    #[serde(default)]
    pub dataset: Name,
    /// The place.
    #[serde(default)]
    pub map: Name,
    /// Seconds between rows, where `ts` is missing.
    pub sample_rate: Option<Scalar>,
}

/// One road user or thing.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    #[serde(default)]
    pub r#type: Name,
    pub state: States,
    #[serde(default)]
    pub metadata: ObjectMetadata,
}

/// The data set's own words for an object.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ObjectMetadata {
    #[serde(default)]
    pub r#type: Name,
}

/// One row a time step.
#[derive(Debug, Deserialize)]
pub(super) struct States {
    pub position: Vec<Coordinates>,
    pub heading: Vec<Scalar>,
    pub velocity: Option<Vec<Coordinates>>,
    pub valid: Option<Vec<Flag>>,
    pub length: Option<Series>,
    pub width: Option<Series>,
    pub height: Option<Series>,
}

/// A lane, line, edge, crossing, driveway, sign….
#[derive(Debug, Deserialize)]
pub(super) struct Feature {
    #[serde(default)]
    pub r#type: Name,
    #[serde(default, deserialize_with = "null_as_default")]
    pub polyline: Vec<Coordinates>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub polygon: Vec<Coordinates>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub entry_lanes: Vec<Name>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub exit_lanes: Vec<Name>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub left_neighbor: Vec<Beside>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub right_neighbor: Vec<Beside>,
    /// Metres from the centreline to the left and right boundary at each point; zero where unknown.
    #[serde(default, deserialize_with = "null_as_default")]
    pub width: Vec<Vec<Scalar>>,
    pub speed_limit_kmh: Option<Scalar>,
    #[serde(default)]
    pub interpolating: Flag,
    /// The lanes that a stop sign governs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub lane: Vec<Name>,
    pub position: Option<Coordinates>,
}

/// A neighbouring lane: its id alone, or with the stretch of this lane's points along which it runs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Beside {
    /// Waymo's.
    Along { feature_id: Name, self_start_index: Option<Scalar>, self_end_index: Option<Scalar> },
    /// The id alone.
    Whole(Name),
}

/// A traffic light.
#[derive(Debug, Deserialize)]
pub(super) struct Signal {
    #[serde(default)]
    pub lane: Name,
    pub stop_point: Option<Coordinates>,
    #[serde(default)]
    pub state: SignalStates,
}

/// One row a time step.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignalStates {
    #[serde(default, deserialize_with = "null_as_default")]
    pub object_state: Vec<Name>,
}
