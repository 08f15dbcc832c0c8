//! CDR, little endian, with its four-byte header: the encoding of every message on the wire and on disk.
//!
//! This is XCDR1 as ROS 2 writes it (OMG DDS-XTypes 1.3, 7.4.1 and 7.6.2): every number is aligned to its own
//! size, counted from behind the header. How a single field is written lies in [`crate::field`].

use crate::Message;

/// The encapsulation header of little-endian XCDR1.
pub const HEADER: [u8; 4] = [0, 1, 0, 0];

/// Zero bytes that some writers pad a message with, to a multiple of four.
const PADDING: usize = 3;

/// Why bytes could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not start with the little-endian CDR header.
    #[error("{message}: not little-endian CDR (header {found:02x?})")]
    Header {
        /// The message's ROS name.
        message: &'static str,
        /// The bytes found, up to four.
        found: Vec<u8>,
    },
    /// The body does not fit the type.
    #[error("{message}: {reason} at byte {offset}")]
    Body {
        /// The message's ROS name.
        message: &'static str,
        /// Where, in bytes from the start of the header.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A string or sequence has more elements than 32 bits can count.
    #[error("{message}: a string or sequence is longer than CDR can say")]
    TooLong {
        /// The message's ROS name.
        message: &'static str,
    },
}

/// Encodes a message with its header.
///
/// # Errors
/// [`Error::TooLong`].
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    encode_into(message, &mut bytes)?;
    Ok(bytes)
}

/// Encodes a message with its header into `bytes`, which is cleared first.
///
/// # Errors
/// [`Error::TooLong`].
pub fn encode_into<M: Message>(message: &M, bytes: &mut Vec<u8>) -> Result<(), Error> {
    bytes.clear();
    bytes.extend_from_slice(&HEADER);
    let mut writer = Writer { bytes, too_long: false };
    message.write(&mut writer);
    if writer.too_long { Err(Error::TooLong { message: M::NAME }) } else { Ok(()) }
}

/// Decodes a message from bytes that start with the header.
///
/// Memory for a sequence is taken only when the bytes that are left can hold it, so that a wrong length costs
/// nothing.
///
/// # Errors
/// [`Error::Header`] and [`Error::Body`].
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    // The last two bytes are options, of which XCDR1 uses none that matter here.
    if bytes.len() < HEADER.len() || !bytes.starts_with(&HEADER[..2]) {
        return Err(Error::Header { message: M::NAME, found: bytes.iter().copied().take(HEADER.len()).collect() });
    }
    let mut reader = Reader { body: &bytes[HEADER.len()..], at: 0 };
    let read = M::read(&mut reader).and_then(|message| match reader.body.len() - reader.at {
        0..=PADDING => Ok(message),
        _ => Err(Malformed("bytes are left over")),
    });
    read.map_err(|Malformed(reason)| Error::Body { message: M::NAME, offset: HEADER.len() + reader.at, reason })
}

/// Where a message is encoded to.
pub struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    too_long: bool,
}

impl Writer<'_> {
    /// Appends zeros until the next byte is aligned to `size`, a power of two.
    #[inline]
    pub(crate) fn align(&mut self, size: usize) {
        let length = (self.bytes.len() - HEADER.len()).next_multiple_of(size) + HEADER.len();
        self.bytes.resize(length, 0);
    }

    /// Appends bytes as they are.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends `count` zeroed bytes and hands them out to be filled.
    #[inline]
    pub(crate) fn room(&mut self, count: usize) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.resize(start + count, 0);
        &mut self.bytes[start..]
    }

    /// Appends the length of a string or sequence.
    #[inline]
    pub(crate) fn length(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or_else(|_| {
            self.too_long = true;
            u32::MAX
        });
        self.align(4);
        self.put(&length.to_le_bytes());
    }
}

/// What a message is decoded from.
pub struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

/// What is wrong with the bytes at the reader's place.
pub struct Malformed(pub(crate) &'static str);

impl<'a> Reader<'a> {
    /// The next `count` bytes, the first of which is aligned to `size`, a power of two.
    #[inline]
    pub(crate) fn take(&mut self, count: usize, size: usize) -> Result<&'a [u8], Malformed> {
        let start = self.at.next_multiple_of(size);
        let taken = start.checked_add(count).and_then(|end| self.body.get(start..end));
        let taken = taken.ok_or(Malformed("the message ends too early"))?;
        self.at = start + count;
        Ok(taken)
    }

    /// The length of a string or sequence whose elements take at least `min_size` bytes each.
    #[inline]
    pub(crate) fn length(&mut self, min_size: usize) -> Result<usize, Malformed> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4, 4)?);
        let length = u32::from_le_bytes(bytes) as usize;
        if length.saturating_mul(min_size) > self.body.len() - self.at {
            return Err(Malformed("a length goes beyond the message's end"));
        }
        Ok(length)
    }
}
