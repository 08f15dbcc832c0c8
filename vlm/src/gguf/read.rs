//! What a file's bytes say it holds: its metadata, and where its tensors are.

use std::ops::Range;

use super::cursor::Cursor;
use super::named::Named;
use super::take::Take;
use super::value::Value;
use super::{ALIGNMENT, ALIGNMENT_KEY, MAGIC, MAX_ALIGNMENT, MAX_SIDES};
use crate::format::Format;

/// A file's header.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub metadata: Named<Value>,
    pub tensors: Named<Stored>,
}

/// A tensor's shape, slowest side first, and what it is stored as.
#[derive(Debug)]
pub(super) struct Stored {
    pub shape: Vec<usize>,
    pub data: Data,
}

/// A tensor's numbers in the file.
#[derive(Debug)]
pub(super) enum Data {
    /// Bytes of the file that it has.
    Known(Format, Range<usize>),
    /// ggml's number of a type that this program does not read. Its bytes can't be told, as its blocks are not known.
    Unknown(u32),
}

impl Contents {
    /// Reads what is before the tensors' numbers, and checks that those are all there.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut cursor = Cursor::new(bytes);
        if cursor.array() != Ok(MAGIC) {
            return Err("not a GGUF file".into());
        }
        match cursor.u32()? {
            2 | 3 => {}
            version if matches!(version.swap_bytes(), 1..=3) => {
                return Err("its numbers are big-endian, and only little-endian files are read".into());
            }
            version => return Err(format!("it is of version {version} of GGUF, and only 2 and 3 are read")),
        }
        let (tensors, pairs) = (cursor.u64()?, cursor.u64()?);
        let mut contents = Self::default();
        for number in 0..pairs {
            let name = cursor.text().map_err(|reason| format!("key {number} of its metadata: {reason}"))?;
            let value = Value::read(&mut cursor).map_err(|reason| format!("{name:?} of its metadata: {reason}"))?;
            if contents.metadata.put(name, value).is_some() {
                return Err(format!("{name:?} is twice in its metadata"));
            }
        }
        let mut found = Vec::new();
        for number in 0..tensors {
            let name = cursor.text().map_err(|reason| format!("the name of tensor {number}: {reason}"))?;
            found.push((name, Info::read(&mut cursor).map_err(|reason| format!("tensor {name:?}: {reason}"))?));
        }
        let alignment = alignment(&contents.metadata)?;
        let start = (cursor.at() as u64).next_multiple_of(alignment);
        for (name, info) in found {
            let stored = info.place(start, alignment, bytes.len());
            if contents.tensors.put(name, stored.map_err(|reason| format!("tensor {name:?}: {reason}"))?).is_some() {
                return Err(format!("there are two tensors {name:?}"));
            }
        }
        Ok(contents)
    }
}

/// What tensors' numbers begin at multiples of, bytes.
pub(super) fn alignment(metadata: &Named<Value>) -> Result<u64, String> {
    let Some((_, value)) = metadata.get(ALIGNMENT_KEY) else { return Ok(ALIGNMENT) };
    match u32::take(value) {
        Some(Ok(alignment)) if alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT => Ok(alignment.into()),
        _ => Err(format!("{ALIGNMENT_KEY:?} of its metadata is no power of two up to {MAX_ALIGNMENT}")),
    }
}

/// A tensor as the file's header has it.
struct Info {
    shape: Vec<usize>,
    kind: u32,
    /// From where the first tensor's numbers may begin, bytes.
    offset: u64,
}

impl Info {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let sides = cursor.u32()?;
        if sides > MAX_SIDES as u32 {
            return Err(format!("it has {sides} sides, and no more than {MAX_SIDES} are read"));
        }
        let mut shape = Vec::with_capacity(MAX_SIDES);
        for _ in 0..sides {
            let side = cursor.u64()?;
            match usize::try_from(side) {
                Ok(1..) => shape.push(side as usize),
                _ => return Err(format!("one of its sides is {side} long")),
            }
        }
        shape.reverse();
        Ok(Self { shape, kind: cursor.u32()?, offset: cursor.u64()? })
    }

    /// Where it is in a file of so many bytes.
    fn place(self, start: u64, alignment: u64, length: usize) -> Result<Stored, String> {
        let Self { shape, kind, offset } = self;
        if !offset.is_multiple_of(alignment) {
            return Err(format!("it begins at byte {offset} of the data, which is no multiple of {alignment}"));
        }
        let Some(format) = Format::from_ggml(kind) else {
            return Ok(Stored { shape, data: Data::Unknown(kind) });
        };
        let size = size(&shape, format)?;
        let begin = start.checked_add(offset).and_then(|begin| usize::try_from(begin).ok());
        match begin.and_then(|begin| Some(begin..begin.checked_add(size)?)) {
            Some(range) if range.end <= length => Ok(Stored { shape, data: Data::Known(format, range) }),
            _ => Err(format!(
                "cut off: it has {size} bytes, from byte {offset} of the data, which begin at byte {start}, and the file \
                 has {length}"
            )),
        }
    }
}

/// Bytes of a tensor. Blocks do not go on from one row to the next.
pub(super) fn size(shape: &[usize], format: Format) -> Result<usize, String> {
    let row = shape.last().copied().unwrap_or(1);
    if !row.is_multiple_of(format.block()) {
        return Err(format!("its rows of {row} are no whole blocks of {format}, which are of {}", format.block()));
    }
    let values = shape.iter().try_fold(1, |values: usize, side| values.checked_mul(*side));
    let size = values.and_then(|values| format.size(values));
    size.ok_or_else(|| format!("its shape {shape:?} is larger than memory can be"))
}
