//! Reads Argoverse 2: sensor logs (and the lidar and map-change logs of the same layout), and forecasting scenarios.
//!
//! Formats: Wilson et al., "Argoverse 2" (NeurIPS 2021 datasets track), and the toolkit `av2-api`.

mod classes;
mod cuboids;
mod map;
mod motion;
mod sensor;

pub use cuboids::{Cuboid, cuboids};
pub(crate) use motion::READER as MOTION_READER;
pub(crate) use sensor::READER as SENSOR_READER;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::log::EgoBody;
use crate::map::Map;
use crate::source::{file_name, sorted_children};

/// The Ford Fusion of the fleet (manufacturer's sheet; the front and rear overhang are taken to be equal).
const EGO_BODY: EgoBody =
    EgoBody { length: 4.872, width: 1.852, height: 1.476, wheelbase: 2.850, rear_axle_to_center: 1.425 };

/// The vector map in a directory, with its file; a note where there is none.
fn map_in(directory: &Path, notes: &mut Vec<String>) -> Result<Option<(PathBuf, Arc<Map>)>, Error> {
    let is_map = |path: &PathBuf| {
        let name = file_name(path);
        name.starts_with("log_map_archive_") && name.ends_with(".json")
    };
    let children = if directory.is_dir() { sorted_children(directory)? } else { Vec::new() };
    match children.into_iter().find(is_map) {
        Some(path) => {
            let map = map::read(&path, notes)?;
            Ok(Some((path, Arc::new(map))))
        }
        None => {
            notes.push("no vector map: no log_map_archive_*.json".into());
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests;
