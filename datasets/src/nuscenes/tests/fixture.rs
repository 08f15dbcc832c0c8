//! A small valid nuScenes directory, made in memory, changed by a test, and written to a temporary directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Error, Log, LogRef, discover};

/// Keyframes of each scene, 0.5 s apart.
pub const KEYFRAMES: usize = 4;

pub struct Fixture {
    /// File below the root → its JSON.
    pub files: BTreeMap<String, Value>,
    directory: TempDir,
}

/// Path of a table below the root.
pub fn table(name: &str) -> String {
    format!("v1.0-test/{name}.json")
}

impl Fixture {
    /// Two scenes on one drive: a car ahead of an ego that drives east at 10 m/s, and a cone.
    pub fn new() -> Self {
        let mut rows: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        let mut add = |table, row| rows.entry(table).or_default().push(row);
        for table in ["attribute", "visibility", "map"] {
            add(table, json!({"token": format!("{table}-0"), "name": "any"}));
        }
        add("category", json!({"token": "cat-car", "name": "vehicle.car"}));
        add("category", json!({"token": "cat-cone", "name": "movable_object.trafficcone"}));
        add("sensor", json!({"token": "front", "channel": "CAM_FRONT", "modality": "camera"}));
        add("sensor", json!({"token": "lidar", "channel": "LIDAR_TOP", "modality": "lidar"}));
        let intrinsics = json!([[1000.0, 0.0, 800.0], [0.0, 1000.0, 450.0], [0.0, 0.0, 1.0]]);
        for (token, intrinsics) in [("front", intrinsics), ("lidar", json!([]))] {
            add(
                "calibrated_sensor",
                json!({"token": format!("cal-{token}"), "sensor_token": token, "translation": [1.5, 0.0, 1.6],
                       "rotation": [0.5, -0.5, 0.5, -0.5], "camera_intrinsic": intrinsics}),
            );
        }
        add("log", json!({"token": "drive", "location": "singapore-onenorth"}));
        for (scene, description) in [(0, "Night, rain"), (1, "Terrain beside a knight")] {
            let name = |kind: &str, step: usize| format!("{kind}-{scene}-{step}");
            add(
                "scene",
                json!({"token": format!("scene-{scene}"), "log_token": "drive", "name": format!("scene-000{scene}"),
                       "description": description}),
            );
            add("instance", json!({"token": format!("car-{scene}"), "category_token": "cat-car"}));
            add("instance", json!({"token": format!("cone-{scene}"), "category_token": "cat-cone"}));
            for step in 0..KEYFRAMES {
                let micros = 1_600_000_000_000_000_u64 + scene * 60_000_000 + step as u64 * 500_000;
                add(
                    "sample",
                    json!({"token": name("sample", step), "timestamp": micros, "scene_token": format!("scene-{scene}")}),
                );
                // A keyframe of each sensor, and one reading between keyframes.
                for (kind, offset, sensor) in
                    [("lidar", 0, "lidar"), ("image", 12_000, "front"), ("sweep", 250_000, "lidar")]
                {
                    let micros = micros + offset;
                    let x = 100.0 + 10.0 * (step as f64 * 0.5 + offset as f64 * 1e-6);
                    let is_image = kind == "image";
                    add(
                        "sample_data",
                        json!({"token": name(kind, step), "sample_token": name("sample", step),
                               "ego_pose_token": name(kind, step), "calibrated_sensor_token": format!("cal-{sensor}"),
                               "timestamp": micros, "filename": format!("samples/{kind}/{step}.jpg"),
                               "width": if is_image { 1600 } else { 0 }, "height": if is_image { 900 } else { 0 },
                               "fileformat": "jpg", "is_key_frame": kind != "sweep", "prev": "", "next": ""}),
                    );
                    add(
                        "ego_pose",
                        json!({"token": name(kind, step), "timestamp": micros, "translation": [x, 50.0, 0.0],
                               "rotation": [1.0, 0.0, 0.0, 0.0]}),
                    );
                }
                for (kind, x) in [("car", 130.0 + 3.0 * step as f64), ("cone", 140.0)] {
                    let link = |step: Option<usize>| step.map(|step| name(kind, step)).unwrap_or_default();
                    add(
                        "sample_annotation",
                        json!({"token": name(kind, step), "sample_token": name("sample", step),
                               "instance_token": format!("{kind}-{scene}"), "visibility_token": "",
                               "attribute_tokens": [], "translation": [x, 51.0, 0.8], "size": [1.9, 4.5, 1.6],
                               "rotation": [0.0, 0.0, 0.0, 1.0], "prev": link(step.checked_sub(1)),
                               "next": link(Some(step + 1).filter(|next| *next < KEYFRAMES)),
                               "num_lidar_pts": 1, "num_radar_pts": 0}),
                    );
                }
            }
        }
        let files = rows.into_iter().map(|(name, rows)| (table(name), Value::Array(rows))).collect();
        Self { files, directory: tempfile::tempdir().unwrap() }
    }

    /// The row of a table with this token.
    pub fn row(&mut self, name: &str, token: &str) -> &mut Value {
        let rows = self.files.get_mut(&table(name)).unwrap().as_array_mut().unwrap();
        rows.iter_mut().find(|row| row["token"] == token).unwrap()
    }

    /// Where a file of the fixture lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Writes all files and gives the root.
    pub fn write(&self) -> PathBuf {
        for (file, json) in &self.files {
            self.write_bytes(file, &serde_json::to_vec(json).unwrap());
        }
        self.directory.path().to_owned()
    }

    pub fn write_bytes(&self, file: &str, bytes: &[u8]) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes all files and reads the first scene.
    pub fn read_first(&self) -> Result<Log, Error> {
        read_first(discover(self.write()))
    }
}

pub fn read_first(found: Result<Vec<LogRef>, Error>) -> Result<Log, Error> {
    found?[0].read()
}
