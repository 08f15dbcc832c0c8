//! The sensors of a scene: calibrations, readings with the ego's poses, and images.

use std::fs;

use serde_json::{Value, json};
use tandem_graph::Stamp;

use super::{Scene, Views, Writer, parts_of, token};
use crate::error::Error;
use crate::log::Log;

/// Where nuScenes has its lidar on the vehicle (translation, m; rotation w, x, y, z).
const LIDAR: ([f64; 3], [f64; 4]) =
    ([0.943, 0.0, 1.840], [std::f64::consts::FRAC_1_SQRT_2, 0.0, 0.0, -std::f64::consts::FRAC_1_SQRT_2]);

/// One reading of a sensor.
struct Reading {
    stamp: Stamp,
    /// The number of its keyframe.
    sample: usize,
    is_key: bool,
    /// Of images, px.
    size: [u32; 2],
}

impl Writer {
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
    pub(super) fn lidar(&mut self, log: &Log, scene: &Scene<'_>, keyframes: &[Stamp]) {
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

    pub(super) fn camera(
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
}
