//! Files written tensor by tensor, so that no more than one is in memory.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::named::Named;
use super::read::{alignment, size};
use super::value::{Value, write_text};
use super::{MAGIC, MAX_SIDES};
use crate::Error;
use crate::format::Format;

/// The version that is written.
const VERSION: u32 = 3;

/// A file to be: its metadata and what tensors it has.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("small.gguf");
/// use tandem_vlm::format::Format;
/// use tandem_vlm::gguf::{File, Writer};
///
/// let mut writer = Writer::default();
/// writer.set("general.architecture", "llama");
/// writer.set("llama.block_count", 1_u32);
/// writer.tensor("output_norm.weight", &[3], Format::F32);
/// writer.write(&path, |_name, bytes| {
///     bytes.extend([1.0_f32, 2.0, 3.0].into_iter().flat_map(f32::to_le_bytes));
///     Ok(())
/// })?;
///
/// let file = File::open(&path)?;
/// assert_eq!(file.text("general.architecture")?, "llama");
/// assert_eq!(file.tensor("output_norm.weight")?.values(), [1.0, 2.0, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Writer {
    metadata: Named<Value>,
    tensors: Named<(Vec<usize>, Format)>,
}

impl Writer {
    /// Sets a key of the metadata, in the place of what it was.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.metadata.put(key, value.into());
    }

    /// Adds a tensor with its sides, the slowest first; one of the same name gives way to it.
    pub fn tensor(&mut self, name: &str, shape: &[usize], format: Format) {
        self.tensors.put(name, (shape.to_vec(), format));
    }

    /// Writes the file, by way of one beside it. `fill` puts the bytes of the tensor of a name into an empty vector; it
    /// is called for each in turn.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written; [`Error::Model`] if a tensor's shape is not one that a file can
    /// have, if the alignment of the metadata is none, or if `fill` gives too many or too few bytes; and those of
    /// `fill`. Nothing is left of the file then.
    pub fn write(
        &self,
        path: &Path,
        mut fill: impl FnMut(&str, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let unfinished = path.with_extension("unfinished");
        let header = self.header().map_err(|reason| Error::model(path, reason))?;
        let written = self.write_to(&unfinished, &header, path, &mut fill);
        if written.is_err() {
            // What went wrong before is what there is to tell.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn write_to(
        &self,
        unfinished: &Path,
        header: &Header,
        path: &Path,
        fill: &mut impl FnMut(&str, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = BufWriter::new(fs::File::create(unfinished).map_err(Error::io(unfinished))?);
        file.write_all(&header.bytes).map_err(Error::io(unfinished))?;
        let mut bytes = Vec::new();
        for ((name, _), size) in self.tensors.iter().zip(&header.sizes) {
            bytes.clear();
            fill(name, &mut bytes)?;
            if bytes.len() != *size {
                let reason = format!("tensor {name:?} was given {} bytes, and has {size}", bytes.len());
                return Err(Error::model(path, reason));
            }
            pad(&mut bytes, header.alignment);
            file.write_all(&bytes).map_err(Error::io(unfinished))?;
        }
        file.into_inner().map_err(|error| Error::io(unfinished)(error.into_error()))?;
        fs::rename(unfinished, path).map_err(Error::io(path))
    }

    /// All that is before the tensors' numbers.
    fn header(&self) -> Result<Header, String> {
        let alignment = alignment(&self.metadata)? as usize;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in self.metadata.iter() {
            write_text(key, &mut bytes);
            value.write(&mut bytes);
        }
        let (mut sizes, mut offset) = (Vec::new(), 0_usize);
        for (name, (shape, format)) in self.tensors.iter() {
            let wrong = |reason: String| format!("tensor {name:?}: {reason}");
            if shape.len() > MAX_SIDES || shape.contains(&0) {
                return Err(wrong(format!("its shape {shape:?} has more than {MAX_SIDES} sides, or one of no length")));
            }
            let size = size(shape, *format).map_err(wrong)?;
            write_text(name, &mut bytes);
            bytes.extend((shape.len() as u32).to_le_bytes());
            shape.iter().rev().for_each(|side| bytes.extend((*side as u64).to_le_bytes()));
            bytes.extend(format.ggml().to_le_bytes());
            bytes.extend((offset as u64).to_le_bytes());
            let next = offset.checked_add(size).and_then(|end| end.checked_next_multiple_of(alignment));
            offset = next.ok_or_else(|| wrong("the tensors are larger than a file can be".into()))?;
            sizes.push(size);
        }
        pad(&mut bytes, alignment);
        Ok(Header { bytes, sizes, alignment })
    }
}

/// What is before the tensors' numbers, and what is to come, bytes.
struct Header {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
    alignment: usize,
}

fn pad(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}
