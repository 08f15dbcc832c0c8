//! Reads and writes nuScenes devkit directories: thirteen JSON tables, and what lies beside them if it is there.
//!
//! Format: nuscenes-devkit `docs/schema_nuscenes.md`. One directory holds many scenes; each is a log. The tables (up to
//! 2.6 million rows in v1.0-trainval) are read once, on the first scene that is read, and shared by all. Images, the
//! vector map (`maps/expansion`) and the CAN bus recordings (`can_bus`) are optional.

mod arcline;
mod can_bus;
mod expansion;
mod keyframes;
mod map;
mod scene;
mod tables;
mod token;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Error;
use crate::log::Format;
use crate::source::{LogRef, Reader, file_name, sorted_children};

use self::expansion::Expansion;
use self::tables::{SceneRow, Table, Tables};

pub use self::keyframes::{Keyframe, Label, keyframes};
pub(crate) use self::scene::class;
pub use self::write::{NoViews, Views, Writer, keyframe_stamps};

pub(crate) const READER: Reader = Reader { format: Format::NuScenes, recognises, discover };

/// All tables of a version directory; the devkit opens none without all thirteen.
const TABLES: [&str; 13] = [
    "attribute",
    "calibrated_sensor",
    "category",
    "ego_pose",
    "instance",
    "log",
    "map",
    "sample",
    "sample_annotation",
    "sample_data",
    "scene",
    "sensor",
    "visibility",
];

/// A location's vector map; `None` where there is no file.
type LocationMap = Result<Option<Arc<Expansion>>, Error>;

/// One version directory and all that its scenes share.
struct Dataset {
    /// The directory with `samples`, `maps` and the version directories.
    root: PathBuf,
    /// The directory with the tables, such as `v1.0-mini`.
    version: PathBuf,
    tables: OnceLock<Result<Tables, Error>>,
    /// The vector maps read so far, by location.
    maps: Mutex<BTreeMap<String, LocationMap>>,
}

fn recognises(path: &Path) -> bool {
    path.is_dir() && (is_version(path) || !versions(path).is_empty())
}

/// Whether the directory holds two of the tables that every version has, or one and a version's name.
fn is_version(directory: &Path) -> bool {
    let tables = ["sample", "scene", "sample_data"].into_iter().filter(|table| table_path(directory, table).is_file());
    tables.count() >= if file_name(directory).starts_with("v1.") { 1 } else { 2 }
}

/// The version directories below a data set's root.
fn versions(root: &Path) -> Vec<PathBuf> {
    let mut children = sorted_children(root).unwrap_or_default();
    children.retain(|child| file_name(child).starts_with("v1.") && is_version(child));
    children
}

fn table_path(version: &Path, table: &str) -> PathBuf {
    version.join(format!("{table}.json"))
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    let versions = if is_version(path) { vec![path.to_owned()] } else { versions(path) };
    let mut found = Vec::new();
    for version in versions {
        for table in TABLES {
            let path = table_path(&version, table);
            if !path.is_file() {
                return Err(Error::MissingTable { path, needed_for: "a nuScenes directory" });
            }
        }
        let scenes = Table::<SceneRow>::read(&version)?;
        // A version directory given as `.` has no name to take the parent of.
        let absolute = version.canonicalize().map_err(Error::io(&version))?;
        let root = version.parent().filter(|parent| !parent.as_os_str().is_empty()).or(absolute.parent());
        let dataset = Arc::new(Dataset {
            root: root.unwrap_or(&version).to_owned(),
            version: version.clone(),
            tables: OnceLock::new(),
            maps: Mutex::default(),
        });
        for (number, scene) in scenes.rows.into_iter().enumerate() {
            let dataset = Arc::clone(&dataset);
            let open = move || scene::read(&dataset, dataset.tables()?, number);
            found.push(LogRef::new(scene.name, Format::NuScenes, &version, open));
        }
    }
    Ok(found)
}

impl Dataset {
    fn tables(&self) -> Result<&Tables, Error> {
        self.tables.get_or_init(|| Tables::read(&self.version)).as_ref().map_err(Error::clone)
    }

    /// The vector map of a location: `maps/expansion` since v1.3 of the map expansion, `maps` before.
    fn expansion(&self, location: &str) -> LocationMap {
        // A panic elsewhere while the lock was held leaves the map of results as sound as before.
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let maps = self.root.join("maps");
            let name = format!("{location}.json");
            let path = [maps.join("expansion").join(&name), maps.join(&name)].into_iter().find(|path| path.is_file());
            path.map(|path| Expansion::read(&path).map(Arc::new)).transpose()
        };
        maps.entry(location.to_owned()).or_insert_with(read).clone()
    }
}

#[cfg(test)]
mod tests;
