//! Reads a recording back, and from a damaged one everything before the damage.
//!
//! A chunk is read whole, checked against its checksum, and only then taken apart: damage within it costs the chunk.
//! Of a chunk that is cut off by the end of the file, as a killed recorder leaves it, every whole message is read.
//! Nothing that the file says of its own size is believed before the bytes are there.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::sync::Arc;

use super::parse::{self, Fields, MAGIC, RECORD_HEADER, op};
use super::{Channel, Error, Recorded};
use crate::Stamp;

/// The most bytes that one record or one chunk's records may have.
const MOST_BYTES: u64 = 256 << 20;

/// Named values in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What they are.
    pub name: String,
    /// The values.
    pub values: BTreeMap<String, String>,
}

/// The messages of a recording, in the order in which they were recorded.
///
/// Yields every whole message before any damage, then one error that says where the damage is, then nothing. Messages
/// in another encoding than CDR, such as the scene, are left out.
pub struct Reader<R> {
    file: R,
    /// Bytes read so far.
    offset: u64,
    /// Over all bytes of the section so far.
    crc: crc32fast::Hasher,
    place: Place,
    types: Types,
    /// Messages that are read and not yet taken.
    ready: VecDeque<Recorded>,
    metadata: Vec<Metadata>,
    /// Damage that is found and not yet told.
    damage: Option<Error>,
}

/// Where in the file the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In the data; whether there was a chunk, and whether the last record was one or belongs to one.
    Data {
        chunked: bool,
        indexes: bool,
    },
    Summary,
    End,
}

impl<R: Read> Reader<R> {
    /// Reads from a file's start.
    pub fn new(file: R) -> Self {
        Self {
            file,
            offset: 0,
            crc: crc32fast::Hasher::new(),
            place: Place::Start,
            types: Types::default(),
            ready: VecDeque::new(),
            metadata: Vec::new(),
            damage: None,
        }
    }

    /// The named values found so far; after the last message, all of them.
    pub fn metadata(&self) -> &[Metadata] {
        &self.metadata
    }

    /// Reads the next record.
    fn advance(&mut self) -> Result<(), Error> {
        if self.place == Place::Start {
            if self.take(MAGIC.len() as u64)? != MAGIC {
                return Err(Error::Damaged { offset: 0, reason: "this is no MCAP file" });
            }
            self.place = Place::Data { chunked: false, indexes: false };
        }
        let offset = self.offset;
        let damaged = |reason| Error::Damaged { offset, reason };
        let before = self.crc.clone();
        let head = self.take(RECORD_HEADER as u64)?;
        let mut fields = Fields(&head[1..]);
        let (kind, length) = (head[0], fields.u64().unwrap_or(u64::MAX));
        if kind == op::FOOTER {
            return self.finish(offset, length);
        }
        let body = self.take_up_to(length.min(MOST_BYTES))?;
        let is_whole = body.len() as u64 == length;
        if !is_whole {
            if kind == op::CHUNK {
                let chunk = parse::chunk(&body).and_then(|chunk| unpack(&chunk).ok());
                // It is cut off: what is left of it has no checksum.
                let _ = self.types.read_all(&chunk.unwrap_or_default(), &mut self.ready);
            }
            let is_cut = length <= MOST_BYTES || (body.len() as u64) < MOST_BYTES;
            return Err(if is_cut { Error::Cut { offset: self.offset } } else { damaged("a record is too long") });
        }
        let wrong = || damaged("a record is malformed");
        let Place::Data { chunked, indexes } = self.place else {
            let is_sound = match kind {
                op::SCHEMA => parse::schema(&body).is_some(),
                op::CHANNEL => parse::channel(&body).is_some(),
                _ => kind != op::MESSAGE_INDEX && parse::is_sound(kind, &body),
            };
            return if is_sound { Ok(()) } else { Err(wrong()) };
        };
        self.place = Place::Data {
            chunked: chunked || kind == op::CHUNK,
            indexes: kind == op::CHUNK || (indexes && kind == op::MESSAGE_INDEX),
        };
        match kind {
            op::CHUNK => {
                let chunk = parse::chunk(&body).ok_or_else(wrong)?;
                if chunk.stored != chunk.data.len() as u64 {
                    return Err(wrong());
                }
                let records = unpack(&chunk).map_err(|_| damaged("a chunk can't be decompressed"))?;
                if records.len() as u64 != chunk.size || (chunk.crc != 0 && crc32fast::hash(&records) != chunk.crc) {
                    return Err(damaged("a chunk differs from its checksum"));
                }
                self.types.read_all(&records, &mut self.ready).ok_or_else(|| damaged("a chunk is malformed"))?;
            }
            // A message without a checksum among those with one was something else before a bit flipped.
            op::MESSAGE if chunked => return Err(damaged("a message is without its chunk")),
            op::SCHEMA | op::CHANNEL | op::MESSAGE => {
                self.types.read(kind, &body, &mut self.ready).ok_or_else(wrong)?;
            }
            op::MESSAGE_INDEX if !indexes => return Err(damaged("an index is without its chunk")),
            op::METADATA => {
                let (name, values) = parse::metadata(&body).ok_or_else(wrong)?;
                let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                self.metadata.push(Metadata { name: name.to_owned(), values });
            }
            op::DATA_END => {
                let crc = parse::data_end(&body).ok_or_else(wrong)?;
                if crc != 0 && crc != before.finalize() {
                    return Err(damaged("the data before here differ from their checksum"));
                }
                self.crc = crc32fast::Hasher::new();
                self.place = Place::Summary;
            }
            _ if parse::is_sound(kind, &body) => {}
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Reads the footer's body and the end of the file.
    fn finish(&mut self, offset: u64, length: u64) -> Result<(), Error> {
        let damaged = |reason| Error::Damaged { offset, reason };
        if self.place != Place::Summary || length != 20 {
            return Err(damaged("the footer is malformed"));
        }
        let body = self.take(16)?;
        let summed = self.crc.clone().finalize();
        let body = [body, self.take(4)?].concat();
        let crc = parse::footer(&body).ok_or_else(|| damaged("the footer is malformed"))?;
        if crc != 0 && crc != summed {
            return Err(damaged("the summary before here differs from its checksum"));
        }
        let end = self.offset;
        if self.take(MAGIC.len() as u64)? != MAGIC || !self.take_up_to(1)?.is_empty() {
            return Err(Error::Damaged { offset: end, reason: "the end of the file is not where it should be" });
        }
        self.place = Place::End;
        Ok(())
    }

    /// The next `count` bytes.
    fn take(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.take_up_to(count)?;
        if bytes.len() as u64 == count { Ok(bytes) } else { Err(Error::Cut { offset: self.offset }) }
    }

    /// The next `count` bytes, or fewer at the end of the file. Takes no memory for bytes that are not there.
    fn take_up_to(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.file.by_ref().take(count).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        self.crc.update(&bytes);
        read.map_err(|source| Error::Read { offset: self.offset, source })?;
        Ok(bytes)
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Recorded, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(Ok(message));
            }
            if let Some(damage) = self.damage.take() {
                return Some(Err(damage));
            }
            if self.place == Place::End {
                return None;
            }
            if let Err(damage) = self.advance() {
                self.place = Place::End;
                self.damage = Some(damage);
            }
        }
    }
}

/// The records of a chunk; of one that is cut off, as many bytes as can be had.
fn unpack(chunk: &parse::Chunk<'_>) -> io::Result<Vec<u8>> {
    let mut records = Vec::new();
    let is_cut = (chunk.data.len() as u64) < chunk.stored;
    let unpacked = match chunk.compression {
        "" => chunk.data.take(MOST_BYTES).read_to_end(&mut records),
        "zstd" => zstd::stream::read::Decoder::new(chunk.data)?.take(MOST_BYTES).read_to_end(&mut records),
        "lz4" => lz4::Decoder::new(chunk.data)?.take(MOST_BYTES).read_to_end(&mut records),
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    match unpacked {
        Err(error) if !is_cut => Err(error),
        _ => Ok(records),
    }
}

/// The schemas and channels of a file, and how far the numbers of each channel have come.
#[derive(Default)]
struct Types {
    schemas: BTreeMap<u16, (String, String)>,
    channels: BTreeMap<u16, (Option<Arc<Channel>>, u64)>,
}

impl Types {
    /// Reads the records of a chunk; `None` if there is something else in it, after what is before that.
    fn read_all(&mut self, records: &[u8], ready: &mut VecDeque<Recorded>) -> Option<()> {
        let mut fields = Fields(records);
        let mut read = VecDeque::new();
        while !fields.0.is_empty() {
            let next = fields.take(1).zip(fields.u64()).and_then(|(kind, length)| {
                let body = fields.take(usize::try_from(length).ok()?)?;
                self.read(kind[0], body, &mut read)
            });
            if next.is_none() {
                ready.append(&mut read);
                return None;
            }
        }
        ready.append(&mut read);
        Some(())
    }

    /// Reads a schema, a channel or a message; `None` if it is none or malformed.
    fn read(&mut self, kind: u8, body: &[u8], ready: &mut VecDeque<Recorded>) -> Option<()> {
        match kind {
            op::SCHEMA => {
                let schema = parse::schema(body)?;
                let definition = String::from_utf8_lossy(schema.data).into_owned();
                self.schemas.insert(schema.id, (schema.name.to_owned(), definition));
            }
            op::CHANNEL => {
                let parse::Channel { id, schema, topic, encoding } = parse::channel(body)?;
                let (type_name, definition) = self.schemas.get(&schema).cloned().unwrap_or_default();
                let channel = Arc::new(Channel { topic: topic.to_owned(), type_name, definition });
                self.channels.entry(id).or_insert(((encoding == "cdr").then_some(channel), 0));
            }
            op::MESSAGE => {
                let message = parse::message(body)?;
                let (channel, sequence) = self.channels.get_mut(&message.channel)?;
                // The number nearest to the last one whose lower 32 bits are these.
                let ahead = message.sequence.wrapping_sub(*sequence as u32);
                *sequence = sequence
                    .checked_add_signed(ahead.cast_signed().into())
                    .unwrap_or_else(|| sequence.wrapping_add(ahead.into()));
                if let Some(channel) = channel {
                    let stamp = |ns| i64::try_from(ns).ok().map(Stamp::from_ns);
                    ready.push_back(Recorded {
                        channel: Arc::clone(channel),
                        capture: stamp(message.publish_time)?,
                        publish: stamp(message.log_time)?,
                        sequence: *sequence,
                        bytes: message.data.to_vec(),
                    });
                }
            }
            _ => return None,
        }
        Some(())
    }
}
