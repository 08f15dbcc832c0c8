//! Writes a recording while a run goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use mcap::records::MessageHeader;

use super::{Error, scene};
use crate::Stamp;
use crate::observe::{Observer, Published};

/// Uncompressed bytes after which a chunk is closed: what a damaged bit costs at most, besides the last message.
const CHUNK_BYTES: u64 = 256 * 1024;

/// Where the scene to look at goes.
const SCENE_TOPIC: &str = "/scene";

/// Writes every message it sees to an MCAP file, and a scene to look at beside them.
///
/// An error stops the recording, not the run; [`finish`](Self::finish) tells of it.
pub struct Recorder<W: Write + Seek> {
    writer: mcap::Writer<W>,
    channels: BTreeMap<String, u16>,
    scene: Option<(u16, u32)>,
    error: Option<Error>,
}

impl Recorder<BufWriter<File>> {
    /// Records to a new file.
    ///
    /// # Errors
    /// If it can't be created or written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::create(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        Self::new(BufWriter::new(file))
    }
}

impl<W: Write + Seek> Recorder<W> {
    /// Records to a writer.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(writer: W) -> Result<Self, Error> {
        let options = mcap::WriteOptions::new()
            .profile("ros2")
            .library(concat!("tandem ", env!("CARGO_PKG_VERSION")))
            .chunk_size(Some(CHUNK_BYTES))
            // On this thread alone: the file then does not depend on the machine.
            .compression_threads(0);
        let writer = options.create(writer)?;
        Ok(Self { writer, channels: BTreeMap::new(), scene: None, error: None })
    }

    /// Adds a record of named values, such as the run's settings.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn metadata(&mut self, name: impl Into<String>, values: BTreeMap<String, String>) -> Result<(), Error> {
        Ok(self.writer.write_metadata(&mcap::records::Metadata { name: name.into(), metadata: values })?)
    }

    /// Ends the file and gives the writer back.
    ///
    /// # Errors
    /// If anything could not be recorded.
    pub fn finish(mut self) -> Result<W, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.writer.finish()?;
        Ok(self.writer.into_inner())
    }

    fn record(&mut self, published: &Published<'_>) -> Result<(), Error> {
        let channel_id = match self.channels.get(published.topic) {
            Some(channel) => *channel,
            None => {
                let definition = published.definition.as_bytes();
                let schema = self.writer.add_schema(published.type_name, "ros2msg", definition)?;
                let channel = self.writer.add_channel(schema, published.topic, "cdr", &BTreeMap::new())?;
                self.channels.insert(published.topic.to_owned(), channel);
                channel
            }
        };
        let ns = |stamp: Stamp| {
            u64::try_from(stamp.ns()).map_err(|_| Error::BeforeEpoch { topic: published.topic.to_owned() })
        };
        let (log_time, publish_time) = (ns(published.publish)?, ns(published.capture)?);
        // MCAP has 32 bits for the number; the reader makes up for the upper ones.
        let sequence = published.sequence as u32;
        let header = MessageHeader { channel_id, sequence, log_time, publish_time };
        self.writer.write_to_known_channel(&header, published.bytes)?;
        if let Some(update) = scene::paint(published) {
            let (channel_id, sequence) = match self.scene {
                Some((channel, sequence)) => (channel, sequence),
                None => {
                    let schema =
                        self.writer.add_schema(scene::SCHEMA, "jsonschema", scene::json_schema().as_bytes())?;
                    (self.writer.add_channel(schema, SCENE_TOPIC, "json", &BTreeMap::new())?, 0)
                }
            };
            self.scene = Some((channel_id, sequence.wrapping_add(1)));
            let header = MessageHeader { channel_id, sequence, log_time, publish_time };
            self.writer.write_to_known_channel(&header, &update)?;
        }
        Ok(())
    }
}

impl<W: Write + Seek> Observer for Recorder<W> {
    fn observe(&mut self, published: &Published<'_>) {
        if self.error.is_none()
            && let Err(error) = self.record(published)
        {
            tracing::error!(%error, "recording stopped");
            self.error = Some(error);
        }
    }
}
