//! A log of the Argoverse 2 sensor, lidar or map-change data set: a directory of feather files, map and images.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use nalgebra::{Isometry3, Matrix3, Quaternion, Translation3, UnitQuaternion};
use tandem_graph::Stamp;

use super::{EGO_BODY, classes, map_in};
use crate::columns::{Table, feather};
use crate::error::Error;
use crate::kinematics;
use crate::log::{Camera, Ego, Format, ImageRef, Log, Track, TrackState, planar};
use crate::source::{LogRef, Reader, file_name, sorted_children};

pub(crate) const READER: Reader = Reader { format: Format::Argoverse2Sensor, recognises, discover };

const ANNOTATIONS: &str = "annotations.feather";
const POSES: &str = "city_SE3_egovehicle.feather";

/// The longest time between ego poses across which one is interpolated, ns.
const MAX_POSE_GAP_NS: i64 = 200_000_000;

fn recognises(path: &Path) -> bool {
    path.join(ANNOTATIONS).is_file() || path.join(POSES).is_file()
}

fn discover(path: &Path) -> Result<Vec<LogRef>, Error> {
    // A path such as `.` has no name of its own.
    let absolute = path.canonicalize().map_err(Error::io(path))?;
    let directory = path.to_owned();
    Ok(vec![LogRef::new(file_name(&absolute), READER.format, path, move || read(&directory, &file_name(&absolute)))])
}

fn read(directory: &Path, id: &str) -> Result<Log, Error> {
    let mut notes = Vec::new();
    let poses = Poses::read(&directory.join(POSES), &mut notes)?;
    let states = kinematics::ego_states(&poses.0);
    let tracks = tracks(&directory.join(ANNOTATIONS), &poses, &mut notes)?;
    let map = map_in(&directory.join("map"), &mut notes)?;
    let cameras = cameras(&directory.join("calibration"), &mut notes)?;
    let images = images(directory, &cameras, &poses)?;
    Ok(Log {
        id: id.to_owned(),
        format: READER.format,
        source: directory.to_owned(),
        location: map.as_ref().and_then(|(path, _)| city(path)).unwrap_or_default(),
        description: String::new(),
        tags: Vec::new(),
        ego: Ego { body: EGO_BODY, states },
        tracks,
        map: map.map(|(_, map)| map),
        signals: Vec::new(),
        cameras,
        images,
        notes,
    })
}

/// The city in a map's name, such as PIT in `log_map_archive_<log>____PIT_city_47896.json`.
fn city(map: &Path) -> Option<String> {
    let name = file_name(map);
    let (_, place) = name.split_once("____")?;
    Some(place.split_once("_city")?.0.to_owned())
}

/// The ego poses in the map by rising stamp, one for each lidar sweep and each image.
struct Poses(Vec<(Stamp, Isometry3<f64>)>);

impl Poses {
    fn read(path: &Path, notes: &mut Vec<String>) -> Result<Self, Error> {
        if !path.is_file() {
            notes.push(format!("no ego: {POSES} is absent, so that boxes stay in the moving vehicle's own frame"));
            return Ok(Self(Vec::new()));
        }
        let table = feather::read(path)?;
        let mut poses: BTreeMap<Stamp, Isometry3<f64>> = BTreeMap::new();
        for (stamp, pose) in table.integers("timestamp_ns")?.into_iter().zip(isometries(&table)?) {
            poses.entry(Stamp::from_ns(stamp)).or_insert(pose);
        }
        Ok(Self(poses.into_iter().collect()))
    }

    /// The pose at a stamp: recorded, or interpolated across a short gap.
    fn at(&self, stamp: Stamp) -> Option<Isometry3<f64>> {
        let after = self.0.partition_point(|(pose_stamp, _)| *pose_stamp < stamp);
        let (next_stamp, next) = self.0.get(after)?;
        if *next_stamp == stamp {
            return Some(*next);
        }
        let (previous_stamp, previous) = self.0.get(after.checked_sub(1)?)?;
        let gap_ns = next_stamp.ns_since(*previous_stamp);
        let t = stamp.ns_since(*previous_stamp) as f64 / gap_ns as f64;
        (gap_ns <= MAX_POSE_GAP_NS).then(|| previous.lerp_slerp(next, t))
    }
}

/// The columns `qw`, `qx`, `qy`, `qz`, `tx_m`, `ty_m`, `tz_m`.
fn isometries(table: &Table) -> Result<Vec<Isometry3<f64>>, Error> {
    let names = ["qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m"];
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let column = table.numbers(name)?;
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            return Err(Error::value(table.path(), format!("row {row}"), name, "is not finite"));
        }
        columns.push(column);
    }
    (0..columns[0].len())
        .map(|row| {
            let value = |column: usize| columns[column][row];
            let rotation = UnitQuaternion::try_new(Quaternion::new(value(0), value(1), value(2), value(3)), 1e-6);
            let rotation = rotation
                .ok_or_else(|| Error::value(table.path(), format!("row {row}"), "qw, qx, qy, qz", "are all zero"))?;
            Ok(Isometry3::from_parts(Translation3::new(value(4), value(5), value(6)), rotation))
        })
        .collect()
}

/// The annotated boxes, in the order in which their tracks first appear, brought from the ego frame into the map.
fn tracks(path: &Path, poses: &Poses, notes: &mut Vec<String>) -> Result<Vec<Track>, Error> {
    if !path.is_file() {
        notes.push(format!("no tracks: {ANNOTATIONS} is absent, as in test splits and unlabelled logs"));
        return Ok(Vec::new());
    }
    let table = feather::read(path)?;
    let stamps = table.integers("timestamp_ns")?;
    let ids = table.texts("track_uuid")?;
    let categories = table.texts("category")?;
    let sizes = [table.numbers("length_m")?, table.numbers("width_m")?, table.numbers("height_m")?];
    let mut number_of: HashMap<&str, usize> = HashMap::new();
    let mut tracks: Vec<Track> = Vec::new();
    let mut without_pose = 0;
    for (row, ego_from_box) in isometries(&table)?.into_iter().enumerate() {
        let stamp = Stamp::from_ns(stamps[row]);
        let map_from_ego = if poses.0.is_empty() { Some(Isometry3::identity()) } else { poses.at(stamp) };
        let Some(map_from_ego) = map_from_ego else {
            without_pose += 1;
            continue;
        };
        let map_from_box = map_from_ego * ego_from_box;
        let number = *number_of.entry(&ids[row]).or_insert_with(|| {
            tracks.push(Track {
                source_id: ids[row].clone(),
                class: classes::of_annotation(&categories[row]),
                source_class: categories[row].clone(),
                size: [0, 1, 2].map(|axis: usize| sizes[axis][row]),
                states: Vec::new(),
            });
            tracks.len() - 1
        });
        tracks[number].states.push(TrackState {
            stamp,
            pose: planar(&map_from_box),
            z: map_from_box.translation.z,
            velocity_mps: [0.0, 0.0],
        });
    }
    if without_pose > 0 {
        notes.push(format!("{without_pose} boxes left out: no ego pose at their time"));
    }
    for track in &mut tracks {
        track.states.sort_by_key(|state| state.stamp);
        if !poses.0.is_empty() {
            kinematics::fill_velocities(&mut track.states);
        }
    }
    Ok(tracks)
}

/// The cameras that have both intrinsics and extrinsics, in the file's order. Lens distortion (`k1`, `k2`, `k3`) is
/// left out, as in the toolkit's own `PinholeCamera`.
fn cameras(directory: &Path, notes: &mut Vec<String>) -> Result<Vec<Camera>, Error> {
    let (intrinsics, extrinsics) =
        (directory.join("intrinsics.feather"), directory.join("egovehicle_SE3_sensor.feather"));
    if !intrinsics.is_file() || !extrinsics.is_file() {
        notes.push("no cameras: calibration is absent".into());
        return Ok(Vec::new());
    }
    let table = feather::read(&extrinsics)?;
    let ego_from_sensor: BTreeMap<_, _> = table.texts("sensor_name")?.into_iter().zip(isometries(&table)?).collect();
    let table = feather::read(&intrinsics)?;
    let names = table.texts("sensor_name")?;
    let [fx, fy, cx, cy] = ["fx_px", "fy_px", "cx_px", "cy_px"].map(|name| table.numbers(name));
    let (fx, fy, cx, cy) = (fx?, fy?, cx?, cy?);
    let (width, height) = (table.integers("width_px")?, table.integers("height_px")?);
    let mut cameras = Vec::new();
    for (row, name) in names.into_iter().enumerate() {
        let Some(ego_from_camera) = ego_from_sensor.get(&name) else {
            notes.push(format!("camera {name} has no pose on the vehicle and is left out"));
            continue;
        };
        let intrinsics = Matrix3::new(fx[row], 0.0, cx[row], 0.0, fy[row], cy[row], 0.0, 0.0, 1.0);
        if intrinsics.iter().any(|value| !value.is_finite()) {
            return Err(Error::value(
                table.path(),
                format!("row {row}"),
                "fx_px, fy_px, cx_px, cy_px",
                "are not finite",
            ));
        }
        let image_size = [width[row], height[row]].map(|extent| u32::try_from(extent).unwrap_or(0));
        cameras.push(Camera { name, ego_from_camera: *ego_from_camera, intrinsics, image_size });
    }
    Ok(cameras)
}

/// The images that are there: `sensors/cameras/<camera>/<nanoseconds>.jpg`.
fn images(directory: &Path, cameras: &[Camera], poses: &Poses) -> Result<Vec<ImageRef>, Error> {
    let mut images = Vec::new();
    for (camera, calibration) in cameras.iter().enumerate() {
        let directory = directory.join("sensors").join("cameras").join(&calibration.name);
        let files: Vec<PathBuf> = if directory.is_dir() { sorted_children(&directory)? } else { Vec::new() };
        for path in files {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if let Some(stamp) = stem.map(Stamp::from_ns) {
                images.push(ImageRef { camera, stamp, map_from_ego: poses.at(stamp), path });
            }
        }
    }
    images.sort_by_key(|image| (image.stamp, image.camera));
    Ok(images)
}
