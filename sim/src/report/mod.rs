//! Runs as one web page: scores, every scene from above to scrub through, plots, and the worst moments first.
//!
//! The page is a single file that needs nothing else: it opens from disk, works without a network, and a content
//! security policy keeps it so. Numbers are embedded as columns of differences, one block a run and one a map, unpacked
//! by the browser when a run is opened; names and descriptions are embedded as JSON and only ever shown as text.

mod columns;
mod moments;
mod page;
mod places;
mod runs;
mod sight;
mod signals;
mod summary;

use std::path::{Path, PathBuf};

pub use page::About;

use crate::error::Error;
use crate::suite::Results;
use crate::trace::Trace;

/// Writes `index.html` into `dir` (made if missing) and returns its path. `traces` are the runs of `results`; their
/// order is that of the runs' numbers in the page's addresses (`#run=3&t=12.3`).
///
/// # Errors
/// [`Error::Write`] if the directory or the file can't be written.
pub fn write(dir: &Path, about: &About, results: &Results, traces: &[Trace]) -> Result<PathBuf, Error> {
    let path = dir.join("index.html");
    let html = page::render(about, results, traces);
    let written = html.and_then(|html| std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, html)));
    match written {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Write { path, source }),
    }
}
