//! What happened in one run, step by step: the score, the table and the report are made from it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_datasets::{Box2, Camera, Class, EgoBody, LaneId, Map, Pose2, SignalColor};
use tandem_graph::Stamp;
use tandem_planner::score::Event;
use tandem_planner::{SubScores, VehicleState};

use crate::nodes::{Perceived, Picture};
use crate::sight::TRUTH;

/// One row of the table and of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The log's id.
    pub log: String,
    /// The planner's name.
    pub planner: String,
    /// `replay` or `reactive`.
    pub traffic: String,
    /// By what the planner saw: `truth`, or what the cameras with their perception are called.
    #[serde(default = "truth")]
    pub perception: String,
    /// The driving score: [`SubScores::total`] of the sub-scores below.
    pub score: f64,
    /// The sub-scores, after the human filter.
    #[serde(flatten)]
    pub scores: SubScores,
    /// How far the ego drove, m.
    pub distance_m: f64,
    /// Collisions that were the ego's fault.
    pub at_fault_collisions: u32,
    /// Simulated seconds.
    pub duration_s: f64,
    /// What a reader of the figures must know (an unsound ego track with its measured error, missing signals).
    pub notes: Vec<String>,
}

/// What a result from before perception was named was driven by.
pub(crate) fn truth() -> String {
    TRUTH.to_owned()
}

/// A run, step by step.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its row.
    pub result: RunResult,
    /// The log's description; empty if there is none.
    pub description: String,
    /// What was injected, for people (`delay 100 ms, drop 0.1`); empty for none.
    pub injection: String,
    /// The ego's dimensions.
    pub body: EgoBody,
    /// The map.
    pub map: Arc<Map>,
    /// The route's centreline, m.
    pub route: Vec<[f64; 2]>,
    /// The steps, 0.1 s apart.
    pub frames: Vec<Frame>,
    /// What it saw by; `None` where it saw everything as it is.
    pub seen: Option<Seen>,
}

/// What a planner saw by that saw by cameras.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When the run started, for the stamps.
    pub start: Stamp,
    /// The cameras.
    pub rig: Vec<Camera>,
    /// What they saw, about a second apart.
    pub pictures: Vec<Picture>,
    /// What perception said, in order.
    pub perceived: Vec<Perceived>,
}

/// One step of a run.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Seconds since the run's start.
    pub time_s: f64,
    /// The ego vehicle.
    pub ego: VehicleState,
    /// Where the human was, if the log has an ego track.
    pub human: Option<Pose2>,
    /// The others.
    pub agents: Vec<FrameAgent>,
    /// Lights of controlled lanes.
    pub signals: Vec<(LaneId, SignalColor)>,
    /// The plan in force: rear-axle points, m.
    pub plan: Vec<[f64; 2]>,
    /// Which proposal it is.
    pub proposal: String,
    /// Predicted sub-scores of the plan.
    pub scores: Option<SubScores>,
    /// Time to the next collision at constant velocity, s, up to 5; `None` beyond.
    pub ttc_s: Option<f64>,
    /// What went wrong in this step, by the score.
    pub events: Vec<Event>,
}

/// Another agent or object in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameAgent {
    /// Its number, stable over the run.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// Box centre and heading.
    pub pose: Pose2,
    /// Length along its heading, m.
    pub length: f64,
    /// Width, m.
    pub width: f64,
    /// Speed, m/s.
    pub speed_mps: f64,
}

impl FrameAgent {
    /// Its outline on the ground.
    pub fn outline(&self) -> Box2 {
        Box2 { pose: self.pose, length: self.length, width: self.width }
    }
}
