//! What `tandem drive` can be told.

use std::path::PathBuf;

use tandem_sim::faults::{CameraFault, CameraFaultKind, Death, Faults, Window};
use tandem_sim::suite::Shard;
use tandem_sim::{TrafficMode, world};

use super::sight::Looking;
use super::slow::Judging;
use crate::seeds::Seeds;

/// Drive logs or generated worlds in closed loop, and score the driving.
///
/// Without arguments: nine generated worlds, ours by cameras, all planners by truth, and a report in `tandem-report`.
#[derive(clap::Args)]
pub struct Args {
    /// Files or directories of any known format, or directories that hold such.
    pub logs: Vec<PathBuf>,
    /// Generated worlds by seed: `7`, `3,5`, `0..18`.
    #[arg(long, value_name = "SEEDS", conflicts_with = "logs", value_delimiter = ',')]
    world: Vec<Seeds>,
    /// Generated towns by seed.
    #[arg(long, value_name = "SEEDS", conflicts_with = "logs", value_delimiter = ',')]
    town: Vec<Seeds>,
    /// Generated worlds with a staged corner case by seed; thirteen seeds in a row have all kinds.
    #[arg(long, value_name = "SEEDS", conflicts_with = "logs", value_delimiter = ',')]
    hazard: Vec<Seeds>,
    /// Who drives.
    #[arg(long, value_delimiter = ',', default_value = "tandem,pdm,idm,constant-velocity,human")]
    pub planner: Vec<String>,
    /// How the others move.
    #[arg(long, value_delimiter = ',', default_value = "replay")]
    pub traffic: Vec<TrafficMode>,
    #[command(flatten)]
    pub looking: Looking,
    #[command(flatten)]
    pub judging: Judging,
    /// Let every message to and from the planner arrive so much later.
    #[arg(long, value_name = "MS", default_value_t = 0.0, help_heading = "Faults")]
    delay_ms: f64,
    /// Let messages arrive up to so much later still.
    #[arg(long, value_name = "MS", default_value_t = 0.0, help_heading = "Faults")]
    jitter_ms: f64,
    /// Lose messages with this probability.
    #[arg(long, value_name = "P", default_value_t = 0.0, help_heading = "Faults")]
    drop: f64,
    /// Freeze perception from one second of the run to another: `5..7`.
    #[arg(long, value_name = "S..S", value_parser = window, help_heading = "Faults")]
    freeze: Option<Window>,
    /// Let a node die at a second of the run: `planner@5`, `perception@5`.
    #[arg(long, value_name = "NODE@S", value_parser = death, help_heading = "Faults")]
    dead: Option<Death>,
    /// Let a camera fail from one second of the run to another: `front:missing@5..7`; also `corrupt` and `late`.
    #[arg(long, value_name = "CAMERA:HOW@S..S", value_parser = camera_fault, help_heading = "Faults")]
    camera_fault: Vec<CameraFault>,
    /// What the random numbers of jitter and loss start from.
    #[arg(long, default_value_t = 0, help_heading = "Faults")]
    fault_seed: u64,
    /// Drive without faults and under each of a standard set of them.
    #[arg(long, conflicts_with_all = ["delay_ms", "jitter_ms", "drop", "freeze", "dead", "camera_fault"], help_heading = "Faults")]
    stress: bool,
    /// Write every message of the one run to an MCAP file.
    #[arg(long, value_name = "OUT.mcap")]
    pub record: Option<PathBuf>,
    /// Write a page to look at.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Drive one of N equal parts of the logs, as array jobs do.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: Shard,
    /// Put the JSON of shards together instead of driving.
    #[arg(long, value_name = "JSON", num_args = 1.., conflicts_with_all = ["logs", "world", "town", "hazard", "report", "record"])]
    pub merge: Vec<PathBuf>,
}

impl Args {
    /// The worlds to drive: those asked for, or one of each kind where nothing is.
    pub fn worlds(&self) -> impl Iterator<Item = u64> {
        let kinds = world::Kind::ALL.len() as u64;
        let default = self.names_nothing().then_some(Seeds(0..kinds));
        self.world.clone().into_iter().chain(default).flat_map(|seeds| seeds.0)
    }

    /// The towns to drive.
    pub fn towns(&self) -> impl Iterator<Item = u64> {
        self.town.clone().into_iter().flat_map(|seeds| seeds.0)
    }

    /// The worlds with a staged corner case to drive.
    pub fn hazards(&self) -> impl Iterator<Item = u64> {
        self.hazard.clone().into_iter().flat_map(|seeds| seeds.0)
    }

    fn names_nothing(&self) -> bool {
        self.logs.is_empty() && self.world.is_empty() && self.town.is_empty() && self.hazard.is_empty()
    }

    /// Whether neither logs nor worlds were named, and a report for people is wanted.
    pub fn is_bare(&self) -> bool {
        self.names_nothing() && !self.json
    }

    /// The sets of faults to drive under.
    pub fn faults(&self) -> Vec<Faults> {
        if self.stress {
            return Faults::standard(self.fault_seed);
        }
        vec![Faults {
            delay_ms: self.delay_ms,
            jitter_ms: self.jitter_ms,
            drop: self.drop,
            freeze: self.freeze,
            dead: self.dead.clone(),
            cameras: self.camera_fault.clone(),
            seed: self.fault_seed,
        }]
    }
}

fn window(text: &str) -> Result<Window, String> {
    let parts = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    parts.map(|(from_s, to_s)| Window { from_s, to_s }).ok_or_else(|| format!("{text:?} is not like 5..7"))
}

fn death(text: &str) -> Result<Death, String> {
    let parts = text.split_once('@').and_then(|(node, at)| Some((node.to_owned(), at.parse().ok()?)));
    parts.map(|(node, at_s)| Death { node, at_s }).ok_or_else(|| format!("{text:?} is not like planner@5"))
}

fn camera_fault(text: &str) -> Result<CameraFault, String> {
    let parse = || {
        let (camera, rest) = text.split_once(':')?;
        let (kind, during) = rest.split_once('@')?;
        let kind = CameraFaultKind::ALL.into_iter().find(|known| known.name() == kind)?;
        Some(CameraFault { camera: camera.to_owned(), kind, during: window(during).ok()? })
    };
    parse().ok_or_else(|| format!("{text:?} is not like front:missing@5..7, front:corrupt@5..7 or front:late@5..7"))
}

/// What is wrong with the arguments beyond what the parser sees.
#[derive(Debug, thiserror::Error)]
pub enum Usage {
    /// More runs than fit into one file.
    #[error("--record: one run fits into a file, this is {runs}: name one log or world, planner and traffic")]
    RecordOne {
        /// How many they are.
        runs: usize,
    },
    /// A model that `models.toml` does not name.
    #[error("no model is called {name}; there are: {known}")]
    NoModel {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Images for a model that sees none.
    #[error("--image: the model sees no images; directories of the Idefics3 family do, such as SmolVLM's")]
    Blind,
    /// What was learnt beside a model in GGUF, for a model that is none.
    #[error("--adapter: it goes with a model in GGUF, not with a directory")]
    Adapter,
    /// A line of a file is no request to a language model.
    #[error("{path}: line {line}: no request: {reason}")]
    Request {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A text does not fill one window.
    #[error("{path}: its {tokens} tokens do not fill a window of {context}")]
    ShortText {
        /// The file.
        path: PathBuf,
        /// Its tokens.
        tokens: usize,
        /// Those of a window.
        context: usize,
    },
    /// A part to merge is no result.
    #[error("{path}: not what `tandem drive --json` prints: {error}")]
    Part {
        /// The file.
        path: PathBuf,
        /// Where it does not fit.
        error: serde_json::Error,
    },
}
