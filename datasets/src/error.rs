//! Why a log could not be read or written: the one error of this crate, always one line that says where.

use std::path::{Path, PathBuf};

use crate::map::MapError;

/// Why a log could not be found, read or written.
///
/// It can be cloned, so that one failure to load shared tables can be told to every log that needs them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The path does not exist.
    #[error("{path}: no such file or directory")]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The operating system refused to read or write.
    #[error("{path}: {reason}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Nothing at or below the path is a log of a known format.
    #[error("{path}: no log of a known format here ({known})", known = crate::source::KNOWN_FORMATS)]
    NotADataSet {
        /// The path as given.
        path: PathBuf,
    },
    /// A table or file that the format requires is missing.
    #[error("{path}: missing; {needed_for} needs it")]
    MissingTable {
        /// Where the file should be.
        path: PathBuf,
        /// What needs it.
        needed_for: &'static str,
    },
    /// A JSON file does not parse or has a value of the wrong type.
    #[error("{path}, line {line}, column {column}: {reason}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there, with the field's name where the parser knows it.
        reason: String,
    },
    /// A binary file is truncated or damaged.
    #[error("{path}: damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the byte offset where it is known.
        reason: String,
    },
    /// A column of a table is missing or has an unsupported type.
    #[error("{path}, column `{column}`: {reason}")]
    Column {
        /// The table's file.
        path: PathBuf,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row refers to another table's row that does not exist.
    #[error("{path}, row {row}: `{field}` refers to {target} `{token}`, which does not exist")]
    Dangling {
        /// The referring table's file.
        path: PathBuf,
        /// The referring row's own token or number.
        row: String,
        /// The referring field.
        field: &'static str,
        /// The table referred to.
        target: &'static str,
        /// The token that is not there.
        token: String,
    },
    /// A value is out of its domain: not finite, not positive, not a rotation.
    #[error("{path}, {row}: `{field}` {reason}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The row, record or object: `row 12`, `track 3 state 7`.
        row: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log has no states, or all of them at one instant.
    #[error("{path}, log {log}: zero length: {reason}")]
    ZeroLength {
        /// The file or directory.
        path: PathBuf,
        /// The log's id.
        log: String,
        /// What is missing.
        reason: &'static str,
    },
    /// The log's map is unusable.
    #[error("{path}: {reason}")]
    Map {
        /// The map's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: MapError,
    },
}

impl Error {
    /// For `map_err`: an operating-system error at `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), reason: error.to_string() },
        }
    }

    /// For `map_err`: a JSON error in `path`. The line and column that serde_json appends are told once only.
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self + '_ {
        move |error| {
            let (line, column) = (error.line(), error.column());
            let mut reason = error.to_string();
            if let Some(end) = reason.rfind(&format!(" at line {line} column {column}")) {
                reason.truncate(end);
            }
            Self::Json { path: path.to_owned(), line, column, reason }
        }
    }

    /// A damaged binary file.
    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }

    /// A value out of its domain.
    pub(crate) fn value(path: &Path, row: impl ToString, field: impl ToString, reason: impl ToString) -> Self {
        Self::Value {
            path: path.to_owned(),
            row: row.to_string(),
            field: field.to_string(),
            reason: reason.to_string(),
        }
    }
}
