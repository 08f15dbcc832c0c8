//! What was staged in a world, as data: the surroundings, the hazard, and how a good driver answers it.

use std::sync::Arc;

use nalgebra::Point2;
use serde::{Deserialize, Serialize};
use tandem_datasets::{Log, Map, MapError, Pose2};
use tandem_planner::MetaAction;

use super::Kind;
use super::presence::Over;
use crate::camera::{Light, Look, Weather};

/// A ring of points in the map, m; open: the last is not the first again.
pub type Ring = Vec<Point2<f64>>;

/// A world with what was staged in it.
#[derive(Debug, Clone)]
pub struct Staged {
    /// What happens.
    pub log: Log,
    /// What of it was staged.
    pub staging: Staging,
}

/// What was staged in a world, known since the world was made so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Staging {
    /// What the world was made for.
    pub kind: Kind,
    /// What the cameras see it by.
    #[serde(skip)]
    pub look: Look,
    /// Place, weather and light.
    pub environment: Environment,
    /// What was staged; `None` on a calm drive.
    pub hazard: Option<Hazard>,
    /// The drive as it would be if nothing were staged, a pose every tenth of a second: the route that the planner gets
    /// follows it, since one that follows the log would lead around what the planner can't know of.
    #[serde(skip)]
    pub plain_drive: Vec<Pose2>,
}

/// Weather, time of day, road and lane: DriveVLM's description of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Environment {
    /// What is in the air.
    pub weather: Weather,
    /// The time of day.
    pub light: Light,
    /// The kind of road.
    pub road: Road,
    /// Lanes in the ego's direction.
    pub lanes: usize,
    /// The ego's lane among them at the start, 0 for the leftmost.
    pub lane: usize,
    /// Lanes in the other direction.
    pub oncoming_lanes: usize,
    /// Speed limit, m/s.
    pub limit_mps: f64,
}

/// Kinds of roads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Road {
    /// A street with parked cars.
    Residential,
    /// A street in a town.
    Urban,
    /// A road of several lanes.
    Main,
    /// A road between fields.
    Rural,
}

/// A corner case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hazard {
    /// Numbers of the tracks that make it, the most telling first: indices in [`Log::tracks`].
    pub tracks: Vec<u32>,
    /// How far away each of them can be told from, m.
    pub ranges_m: Vec<f64>,
    /// Stretches of road that can't be driven: flooded, closed, dug up.
    pub closed: Vec<Ring>,
    /// How far away what lies flat can be told from, m.
    pub flat_range_m: f64,
    /// The track that goes first whatever the geometry: an emergency vehicle on duty.
    pub goes_first: Option<u32>,
    /// When it is over.
    pub over: Over,
    /// When it can first be seen on the reference drive, s from its start: in range and not hidden.
    pub visible_from_s: f64,
    /// When it is over on the reference drive, s; the drive's end where it never is.
    pub over_s: f64,
    /// What to do about it.
    pub reaction: Reaction,
}

/// How a good driver answers a hazard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reaction {
    /// What to do, in order.
    pub actions: Vec<MetaAction>,
    /// The most to drive while it lasts, m/s.
    pub speed_cap_mps: f64,
    /// Where not to drive: what is closed, and the places of what lies there.
    pub avoid: Vec<Ring>,
}

impl Road {
    /// Its name in tags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Urban => "urban",
            Self::Main => "main",
            Self::Rural => "rural",
        }
    }
}

impl Staging {
    /// The stretches of road that can't be driven.
    pub fn closed(&self) -> &[Ring] {
        self.hazard.as_ref().map_or(&[], |hazard| &hazard.closed)
    }

    /// The flooded ones among them.
    pub fn flooded(&self) -> &[Ring] {
        if self.kind == Kind::Flood { self.closed() } else { &[] }
    }

    /// The map as it is: without the stretches that can't be driven. The one that is published knows nothing of these.
    ///
    /// # Errors
    /// [`MapError`] where a ring is none.
    pub fn true_map(&self, published: &Arc<Map>) -> Result<Arc<Map>, MapError> {
        if self.closed().is_empty() {
            return Ok(Arc::clone(published));
        }
        published.without(self.closed()).map(Arc::new)
    }
}
