//! Corpora on disk.
//!
//! Little endian: eight bytes `tandemdc`, the version, the vocabulary's size and hash (four, four and sixteen bytes), how
//! many texts there are (eight bytes); then every text from the oldest to the newest, its length and its tokens as LEB128
//! (seven bits a byte, the lowest first, the highest bit set if more follow); at the end XXH3 of all before (eight bytes).

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::Error;
use crate::text::VocabularyId;

const MAGIC: &[u8; 8] = b"tandemdc";

const VERSION: u32 = 1;

/// No corpus is as large: some 500 million tokens.
const MOST_BYTES: u64 = 1 << 30;

/// Writes texts as a file, by way of another beside it: whenever the machine stops, the old one is there or the new one.
pub(super) fn write<'a>(
    path: &Path,
    vocabulary: VocabularyId,
    texts: impl ExactSizeIterator<Item = &'a [u32]>,
) -> Result<(), Error> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(vocabulary.size.to_le_bytes());
    bytes.extend(vocabulary.hash.to_le_bytes());
    bytes.extend((texts.len() as u64).to_le_bytes());
    for text in texts {
        push(text.len() as u32, &mut bytes);
        text.iter().for_each(|token| push(*token, &mut bytes));
    }
    bytes.extend(xxh3_64(&bytes).to_le_bytes());

    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = unfinished(folder).map_err(Error::io(path))?;
    unfinished.write_all(&bytes).and_then(|()| unfinished.as_file().sync_all()).map_err(Error::io(path))?;
    unfinished.persist(path).map_err(|error| Error::io(path)(error.error))?;
    // The name is safe only once the directory is.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io(folder))?;
    }
    Ok(())
}

/// A file with a name of its own, which is gone unless it is finished, and is read by whom the user lets read files.
fn unfinished(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".corpus").suffix(".unfinished").tempfile_in(folder)
}

/// The texts of a file, from the oldest to the newest, and what their tokens mean.
///
/// # Errors
/// [`Error::Io`] if it can't be read, and [`Error::Corpus`] if it is no corpus, damaged, or of a later version.
pub fn read(path: &Path) -> Result<(VocabularyId, Vec<Vec<u32>>), Error> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    decode(&bytes).map_err(|reason| Error::Corpus { path: path.into(), reason })
}

/// Whether a file is of the vocabulary that it is wanted for.
///
/// # Errors
/// [`Error::Corpus`] if it is of another: its numbers would stand for other words.
pub fn check(path: &Path, found: VocabularyId, wanted: VocabularyId) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    let reason = format!("it is of a vocabulary of {found}, not of one of {wanted}");
    Err(Error::Corpus { path: path.into(), reason })
}

fn decode(bytes: &[u8]) -> Result<(VocabularyId, Vec<Vec<u32>>), String> {
    let damaged = || "it is damaged, or not all there".to_owned();
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    let mut rest = bytes.strip_prefix(MAGIC).ok_or("it is no draft corpus")?;
    let version = u32::from_le_bytes(take(&mut rest).ok_or_else(damaged)?);
    if version != VERSION {
        return Err(format!("it is of version {version}, and only {VERSION} is known"));
    }
    let (_, end) = bytes.split_last_chunk().ok_or_else(damaged)?;
    let (mut rest, checked) = (rest.strip_suffix(end).ok_or_else(damaged)?, &bytes[..bytes.len() - end.len()]);
    if xxh3_64(checked) != u64::from_le_bytes(*end) {
        return Err(damaged());
    }
    let texts = texts(&mut rest);
    texts.filter(|_| rest.is_empty()).ok_or_else(|| "it breaks off, or a token is not of its vocabulary".to_owned())
}

/// All behind the version.
fn texts(rest: &mut &[u8]) -> Option<(VocabularyId, Vec<Vec<u32>>)> {
    let size = u32::from_le_bytes(take(rest)?);
    let hash = u128::from_le_bytes(take(rest)?);
    let count = u64::from_le_bytes(take(rest)?);
    let mut texts = Vec::new();
    for _ in 0..count {
        let length = number(rest)? as usize;
        // Each takes a byte at least, so what is asked for is never much more than what is there.
        let mut text = Vec::with_capacity(length.min(rest.len()));
        for _ in 0..length {
            text.push(number(rest).filter(|token| *token < size)?);
        }
        texts.push(text);
    }
    Some((VocabularyId { size, hash }, texts))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}

fn push(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..32).step_by(7) {
        let [byte] = take(rest)?;
        let bits = u32::from(byte & 0x7f);
        number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests;
