//! Writes logs as a genuine nuScenes directory: thirteen tables, images, raster masks and vector maps.
//!
//! Format: nuscenes-devkit `docs/schema_nuscenes.md` and `map_expansion/map_api.py`. Keyframes lie 0.5 s apart; between
//! them the ego's states are kept as readings of a `LIDAR_TOP` without files, whose poses the official evaluation uses.
//! Every log has a location of its own, since maps are kept by location.

mod expansion;
mod mask;
mod names;
mod png;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nalgebra::Isometry3;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tandem_graph::Stamp;

use self::names::{ATTRIBUTES, CATEGORIES, VISIBILITIES, attribute, category, visibility};
use super::TABLES;
use crate::error::Error;
use crate::log::{Log, Track, TrackState};

/// From one keyframe to the next, ns.
const KEYFRAME_NS: i64 = 500_000_000;

/// A keyframe's box may be interpolated over so long a gap in its track, ns.
const MAX_GAP_NS: i64 = 650_000_000;

/// Generated logs begin at zero; nuScenes' time stamps are Unix time. This is when they are written as, µs.
const EPOCH_US: i64 = 1_600_000_000_000_000;

/// From the start of one generated log to the next, µs.
const LOG_US: i64 = 100_000_000;

/// Where nuScenes has its lidar on the vehicle (translation, m; rotation w, x, y, z).
const LIDAR: ([f64; 3], [f64; 4]) =
    ([0.943, 0.0, 1.840], [std::f64::consts::FRAC_1_SQRT_2, 0.0, 0.0, -std::f64::consts::FRAC_1_SQRT_2]);

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
        let keyframes = keyframes(log);
        let Some(first) = keyframes.first() else {
            let (path, log) = (log.source.clone(), log.id.clone());
            return Err(Error::ZeroLength { path, log, reason: "there is no ego to place sensors on" });
        };
        let mut scene = Scene { name, token: token(&["scene", name]), shift_us: 0 };
        if first.ns() < EPOCH_US {
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

    fn calibration(
        &mut self,
        scene: &Scene<'_>,
        channel: &str,
        modality: &str,
        ego_from_sensor: ([f64; 3], [f64; 4]),
        intrinsic: Value,
    ) -> String {
        let sensor = token(&["sensor", channel]);
        if !self.rows["sensor"].iter().any(|row| row["token"] == sensor.as_str()) {
            self.add("sensor", json!({"token": sensor, "channel": channel, "modality": modality}));
        }
        let calibration = token(&["calibrated_sensor", scene.name, channel]);
        self.add(
            "calibrated_sensor",
            json!({
                "token": calibration, "sensor_token": sensor, "translation": ego_from_sensor.0,
                "rotation": ego_from_sensor.1, "camera_intrinsic": intrinsic,
            }),
        );
        calibration
    }

    /// Readings of the lidar at all states of the ego; those at keyframes are key readings.
    fn lidar(&mut self, log: &Log, scene: &Scene<'_>, keyframes: &[Stamp]) {
        let calibration = self.calibration(scene, "LIDAR_TOP", "lidar", LIDAR, json!([]));
        let mut stamps: Vec<Stamp> =
            log.ego.states.iter().map(|state| state.stamp).chain(keyframes.iter().copied()).collect();
        stamps.sort_unstable();
        stamps.dedup_by_key(|stamp| scene.micros(*stamp));
        let readings = stamps.into_iter().map(|stamp| {
            // A reading belongs to the keyframe that is nearest.
            let after = keyframes.partition_point(|keyframe| *keyframe < stamp);
            let candidates = [after.saturating_sub(1), after.min(keyframes.len() - 1)];
            let distance = |index: &usize| keyframes[*index].ns_since(stamp).abs();
            let sample =
                if distance(&candidates[0]) < distance(&candidates[1]) { candidates[0] } else { candidates[1] };
            Reading { stamp, sample, is_key: keyframes[sample] == stamp, size: [0, 0] }
        });
        let readings: Vec<_> = readings.collect();
        self.readings(log, scene, "LIDAR_TOP", &calibration, "pcd.bin", &readings);
    }

    fn camera(
        &mut self,
        log: &Log,
        scene: &Scene<'_>,
        keyframes: &[Stamp],
        index: usize,
        views: &mut dyn Views,
    ) -> Result<(), Error> {
        let camera = &log.cameras[index];
        let rows: Vec<[f64; 3]> =
            (0..3).map(|row| std::array::from_fn(|column| camera.intrinsics[(row, column)])).collect();
        let calibration =
            self.calibration(scene, &camera.name, "camera", parts_of(&camera.ego_from_camera), json!(rows));
        let reading =
            |(sample, &stamp): (usize, &Stamp)| Reading { stamp, sample, is_key: true, size: camera.image_size };
        let readings: Vec<_> = keyframes.iter().enumerate().map(reading).collect();
        self.readings(log, scene, &camera.name, &calibration, "jpg", &readings);
        let directory = self.root.join("samples").join(&camera.name);
        fs::create_dir_all(&directory).map_err(Error::io(&directory))?;
        for &stamp in keyframes {
            if let Some(jpeg) = views.image(index, stamp) {
                let path = self.root.join(scene.file(&camera.name, stamp, true, "jpg"));
                fs::write(&path, jpeg).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// The readings of one sensor, chained, each with the ego's pose.
    fn readings(
        &mut self,
        log: &Log,
        scene: &Scene<'_>,
        channel: &str,
        calibration: &str,
        ending: &str,
        readings: &[Reading],
    ) {
        let name = |index: usize| token(&["sample_data", scene.name, channel, &index.to_string()]);
        let link = |index: Option<usize>| index.filter(|index| *index < readings.len()).map(name).unwrap_or_default();
        for (index, reading) in readings.iter().enumerate() {
            let Some(ego) = log.ego_at(reading.stamp) else { continue };
            let (translation, rotation) = parts_of(&ego.map_from_ego);
            let timestamp = scene.micros(reading.stamp);
            self.add(
                "ego_pose",
                json!({
                    "token": name(index), "timestamp": timestamp, "translation": translation, "rotation": rotation,
                }),
            );
            self.add(
                "sample_data",
                json!({
                    "token": name(index), "sample_token": token(&["sample", scene.name, &reading.sample.to_string()]),
                    "ego_pose_token": name(index), "calibrated_sensor_token": calibration, "timestamp": timestamp,
                    "fileformat": ending.split('.').next(), "is_key_frame": reading.is_key,
                    "height": reading.size[1], "width": reading.size[0],
                    "filename": scene.file(channel, reading.stamp, reading.is_key, ending),
                    "prev": link(index.checked_sub(1)), "next": link(Some(index + 1)),
                }),
            );
        }
    }

    /// The boxes of all tracks at keyframes.
    fn annotations(&mut self, log: &Log, scene: &Scene<'_>, keyframes: &[Stamp], views: &mut dyn Views) {
        let mut by_sample: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for (number, track) in log.tracks.iter().enumerate() {
            let seen: Vec<(usize, TrackState)> = (0..keyframes.len())
                .filter_map(|index| Some((index, track.at(keyframes[index], MAX_GAP_NS)?)))
                .collect();
            let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
            let instance = token(&["instance", scene.name, &number.to_string()]);
            let name =
                |index: usize| token(&["sample_annotation", scene.name, &number.to_string(), &index.to_string()]);
            let category_token = self.category_token(category(track));
            self.add(
                "instance",
                json!({
                    "token": instance, "category_token": category_token, "nbr_annotations": seen.len(),
                    "first_annotation_token": name(first.0), "last_annotation_token": name(last.0),
                }),
            );
            let moves = track.states.iter().any(|state| speed(state) > 0.5);
            let link = |place: Option<usize>| {
                place.and_then(|place| seen.get(place)).map(|seen| name(seen.0)).unwrap_or_default()
            };
            for (place, (index, state)) in seen.iter().enumerate() {
                let share = views.visible(keyframes[*index], number);
                let ego = log
                    .ego_at(keyframes[*index])
                    .map_or(0.0, |ego| (ego.pose().position() - state.pose.position()).norm());
                let attributes: Vec<String> =
                    attribute(track, speed(state), moves).map(|name| token(&["attribute", name])).into_iter().collect();
                let (sin, cos) = (state.pose.yaw / 2.0).sin_cos();
                let [length, width, height] = track.size;
                by_sample.entry(*index).or_default().push(json!({
                    "token": name(*index), "sample_token": token(&["sample", scene.name, &index.to_string()]),
                    "instance_token": instance, "visibility_token": visibility(share), "attribute_tokens": attributes,
                    "translation": [state.pose.x, state.pose.y, state.z], "size": [width, length, height],
                    "rotation": [cos, 0.0, 0.0, sin], "prev": link(place.checked_sub(1)), "next": link(Some(place + 1)),
                    "num_lidar_pts": lidar_points(track, share, ego), "num_radar_pts": 0,
                }));
            }
        }
        by_sample.into_values().flatten().for_each(|row| self.add("sample_annotation", row));
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
pub fn keyframes(log: &Log) -> Vec<Stamp> {
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

/// One reading of a sensor.
struct Reading {
    stamp: Stamp,
    /// The number of its keyframe.
    sample: usize,
    is_key: bool,
    /// Of images, px.
    size: [u32; 2],
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

fn speed(state: &TrackState) -> f64 {
    state.velocity_mps[0].hypot(state.velocity_mps[1])
}

/// About how many returns a lidar with 32 beams gets from so much of a box; none from what nobody sees.
fn lidar_points(track: &Track, share: f64, distance_m: f64) -> u64 {
    if share <= 0.0 {
        return 0;
    }
    // 0.33° by 1.33°: a square metre at 10 m is hit some 75 times.
    let area_m2 = track.size[2] * (track.size[0] + track.size[1]) / 2.0;
    (share * area_m2 * 7_500.0 / distance_m.max(3.0).powi(2)).round().max(1.0) as u64
}

fn write_json(path: &Path, value: &Value) -> Result<(), Error> {
    let file = fs::File::create(path).map_err(Error::io(path))?;
    let mut writer = std::io::BufWriter::new(file);
    serde_json::to_writer(&mut writer, value).map_err(Error::json(path))?;
    std::io::Write::flush(&mut writer).map_err(Error::io(path))
}

#[cfg(test)]
mod tests;
