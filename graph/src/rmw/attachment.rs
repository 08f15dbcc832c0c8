//! The 33 bytes that travel beside every message: its number, its time, and who published it.

use super::{Error, Gid};
use crate::Stamp;

/// How long an encoded [`Attachment`] is.
pub const ATTACHMENT_BYTES: usize = 33;

/// What a publisher says about one message; a ROS subscription drops a message without it.
///
/// Encoded as `zenoh_ext`'s serializer writes it: i64 sequence, i64 Unix nanoseconds, both little endian,
/// the length 16 in one byte, and the 16 bytes of the GID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// The message's number, counted by its publisher in steps of 1.
    pub sequence: i64,
    /// When it was published, in Unix time.
    pub publish: Stamp,
    /// Who published it.
    pub gid: Gid,
}

impl Attachment {
    /// The bytes for the wire.
    pub fn encode(&self) -> [u8; ATTACHMENT_BYTES] {
        let mut bytes = [0; ATTACHMENT_BYTES];
        bytes[..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.publish.ns().to_le_bytes());
        bytes[16] = 16;
        bytes[17..].copy_from_slice(&self.gid.0);
        bytes
    }

    /// Reads the bytes from the wire; anything but exactly one attachment is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |reason| Error::Attachment { found: bytes.len(), reason };
        let bytes: &[u8; ATTACHMENT_BYTES] = bytes.try_into().map_err(|_| wrong("33 bytes expected"))?;
        let (sequence, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| wrong("no sequence number"))?;
        let (publish, rest) = rest.split_first_chunk::<8>().ok_or_else(|| wrong("no time"))?;
        let [16, gid @ ..] = rest else { return Err(wrong("a GID has 16 bytes")) };
        Ok(Self {
            sequence: i64::from_le_bytes(*sequence),
            publish: Stamp::from_ns(i64::from_le_bytes(*publish)),
            gid: Gid(gid.try_into().map_err(|_| wrong("a GID has 16 bytes"))?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zenoh_ext::{z_deserialize, z_serialize};

    const SAMPLE: Attachment =
        Attachment { sequence: 0x0102, publish: Stamp::from_ns(-2), gid: Gid(*b"0123456789abcdef") };

    #[test]
    fn bytes_are_those_of_zenohs_own_serializer() {
        let theirs = z_serialize(&(SAMPLE.sequence, SAMPLE.publish.ns(), SAMPLE.gid.0.to_vec()));
        assert_eq!(SAMPLE.encode().as_slice(), &*theirs.to_bytes());
        let (sequence, ns, gid): (i64, i64, Vec<u8>) = z_deserialize(&theirs).unwrap();
        assert_eq!((sequence, ns, gid.as_slice()), (0x0102, -2, SAMPLE.gid.0.as_slice()));
    }

    #[test]
    fn wrong_lengths_are_errors() {
        let mut bytes = SAMPLE.encode().to_vec();
        bytes[16] = 15; // the GID's length, right after the two i64
        assert_eq!(
            Attachment::decode(&bytes),
            Err(Error::Attachment { found: 33, reason: "a GID has 16 bytes" }),
            "wrong GID length"
        );
        for length in (0..33).chain([34]) {
            assert!(Attachment::decode(&vec![16; length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_attachment_survives_the_wire(sequence: i64, ns: i64, gid: [u8; 16]) {
            let attachment = Attachment { sequence, publish: Stamp::from_ns(ns), gid: Gid(gid) };
            prop_assert_eq!(Attachment::decode(&attachment.encode()), Ok(attachment));
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(attachment) = Attachment::decode(&bytes) {
                let encoded = attachment.encode();
                prop_assert_eq!(encoded.as_slice(), bytes.as_slice());
            }
        }
    }
}
