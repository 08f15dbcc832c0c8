//! What can go wrong in the fast system: the one error of this crate, always one line that says where.

use std::path::{Path, PathBuf};

/// Why something could not be read, written or evaluated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A log or its tables could not be read.
    #[error(transparent)]
    Data(#[from] tandem_datasets::Error),
    /// The operating system refused to read or write.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A JSON file does not parse, or a value in it is of the wrong kind or out of its domain.
    #[error("{path}: `{field}`: {reason}")]
    Field {
        /// The file.
        path: PathBuf,
        /// Where in it, such as `results.3e87[2].size`.
        field: String,
        /// What is wrong there.
        reason: String,
    },
    /// Nothing to evaluate goes by that name.
    #[error("{path}: no scene of `{wanted}` is here")]
    NoScene {
        /// The data set.
        path: PathBuf,
        /// The split or the names that were asked for.
        wanted: String,
    },
    /// The operating system starts no threads.
    #[error("no threads to make clips on: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A configuration describes no network.
    #[error("{path}: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Weights do not fit.
    #[error("{path}: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// An ONNX model does not load, does not run, or says something unheard of.
    #[cfg(feature = "ort")]
    #[error("{path}: {reason}")]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no onnxruntime.
    #[cfg(feature = "ort")]
    #[error("onnxruntime cannot be used: {reason} (ORT_DYLIB_PATH names its library, now {})", library.display())]
    Runtime {
        /// The library that was looked for.
        library: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An image cannot be decoded.
    #[error("{path}: {reason}")]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Training left the finite numbers.
    #[error("step {step}: the loss is {loss}; a lower learning rate helps")]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// There is nothing to see with.
    #[error("the rig has no cameras")]
    NoCameras,
    /// A camera's calibration cannot be used.
    #[error("camera {camera}: {reason}")]
    Calibration {
        /// The camera.
        camera: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An image is not of the size that its camera's calibration is for.
    #[error("camera {camera}: the image is {} × {}, its calibration is for {} × {}", found[0], found[1], wanted[0], wanted[1])]
    ImageSize {
        /// The camera.
        camera: String,
        /// Width and height of the image, px.
        found: [usize; 2],
        /// Width and height of the calibration, px.
        wanted: [usize; 2],
    },
}

impl Error {
    /// Weights at `path` that do not fit.
    pub(crate) fn weights(path: &Path, reason: impl Into<String>) -> Self {
        Self::Weights { path: path.into(), reason: reason.into() }
    }

    /// A model at `path` that is not what it should be; what is said first is what is wrong.
    #[cfg(feature = "ort")]
    pub(crate) fn model(path: &Path, reason: &str) -> Self {
        Self::Model { path: path.into(), reason: reason.lines().next().unwrap_or_default().to_owned() }
    }

    /// For `map_err`: JSON at `path` that does not parse.
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self + '_ {
        move |error| Self::Config { path: path.to_owned(), reason: error.to_string() }
    }

    /// For `map_err`: an operating-system error at `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// A value that is not what it should be.
    pub(crate) fn field(path: &Path, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field { path: path.to_owned(), field: field.into(), reason: reason.into() }
    }
}
