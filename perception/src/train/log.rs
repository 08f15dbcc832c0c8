//! The losses of all steps, in a file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::loss::PARTS;
use super::run::Progress;
use crate::Error;

/// The losses of all steps, one line a step.
pub(super) struct LossLog(fs::File, PathBuf);

impl LossLog {
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("loss.csv");
        let is_new = !path.exists();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        if is_new {
            writeln!(file, "step,loss,{},learning_rate,step_s,wait_s", PARTS.join(",")).map_err(Error::io(&path))?;
        }
        Ok(Self(file, path))
    }

    pub fn write(&mut self, progress: &Progress) -> Result<(), Error> {
        let parts = progress.parts.map(|part| part.to_string()).join(",");
        let Progress { step, loss, learning_rate, step_s, wait_s, .. } = progress;
        writeln!(self.0, "{step},{loss},{parts},{learning_rate},{step_s:.3},{wait_s:.3}").map_err(Error::io(&self.1))
    }
}
