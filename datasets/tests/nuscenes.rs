//! The real nuScenes directory against what the official development kit makes of it.

#![allow(clippy::unwrap_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use data::data;
use nalgebra::{Isometry3, Matrix3, Point3, Quaternion, Translation3, UnitQuaternion, Vector3};
use serde::Deserialize;
use tandem_datasets::{Box3, Camera, Log, discover};

fn logs(data: &Path) -> BTreeMap<String, Log> {
    let found = discover(data.join("nuscenes")).unwrap();
    found.iter().map(|log| (log.id.clone(), log.read().unwrap())).collect()
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let mut bytes = std::fs::read(path).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let packed = std::mem::take(&mut bytes);
        flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    }
    // Python writes what JSON does not have.
    let text = String::from_utf8(bytes).unwrap().replace("NaN", "null");
    serde_json::from_str(&text).unwrap()
}

fn isometry(translation: [f64; 3], rotation_wxyz: [f64; 4]) -> Isometry3<f64> {
    let [w, x, y, z] = rotation_wxyz;
    let rotation = UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z));
    Isometry3::from_parts(Translation3::from(translation), rotation)
}

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Transform {
    translation: [f64; 3],
    rotation_wxyz: [f64; 4],
}

#[derive(Deserialize)]
struct Projected {
    scene: String,
    channel: String,
    filename: String,
    image_size: [u32; 2],
    camera_intrinsic: [[f64; 3]; 3],
    sensor2ego: Transform,
    ego2global: Transform,
    size_wlh: [f64; 3],
    center_global: [f64; 3],
    rotation_global_wxyz: [f64; 4],
    center_camera: [f64; 3],
    corners_camera: [[f64; 3]; 8],
    corners_pixel: [[f64; 2]; 8],
}

impl Projected {
    fn target(&self) -> Box3 {
        let [width, length, height] = self.size_wlh;
        let map_from_box = isometry(self.center_global, self.rotation_global_wxyz);
        Box3 { map_from_box, size: [length, width, height] }
    }

    fn check(&self, camera: &Camera, map_from_ego: &Isometry3<f64>, target: &Box3) {
        let center = camera.in_camera(map_from_ego, target.map_from_box.translation.vector.into());
        assert!((center - Point3::from(self.center_camera)).norm() < 1e-5, "{} {}", self.scene, self.channel);
        for (corner, expected) in target.corners().iter().zip(self.corners_camera) {
            let corner = camera.in_camera(map_from_ego, *corner);
            assert!((corner - Point3::from(expected)).norm() < 1e-5, "{corner} {expected:?}");
        }
        for (pixel, expected) in camera.project(map_from_ego, target).into_iter().zip(self.corners_pixel) {
            let pixel = pixel.unwrap();
            assert!(
                (pixel.x - expected[0]).abs() < 0.01 && (pixel.y - expected[1]).abs() < 0.01,
                "{pixel} {expected:?}"
            );
        }
    }
}

#[test]
fn boxes_project_to_the_devkits_pixels() {
    let Some(data) = data() else { return };
    let golden: Cases<Projected> = json(&data.join("golden/projection/boxes.json"));
    assert!(golden.cases.len() > 20);
    for case in &golden.cases {
        let camera = Camera {
            name: case.channel.clone(),
            ego_from_camera: isometry(case.sensor2ego.translation, case.sensor2ego.rotation_wxyz),
            intrinsics: Matrix3::from_row_slice(case.camera_intrinsic.as_flattened()),
            image_size: case.image_size,
        };
        let map_from_ego = isometry(case.ego2global.translation, case.ego2global.rotation_wxyz);
        case.check(&camera, &map_from_ego, &case.target());
    }
}

/// The same boxes and pixels, but from the log: its camera, its image's pose, its track.
#[test]
fn logged_tracks_project_to_the_devkits_pixels() {
    let Some(data) = data() else { return };
    let logs = logs(&data);
    let golden: Cases<Projected> = json(&data.join("golden/projection/boxes.json"));
    for case in &golden.cases {
        let log = &logs[&case.scene];
        let image = log.images.iter().find(|image| image.path.ends_with(&case.filename)).unwrap();
        let camera = &log.cameras[image.camera];
        assert!(camera.name.starts_with(&case.channel));
        assert_eq!(camera.image_size, case.image_size);
        let near = |state: &tandem_datasets::TrackState| {
            let center = Point3::new(state.pose.x, state.pose.y, state.z);
            (center - Point3::from(case.center_global)).norm() < 1e-9
        };
        let (track, state) =
            log.tracks.iter().find_map(|track| Some((track, track.states.iter().find(|state| near(state))?))).unwrap();
        case.check(camera, &image.map_from_ego.unwrap(), &Box3::of_track(track, state));
    }
}

#[derive(Deserialize)]
struct Rotations {
    a_wxyz: [f64; 4],
    b_wxyz: [f64; 4],
    t: f64,
    slerp_wxyz: [f64; 4],
    a_matrix: [[f64; 3]; 3],
    a_times_b_wxyz: [f64; 4],
}

#[test]
fn rotations_are_those_of_pyquaternion() {
    let Some(data) = data() else { return };
    let golden: Cases<Rotations> = json(&data.join("golden/projection/quaternions.json"));
    let rotation = |wxyz| isometry([0.0; 3], wxyz).rotation;
    for case in &golden.cases {
        let (a, b) = (rotation(case.a_wxyz), rotation(case.b_wxyz));
        assert!((a * b).angle_to(&rotation(case.a_times_b_wxyz)) < 1e-7);
        assert!(a.slerp(&b, case.t).angle_to(&rotation(case.slerp_wxyz)) < 1e-7);
        let expected = Matrix3::from_row_slice(case.a_matrix.as_flattened());
        assert!((a.to_rotation_matrix().matrix() - expected).norm() < 1e-12);
        let yaw = tandem_datasets::log::planar(&Isometry3::from_parts(Translation3::identity(), a)).yaw;
        // The devkit's `quaternion_yaw`: where the x axis points on the ground.
        assert!((yaw - expected[(1, 0)].atan2(expected[(0, 0)])).abs() < 1e-9, "{yaw}");
    }
}

#[derive(Deserialize)]
struct Published {
    timestamp: i64,
    lidar2ego_translation: [f64; 3],
    lidar2ego_rotation: [f64; 4],
    ego2global_translation: [f64; 3],
    ego2global_rotation: [f64; 4],
    /// x, y, z, width, length, height, yaw in the lidar's frame.
    gt_boxes: Vec<[f64; 7]>,
    /// In the lidar's frame; null where there is none.
    gt_velocity: Vec<[Option<f64>; 2]>,
}

#[test]
fn boxes_and_velocities_equal_the_published_ones() {
    let Some(data) = data() else { return };
    let log = logs(&data).remove("scene-0103").unwrap();
    let frames: Vec<Published> = json(&data.join("nuscenes/extra/scene-0103_mmdet_infos.json.gz"));
    let mut compared = 0;
    for frame in frames {
        let map_from_lidar = isometry(frame.ego2global_translation, frame.ego2global_rotation)
            * isometry(frame.lidar2ego_translation, frame.lidar2ego_rotation);
        for (center, velocity) in frame.gt_boxes.iter().zip(frame.gt_velocity) {
            let center = map_from_lidar * Point3::new(center[0], center[1], center[2]);
            let state = log.tracks.iter().flat_map(|track| &track.states).find(|state| {
                state.stamp.ns() == frame.timestamp * 1_000
                    && (Point3::new(state.pose.x, state.pose.y, state.z) - center).norm() < 1e-6
            });
            let state = state.unwrap_or_else(|| panic!("no box at {center} at {}", frame.timestamp));
            let [Some(x), Some(y)] = velocity else {
                assert_eq!(state.velocity_mps, [0.0, 0.0]);
                continue;
            };
            // The map's planar velocity, turned into the lidar's frame and cut to its plane.
            let in_lidar =
                map_from_lidar.rotation.inverse() * Vector3::new(state.velocity_mps[0], state.velocity_mps[1], 0.0);
            // The devkit subtracts Unix seconds as doubles, which are exact to a quarter of a microsecond.
            let tolerance = 1e-6 * (1.0 + x.hypot(y));
            assert!((in_lidar.x - x).hypot(in_lidar.y - y) < tolerance, "{in_lidar} {x} {y}");
            compared += 1;
        }
    }
    assert!(compared > 1_500, "{compared}");
}

#[test]
fn all_scenes_load_with_what_they_have() {
    let Some(data) = data() else { return };
    let logs = logs(&data);
    let counts: Vec<_> = logs
        .values()
        .map(|log| (&*log.id, log.tracks.iter().map(|track| track.states.len()).sum::<usize>(), log.cameras.len()))
        .collect();
    // 9,308 annotations in all.
    let expected =
        [("scene-0061", 4_664, 7), ("scene-0103", 2_090, 6), ("scene-0553", 1_950, 1), ("scene-0757", 604, 1)];
    assert_eq!(counts, expected);
    let present = logs.values().flat_map(|log| &log.images).filter(|image| image.path.is_file()).count();
    assert_eq!(present, 44, "all camera images of the folder");
    // scene-0061 has a second CAM_FRONT calibration for its small images.
    let cameras = &logs["scene-0061"].cameras;
    assert_eq!(cameras.len(), 7);
    let named = |name: &str| cameras.iter().find(|camera| camera.name == name).unwrap();
    assert_eq!((named("CAM_FRONT").image_size, named("CAM_FRONT_2").image_size), ([1600, 900], [640, 360]));
}

/// From the data's README: path lengths, top speeds, the turn.
#[test]
fn ego_motion_is_what_is_known_of_the_scenes() {
    let Some(data) = data() else { return };
    let logs = logs(&data);
    for (id, metres, top_mps) in [("scene-0061", 92.0, 9.0), ("scene-0103", 119.0, 9.0), ("scene-0553", 0.0, 0.0)] {
        let states = &logs[id].ego.states;
        let path: f64 =
            states.windows(2).map(|pair| (pair[1].pose().position() - pair[0].pose().position()).norm()).sum();
        assert!((path - metres).abs() < 0.03 * metres + 0.5, "{id}: {path} m");
        let top = states.iter().map(|state| state.speed_mps).fold(0.0, f64::max);
        assert!((top - top_mps).abs() < 0.6, "{id}: {top} m/s");
        let speed_path: f64 = states
            .windows(2)
            .map(|pair| pair[0].speed_mps.midpoint(pair[1].speed_mps) * pair[1].stamp.seconds_since(pair[0].stamp))
            .sum();
        assert!((speed_path - path).abs() < 0.02 * metres + 0.5, "{id}: {speed_path} m by speed, {path} m by position");
    }
    let states = &logs["scene-0061"].ego.states;
    let turned: f64 = states
        .windows(2)
        .map(|pair| {
            pair[0].yaw_rate_radps.midpoint(pair[1].yaw_rate_radps) * pair[1].stamp.seconds_since(pair[0].stamp)
        })
        .sum();
    assert!((turned.to_degrees() - 98.0).abs() < 5.0, "{} degrees", turned.to_degrees());
}
