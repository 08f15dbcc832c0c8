//! One number for everything that was published in a run, to compare runs by.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use crate::observe::{Observer, Published};

/// SHA-256 over all published messages in their order: topic, type, stamps, number and CDR bytes.
///
/// Texts and bytes go in with their length before them, as 64 bits little endian, like all numbers; so no two
/// different runs look the same.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    hash: Sha256,
}

impl Digest {
    /// The digest of what was seen so far, as 64 hex digits.
    pub fn sha256(&self) -> String {
        self.hash.clone().finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }
}

impl Observer for Digest {
    fn observe(&mut self, published: &Published<'_>) {
        self.add(published.topic.as_bytes());
        self.add(published.type_name.as_bytes());
        self.hash.update(published.capture.ns().to_le_bytes());
        self.hash.update(published.publish.ns().to_le_bytes());
        self.hash.update(published.sequence.to_le_bytes());
        self.add(published.bytes);
    }
}
