//! GGUF files: metadata and tensors of a model, read in place and written.
//!
//! Format: ggml `docs/gguf.md`, versions 2 and 3, little-endian. [`File`] reads one, [`Writer`] writes one.

mod cursor;
mod named;
mod read;
mod take;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::path::{Path, PathBuf};

use memmap2::Mmap;
use sha2::{Digest, Sha256};

use self::read::{Contents, Data};
pub use self::take::{Number, Take};
pub use self::value::{List, Value};
pub use self::write::Writer;
use crate::Error;
use crate::format::Format;

/// What a file begins with.
const MAGIC: [u8; 4] = *b"GGUF";

/// The key of the metadata that says what tensors' numbers begin at multiples of.
const ALIGNMENT_KEY: &str = "general.alignment";

/// What tensors' numbers begin at multiples of if a file says nothing else, bytes.
const ALIGNMENT: u64 = 32;

/// The largest alignment that is read and written, the largest pages that machines have but for huge ones, bytes.
const MAX_ALIGNMENT: u32 = 1 << 16;

/// The most sides that a tensor of ggml's has.
const MAX_SIDES: usize = 4;

/// A model's file, mapped into memory: the metadata are read when it is opened, the tensors' numbers where they are
/// asked for.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    bytes: Mmap,
    contents: Contents,
}

/// A tensor of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its sides, the slowest first: a matrix is `[rows, columns]`, and columns of a row are side by side.
    pub shape: &'a [usize],
    /// How its numbers are stored.
    pub format: Format,
    /// Its numbers, as many whole blocks as the shape has.
    pub bytes: &'a [u8],
}

impl File {
    /// Opens a file and reads what is in it.
    ///
    /// That the numbers of every tensor are there is checked here, but for those of formats that are not [`Format`]'s:
    /// these are an error once they are asked for, so that a file can be looked at whatever is in it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Model`] if it is no such file or damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        // SAFETY: the bytes must not change while they are mapped. Model files are put in place whole, by renaming, as
        // `Writer` does it, and are never written to after.
        #[allow(unsafe_code)]
        let bytes = unsafe { Mmap::map(&file) }.map_err(Error::io(path))?;
        let contents = Contents::read(&bytes).map_err(|reason| Error::model(path, reason))?;
        Ok(Self { path: path.into(), bytes, contents })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the file, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its metadata, in the order of the file.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.contents.metadata.iter()
    }

    /// A string of the metadata.
    ///
    /// # Errors
    /// [`Error::Model`] if there is none of this name, or if it is something else.
    pub fn text(&self, key: &str) -> Result<&str, Error> {
        self.take(key)
    }

    /// A list of strings of the metadata.
    ///
    /// # Errors
    /// As [`File::text`].
    pub fn texts(&self, key: &str) -> Result<&[String], Error> {
        self.take(key)
    }

    /// A truth value of the metadata.
    ///
    /// # Errors
    /// As [`File::text`].
    pub fn flag(&self, key: &str) -> Result<bool, Error> {
        self.take(key)
    }

    /// A number of the metadata. A whole number may be of any width in the file, if it fits the one that is wanted; a
    /// floating-point number is never taken as a whole one, nor the other way round.
    ///
    /// # Errors
    /// As [`File::text`].
    pub fn number<N: Number>(&self, key: &str) -> Result<N, Error> {
        self.take(key)
    }

    /// A list of numbers of the metadata, as [`File::number`] takes them.
    ///
    /// # Errors
    /// As [`File::text`].
    pub fn numbers<N: Number>(&self, key: &str) -> Result<Vec<N>, Error>
    where
        Vec<N>: for<'a> Take<'a>,
    {
        self.take(key)
    }

    /// What the metadata may have: `file.find::<f32>("llama.rope.freq_base")?`, and as much for `&str`, `bool`,
    /// `&[String]`, `&[bool]` and `Vec`s of numbers.
    ///
    /// # Errors
    /// [`Error::Model`] if it is there and something else.
    pub fn find<'a, T: Take<'a>>(&'a self, key: &str) -> Result<Option<T>, Error> {
        let Some((_, value)) = self.contents.metadata.get(key) else { return Ok(None) };
        let reason = match T::take(value) {
            Some(Ok(taken)) => return Ok(Some(taken)),
            Some(Err(reason)) => format!("{key:?} of its metadata: {reason}"),
            None => format!("{key:?} of its metadata is of type {}, not {}", value.describe(), T::WANTED),
        };
        Err(Error::model(&self.path, reason))
    }

    fn take<'a, T: Take<'a>>(&'a self, key: &str) -> Result<T, Error> {
        self.find(key)?.ok_or_else(|| Error::model(&self.path, format!("its metadata has no {key:?}")))
    }

    /// The names of its tensors, in the order of the file.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.contents.tensors.iter().map(|(name, _)| name)
    }

    /// A tensor.
    ///
    /// # Errors
    /// [`Error::Model`] if there is none of this name, or if its format is not known here.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        let Some((name, stored)) = self.contents.tensors.get(name) else {
            return Err(Error::model(&self.path, format!("there is no tensor {name:?}")));
        };
        match &stored.data {
            Data::Known(format, range) => {
                Ok(Tensor { name, shape: &stored.shape, format: *format, bytes: &self.bytes[range.clone()] })
            }
            Data::Unknown(kind) => Err(Error::model(
                &self.path,
                format!("tensor {name:?} is of ggml's type {kind}, which is not read here"),
            )),
        }
    }
}

impl Tensor<'_> {
    /// How many values it has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Its values, row by row.
    pub fn values(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.count()];
        self.format.decode(self.bytes, &mut values);
        values
    }
}
