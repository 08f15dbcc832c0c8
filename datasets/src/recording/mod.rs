//! Logs as our own MCAP recordings, and recordings as logs.
//!
//! A converted log holds the messages that the nodes would have got (`/ego/odometry`, `/perception/objects`,
//! `/perception/signals`, `/map/vector`, `/tf`), and what these do not carry as metadata. A recording of a drive holds
//! the same topics; read as a log, its ego vehicle is the one that was driven.

mod gather;
mod head;
mod publish;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use tandem_graph::recording::{self, Recorder};

use crate::error::Error;
use crate::log::{Format, Log};
use crate::source::{LogRef, Reader, file_name};
use gather::Gathered;
use head::Head;

pub use head::{HEAD, head};
pub use publish::publish;

/// How a path becomes logs of recordings.
pub(crate) const READER: Reader = Reader { format: Format::Mcap, recognises, discover };

/// What an MCAP file begins with (mcap.dev/spec).
const MAGIC: &[u8] = b"\x89MCAP0\r\n";

fn recognises(path: &Path) -> bool {
    let starts_so = || {
        let mut start = [0; MAGIC.len()];
        File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
    };
    path.is_file() && (file_name(path).ends_with(".mcap") || starts_so())
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    let mut messages = recording::read(path).map_err(|error| told(path, error))?;
    // The metadata comes before the first message.
    let first = messages.next().transpose();
    let id = head_of(&messages).and_then(|head| head.get("id").cloned()).unwrap_or_else(|| stem(path));
    first.map_err(|error| told(path, error))?;
    let file = path.to_owned();
    Ok(vec![LogRef::new(id, Format::Mcap, path, move || read(&file))])
}

/// Reads a recording as a log.
///
/// # Errors
/// [`Error::Damaged`] with the byte offset, [`Error::Value`] with the topic or metadata field, [`Error::Map`].
pub fn read(path: &Path) -> Result<Log, Error> {
    let mut messages = recording::read(path).map_err(|error| told(path, error))?;
    let mut gathered = Gathered::default();
    for message in &mut messages {
        let message = message.map_err(|error| told(path, error))?;
        gathered.take(&message.channel.topic, &message.bytes).map_err(|refused| {
            let row = format!("topic {} message {}", message.channel.topic, message.sequence);
            Error::value(path, row, "bytes", refused)
        })?;
    }
    let head = head_of(&messages).map(|values| Head::parse(path, values)).transpose()?.unwrap_or_default();
    gathered.into_log(path, head, stem(path))
}

/// Writes a log as a recording.
///
/// # Errors
/// [`Error::Io`] if the file can't be written or a stamp lies before the epoch, [`Error::Value`] for a message that CDR
/// can't hold.
pub fn write(log: &Log, path: &Path) -> Result<(), Error> {
    let told = |error| told(path, error);
    let mut recorder = Recorder::create(path).map_err(told)?;
    recorder.metadata(HEAD, head(log)).map_err(told)?;
    publish(log, &mut recorder).map_err(|error| Error::value(&log.source, &log.id, "messages", error))?;
    recorder.finish().map_err(told).map(drop)
}

fn head_of<R: Read>(messages: &recording::Reader<R>) -> Option<&BTreeMap<String, String>> {
    messages.metadata().iter().find(|metadata| metadata.name == HEAD).map(|metadata| &metadata.values)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A recording's error as one of ours, with its path.
fn told(path: &Path, error: recording::Error) -> Error {
    match error {
        recording::Error::Open { path, source } => Error::io(&path)(source),
        recording::Error::Read { source, .. } => Error::io(path)(source),
        recording::Error::Cut { .. } | recording::Error::Damaged { .. } => Error::damaged(path, error),
        recording::Error::Write(_) | recording::Error::BeforeEpoch { .. } => {
            Error::Io { path: path.to_owned(), reason: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
