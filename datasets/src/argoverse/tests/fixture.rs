//! Small valid Argoverse 2 files, made in memory, changed by a test, and written to a temporary directory.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    UInt16Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Error, Log, discover};

/// First stamp, and lidar sweeps ten times a second.
pub const START_NS: i64 = 315_966_265_000_000_000;
pub const SWEEPS: usize = 12;

pub type Columns = Vec<(&'static str, ArrayRef)>;

/// A column by name, to be replaced.
pub fn column<'a>(columns: &'a mut Columns, name: &str) -> &'a mut ArrayRef {
    &mut columns.iter_mut().find(|(known, _)| *known == name).unwrap().1
}

fn numbers(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn se3(qw: &[f64], qz: &[f64], x: &[f64], y: &[f64], z: f64) -> Columns {
    let all = |value: f64| numbers(std::iter::repeat_n(value, x.len()));
    vec![
        ("qw", numbers(qw.iter().copied())),
        ("qx", all(0.0)),
        ("qy", all(0.0)),
        ("qz", numbers(qz.iter().copied())),
        ("tx_m", numbers(x.iter().copied())),
        ("ty_m", numbers(y.iter().copied())),
        ("tz_m", all(z)),
    ]
}

/// A sensor log: the ego drives north at 5 m/s; a car ahead keeps its distance, and a cone stands.
pub struct SensorFixture {
    pub annotations: Option<Columns>,
    pub poses: Option<Columns>,
    pub intrinsics: Option<Columns>,
    pub extrinsics: Option<Columns>,
    pub map: Option<Value>,
    pub compression: Option<CompressionType>,
    directory: TempDir,
}

impl SensorFixture {
    pub fn new() -> Self {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        // Sweeps and, 7 ms later, images.
        let stamps: Vec<i64> = (0..SWEEPS as i64)
            .flat_map(|sweep| [0, 7_000_000].map(|offset| START_NS + sweep * 100_000_000 + offset))
            .collect();
        let north: Vec<f64> = stamps.iter().map(|stamp| 20.0 + 5.0 * (stamp - START_NS) as f64 * 1e-9).collect();
        let count = stamps.len();
        let mut poses: Columns = vec![("timestamp_ns", Arc::new(Int64Array::from(stamps)))];
        poses.extend(se3(&vec![half; count], &vec![half; count], &vec![10.0; count], &north, 3.0));

        let rows: Vec<(usize, &str)> =
            (0..SWEEPS).flat_map(|sweep| ["car", "cone"].map(|kind| (sweep, kind))).collect();
        let stamps = rows.iter().map(|(sweep, _)| START_NS + *sweep as i64 * 100_000_000);
        let text = |of: fn(&str) -> &'static str| -> ArrayRef {
            Arc::new(LargeStringArray::from_iter_values(rows.iter().map(|(_, kind)| of(kind))))
        };
        // In the ego frame: the car 15 m ahead, the cone at map (12, 60).
        let ahead: Vec<f64> =
            rows.iter().map(|(sweep, kind)| if *kind == "car" { 15.0 } else { 40.0 - 0.5 * *sweep as f64 }).collect();
        let left: Vec<f64> = rows.iter().map(|(_, kind)| if *kind == "car" { 0.0 } else { -2.0 }).collect();
        let extent =
            |car: f64, cone: f64| numbers(rows.iter().map(move |(_, kind)| if *kind == "car" { car } else { cone }));
        let mut annotations: Columns = vec![
            ("timestamp_ns", Arc::new(Int64Array::from_iter_values(stamps))),
            ("track_uuid", text(|kind| if kind == "car" { "uuid-car" } else { "uuid-cone" })),
            ("category", text(|kind| if kind == "car" { "REGULAR_VEHICLE" } else { "CONSTRUCTION_CONE" })),
            ("length_m", extent(4.5, 0.4)),
            ("width_m", extent(1.9, 0.4)),
            ("height_m", extent(1.6, 0.8)),
        ];
        annotations.extend(se3(&vec![1.0; rows.len()], &vec![0.0; rows.len()], &ahead, &left, 0.5));

        let names = ["ring_front_center", "stereo_front_left"];
        let sensor_name: ArrayRef = Arc::new(StringArray::from_iter_values(names));
        let mut extrinsics: Columns = vec![("sensor_name", Arc::clone(&sensor_name))];
        extrinsics.extend(se3(&[1.0; 2], &[0.0; 2], &[1.6, 1.6], &[0.0, 0.2], 1.4));
        let single = |values: [f32; 2]| -> ArrayRef { Arc::new(Float32Array::from_iter_values(values)) };
        let intrinsics: Columns = vec![
            ("sensor_name", sensor_name),
            ("fx_px", single([1_776.0, 1_690.0])),
            ("fy_px", single([1_776.0, 1_690.0])),
            ("cx_px", single([778.0, 1_024.0])),
            ("cy_px", single([1_013.5, 764.0])),
            ("k1", single([-0.24, -0.28])),
            ("height_px", Arc::new(UInt16Array::from_iter_values([2_048, 1_550]))),
            ("width_px", Arc::new(UInt16Array::from_iter_values([1_550, 2_048]))),
        ];
        Self {
            annotations: Some(annotations),
            poses: Some(poses),
            intrinsics: Some(intrinsics),
            extrinsics: Some(extrinsics),
            map: Some(map()),
            compression: Some(CompressionType::LZ4_FRAME),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Where a file of the log lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join("log-7").join(file)
    }

    /// Writes what there is and gives the log's directory.
    pub fn write(&self) -> PathBuf {
        for (file, columns) in [
            ("annotations.feather", &self.annotations),
            ("city_SE3_egovehicle.feather", &self.poses),
            ("calibration/intrinsics.feather", &self.intrinsics),
            ("calibration/egovehicle_SE3_sensor.feather", &self.extrinsics),
        ] {
            if let Some(columns) = columns {
                self.write_bytes(file, &feather(columns, self.compression));
            }
        }
        if let Some(map) = &self.map {
            self.write_bytes("map/log_map_archive_log-7____PIT_city_47896.json", &serde_json::to_vec(map).unwrap());
        }
        self.directory.path().join("log-7")
    }

    pub fn write_bytes(&self, file: &str, bytes: &[u8]) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn read(&self) -> Result<Log, Error> {
        discover(self.write())?[0].read()
    }
}

pub fn batch(columns: &Columns) -> RecordBatch {
    RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, Arc::clone(array)))).unwrap()
}

pub fn feather(columns: &Columns, compression: Option<CompressionType>) -> Vec<u8> {
    let batch = batch(columns);
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
    // Two batches, as large files have.
    let half = batch.num_rows() / 2;
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

/// Two lanes northward one after the other, one beside the first, and one that comes the other way.
pub fn map() -> Value {
    let edge = |x: f64, from: f64, to: f64| json!([{"x": x, "y": from, "z": 3.0}, {"x": x, "y": to, "z": 3.0}]);
    let lane = |id: i64, left: Value, right: Value, marks: [&str; 2]| {
        json!({"id": id, "is_intersection": id == 2, "lane_type": "VEHICLE", "left_lane_boundary": left,
               "right_lane_boundary": right, "left_lane_mark_type": marks[0], "right_lane_mark_type": marks[1],
               "successors": [], "predecessors": [], "left_neighbor_id": null, "right_neighbor_id": null})
    };
    let mut lanes = json!({
        "1": lane(1, edge(8.0, 0.0, 40.0), edge(12.0, 0.0, 40.0), ["DOUBLE_SOLID_YELLOW", "DASHED_WHITE"]),
        "2": lane(2, edge(8.0, 40.0, 80.0), edge(12.0, 40.0, 80.0), ["NONE", "NONE"]),
        "3": lane(3, edge(12.0, 0.0, 40.0), edge(16.0, 0.0, 40.0), ["DASHED_WHITE", "SOLID_WHITE"]),
        "4": lane(4, edge(8.0, 40.0, 0.0), edge(4.0, 40.0, 0.0), ["DOUBLE_SOLID_YELLOW", "UNKNOWN"]),
    });
    lanes["1"]["successors"] = json!([2, 999]);
    lanes["2"]["predecessors"] = json!([1]);
    lanes["1"]["left_neighbor_id"] = json!(4);
    lanes["1"]["right_neighbor_id"] = json!(3);
    lanes["3"]["left_neighbor_id"] = json!(1);
    lanes["4"]["left_neighbor_id"] = json!(1);
    lanes["3"]["lane_type"] = json!("BUS");
    let area = json!([{"x": 0.0, "y": 0.0, "z": 3.0}, {"x": 20.0, "y": 0.0, "z": 3.0}, {"x": 20.0, "y": 80.0, "z": 3.0},
                      {"x": 0.0, "y": 80.0, "z": 3.0}, {"x": 0.0, "y": 0.0, "z": 3.0}]);
    json!({"lane_segments": lanes, "drivable_areas": {"7": {"id": 7, "area_boundary": area}},
           "pedestrian_crossings": {"8": {"id": 8, "edge1": [{"x": 4.0, "y": 38.0, "z": 3.0}, {"x": 16.0, "y": 38.0, "z": 3.0}],
                                          "edge2": [{"x": 4.0, "y": 41.0, "z": 3.0}, {"x": 16.0, "y": 41.0, "z": 3.0}]}}})
}

/// Steps of the forecasting scenario, 0.1 s apart.
pub const STEPS: usize = 11;

/// A scenario: the ego and a cyclist, both northward at 5 m/s.
pub fn scenario() -> Columns {
    let rows: Vec<(&str, usize)> =
        ["17", "AV"].into_iter().flat_map(|id| (0..STEPS).map(move |step| (id, step))).collect();
    let all_text = |value: &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows.len())))
    };
    let all = |value: f64| numbers(std::iter::repeat_n(value, rows.len()));
    vec![
        ("observed", Arc::new(BooleanArray::from(vec![true; rows.len()]))),
        ("track_id", Arc::new(StringArray::from_iter_values(rows.iter().map(|(id, _)| *id)))),
        (
            "object_type",
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|(id, _)| if *id == "AV" { "vehicle" } else { "cyclist" }),
            )),
        ),
        ("object_category", Arc::new(Int64Array::from(vec![1; rows.len()]))),
        ("timestep", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, step)| *step as i64)))),
        ("position_x", all(10.0)),
        (
            "position_y",
            numbers(rows.iter().map(|(id, step)| if *id == "AV" { 0.0 } else { 20.0 } + 0.5 * *step as f64)),
        ),
        ("heading", all(std::f64::consts::FRAC_PI_2)),
        ("velocity_x", all(0.0)),
        ("velocity_y", all(5.0)),
        ("scenario_id", all_text("s-1")),
        ("start_timestamp", all(315_986_559_459_579_000.0)),
        ("end_timestamp", all(315_986_560_459_579_000.0)),
        ("num_timestamps", Arc::new(Int64Array::from(vec![STEPS as i64; rows.len()]))),
        ("focal_track_id", all_text("17")),
        ("city", all_text("austin")),
    ]
}

pub fn parquet_bytes(columns: &Columns) -> Vec<u8> {
    let batch = batch(columns);
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// A directory with a scenario file of these bytes and a map beside it, and the file's path.
pub fn write_scenario(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario_s-1.parquet");
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(directory.path().join("log_map_archive_s-1.json"), serde_json::to_vec(&map()).unwrap()).unwrap();
    (directory, path)
}
