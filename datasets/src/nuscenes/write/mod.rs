//! Writes logs as a genuine nuScenes directory: thirteen tables, images, raster masks and vector maps.
//!
//! Format: nuscenes-devkit `docs/schema_nuscenes.md` and `map_expansion/map_api.py`. Keyframes lie 0.5 s apart; between
//! them the ego's states are kept as readings of a `LIDAR_TOP` without files, whose poses the official evaluation uses.
//! Every log has a location of its own, since maps are kept by location.

mod boxes;
mod expansion;
mod mask;
mod names;
mod png;
mod sensors;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nalgebra::Isometry3;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tandem_graph::Stamp;

use self::names::{ATTRIBUTES, CATEGORIES, VISIBILITIES};
use super::TABLES;
use crate::error::Error;
use crate::log::Log;

/// From one keyframe to the next, ns.
const KEYFRAME_NS: i64 = 500_000_000;

/// Generated logs begin at zero; nuScenes' time stamps are Unix time. This is when they are written as, µs.
const EPOCH_US: i64 = 1_600_000_000_000_000;

/// Logs that begin before this, eleven days, do not count from 1970, ns.
const UNIX_NS: i64 = 1_000_000_000_000_000;

/// From the start of one generated log to the next, µs.
const LOG_US: i64 = 100_000_000;

/// What a scene's images and visibilities come from.
pub trait Views {
    /// The JPEG of a camera, by its index in [`Log::cameras`], at a keyframe of the log; `None` leaves the file out.
    fn image(&mut self, camera: usize, stamp: Stamp) -> Option<Vec<u8>>;

    /// Which share of a track's box the cameras see at a keyframe, in [0, 1]; the track by its index in [`Log::tracks`].
    fn visible(&mut self, stamp: Stamp, track: usize) -> f64;
}

/// No images; everything within reach of nuScenes' lidar counts as seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoViews;

impl Views for NoViews {
    fn image(&mut self, _: usize, _: Stamp) -> Option<Vec<u8>> {
        None
    }

    fn visible(&mut self, _: Stamp, _: usize) -> f64 {
        1.0
    }
}

/// A nuScenes directory in the making. Nothing of it can be read before [`Writer::finish`].
#[derive(Debug)]
pub struct Writer {
    root: PathBuf,
    version: String,
    rows: BTreeMap<&'static str, Vec<Value>>,
    /// How many scenes there are so far.
    scenes: usize,
    /// Tokens of the categories by name.
    categories: BTreeMap<String, String>,
}

impl Writer {
    /// Starts a directory with one version, such as `v1.0-mini`.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory can't be made.
    pub fn create(root: &Path, version: &str) -> Result<Self, Error> {
        let tables = root.join(version);
        fs::create_dir_all(&tables).map_err(Error::io(&tables))?;
        let rows = TABLES.into_iter().map(|table| (table, Vec::new())).collect();
        let mut writer =
            Self { root: root.to_owned(), version: version.to_owned(), rows, scenes: 0, categories: BTreeMap::new() };
        for name in ATTRIBUTES {
            writer.add("attribute", json!({"token": token(&["attribute", name]), "name": name, "description": ""}));
        }
        for (number, level) in (1..).zip(VISIBILITIES) {
            let description = format!("visibility of whole object is between {} and {} %", level.1, level.2);
            let row = json!({"token": number.to_string(), "level": level.0, "description": description});
            writer.add("visibility", row);
        }
        for name in CATEGORIES {
            writer.category_token(name);
        }
        Ok(writer)
    }

    fn add(&mut self, table: &'static str, row: Value) {
        self.rows.entry(table).or_default().push(row);
    }

    fn category_token(&mut self, name: &str) -> String {
        if let Some(token) = self.categories.get(name) {
            return token.clone();
        }
        let token = token(&["category", name]);
        let index = self.categories.len() + 1;
        self.add("category", json!({"token": token, "name": name, "description": "", "index": index}));
        self.categories.insert(name.to_owned(), token.clone());
        token
    }

    /// Adds a log as a scene of this name (the official evaluation only knows the names of its splits).
    ///
    /// # Errors
    /// [`Error::ZeroLength`] for a log without ego, and [`Error::Io`].
    pub fn scene(&mut self, log: &Log, name: &str, views: &mut dyn Views) -> Result<(), Error> {
        let keyframes = keyframe_stamps(log);
        let Some(first) = keyframes.first() else {
            let (path, log) = (log.source.clone(), log.id.clone());
            return Err(Error::ZeroLength { path, log, reason: "there is no ego to place sensors on" });
        };
        let mut scene = Scene { name, token: token(&["scene", name]), shift_us: 0 };
        if first.ns() < UNIX_NS {
            scene.shift_us = EPOCH_US + self.scenes as i64 * LOG_US;
        }
        self.scenes += 1;
        self.place(log, &scene)?;
        let sample = |index: usize| token(&["sample", name, &index.to_string()]);
        let link =
            |index: Option<usize>| index.filter(|index| *index < keyframes.len()).map(sample).unwrap_or_default();
        for (index, &stamp) in keyframes.iter().enumerate() {
            let row = json!({
                "token": sample(index), "timestamp": scene.micros(stamp), "scene_token": scene.token,
                "prev": link(index.checked_sub(1)), "next": link(Some(index + 1)),
            });
            self.add("sample", row);
        }
        self.add(
            "scene",
            json!({
                "token": scene.token, "log_token": scene.log_token(), "nbr_samples": keyframes.len(), "name": name,
                "description": log.description, "first_sample_token": sample(0),
                "last_sample_token": sample(keyframes.len() - 1),
            }),
        );
        self.lidar(log, &scene, &keyframes);
        for camera in 0..log.cameras.len() {
            self.camera(log, &scene, &keyframes, camera, views)?;
        }
        self.annotations(log, &scene, &keyframes, views);
        Ok(())
    }

    /// The drive, its raster mask and its vector map.
    fn place(&mut self, log: &Log, scene: &Scene<'_>) -> Result<(), Error> {
        let location = format!("{}-{}", if log.location.is_empty() { "unknown" } else { &log.location }, scene.name);
        let maps = self.root.join("maps");
        let mask_token = token(&["map", scene.name]);
        fs::create_dir_all(maps.join("expansion")).map_err(Error::io(&maps))?;
        let parts = log.map.as_ref().map(|map| map.parts());
        let mask_path = maps.join(format!("{mask_token}.png"));
        fs::write(&mask_path, mask::png(parts)).map_err(Error::io(&mask_path))?;
        if let Some(parts) = parts {
            let path = maps.join("expansion").join(format!("{location}.json"));
            write_json(&path, &expansion::json(parts, scene.name))?;
        }
        self.add(
            "log",
            json!({
                "token": scene.log_token(), "logfile": log.id, "vehicle": "tandem", "date_captured": "2020-09-13",
                "location": location,
            }),
        );
        self.add(
            "map",
            json!({
                "token": mask_token, "category": "semantic_prior", "filename": format!("maps/{mask_token}.png"),
                "log_tokens": [scene.log_token()],
            }),
        );
        Ok(())
    }

    /// Writes the tables; the directory is complete then.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(self) -> Result<(), Error> {
        for (table, rows) in self.rows {
            write_json(&super::table_path(&self.root.join(&self.version), table), &Value::Array(rows))?;
        }
        Ok(())
    }
}

/// The keyframes of a log: its ego's first state, and every 0.5 s from there to its last; none without an ego.
pub fn keyframe_stamps(log: &Log) -> Vec<Stamp> {
    let (Some(first), Some(last)) = (log.ego.states.first(), log.ego.states.last()) else { return Vec::new() };
    (0..=last.stamp.ns_since(first.stamp) / KEYFRAME_NS).map(|k| first.stamp.offset_ns(k * KEYFRAME_NS)).collect()
}

/// What all rows of a scene share.
struct Scene<'a> {
    name: &'a str,
    token: String,
    /// Added to all time stamps, µs.
    shift_us: i64,
}

impl Scene<'_> {
    fn micros(&self, stamp: Stamp) -> i64 {
        stamp.ns() / 1_000 + self.shift_us
    }

    fn log_token(&self) -> String {
        token(&["log", self.name])
    }

    fn file(&self, channel: &str, stamp: Stamp, is_key: bool, ending: &str) -> String {
        let folder = if is_key { "samples" } else { "sweeps" };
        format!("{folder}/{channel}/{}__{channel}__{}.{ending}", self.name, self.micros(stamp))
    }
}

/// A key as nuScenes has them, 32 hexadecimal digits, that is always the same for the same row.
fn token(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Translation and rotation w, x, y, z.
fn parts_of(pose: &Isometry3<f64>) -> ([f64; 3], [f64; 4]) {
    let (place, turn) = (pose.translation, pose.rotation);
    ([place.x, place.y, place.z], [turn.w, turn.i, turn.j, turn.k])
}

fn write_json(path: &Path, value: &Value) -> Result<(), Error> {
    let file = fs::File::create(path).map_err(Error::io(path))?;
    let mut writer = std::io::BufWriter::new(file);
    serde_json::to_writer(&mut writer, value).map_err(Error::json(path))?;
    std::io::Write::flush(&mut writer).map_err(Error::io(path))
}

#[cfg(test)]
mod tests;
