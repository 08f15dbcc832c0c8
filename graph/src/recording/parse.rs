//! The records of an MCAP file (<https://mcap.dev/spec>), taken apart without trusting a single byte.

/// What a file begins and ends with.
pub(super) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// What kind of record follows.
pub(super) mod op {
    pub const HEADER: u8 = 0x01;
    pub const FOOTER: u8 = 0x02;
    pub const SCHEMA: u8 = 0x03;
    pub const CHANNEL: u8 = 0x04;
    pub const MESSAGE: u8 = 0x05;
    pub const CHUNK: u8 = 0x06;
    pub const MESSAGE_INDEX: u8 = 0x07;
    pub const CHUNK_INDEX: u8 = 0x08;
    pub const ATTACHMENT: u8 = 0x09;
    pub const ATTACHMENT_INDEX: u8 = 0x0a;
    pub const STATISTICS: u8 = 0x0b;
    pub const METADATA: u8 = 0x0c;
    pub const METADATA_INDEX: u8 = 0x0d;
    pub const SUMMARY_OFFSET: u8 = 0x0e;
    pub const DATA_END: u8 = 0x0f;
    /// Records from here on are an application's own, and skipped.
    pub const PRIVATE: u8 = 0x80;
}

/// Bytes of a record before its body: what kind, and how long.
pub(super) const RECORD_HEADER: usize = 9;

/// Reads fields off the front of a record's body.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.number().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.number().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.number().map(u64::from_le_bytes)
    }

    /// Bytes with their length, 32 bits, before them.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Names with values.
    pub fn map(&mut self) -> Option<Vec<(&'a str, &'a str)>> {
        let mut entries = Fields(self.bytes()?);
        let mut map = Vec::new();
        while !entries.0.is_empty() {
            map.push((entries.text()?, entries.text()?));
        }
        Some(map)
    }

    /// `Some` if nothing is left, so that a record of a wrong length is found out.
    pub fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A type of messages.
pub(super) struct Schema<'a> {
    pub id: u16,
    pub name: &'a str,
    pub data: &'a [u8],
}

pub(super) fn schema(body: &[u8]) -> Option<Schema<'_>> {
    let mut fields = Fields(body);
    let (id, name) = (fields.u16()?, fields.text()?);
    fields.text()?;
    let data = fields.bytes()?;
    fields.end()?;
    Some(Schema { id, name, data })
}

/// A topic.
pub(super) struct Channel<'a> {
    pub id: u16,
    pub schema: u16,
    pub topic: &'a str,
    pub encoding: &'a str,
}

pub(super) fn channel(body: &[u8]) -> Option<Channel<'_>> {
    let mut fields = Fields(body);
    let (id, schema, topic, encoding) = (fields.u16()?, fields.u16()?, fields.text()?, fields.text()?);
    fields.map()?;
    fields.end()?;
    Some(Channel { id, schema, topic, encoding })
}

/// A message.
pub(super) struct Message<'a> {
    pub channel: u16,
    pub sequence: u32,
    pub log_time: u64,
    pub publish_time: u64,
    pub data: &'a [u8],
}

pub(super) fn message(body: &[u8]) -> Option<Message<'_>> {
    let mut fields = Fields(body);
    let (channel, sequence) = (fields.u16()?, fields.u32()?);
    let (log_time, publish_time) = (fields.u64()?, fields.u64()?);
    Some(Message { channel, sequence, log_time, publish_time, data: fields.0 })
}

/// Records together, compressed or not.
pub(super) struct Chunk<'a> {
    pub size: u64,
    pub crc: u32,
    pub compression: &'a str,
    /// How long the records are as they lie there.
    pub stored: u64,
    /// The records, or as many as there are.
    pub data: &'a [u8],
}

/// Takes a chunk apart that may be cut off in its records.
pub(super) fn chunk(body: &[u8]) -> Option<Chunk<'_>> {
    let mut fields = Fields(body);
    fields.take(16)?;
    let (size, crc, compression, stored) = (fields.u64()?, fields.u32()?, fields.text()?, fields.u64()?);
    Some(Chunk { size, crc, compression, stored, data: fields.0 })
}

/// Named values.
pub(super) fn metadata(body: &[u8]) -> Option<(&str, Vec<(&str, &str)>)> {
    let mut fields = Fields(body);
    let (name, values) = (fields.text()?, fields.map()?);
    fields.end()?;
    Some((name, values))
}

/// The checksum of all before the end of the data; 0 if there is none.
pub(super) fn data_end(body: &[u8]) -> Option<u32> {
    let mut fields = Fields(body);
    let crc = fields.u32()?;
    fields.end()?;
    Some(crc)
}

/// The checksum of the summary up to itself; 0 if there is none.
pub(super) fn footer(body: &[u8]) -> Option<u32> {
    let mut fields = Fields(body);
    fields.take(16)?;
    let crc = fields.u32()?;
    fields.end()?;
    Some(crc)
}

/// Whether the body of a record that nothing is wanted of has the form that it should have.
pub(super) fn is_sound(kind: u8, body: &[u8]) -> bool {
    let mut fields = Fields(body);
    let mut parse = || {
        match kind {
            op::HEADER => {
                fields.text()?;
                fields.text()?;
            }
            op::MESSAGE_INDEX => {
                fields.u16()?;
                fields.bytes()?;
            }
            op::CHUNK_INDEX => {
                fields.take(32)?;
                fields.bytes()?;
                fields.u64()?;
                fields.text()?;
                fields.take(16)?;
            }
            op::METADATA_INDEX => {
                fields.take(16)?;
                fields.text()?;
            }
            op::STATISTICS => {
                fields.take(42)?;
                fields.bytes()?;
            }
            op::SUMMARY_OFFSET => {
                fields.take(17)?;
            }
            // They may be large and have a checksum of their own.
            op::ATTACHMENT | op::ATTACHMENT_INDEX | op::PRIVATE.. => return Some(()),
            _ => return None,
        }
        fields.end()
    };
    parse().is_some()
}
