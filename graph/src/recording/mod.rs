//! Recordings: MCAP files that ROS tools and Foxglove open, read back whole or damaged.
//!
//! A file has profile `ros2`, messages as CDR, schemas as `ros2msg`, and beside them a channel of
//! `foxglove.SceneUpdate` as JSON to look at. Of MCAP's two stamps a message, log time is the publish stamp and publish time the capture stamp. The
//! same run gives the same file, byte for byte.
//!
//! ```
//! use std::io::Cursor;
//! use tandem_graph::msgs::std_msgs;
//! use tandem_graph::observe::{Observer, Published};
//! use tandem_graph::recording::{Digest, Reader, Recorder};
//! use tandem_graph::{Message, Stamp, cdr};
//!
//! let message = std_msgs::String { data: "hello".to_owned() };
//! let bytes = cdr::encode(&message)?;
//! let published = Published {
//!     topic: "/hello",
//!     type_name: std_msgs::String::NAME,
//!     definition: std_msgs::String::definition(),
//!     capture: Stamp::from_seconds(1.0),
//!     publish: Stamp::from_seconds(1.1),
//!     sequence: 0,
//!     bytes: &bytes,
//! };
//! let mut recorder = Recorder::new(Cursor::new(Vec::new()))?;
//! let mut digest = Digest::default();
//! recorder.observe(&published);
//! digest.observe(&published);
//! let file = recorder.finish()?.into_inner();
//!
//! let mut of_file = Digest::default();
//! for recorded in Reader::new(file.as_slice()) {
//!     of_file.observe(&recorded?.published());
//! }
//! assert_eq!(of_file.sha256(), digest.sha256());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod parse;
mod reader;
mod recorder;
mod scene;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use digest::Digest;
pub use reader::{Metadata, Reader};
pub use recorder::Recorder;

use crate::Stamp;
use crate::observe::Published;

/// Why a recording could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be opened or created.
    #[error("{}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file can't be read on.
    #[error("byte {offset}: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The file ends before its end.
    #[error("byte {offset}: the file is cut off")]
    Cut {
        /// Where: the file's length.
        offset: u64,
    },
    /// The file is damaged.
    #[error("byte {offset}: {reason}")]
    Damaged {
        /// Where the damaged part begins.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file can't be written.
    #[error("recording not written: {0}")]
    Write(#[from] mcap::McapError),
    /// A message was published before the epoch, which MCAP has no stamps for.
    #[error("topic {topic}: a stamp before the epoch can't be recorded")]
    BeforeEpoch {
        /// The topic.
        topic: String,
    },
}

/// A topic of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The topic's name.
    pub topic: String,
    /// The ROS type name.
    pub type_name: String,
    /// The message definition text.
    pub definition: String,
}

/// A recorded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its topic.
    pub channel: Arc<Channel>,
    /// When what it speaks of was captured.
    pub capture: Stamp,
    /// When it was published.
    pub publish: Stamp,
    /// Its number on its topic.
    pub sequence: u64,
    /// The message as CDR, with its header.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// The message as observers see it.
    pub fn published(&self) -> Published<'_> {
        Published {
            topic: &self.channel.topic,
            type_name: &self.channel.type_name,
            definition: &self.channel.definition,
            capture: self.capture,
            publish: self.publish,
            sequence: self.sequence,
            bytes: &self.bytes,
        }
    }
}

/// Reads a recording: its messages in the order in which they were recorded, then, if the file is damaged, an error.
///
/// # Errors
/// If the file can't be opened.
pub fn read(path: impl AsRef<Path>) -> Result<Reader<BufReader<File>>, Error> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Ok(Reader::new(BufReader::new(file)))
}
