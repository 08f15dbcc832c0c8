//! What can go wrong in the simulator.

use std::path::PathBuf;

/// Why a run, a suite of runs or a replay could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The traffic mode has no such name.
    #[error("traffic {name:?}: not one of replay, reactive")]
    UnknownTraffic {
        /// The name given.
        name: String,
    },
    /// A figure of the injected faults means nothing.
    #[error("{field}: {reason}")]
    Fault {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The log lacks what a drive needs.
    #[error("log {log}: {reason}")]
    Undrivable {
        /// The log's id.
        log: String,
        /// What is missing.
        reason: String,
    },
    /// A text is no shard.
    #[error("shard {text:?}: not I/N with I from 1 to N")]
    Shard {
        /// The text.
        text: String,
    },
    /// Results can't be put together.
    #[error("two shards hold the same run: {run}")]
    Merge {
        /// The run.
        run: String,
    },
    /// A result could not be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A rig of cameras can't be read.
    #[error("{}: {reason}", path.display())]
    Rig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Cameras or the perception node behind them can't be.
    #[error("perception {sight}: {reason}")]
    Sight {
        /// What it is called.
        sight: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A planner can't be made.
    #[error(transparent)]
    Planner(#[from] tandem_planner::Error),
    /// The nodes of a run don't fit together.
    #[error(transparent)]
    Lockstep(#[from] tandem_graph::lockstep::Error),
    /// A recording can't be read or written.
    #[error("{}: {source}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: tandem_graph::recording::Error,
    },
    /// A recording does not say what a replay has to know.
    #[error("{}: {reason}", path.display())]
    NotARun {
        /// The file.
        path: PathBuf,
        /// What is missing or makes no sense.
        reason: String,
    },
}
