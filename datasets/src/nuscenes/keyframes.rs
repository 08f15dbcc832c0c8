//! The labels of keyframes, with all that the benchmarks' evaluation wants and a `Log` does not carry.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use tandem_graph::Stamp;

use super::tables::rows;
use super::tables::{CalibrationRow, CategoryRow, EgoPoseRow, InstanceRow, Row, SampleRow, SceneRow, SensorRow, Table};
use super::token::Token;
use super::{is_version, versions};
use crate::error::Error;

/// The longest time between two boxes that gives a velocity, s (nuscenes-devkit `NuScenes.box_velocity`).
const MAX_VELOCITY_TIME_S: f64 = 1.5;

/// The sensor whose ego pose stands for the keyframe's (nuscenes-devkit `eval/common/loaders.py`).
const REFERENCE_CHANNEL: &str = "LIDAR_TOP";

rows! {
    /// What a label may say beside its category.
    AttributeRow in "attribute" { name: String }
    /// One reading of one sensor.
    ReadingRow in "sample_data" {
        sample_token: Token,
        ego_pose_token: Token,
        calibrated_sensor_token: Token,
        is_key_frame: bool,
    }
    /// The box of an instance at a keyframe.
    LabelRow in "sample_annotation" {
        sample_token: Token,
        instance_token: Token,
        attribute_tokens: Vec<Token>,
        translation: [f64; 3],
        size: [f64; 3],
        rotation: [f64; 4],
        prev: Token,
        next: Token,
        num_lidar_pts: i64,
        num_radar_pts: i64,
    }
}

/// A keyframe with its labels, as nuScenes' own tools see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframe {
    /// The sample's token.
    pub token: String,
    /// The scene's name, such as `scene-0103`.
    pub scene: String,
    /// The scene's description.
    pub description: String,
    /// The sample's time.
    pub stamp: Stamp,
    /// Where the ego is in the map at the lidar's time, m.
    pub ego: [f64; 3],
    /// All boxes, in the table's order.
    pub labels: Vec<Label>,
}

/// An annotated box in the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The instance's token: the same for one thing over a scene.
    pub instance: String,
    /// The category, such as `vehicle.bus.rigid`.
    pub category: String,
    /// The attribute, such as `vehicle.parked`; empty where there is none.
    pub attribute: String,
    /// Centre, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// A quaternion w, x, y, z.
    pub rotation: [f64; 4],
    /// Metres a second along x and y; `None` where neighbouring keyframes are too far away.
    pub velocity_mps: Option<[f64; 2]>,
    /// Lidar and radar points in the box.
    pub points: i64,
}

/// The keyframes of the scenes whose name is wanted, in the order of the sample table.
///
/// `path` is a version directory, or a data set's root with one version or with the named one (`v1.0-mini`).
///
/// # Errors
/// [`Error::NotFound`] and [`Error::MissingTable`] where there are no tables, and those of reading tables.
pub fn keyframes(path: &Path, version: Option<&str>, wanted: impl Fn(&str) -> bool) -> Result<Vec<Keyframe>, Error> {
    let version = match version {
        Some(version) => path.join(version),
        None if is_version(path) => path.to_owned(),
        None => versions(path).into_iter().next().unwrap_or_else(|| path.to_owned()),
    };
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    if !is_version(&version) {
        return Err(Error::MissingTable { path: version.join("sample.json"), needed_for: "a nuScenes directory" });
    }
    let scenes = Table::<SceneRow>::read(&version)?;
    let samples = Table::<SampleRow>::read(&version)?;
    let labels = Labels::read(&version)?;
    let mut ego_of = ego_positions(&version)?;
    let mut by_sample: HashMap<&Token, Vec<usize>> = HashMap::new();
    for (number, row) in labels.table.rows.iter().enumerate() {
        by_sample.entry(&row.sample_token).or_default().push(number);
    }
    let mut keyframes = Vec::new();
    for sample in &samples.rows {
        let scene = scenes.get(&samples, sample, "scene_token", &sample.scene_token)?;
        if !wanted(&scene.name) {
            continue;
        }
        let ego = ego_of
            .remove(&sample.token)
            .ok_or_else(|| samples.value(sample, "token", "has no keyframe of LIDAR_TOP in sample_data"))?;
        let numbers = by_sample.get(&sample.token).map(Vec::as_slice).unwrap_or_default();
        keyframes.push(Keyframe {
            token: sample.token.to_string(),
            scene: scene.name.clone(),
            description: scene.description.clone(),
            stamp: Stamp::from_ns(sample.timestamp.saturating_mul(1000)),
            ego,
            labels: numbers.iter().map(|number| labels.label(*number, &samples)).collect::<Result<_, _>>()?,
        });
    }
    Ok(keyframes)
}

/// Where the ego is at each sample, by the keyframe of the reference sensor.
fn ego_positions(version: &Path) -> Result<HashMap<Token, [f64; 3]>, Error> {
    let readings = Table::<ReadingRow>::read(version)?;
    let poses = Table::<EgoPoseRow>::read(version)?;
    let calibrations = Table::<CalibrationRow>::read(version)?;
    let sensors = Table::<SensorRow>::read(version)?;
    let mut positions = HashMap::new();
    for reading in readings.rows.iter().filter(|reading| reading.is_key_frame) {
        let token = &reading.calibrated_sensor_token;
        let calibration = calibrations.get(&readings, reading, "calibrated_sensor_token", token)?;
        let sensor = sensors.get(&calibrations, calibration, "sensor_token", &calibration.sensor_token)?;
        if sensor.channel == REFERENCE_CHANNEL {
            let pose = poses.get(&readings, reading, "ego_pose_token", &reading.ego_pose_token)?;
            positions.insert(reading.sample_token.clone(), pose.translation);
        }
    }
    Ok(positions)
}

/// The table of labels with those it refers to.
struct Labels {
    table: Table<LabelRow>,
    attributes: Table<AttributeRow>,
    instances: Table<InstanceRow>,
    categories: Table<CategoryRow>,
}

impl Labels {
    fn read(version: &Path) -> Result<Self, Error> {
        Ok(Self {
            table: Table::read(version)?,
            attributes: Table::read(version)?,
            instances: Table::read(version)?,
            categories: Table::read(version)?,
        })
    }

    fn label(&self, number: usize, samples: &Table<SampleRow>) -> Result<Label, Error> {
        let Self { table, attributes, instances, categories } = self;
        let row = &table.rows[number];
        let instance = instances.get(table, row, "instance_token", &row.instance_token)?;
        let category = categories.get(instances, instance, "category_token", &instance.category_token)?;
        let attribute = match &row.attribute_tokens[..] {
            [] => String::new(),
            [token] => attributes.get(table, row, "attribute_tokens", token)?.name.clone(),
            _ => return Err(table.value(row, "attribute_tokens", "names more than one attribute")),
        };
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        if !(finite(&row.translation) && finite(&row.rotation) && row.size.iter().all(|size| *size > 0.0)) {
            return Err(table.value(row, "translation, size, rotation", "is not finite, or the size not positive"));
        }
        let [width, length, height] = row.size;
        Ok(Label {
            instance: row.instance_token.to_string(),
            category: category.name.clone(),
            attribute,
            center: row.translation,
            size: [length, width, height],
            rotation: row.rotation,
            velocity_mps: self.velocity(row, samples)?,
            points: row.num_lidar_pts.saturating_add(row.num_radar_pts),
        })
    }

    /// The difference from the previous box to the next, or from and to this one at the ends; none over 1.5 s, or 3 s
    /// with both (nuscenes-devkit `NuScenes.box_velocity`, times as seconds since 1970 in doubles as there).
    fn velocity(&self, row: &LabelRow, samples: &Table<SampleRow>) -> Result<Option<[f64; 2]>, Error> {
        let linked = |field: &'static str, token: &Token| match self.table.number(token) {
            Some(number) => Ok(Some(&self.table.rows[number])),
            None if token.is_empty() => Ok(None),
            None => Err(self.table.dangling(row, field, LabelRow::TABLE, token)),
        };
        let (previous, next) = (linked("prev", &row.prev)?, linked("next", &row.next)?);
        let limit_s = match (previous, next) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => 2.0 * MAX_VELOCITY_TIME_S,
            _ => MAX_VELOCITY_TIME_S,
        };
        let (from, to) = (previous.unwrap_or(row), next.unwrap_or(row));
        let time_s = |row: &LabelRow| {
            let sample = samples.get(&self.table, row, "sample_token", &row.sample_token)?;
            Ok(1e-6 * sample.timestamp as f64)
        };
        let elapsed_s = time_s(to)? - time_s(from)?;
        if elapsed_s <= 0.0 || elapsed_s > limit_s {
            return Ok(None);
        }
        Ok(Some([0, 1].map(|axis| (to.translation[axis] - from.translation[axis]) / elapsed_s)))
    }
}
