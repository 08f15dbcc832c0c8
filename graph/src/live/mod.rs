//! The live runner: one zenoh session a process, wall time, one thread a node, and every loss counted.
//!
//! The same nodes as in lockstep, on the wire that ROS 2 nodes with `rmw_zenoh` speak. Nodes of one process hand each
//! other their messages without copying them; to others they go as CDR, large ones through shared memory.
//!
//! No message is lost without a trace. A publisher numbers its messages and now and then says how many it has sent, so
//! that a subscriber counts what the wire dropped; what a full queue pushes out, what comes late and what can't be
//! decoded is counted beside it.

pub mod bench;
mod config;
mod health;
mod link;
mod mailbox;
mod runner;
mod session;
mod thread;

use std::time::{SystemTime, UNIX_EPOCH};

pub use config::{Config, Delivery, ROS_ROUTER, Role};
pub use runner::{Live, Stopper};
pub use session::Session;

use crate::Stamp;
use crate::fit::Misfit;
use crate::rmw;

/// Why a live run could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// zenoh does not take a setting.
    #[error("zenoh setting {key}: {source}")]
    Setting {
        /// The setting's key.
        key: &'static str,
        /// What zenoh says.
        source: zenoh::Error,
    },
    /// The session could not be opened.
    #[error("zenoh session: {source}")]
    Open {
        /// What zenoh says.
        source: zenoh::Error,
    },
    /// Something could not be declared on, or asked of, the session.
    #[error("zenoh key {key}: {source}")]
    Declare {
        /// The key.
        key: String,
        /// What zenoh says.
        source: zenoh::Error,
    },
    /// A message could not be handed to zenoh.
    #[error("zenoh key {key}: message not sent: {source}")]
    Put {
        /// The key.
        key: String,
        /// What zenoh says.
        source: zenoh::Error,
    },
    /// A topic or type has a name that can't go on the wire.
    #[error(transparent)]
    Name(#[from] rmw::Error),
    /// The nodes don't fit together.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A measurement between two processes failed.
    #[error("link measurement: {0}")]
    Bench(String),
}

/// The wall time, in Unix time: what ROS nodes put on their messages.
fn wall_time() -> Stamp {
    // Before 1970, and after 2262, all stamps are equal.
    let ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Stamp::from_ns(i64::try_from(ns).unwrap_or(i64::MAX))
}
