//! Everything that training needs to go on as if it had never stopped.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::record::{BinFileRecorder, FullPrecisionSettings, Recorder, RecorderError};
use burn::tensor::Device;
use burn::tensor::backend::AutodiffBackend;

use crate::Error;

type File = BinFileRecorder<FullPrecisionSettings>;

/// The state of training after some step.
pub struct State<B: AutodiffBackend, M: AutodiffModule<B>, O> {
    /// Steps done.
    pub step: u64,
    /// The weights.
    pub network: M,
    /// Their average.
    pub average: M::InnerModule,
    /// The optimiser with its moments.
    pub optimizer: O,
}

impl<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>> State<B, M, O> {
    /// Writes the state into a folder of its own below `directory` and removes those of earlier steps. A kill at any
    /// moment leaves at least one whole.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), Error> {
        let unfinished = directory.join("checkpoint.unfinished");
        let finished = folder(directory, self.step);
        let failed = |error: RecorderError| Error::weights(&unfinished, error.to_string());
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        }
        fs::create_dir_all(&unfinished).map_err(Error::io(&unfinished))?;
        let file = File::default();
        file.record(self.network.clone().into_record(), unfinished.join("network")).map_err(failed)?;
        file.record(self.average.clone().into_record(), unfinished.join("average")).map_err(failed)?;
        file.record(self.optimizer.to_record(), unfinished.join("optimizer")).map_err(failed)?;
        fs::rename(&unfinished, &finished).map_err(Error::io(&finished))?;
        for (step, path) in all(directory)? {
            if step < self.step {
                fs::remove_dir_all(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// The newest state below `directory`, read into this one; this one unchanged where there is none.
    ///
    /// # Errors
    /// If a file cannot be read or belongs to another network.
    pub fn resume(self, directory: &Path, device: &Device<B>) -> Result<Self, Error> {
        let Some((step, path)) = all(directory)?.into_iter().max() else { return Ok(self) };
        let failed = |error: RecorderError| Error::weights(&path, error.to_string());
        let file = File::default();
        Ok(Self {
            step,
            network: self.network.load_record(file.load(path.join("network"), device).map_err(failed)?),
            average: self.average.load_record(file.load(path.join("average"), device).map_err(failed)?),
            optimizer: self.optimizer.load_record(file.load(path.join("optimizer"), device).map_err(failed)?),
        })
    }
}

/// Whether there is a checkpoint below a directory.
///
/// # Errors
/// If the directory cannot be read.
pub fn has_begun(directory: &Path) -> Result<bool, Error> {
    Ok(!all(directory)?.is_empty())
}

fn folder(directory: &Path, step: u64) -> PathBuf {
    directory.join(format!("checkpoint-{step:08}"))
}

/// The whole checkpoints below a directory, with their steps.
fn all(directory: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io(directory))? {
        let path = entry.map_err(Error::io(directory))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(step) = name.strip_prefix("checkpoint-").and_then(|step| step.parse().ok()) {
            found.push((step, path));
        }
    }
    Ok(found)
}
