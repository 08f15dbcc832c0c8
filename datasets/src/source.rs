//! Finds the logs at a path, whatever their format, and reads them one by one.
//!
//! ```no_run
//! # fn main() -> Result<(), tandem_datasets::Error> {
//! for log_ref in tandem_datasets::discover("/data/nuscenes")? {
//!     let log = log_ref.read()?;
//!     println!("{}: {} tracks", log.id, log.tracks.len());
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::log::{Format, Log};

/// What [`discover`] can recognise, in one phrase for messages.
pub(crate) const KNOWN_FORMATS: &str =
    "nuScenes, Argoverse 2 sensor or motion, Waymo motion JSON or TFRecord, ScenarioNet JSON, MCAP";

/// One format's way from a path to its logs. Each format's module has one as `READER`.
pub(crate) struct Reader {
    /// The format, for logs that fail before they say more.
    pub format: Format,
    /// Whether this file or directory is of the format. Cheap: names first, then at most the first bytes.
    pub recognises: fn(&Path) -> bool,
    /// The logs in it, without reading more than it takes to name them.
    pub discover: fn(&Path) -> Result<Vec<LogRef>, Error>,
}

/// All formats; the first that recognises a path has it.
const READERS: &[Reader] = &[
    crate::nuscenes::READER,
    crate::argoverse::SENSOR_READER,
    crate::argoverse::MOTION_READER,
    crate::scenarionet::READER,
    crate::waymo::JSON_READER,
    crate::waymo::RECORD_READER,
    crate::recording::READER,
];

/// A log that was found and can be read.
#[derive(Clone)]
pub struct LogRef {
    /// The log's name, unique within its source.
    pub id: String,
    /// The format it was recognised as.
    pub format: Format,
    /// The file or directory that holds it, perhaps together with others.
    pub path: PathBuf,
    open: Arc<dyn Fn() -> Result<Log, Error> + Send + Sync>,
}

impl LogRef {
    /// A reference that reads by calling `open`. What logs share, such as tables, `open` holds by `Arc`.
    pub(crate) fn new(
        id: impl Into<String>,
        format: Format,
        path: impl Into<PathBuf>,
        open: impl Fn() -> Result<Log, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { id: id.into(), format, path: path.into(), open: Arc::new(open) }
    }

    /// Reads the whole log and checks that it is sound: every number finite, stamps rising, some time covered.
    ///
    /// # Errors
    /// Any [`Error`]; its text names the file and the field.
    pub fn read(&self) -> Result<Log, Error> {
        let log = (self.open)()?;
        crate::validate::validate(&log)?;
        Ok(log)
    }
}

impl fmt::Debug for LogRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRef").field("id", &self.id).field("format", &self.format).field("path", &self.path).finish()
    }
}

/// The logs at `path`: a file, a data set's directory, or a directory with data sets below it.
///
/// A directory is walked in order of names, without following a link twice. Below the given path, a source that is
/// recognised but broken becomes a reference whose [`LogRef::read`] tells the error, so that it hides no other log.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotADataSet`], or what is wrong with the source at `path` itself.
pub fn discover(path: impl AsRef<Path>) -> Result<Vec<LogRef>, Error> {
    let path = path.as_ref();
    if !path.try_exists().map_err(Error::io(path))? {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    if let Some(reader) = reader_of(path) {
        return (reader.discover)(path);
    }
    let mut found = Vec::new();
    if path.is_dir() {
        walk(path, &mut BTreeSet::new(), &mut found)?;
    }
    if found.is_empty() { Err(Error::NotADataSet { path: path.to_owned() }) } else { Ok(found) }
}

fn reader_of(path: &Path) -> Option<&'static Reader> {
    READERS.iter().find(|reader| (reader.recognises)(path))
}

fn walk(directory: &Path, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<LogRef>) -> Result<(), Error> {
    if !seen.insert(directory.canonicalize().map_err(Error::io(directory))?) {
        return Ok(());
    }
    for child in sorted_children(directory)? {
        let Some(reader) = reader_of(&child) else {
            if child.is_dir() {
                walk(&child, seen, found)?;
            }
            continue;
        };
        match (reader.discover)(&child) {
            Ok(logs) => found.extend(logs),
            Err(error) => {
                found.push(LogRef::new(file_name(&child), reader.format, child, move || Err(error.clone())));
            }
        }
    }
    Ok(())
}

/// What a directory holds, by name, without hidden entries.
pub(crate) fn sorted_children(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(directory).map_err(Error::io(directory))?;
    let mut children = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(directory))?.path();
        if !file_name(&path).starts_with('.') {
            children.push(path);
        }
    }
    children.sort();
    Ok(children)
}

/// The last part of a path as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
