//! The tables of a nuScenes version directory, typed, indexed by token and grouped by scene.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{table_path, token::Token};
use crate::error::Error;

/// A row that can be found by its token.
pub(super) trait Row: DeserializeOwned + Send {
    /// The table's name.
    const TABLE: &'static str;

    fn token(&self) -> &Token;
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident in $table:literal { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        pub(super) struct $name {
            pub token: Token,
            $(pub $field: $kind,)*
        }

        impl Row for $name {
            const TABLE: &'static str = $table;

            fn token(&self) -> &Token {
                &self.token
            }
        }
    )*};
}

pub(super) use rows;

rows! {
    /// A stretch of some 20 s: one log.
    SceneRow in "scene" { log_token: Token, name: String, description: String }
    /// The drive that scenes were cut from.
    LogRow in "log" { location: String }
    /// A keyframe; time stamps are Unix µs in all tables.
    SampleRow in "sample" { scene_token: Token, timestamp: i64 }
    /// One reading of one sensor. Width and height are zero for all but cameras.
    SampleDataRow in "sample_data" {
        sample_token: Token,
        ego_pose_token: Token,
        calibrated_sensor_token: Token,
        timestamp: i64,
        filename: Box<str>,
        width: u32,
        height: u32,
    }
    /// The vehicle in the map: metres, and a quaternion w, x, y, z.
    EgoPoseRow in "ego_pose" { translation: [f64; 3], rotation: [f64; 4] }
    /// A sensor on the vehicle.
    CalibrationRow in "calibrated_sensor" {
        sensor_token: Token,
        translation: [f64; 3],
        rotation: [f64; 4],
        camera_intrinsic: Vec<[f64; 3]>,
    }
    /// A kind of sensor: camera, lidar or radar.
    SensorRow in "sensor" { channel: String, modality: String }
    /// One thing over a scene.
    InstanceRow in "instance" { category_token: Token }
    /// What an instance is.
    CategoryRow in "category" { name: String }
    /// The box of an instance at a keyframe. Size: width, length, height, m.
    AnnotationRow in "sample_annotation" {
        sample_token: Token,
        instance_token: Token,
        translation: [f64; 3],
        size: [f64; 3],
        rotation: [f64; 4],
        prev: Token,
        next: Token,
    }
}

/// All rows of one table, in the file's order.
pub(super) struct Table<R> {
    pub path: PathBuf,
    pub rows: Vec<R>,
    index: HashMap<Token, u32>,
}

impl<R: Row> Table<R> {
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`], or [`Error::Json`] naming the row and field.
    pub fn read(version: &Path) -> Result<Self, Error> {
        let path = table_path(version, R::TABLE);
        let mut bytes = Vec::new();
        File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(Error::io(&path))?;
        let rows: Vec<R> = crate::json::parse_bytes(&path, &bytes)?;
        drop(bytes);
        let index = (0..).zip(&rows).map(|(number, row)| (row.token().clone(), number)).collect();
        Ok(Self { path, rows, index })
    }

    /// The number of the row with this token.
    pub fn number(&self, token: &Token) -> Option<usize> {
        self.index.get(token).map(|number| *number as usize)
    }

    /// The row that `field` of a row of another table refers to.
    ///
    /// # Errors
    /// [`Error::Dangling`] if there is none.
    pub fn get<Q: Row>(&self, from: &Table<Q>, row: &Q, field: &'static str, token: &Token) -> Result<&R, Error> {
        let number = self.number(token).ok_or_else(|| from.dangling(row, field, R::TABLE, token))?;
        Ok(&self.rows[number])
    }

    /// The error that a row of this table refers to nothing.
    pub fn dangling(&self, row: &R, field: &'static str, target: &'static str, token: &Token) -> Error {
        let (path, row, token) = (self.path.clone(), row.token().to_string(), token.to_string());
        Error::Dangling { path, row, field, target, token }
    }

    /// The error that a value of a row of this table is out of its domain.
    pub fn value(&self, row: &R, field: &'static str, reason: &'static str) -> Error {
        Error::value(&self.path, format!("row {}", row.token()), field, reason)
    }
}

/// What a scene consists of, as row numbers in the file's order.
#[derive(Debug, Clone, Default)]
pub(super) struct SceneParts {
    pub samples: Vec<u32>,
    pub data: Vec<u32>,
    pub annotations: Vec<u32>,
}

/// The tables that make logs. Attributes, visibilities and the raster maps are in none.
pub(super) struct Tables {
    pub scenes: Table<SceneRow>,
    pub logs: Table<LogRow>,
    pub samples: Table<SampleRow>,
    pub data: Table<SampleDataRow>,
    pub ego_poses: Table<EgoPoseRow>,
    pub calibrations: Table<CalibrationRow>,
    pub sensors: Table<SensorRow>,
    pub instances: Table<InstanceRow>,
    pub categories: Table<CategoryRow>,
    pub annotations: Table<AnnotationRow>,
    /// By scene number.
    pub parts: Vec<SceneParts>,
}

impl Tables {
    /// Reads all of them, the largest in parallel.
    ///
    /// # Errors
    /// Those of [`Table::read`], and [`Error::Dangling`] where a row can't be told to a scene.
    pub fn read(version: &Path) -> Result<Self, Error> {
        let (data, (ego_poses, annotations)) = rayon::join(
            || Table::<SampleDataRow>::read(version),
            || rayon::join(|| Table::<EgoPoseRow>::read(version), || Table::<AnnotationRow>::read(version)),
        );
        let mut tables = Self {
            scenes: Table::read(version)?,
            logs: Table::read(version)?,
            samples: Table::read(version)?,
            data: data?,
            ego_poses: ego_poses?,
            calibrations: Table::read(version)?,
            sensors: Table::read(version)?,
            instances: Table::read(version)?,
            categories: Table::read(version)?,
            annotations: annotations?,
            parts: Vec::new(),
        };
        tables.parts = tables.group_by_scene()?;
        Ok(tables)
    }

    fn group_by_scene(&self) -> Result<Vec<SceneParts>, Error> {
        let mut parts = vec![SceneParts::default(); self.scenes.rows.len()];
        let scene_of = |token: &Token| self.scenes.number(token);
        let mut scene_of_sample = Vec::with_capacity(self.samples.rows.len());
        for (number, sample) in (0..).zip(&self.samples.rows) {
            let token = &sample.scene_token;
            let scene =
                scene_of(token).ok_or_else(|| self.samples.dangling(sample, "scene_token", SceneRow::TABLE, token))?;
            parts[scene].samples.push(number);
            scene_of_sample.push(scene);
        }
        let of_sample = |token: &Token| self.samples.number(token).map(|sample| scene_of_sample[sample]);
        for (number, data) in (0..).zip(&self.data.rows) {
            let token = &data.sample_token;
            let scene =
                of_sample(token).ok_or_else(|| self.data.dangling(data, "sample_token", SampleRow::TABLE, token))?;
            parts[scene].data.push(number);
        }
        for (number, box_row) in (0..).zip(&self.annotations.rows) {
            let token = &box_row.sample_token;
            let scene = of_sample(token)
                .ok_or_else(|| self.annotations.dangling(box_row, "sample_token", SampleRow::TABLE, token))?;
            parts[scene].annotations.push(number);
        }
        Ok(parts)
    }
}
