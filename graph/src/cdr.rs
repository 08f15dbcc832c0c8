//! CDR, little endian, with its four-byte header: the encoding of every message on the wire and on disk.

use crate::Message;

/// The encapsulation header of little-endian XCDR1.
pub const HEADER: [u8; 4] = [0, 1, 0, 0];

/// Why bytes could not be encoded or decoded.
#[derive(Debug, thiserror::Error)]
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
    #[error("{message}: {reason}")]
    Body {
        /// The message's ROS name.
        message: &'static str,
        /// What the decoder says.
        reason: String,
    },
}

/// Encodes a message with its header.
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    encode_into(message, &mut bytes)?;
    Ok(bytes)
}

/// Encodes a message with its header into `bytes`, which is cleared first.
pub fn encode_into<M: Message>(message: &M, bytes: &mut Vec<u8>) -> Result<(), Error> {
    bytes.clear();
    bytes.extend_from_slice(&HEADER);
    cdr_encoding::to_writer::<M, byteorder::LittleEndian, _>(&mut *bytes, message)
        .map_err(|error| Error::Body { message: M::NAME, reason: error.to_string() })
}

/// Decodes a message from bytes that start with the header.
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    let body = bytes
        .strip_prefix(&HEADER)
        .ok_or_else(|| Error::Header { message: M::NAME, found: bytes.iter().copied().take(4).collect() })?;
    cdr_encoding::from_bytes::<M, byteorder::LittleEndian>(body)
        .map(|(message, _)| message)
        .map_err(|error| Error::Body { message: M::NAME, reason: error.to_string() })
}
