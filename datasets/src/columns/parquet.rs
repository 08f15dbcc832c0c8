//! Reading Parquet files, and refusing damaged ones.
//!
//! The file's index is checked here before it is trusted. What lies in the pages themselves can't be checked from
//! outside, and the parquet crate (60.1) panics on some of it: on a page that claims a dictionary its column does not
//! have, for one. Such a panic is caught, and becomes the error that the file is damaged.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;

use super::Table;
use crate::error::Error;

/// The most rows a file may claim to have; a forecasting scenario has some ten thousand.
const MAX_ROWS: i64 = 1 << 26;
/// The most a column chunk may claim to hold when decompressed, bytes.
const MAX_CHUNK_BYTES: i64 = 1 << 30;

/// Reads a whole file.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], and [`Error::Damaged`] for anything else.
pub(crate) fn read(path: &Path) -> Result<Table, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let file_len = file.metadata().map_err(Error::io(path))?.len();
    // Nothing outlives the closure but its result, so that no half-changed state can be seen after a panic.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(file, file_len)));
    let decoded = decoded.unwrap_or_else(|_| Err("a page does not hold what it claims".into()));
    decoded.map(|batches| Table::new(path, batches)).map_err(|reason| Error::damaged(path, reason))
}

fn decode(file: File, file_len: u64) -> Result<Vec<arrow_array::RecordBatch>, String> {
    let metadata = ArrowReaderMetadata::load(&file, Default::default()).map_err(|error| error.to_string())?;
    check(metadata.metadata(), file_len)?;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).build();
    reader.map_err(|error| error.to_string())?.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// Checks the offsets and sizes in the file's own index, which the parquet crate trusts.
fn check(metadata: &ParquetMetaData, file_len: u64) -> Result<(), String> {
    if !(0..=MAX_ROWS).contains(&metadata.file_metadata().num_rows()) {
        return Err("claims an impossible number of rows".into());
    }
    for group in metadata.row_groups() {
        if !(0..=MAX_ROWS).contains(&group.num_rows()) {
            return Err("claims an impossible number of rows".into());
        }
        for column in group.columns() {
            let name = column.column_path();
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let end = start.checked_add(column.compressed_size());
            let within = start >= 0 && column.compressed_size() >= 0 && column.data_page_offset() >= 0;
            if !within || end.is_none_or(|end| end as u64 > file_len) {
                return Err(format!("column {name} at byte {start} reaches beyond the end of the file"));
            }
            if !(0..=MAX_CHUNK_BYTES).contains(&column.uncompressed_size()) {
                return Err(format!("column {name} claims {} bytes when decompressed", column.uncompressed_size()));
            }
        }
    }
    Ok(())
}
