//! One scene of the tables becomes a log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nalgebra::{Isometry3, Matrix3, Quaternion, Translation3, UnitQuaternion};
use tandem_graph::Stamp;

use super::tables::{
    AnnotationRow, CalibrationRow, EgoPoseRow, InstanceRow, Row, SampleRow, SceneParts, Table, Tables,
};
use super::token::Token;
use super::{Dataset, can_bus, map};
use crate::error::Error;
use crate::kinematics;
use crate::log::{Camera, Class, Ego, EgoBody, Format, ImageRef, Log, Track, TrackState, planar};

/// The longest time between two boxes that gives a velocity, s (nuscenes-devkit `NuScenes.box_velocity`).
const MAX_VELOCITY_TIME_S: f64 = 1.5;

/// Reads scene number `number`.
pub(super) fn read(dataset: &Dataset, tables: &Tables, number: usize) -> Result<Log, Error> {
    let scene = &tables.scenes.rows[number];
    let parts = &tables.parts[number];
    let drive = tables.logs.get(&tables.scenes, scene, "log_token", &scene.log_token)?;
    let mut notes = Vec::new();

    let poses = ego_poses(tables, parts)?;
    let mut states = kinematics::ego_states(&poses);
    can_bus::refine(&dataset.root, &scene.name, &mut states, &mut notes)?;
    let (cameras, images) = rig(dataset, tables, parts, &mut notes)?;
    let tracks = tracks(tables, parts)?;

    let map = match dataset.expansion(&drive.location)? {
        Some(expansion) => {
            let path: Vec<_> = poses.iter().map(|(_, pose)| planar(pose).position()).collect();
            map::around(&expansion, &path, &mut notes)?.map(Arc::new)
        }
        None => {
            notes.push(format!("no vector map: maps/expansion/{}.json is absent", drive.location));
            None
        }
    };

    let mut tags: Vec<String> = Vec::new();
    // The descriptions are the only place where nuScenes tells night and rain.
    for word in ["night", "rain"] {
        if scene.description.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|part| part == word) {
            tags.push(word.into());
        }
    }
    Ok(Log {
        id: scene.name.clone(),
        format: Format::NuScenes,
        source: dataset.version.clone(),
        location: drive.location.clone(),
        description: scene.description.clone(),
        tags,
        // The Renault Zoe's extents (nuScenes, Caesar et al. 2020, and the manufacturer's sheet).
        ego: Ego { body: EgoBody::of_size(4.084, 1.730, 1.562), states },
        tracks,
        map,
        signals: Vec::new(),
        cameras,
        images,
        notes,
    })
}

fn stamp(micros: i64) -> Stamp {
    Stamp::from_ns(micros.saturating_mul(1_000))
}

/// A transform from a row's translation and its rotation w, x, y, z.
fn isometry<R: Row>(
    table: &Table<R>,
    row: &R,
    translation: &[f64; 3],
    rotation: &[f64; 4],
) -> Result<Isometry3<f64>, Error> {
    let [w, x, y, z] = *rotation;
    let rotation = Quaternion::new(w, x, y, z);
    let rotation = UnitQuaternion::try_new(rotation, 1e-6).ok_or_else(|| table.value(row, "rotation", "is zero"))?;
    Ok(Isometry3::from_parts(Translation3::from(*translation), rotation))
}

fn pose_of(tables: &Tables, row: &EgoPoseRow) -> Result<Isometry3<f64>, Error> {
    isometry(&tables.ego_poses, row, &row.translation, &row.rotation)
}

/// The poses at all sensor readings of a scene, keyframes or not, by rising stamp.
fn ego_poses(tables: &Tables, parts: &SceneParts) -> Result<Vec<(Stamp, Isometry3<f64>)>, Error> {
    let mut poses = BTreeMap::new();
    for data in parts.data.iter().map(|number| &tables.data.rows[*number as usize]) {
        let row = tables.ego_poses.get(&tables.data, data, "ego_pose_token", &data.ego_pose_token)?;
        if let std::collections::btree_map::Entry::Vacant(entry) = poses.entry(stamp(data.timestamp)) {
            entry.insert(pose_of(tables, row)?);
        }
    }
    Ok(poses.into_iter().collect())
}

/// The cameras that a scene's images come from, and the images.
///
/// A channel with a second calibration within a scene becomes a second camera, `CAM_FRONT_2`.
fn rig(
    dataset: &Dataset,
    tables: &Tables,
    parts: &SceneParts,
    notes: &mut Vec<String>,
) -> Result<(Vec<Camera>, Vec<ImageRef>), Error> {
    let mut shots = Vec::new();
    for data in parts.data.iter().map(|number| &tables.data.rows[*number as usize]) {
        let field = "calibrated_sensor_token";
        let calibration = tables.calibrations.get(&tables.data, data, field, &data.calibrated_sensor_token)?;
        let sensor =
            tables.sensors.get(&tables.calibrations, calibration, "sensor_token", &calibration.sensor_token)?;
        if sensor.modality == "camera" {
            shots.push((data, calibration, sensor));
        }
    }
    shots.sort_by_key(|(data, ..)| data.timestamp);

    // By channel, then by first use.
    let mut order: Vec<(&str, &CalibrationRow, [u32; 2])> = Vec::new();
    for (data, calibration, sensor) in &shots {
        if !order.iter().any(|(_, known, _)| known.token == calibration.token) {
            order.push((&sensor.channel, calibration, [data.width, data.height]));
        }
    }
    order.sort_by_key(|(channel, ..)| *channel);
    let mut cameras: Vec<Camera> = Vec::new();
    let mut camera_of: HashMap<&Token, usize> = HashMap::new();
    for (index, (channel, calibration, image_size)) in order.iter().enumerate() {
        let nth = 1 + order[..index].iter().filter(|(before, ..)| before == channel).count();
        let name = if nth == 1 { (*channel).to_owned() } else { format!("{channel}_{nth}") };
        if nth > 1 {
            notes.push(format!("{channel} has a further calibration in this scene, named {name}"));
        }
        camera_of.insert(&calibration.token, cameras.len());
        cameras.push(camera(tables, calibration, name, *image_size)?);
    }

    let mut images = Vec::with_capacity(shots.len());
    for (data, calibration, _) in &shots {
        let pose = tables.ego_poses.get(&tables.data, data, "ego_pose_token", &data.ego_pose_token)?;
        images.push(ImageRef {
            camera: camera_of[&calibration.token],
            stamp: stamp(data.timestamp),
            path: dataset.root.join(&*data.filename),
            map_from_ego: Some(pose_of(tables, pose)?),
        });
    }
    Ok((cameras, images))
}

fn camera(tables: &Tables, row: &CalibrationRow, name: String, image_size: [u32; 2]) -> Result<Camera, Error> {
    let [x, y, z] = row.camera_intrinsic[..] else {
        return Err(tables.calibrations.value(row, "camera_intrinsic", "has not three rows, though it is a camera's"));
    };
    Ok(Camera {
        name,
        ego_from_camera: isometry(&tables.calibrations, row, &row.translation, &row.rotation)?,
        intrinsics: Matrix3::from_row_slice(&[x, y, z].concat()),
        image_size,
    })
}

/// One box with its sample's time.
struct Sighting<'a> {
    row: &'a AnnotationRow,
    stamp: Stamp,
}

/// The scene's instances in the order of the instance table.
fn tracks(tables: &Tables, parts: &SceneParts) -> Result<Vec<Track>, Error> {
    let annotations = &tables.annotations;
    let mut by_instance: BTreeMap<usize, Vec<Sighting>> = BTreeMap::new();
    let mut stamp_of: HashMap<&Token, (Stamp, &AnnotationRow)> = HashMap::with_capacity(parts.annotations.len());
    for row in parts.annotations.iter().map(|number| &annotations.rows[*number as usize]) {
        let sample: &SampleRow = tables.samples.get(annotations, row, "sample_token", &row.sample_token)?;
        let instance = tables
            .instances
            .number(&row.instance_token)
            .ok_or_else(|| annotations.dangling(row, "instance_token", InstanceRow::TABLE, &row.instance_token))?;
        let stamp = stamp(sample.timestamp);
        by_instance.entry(instance).or_default().push(Sighting { row, stamp });
        stamp_of.insert(&row.token, (stamp, row));
    }
    let linked = |row: &AnnotationRow, field, token: &Token| match stamp_of.get(token) {
        Some(found) => Ok(Some(*found)),
        None if token.is_empty() => Ok(None),
        None => Err(annotations.dangling(row, field, AnnotationRow::TABLE, token)),
    };

    let mut tracks = Vec::with_capacity(by_instance.len());
    for (number, mut sightings) in by_instance {
        let instance = &tables.instances.rows[number];
        let category =
            tables.categories.get(&tables.instances, instance, "category_token", &instance.category_token)?;
        sightings.sort_by_key(|sighting| sighting.stamp);
        let mut states = Vec::with_capacity(sightings.len());
        for Sighting { row, stamp } in &sightings {
            let previous = linked(row, "prev", &row.prev)?;
            let next = linked(row, "next", &row.next)?;
            let map_from_box = isometry(annotations, row, &row.translation, &row.rotation)?;
            states.push(TrackState {
                stamp: *stamp,
                pose: planar(&map_from_box),
                z: row.translation[2],
                velocity_mps: velocity(previous, (*stamp, row), next),
            });
        }
        // Sizes are those of the instance and the same at each of its boxes.
        let [width, length, height] = sightings[0].row.size;
        tracks.push(Track {
            source_id: instance.token.to_string(),
            class: class(&category.name),
            source_class: category.name.clone(),
            size: [length, width, height],
            states,
        });
    }
    Ok(tracks)
}

/// The devkit's rule (`NuScenes.box_velocity`): the difference from the previous box to the next, or from and to this
/// one at the ends; over 1.5 s, or 3 s with both, there is no estimate. Zero stands for the devkit's NaN.
fn velocity(
    previous: Option<(Stamp, &AnnotationRow)>,
    current: (Stamp, &AnnotationRow),
    next: Option<(Stamp, &AnnotationRow)>,
) -> [f64; 2] {
    let limit_s = if previous.is_some() && next.is_some() { 2.0 * MAX_VELOCITY_TIME_S } else { MAX_VELOCITY_TIME_S };
    let (from, to) = (previous.unwrap_or(current), next.unwrap_or(current));
    let elapsed_s = to.0.seconds_since(from.0);
    if elapsed_s <= 0.0 || elapsed_s > limit_s {
        return [0.0, 0.0];
    }
    [0, 1].map(|axis| (to.1.translation[axis] - from.1.translation[axis]) / elapsed_s)
}

/// The common class of a category name (nuscenes-devkit `docs/instructions_nuscenes.md`).
pub(crate) fn class(category: &str) -> Class {
    let of_prefix = [
        ("human", Class::Pedestrian),
        ("animal", Class::Animal),
        ("vehicle.bicycle", Class::Bicycle),
        ("vehicle.motorcycle", Class::Motorcycle),
        ("vehicle.bus", Class::Bus),
        ("vehicle.truck", Class::Truck),
        ("vehicle.construction", Class::Truck),
        ("vehicle.trailer", Class::Trailer),
        ("vehicle", Class::Car),
        ("movable_object.trafficcone", Class::Cone),
        ("movable_object.barrier", Class::Barrier),
    ];
    of_prefix.iter().find(|(prefix, _)| category.starts_with(prefix)).map_or(Class::Other, |(_, class)| *class)
}
