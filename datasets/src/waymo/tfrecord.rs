//! TFRecord files: records of length, checksum of the length, bytes, checksum of the bytes; read one by one.
//!
//! Format: tensorflow `core/lib/io/record_writer.h`. A shard of Waymo's holds hundreds of scenarios, each a log.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use prost::Message;

use super::proto::{Example, Scenario};
use super::{example, scenario};
use crate::error::Error;
use crate::log::{Format, Log};
use crate::source::{LogRef, Reader, file_name};

/// How a path becomes logs of these files.
pub(crate) const READER: Reader = Reader { format: Format::WaymoRecord, recognises, discover };

/// The largest record that is read, bytes. Waymo's hold about a megabyte, with lidar some tens.
const MAX_RECORD_BYTES: u64 = 1 << 30;

/// Waymo names its shards `….tfrecord-00000-of-01000`.
fn recognises(path: &Path) -> bool {
    let name = file_name(path);
    name.contains("tfrecord") && !name.ends_with(".json") && !name.ends_with(".gz") && path.is_file()
}

/// The records of a file, one log each. What follows a damaged record can't be found, so it is one log that tells so.
fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    let mut records = Records::open(path)?;
    let mut logs = Vec::new();
    loop {
        let offset = records.offset;
        match records.next() {
            Ok(None) => return Ok(logs),
            Ok(Some(bytes)) => {
                let id = id_of(bytes).unwrap_or_else(|| format!("{}#{}", file_name(path), logs.len()));
                let file = path.to_owned();
                logs.push(LogRef::new(id, Format::WaymoRecord, path, move || read_at(&file, offset)));
            }
            Err(error) if logs.is_empty() => return Err(error),
            Err(error) => {
                let id = format!("{}@{offset}", file_name(path));
                logs.push(LogRef::new(id, Format::WaymoRecord, path, move || Err(error.clone())));
                return Ok(logs);
            }
        }
    }
}

/// Reads the log whose record starts at `offset`.
fn read_at(path: &Path, offset: u64) -> Result<Log, Error> {
    let mut records = Records::open(path)?;
    records.seek(offset)?;
    let Some(bytes) = records.next()? else {
        return Err(Error::damaged(path, format!("the record at byte {offset} is gone")));
    };
    log(path, offset, bytes)
}

/// The log in a record's bytes.
pub(super) fn log(path: &Path, offset: u64, bytes: &[u8]) -> Result<Log, Error> {
    let damaged = |error: prost::DecodeError| Error::damaged(path, format!("record at byte {offset}: {error}"));
    if id_field(bytes).is_some() {
        scenario::log(path, Scenario::decode(bytes).map_err(damaged)?)
    } else {
        example::log(path, Example::decode(bytes).map_err(damaged)?)
    }
}

/// The records of a file in order.
struct Records<'p> {
    path: &'p Path,
    file: BufReader<File>,
    length: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl<'p> Records<'p> {
    fn open(path: &'p Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        Ok(Self { path, file: BufReader::new(file), length, offset: 0, bytes: Vec::new() })
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(offset)).map_err(Error::io(self.path))?;
        self.offset = offset;
        Ok(())
    }

    /// The next record's bytes, checked; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.offset == self.length {
            return Ok(None);
        }
        let damaged = |what: &str| Error::damaged(self.path, format!("record at byte {}: {what}", self.offset));
        let mut header = [0; 12];
        self.file.read_exact(&mut header).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged("cut off"),
            _ => Error::io(self.path)(error),
        })?;
        let [l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = header;
        let size = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        if masked_crc32c(&header[..8]) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(damaged("the checksum of its length is wrong; not a TFRecord, or damaged"));
        }
        if size > MAX_RECORD_BYTES || size + 16 > self.length - self.offset {
            return Err(damaged("cut off"));
        }
        // The file holds that many bytes, so they may be asked for.
        self.bytes.resize(size as usize + 4, 0);
        self.file.read_exact(&mut self.bytes).map_err(Error::io(self.path))?;
        let (bytes, checksum) = self.bytes.split_at(size as usize);
        if masked_crc32c(bytes).to_le_bytes() != checksum {
            return Err(damaged("the checksum of its bytes is wrong"));
        }
        self.offset += size + 16;
        Ok(Some(bytes))
    }
}

/// TensorFlow's masked CRC-32C (`core/lib/hash/crc32c.h`).
fn masked_crc32c(bytes: &[u8]) -> u32 {
    let crc = !bytes.iter().fold(!0, |crc, byte| CRC32C[usize::from(crc as u8 ^ byte)] ^ (crc >> 8));
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The table of the Castagnoli polynomial, bits reversed.
const CRC32C: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The id in a record, whichever kind it is, without decoding the rest of a scenario.
fn id_of(bytes: &[u8]) -> Option<String> {
    match id_field(bytes) {
        Some(id) => String::from_utf8(id.to_vec()).ok(),
        None => example::id(&Example::decode(bytes).ok()?),
    }
}

/// `Scenario.scenario_id` (field 5): a `tf.Example` has field 1 only.
fn id_field(mut bytes: &[u8]) -> Option<&[u8]> {
    use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes).ok()?;
        if tag == 5 && wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
            return bytes.get(..length);
        }
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).ok()?;
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of these records.
    pub fn framed(records: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        for record in records {
            let length = (record.len() as u64).to_le_bytes();
            file.extend(length);
            file.extend(masked_crc32c(&length).to_le_bytes());
            file.extend(record);
            file.extend(masked_crc32c(record).to_le_bytes());
        }
        file
    }

    #[test]
    fn checksum_is_castagnolis() {
        // The check value of CRC-32C (RFC 3720, B.4, by its unmasked form).
        let unmask = |masked: u32| masked.wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(unmask(masked_crc32c(b"123456789")), 0xe306_9283);
        assert_eq!(unmask(masked_crc32c(&[0; 32])), 0x8a91_36aa);
    }

    fn scenario(id: &str) -> Vec<u8> {
        Scenario { scenario_id: id.into(), timestamps_seconds: vec![0.0, 0.1], ..Scenario::default() }.encode_to_vec()
    }

    #[test]
    fn whole_records_are_listed_and_what_is_damaged_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("training.tfrecord-00000-of-00001");
        let bytes = framed(&[scenario("one"), scenario("two"), scenario("three")]);
        let ids = |bytes: &[u8]| -> Result<Vec<String>, Error> {
            std::fs::write(&path, bytes).unwrap();
            Ok(discover(&path)?.into_iter().map(|log| log.id).collect())
        };
        assert_eq!(ids(&bytes).unwrap(), ["one", "two", "three"]);

        let cut = ids(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(cut[..2], ["one", "two"]);
        assert!(cut[2].contains('@'), "{cut:?}");
        let told = discover(&path).unwrap()[2].read().unwrap_err().to_string();
        assert!(told.contains("cut off") && told.contains("byte"), "{told}");

        let mut flipped = bytes.clone();
        flipped[20] ^= 1;
        assert!(ids(&flipped).unwrap_err().to_string().contains("checksum of its bytes"));
        flipped = bytes;
        flipped[0] ^= 1;
        assert!(ids(&flipped).unwrap_err().to_string().contains("checksum of its length"));
        assert_eq!(ids(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_length_beyond_the_file_is_not_allocated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.tfrecord");
        let length = (1u64 << 40).to_le_bytes();
        let bytes = [&length[..], &masked_crc32c(&length).to_le_bytes()].concat();
        std::fs::write(&path, bytes).unwrap();
        assert!(discover(&path).unwrap_err().to_string().contains("cut off"));
    }
}
