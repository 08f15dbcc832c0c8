//! Reading Feather files (Arrow IPC, version 2, plain or compressed), and refusing damaged ones.
//!
//! The arrow crate validates arrays, but trusts the offsets and lengths in the file's own index: it would panic on a
//! block beyond the end, and reserve whatever length a compressed buffer claims. All of these are checked here first.

use std::path::Path;
use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, RecordBatch, root_as_footer, root_as_message};

use super::Table;
use crate::error::Error;

/// What a Feather file starts and ends with.
const MAGIC: &[u8] = b"ARROW1";
/// The most that one column of one batch may claim to hold when decompressed, bytes.
const MAX_BUFFER_BYTES: i64 = 1 << 30;
/// The most rows a batch may claim to have.
const MAX_ROWS: i64 = 1 << 31;

/// Reads a whole file.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], and [`Error::Damaged`] for anything else.
pub(crate) fn read(path: &Path) -> Result<Table, Error> {
    let file = Buffer::from(std::fs::read(path).map_err(Error::io(path))?);
    decode(file).map(|batches| Table::new(path, batches)).map_err(|reason| Error::damaged(path, reason))
}

fn decode(file: Buffer) -> Result<Vec<arrow_array::RecordBatch>, String> {
    if !file.starts_with(MAGIC) {
        return Err("not a Feather (Arrow) file: it does not start with ARROW1".into());
    }
    // The end is: footer, its length (4 bytes, little endian), magic.
    let trailer = file.len().checked_sub(4 + MAGIC.len()).ok_or("truncated after the first bytes")?;
    if &file[trailer + 4..] != MAGIC {
        return Err(format!("truncated: byte {} should be the end, and is not", file.len()));
    }
    let footer_len = u32::from_le_bytes([file[trailer], file[trailer + 1], file[trailer + 2], file[trailer + 3]]);
    let footer_start = trailer.checked_sub(footer_len as usize).ok_or("its footer is longer than the file")?;
    let footer = root_as_footer(&file[footer_start..trailer]).map_err(|error| format!("its footer: {error}"))?;

    let schema = footer.schema().ok_or("its footer has no schema")?;
    let schema = try_fb_to_schema(schema).map_err(|error| format!("its schema: {error}"))?;
    let mut decoder = FileDecoder::new(Arc::new(schema), footer.version());
    for block in footer.dictionaries().iter().flatten() {
        let bytes = checked_block(&file, block)?;
        decoder.read_dictionary(block, &bytes).map_err(|error| error.to_string())?;
    }
    let mut batches = Vec::new();
    for block in footer.recordBatches().iter().flatten() {
        let bytes = checked_block(&file, block)?;
        batches.extend(decoder.read_record_batch(block, &bytes).map_err(|error| error.to_string())?);
    }
    Ok(batches)
}

/// The bytes of a block, once all offsets and lengths in it are known to lie within it.
fn checked_block(file: &Buffer, block: &Block) -> Result<Buffer, String> {
    let at = format!("block at byte {}", block.offset());
    let out_of_file = || format!("{at}: reaches beyond the end of the file");
    let offset = usize::try_from(block.offset()).map_err(|_| out_of_file())?;
    let metadata_len = usize::try_from(block.metaDataLength()).map_err(|_| out_of_file())?;
    let body_len = usize::try_from(block.bodyLength()).map_err(|_| out_of_file())?;
    let len = metadata_len.checked_add(body_len).ok_or_else(out_of_file)?;
    if offset.checked_add(len).is_none_or(|end| end > file.len()) {
        return Err(out_of_file());
    }
    let bytes = file.slice_with_length(offset, len);
    let (metadata, body) = bytes.split_at(metadata_len);
    // A message starts with its length, in all but the oldest files after four bytes of ones.
    let prefix_len = if metadata.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let message = metadata.get(prefix_len..).ok_or_else(|| format!("{at}: too short"))?;
    let message = root_as_message(message).map_err(|error| format!("{at}: {error}"))?;
    let batch = message
        .header_as_record_batch()
        .or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    if let Some(batch) = batch {
        check_batch(&batch, body).map_err(|reason| format!("{at}: {reason}"))?;
    }
    Ok(bytes)
}

fn check_batch(batch: &RecordBatch, body: &[u8]) -> Result<(), String> {
    let rows = batch.nodes().into_iter().flatten().flat_map(|node| [node.length(), node.null_count()]);
    if rows.chain([batch.length()]).any(|count| !(0..=MAX_ROWS).contains(&count)) {
        return Err("claims an impossible number of rows".into());
    }
    for (index, buffer) in batch.buffers().iter().flatten().enumerate() {
        let offset = usize::try_from(buffer.offset()).ok();
        let len = usize::try_from(buffer.length()).ok();
        let range = offset.zip(len).and_then(|(offset, len)| Some(offset..offset.checked_add(len)?));
        let bytes = range.and_then(|range| body.get(range));
        let bytes = bytes.ok_or_else(|| format!("buffer {index} reaches beyond its block"))?;
        if batch.compression().is_some()
            && let Some(claimed) = bytes.first_chunk().map(|prefix| i64::from_le_bytes(*prefix))
            && claimed > MAX_BUFFER_BYTES
        {
            return Err(format!("buffer {index} claims {claimed} bytes when decompressed"));
        }
    }
    Ok(())
}
