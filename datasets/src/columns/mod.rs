//! Tables of feather and parquet files, read column by column whatever width their writer chose.

pub(crate) mod feather;
pub(crate) mod parquet;

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::error::Error;

/// A table in memory.
pub(crate) struct Table {
    path: PathBuf,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// The batches that were read from `path`.
    pub fn new(path: &Path, batches: Vec<RecordBatch>) -> Self {
        Self { path: path.to_owned(), batches }
    }

    /// The file, for errors.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A column of any numeric type as doubles.
    ///
    /// # Errors
    /// [`Error::Column`] if it is missing or not numeric, [`Error::Value`] for a null.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        self.collect(name, "a number", |array, out| match array.data_type() {
            DataType::Float64 => extend::<Float64Type, _>(array, out, |value| value),
            DataType::Float32 => extend::<Float32Type, _>(array, out, f64::from),
            _ => {
                let mut integers = Vec::with_capacity(array.len());
                append_integers(array, &mut integers)?;
                out.extend(integers.into_iter().map(|value| value as f64));
                Some(())
            }
        })
    }

    /// A column of any integer type, of time stamps, or of doubles that hold integers.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, Error> {
        self.collect(name, "an integer", |array, out| match array.data_type() {
            DataType::Float64 => extend::<Float64Type, _>(array, out, |value| value as i64),
            DataType::Float32 => extend::<Float32Type, _>(array, out, |value| value as i64),
            _ => append_integers(array, out),
        })
    }

    /// A column of strings: plain, large, view, or by dictionary.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        self.collect(name, "text", append_texts)
    }

    fn collect<T>(
        &self,
        name: &str,
        wanted: &str,
        append: impl Fn(&ArrayRef, &mut Vec<T>) -> Option<()>,
    ) -> Result<Vec<T>, Error> {
        let wrong = |reason: String| Error::Column { path: self.path.clone(), column: name.to_owned(), reason };
        let mut out = Vec::new();
        for batch in &self.batches {
            let array = batch.column_by_name(name).ok_or_else(|| wrong("is missing".into()))?;
            if let Some(row) = (0..array.len()).find(|row| array.is_null(*row)) {
                return Err(Error::value(&self.path, format!("row {}", out.len() + row), name, "is null"));
            }
            append(array, &mut out).ok_or_else(|| wrong(format!("is {}, not {wanted}", array.data_type())))?;
        }
        Ok(out)
    }
}

fn append_integers(array: &ArrayRef, out: &mut Vec<i64>) -> Option<()> {
    match array.data_type() {
        DataType::Int64 => extend::<Int64Type, _>(array, out, |value| value),
        DataType::Int32 => extend::<Int32Type, _>(array, out, i64::from),
        DataType::Int16 => extend::<Int16Type, _>(array, out, i64::from),
        DataType::Int8 => extend::<Int8Type, _>(array, out, i64::from),
        DataType::UInt64 => extend::<UInt64Type, _>(array, out, |value| i64::try_from(value).unwrap_or(i64::MAX)),
        DataType::UInt32 => extend::<UInt32Type, _>(array, out, i64::from),
        DataType::UInt16 => extend::<UInt16Type, _>(array, out, i64::from),
        DataType::UInt8 => extend::<UInt8Type, _>(array, out, i64::from),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => extend::<TimestampNanosecondType, _>(array, out, |value| value),
        _ => None,
    }
}

fn append_texts(array: &ArrayRef, out: &mut Vec<String>) -> Option<()> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        out.extend(texts.iter().flatten().map(str::to_owned));
    } else if let Some(texts) = array.as_string_opt::<i64>() {
        out.extend(texts.iter().flatten().map(str::to_owned));
    } else if let Some(texts) = array.as_string_view_opt() {
        out.extend(texts.iter().flatten().map(str::to_owned));
    } else {
        let dictionary = array.as_any_dictionary_opt()?;
        let mut values = Vec::new();
        append_texts(dictionary.values(), &mut values)?;
        for key in dictionary.normalized_keys() {
            out.push(values.get(key)?.clone());
        }
    }
    Some(())
}

fn extend<T: ArrowPrimitiveType, U>(
    array: &ArrayRef,
    out: &mut Vec<U>,
    convert: impl Fn(T::Native) -> U,
) -> Option<()> {
    out.extend(array.as_primitive_opt::<T>()?.values().iter().map(|value| convert(*value)));
    Some(())
}
