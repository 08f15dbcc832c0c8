//! What can go wrong in the slow system: the one error of this crate, always one line that says where.

use std::path::{Path, PathBuf};

/// Why something could not be read, run or answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to read or write.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A model's file is damaged, or says something that this program does not know.
    #[error("{path}: {reason}")]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in the file.
        reason: String,
    },
    /// A file of local knowledge is wrong.
    #[error("{path}: {reason}")]
    Knowledge {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where in the file.
        reason: String,
    },
    /// A grammar that an answer is to obey can't be used.
    #[error("grammar: {0}")]
    Grammar(String),
    /// A draft corpus is damaged, or not of the model's vocabulary.
    #[error("{path}: {reason}")]
    Corpus {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A camera, its image or what is shared with the fast system's training is not as it should be.
    #[error(transparent)]
    Perception(tandem_perception::Error),
    /// A world cannot be learnt from.
    #[error("world {world}: {reason}")]
    Lesson {
        /// Its seed.
        world: u64,
        /// Why not.
        reason: String,
    },
    /// A world cannot be made.
    #[error(transparent)]
    World(tandem_datasets::Error),
    /// An image cannot be looked at.
    #[error("image: {reason}")]
    Picture {
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// For `map_err`: what went wrong with a file.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.into(), source }
    }

    /// What is wrong with a model's file.
    pub(crate) fn model(path: &Path, reason: impl Into<String>) -> Self {
        Self::Model { path: path.into(), reason: one_line(&reason.into()) }
    }
}

/// What a library says, or what quotes something from outside, as one line.
pub(crate) fn one_line(text: &str) -> String {
    let parts: Vec<&str> = text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}
