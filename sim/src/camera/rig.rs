//! Rigs of cameras: the usual six, one from a file, and variations to learn from.

use std::path::Path;

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use serde::Deserialize;
use tandem_datasets::Camera;

use super::noise::Dice;
use crate::Error;

/// The size of nuScenes' images, px.
pub const FULL: [f64; 2] = [1600.0, 900.0];

/// A camera's name, mount (m), yaw (deg), focal length and principal point (px).
type Usual = (&'static str, [f64; 3], f64, f64, [f64; 2]);

/// The six cameras of a nuScenes vehicle, rounded.
const NUSCENES: [Usual; 6] = [
    ("CAM_FRONT", [1.70, 0.0, 1.51], 0.0, 1266.0, [816.0, 491.0]),
    ("CAM_FRONT_RIGHT", [1.55, -0.49, 1.50], -55.0, 1260.0, [808.0, 495.0]),
    ("CAM_BACK_RIGHT", [1.02, -0.48, 1.56], -110.0, 1259.0, [807.0, 501.0]),
    ("CAM_BACK", [0.03, 0.0, 1.57], 180.0, 809.0, [829.0, 482.0]),
    ("CAM_BACK_LEFT", [1.03, 0.48, 1.59], 110.0, 1257.0, [792.0, 493.0]),
    ("CAM_FRONT_LEFT", [1.52, 0.49, 1.51], 55.0, 1272.0, [827.0, 480.0]),
];

/// How a camera sits on the vehicle: yaw counter-clockwise, pitch down, roll to the right, all rad.
fn mounted(position_m: [f64; 3], yaw_rad: f64, pitch_rad: f64, roll_rad: f64) -> Isometry3<f64> {
    // The optical frame looks along the vehicle's x axis, with x to its right and y down.
    let ego_from_optical =
        Rotation3::from_matrix_unchecked(Matrix3::new(0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0));
    let turned = Rotation3::from_euler_angles(roll_rad, pitch_rad, yaw_rad) * ego_from_optical;
    let [x, y, z] = position_m;
    Isometry3::from_parts(Translation3::new(x, y, z), UnitQuaternion::from_rotation_matrix(&turned))
}

/// The six cameras of a nuScenes vehicle with images of `width` × `height`: the full image scaled to the width, and rows
/// cut off at the top (as BEVDet prepares its input). The principal point follows exactly.
pub fn nuscenes(width: u32, height: u32) -> Vec<Camera> {
    let cameras = NUSCENES.map(|(name, position_m, yaw_deg, focal_px, [cx, cy])| {
        let full = Camera {
            name: name.to_owned(),
            ego_from_camera: mounted(position_m, yaw_deg.to_radians(), 0.0, 0.0),
            intrinsics: Matrix3::new(focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0),
            image_size: FULL.map(|side| side as u32),
        };
        fitted(&full, width, height)
    });
    cameras.into()
}

/// A camera with images of another size: scaled to the width, then rows cut off (or added) at the top.
pub fn fitted(camera: &Camera, width: u32, height: u32) -> Camera {
    let scale = f64::from(width) / f64::from(camera.image_size[0].max(1));
    let cut_px = f64::from(camera.image_size[1]) * scale - f64::from(height);
    let resize = Matrix3::new(scale, 0.0, 0.0, 0.0, scale, -cut_px, 0.0, 0.0, 1.0);
    Camera { intrinsics: resize * camera.intrinsics, image_size: [width, height], ..camera.clone() }
}

/// One camera in a rig's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// Where it sits, m, in the frame of the rear axle: forward, left, up.
    position_m: [f64; 3],
    #[serde(default)]
    yaw_deg: f64,
    #[serde(default)]
    pitch_deg: f64,
    #[serde(default)]
    roll_deg: f64,
    /// One focal length, or two.
    focal_px: Focal,
    principal_point_px: [f64; 2],
    image_size: [u32; 2],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Focal {
    One(f64),
    Two([f64; 2]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rig {
    cameras: Vec<Entry>,
}

/// Reads a rig: `{"cameras": [{"name", "position_m": [forward, left, up], "yaw_deg", "pitch_deg", "roll_deg",
/// "focal_px", "principal_point_px", "image_size"}]}`. Yaw is counter-clockwise, pitch down, roll to the right.
///
/// # Errors
/// If the file can't be read, or describes no camera that could be.
pub fn read(path: &Path) -> Result<Vec<Camera>, Error> {
    let wrong = |reason: String| Error::Rig { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let rig: Rig = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let cameras: Vec<Camera> = rig.cameras.into_iter().map(camera_of).collect();
    check(&cameras).map_err(wrong)?;
    Ok(cameras)
}

fn camera_of(entry: Entry) -> Camera {
    let [fx, fy] = match entry.focal_px {
        Focal::One(focal) => [focal; 2],
        Focal::Two(focal) => focal,
    };
    let [cx, cy] = entry.principal_point_px;
    let [yaw, pitch, roll] = [entry.yaw_deg, entry.pitch_deg, entry.roll_deg].map(f64::to_radians);
    Camera {
        name: entry.name,
        ego_from_camera: mounted(entry.position_m, yaw, pitch, roll),
        intrinsics: Matrix3::new(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
        image_size: entry.image_size,
    }
}

/// Says what is wrong with a rig, in one line.
///
/// # Errors
/// If there is no camera, a figure is not finite, a focal length not positive, or an image empty or larger than
/// 16,384 px.
pub fn check(cameras: &[Camera]) -> Result<(), String> {
    if cameras.is_empty() {
        return Err("no cameras".to_owned());
    }
    for camera in cameras {
        let name = &camera.name;
        let mount = camera.ego_from_camera.to_matrix();
        if !mount.iter().chain(camera.intrinsics.iter()).all(|value| value.is_finite()) {
            return Err(format!("camera {name}: a figure is not finite"));
        }
        if !(camera.intrinsics[(0, 0)] > 0.0 && camera.intrinsics[(1, 1)] > 0.0) {
            return Err(format!("camera {name}: the focal length is not positive"));
        }
        if camera.image_size.iter().any(|side| !(1..=16_384).contains(side)) {
            let [width, height] = camera.image_size;
            return Err(format!("camera {name}: an image of {width} × {height} px"));
        }
    }
    Ok(())
}

/// A rig like the given one, with every camera mounted and built a little differently: by ± 0.15 m (height ± 0.25 m for
/// all together), ± 4° of yaw, ± 2.5° of pitch, ± 1.5° of roll, and ± 10 % of focal length for all together.
pub fn varied(cameras: &[Camera], seed: u64) -> Vec<Camera> {
    let mut dice = Dice::new(seed, 3);
    let mut around = |reach: f64| f64::from(dice.between(-1.0, 1.0)) * reach;
    let (focal, raised_m, tilt_deg) = (1.0 + around(0.1), around(0.25), around(1.5));
    let vary = |camera: &Camera| {
        let mut varied = camera.clone();
        let moved = Vector3::new(around(0.15), around(0.15), around(0.05) + raised_m);
        let [yaw, pitch, roll] = [around(4.0), tilt_deg + around(1.0), around(1.5)].map(f64::to_radians);
        // Pitch and roll belong to the camera, yaw to the vehicle's upright axis.
        let about_up = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw);
        let in_camera = UnitQuaternion::from_axis_angle(&Vector3::x_axis(), -pitch)
            * UnitQuaternion::from_axis_angle(&Vector3::z_axis(), roll);
        varied.ego_from_camera.rotation = about_up * camera.ego_from_camera.rotation * in_camera;
        varied.ego_from_camera.translation.vector += moved;
        varied.intrinsics[(0, 0)] *= focal;
        varied.intrinsics[(0, 1)] *= focal;
        varied.intrinsics[(1, 1)] *= focal;
        varied
    };
    cameras.iter().map(vary).collect()
}
