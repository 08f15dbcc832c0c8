//! ScenarioNet records as JSON, plain or gzip: nuScenes, Waymo, nuPlan and Argoverse 2 in one layout.
//!
//! ScenarioNet itself writes pickles; `datasets/scripts/scenarionet_to_json.py` makes JSON from them.

mod clock;
mod features;
mod objects;
mod record;

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::json::{self, Kind};
use crate::log::{Format, Log};
use crate::map::Map;
use crate::source::{LogRef, Reader, file_name};
use record::Record;

/// How a path becomes ScenarioNet logs.
pub(crate) const READER: Reader = Reader { format: Format::ScenarioNet, recognises, discover };

fn recognises(path: &Path) -> bool {
    is_pickle(path) || json::kind(path) == Some(Kind::ScenarioNet)
}

/// ScenarioNet names its pickles `sd_<dataset>_<version>_<id>.pkl`.
fn is_pickle(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with("sd_") && name.ends_with(".pkl")
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    if is_pickle(path) {
        let reason = "a ScenarioNet pickle; make JSON of it with datasets/scripts/scenarionet_to_json.py".into();
        return Err(Error::Io { path: path.to_owned(), reason });
    }
    let file = path.to_owned();
    Ok(vec![LogRef::new(json::id(path), Format::ScenarioNet, path, move || read(&file))])
}

/// Reads one record.
///
/// # Errors
/// [`Error::Json`] and [`Error::Value`] with the field, [`Error::Map`] for a map that can't be built.
pub fn read(path: &Path) -> Result<Log, Error> {
    log(path, json::parse(path)?)
}

fn log(path: &Path, record: Record) -> Result<Log, Error> {
    let mut notes = Vec::new();
    let stamps = objects::stamps(path, &record, &mut notes)?;
    let ego = objects::ego(path, &record, &stamps, &mut notes)?;
    let tracks = objects::tracks(path, &record, &stamps, &mut notes)?;
    let (parts, ids) = features::draft(&record, &mut notes).build(&mut notes);
    let signals = features::signals(&record, &ids, &stamps, &mut notes);
    let map = if parts.lanes.is_empty() && parts.drivable.is_empty() {
        notes.push("no map: the record has no lanes".into());
        None
    } else {
        Some(Arc::new(Map::new(parts).map_err(|reason| Error::Map { path: path.to_owned(), reason })?))
    };
    let dataset = &record.metadata.dataset.0;
    Ok(Log {
        id: if record.id.0.is_empty() { json::stem(path) } else { record.id.0.clone() },
        format: Format::ScenarioNet,
        source: path.to_owned(),
        location: record.metadata.map.0.clone(),
        description: String::new(),
        tags: if dataset.is_empty() { Vec::new() } else { vec![dataset.clone()] },
        ego,
        tracks,
        map,
        signals,
        cameras: Vec::new(),
        images: Vec::new(),
        notes,
    })
}

#[cfg(test)]
mod tests;
