//! Cameras as calibration and mounts, and back.

use nalgebra::{Isometry3, Matrix3, Quaternion as Rotation, Translation3, UnitQuaternion};
use tandem_graph::Stamp;
use tandem_graph::msgs::geometry_msgs::{Quaternion, Transform, TransformStamped, Vector3};
use tandem_graph::msgs::sensor_msgs::CameraInfo;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tf2_msgs::TFMessage;
use tandem_graph::topics::camera_name;

use super::EGO_FRAME;
use crate::log::Camera;

/// A camera's optical frame: x to its right, y down, z ahead.
pub fn camera_frame(camera: &str) -> String {
    format!("camera/{}", camera_name(camera))
}

/// A pinhole camera's calibration. Its images are rectified as they are.
pub fn camera_info(camera: &Camera, stamp: Stamp) -> CameraInfo {
    let k = &camera.intrinsics;
    let [width, height] = camera.image_size;
    CameraInfo {
        header: Header::new(stamp, camera_frame(&camera.name)),
        height,
        width,
        distortion_model: "plumb_bob".into(),
        d: vec![0.0; 5],
        k: std::array::from_fn(|index| k[(index / 3, index % 3)]),
        r: std::array::from_fn(|index| if index % 4 == 0 { 1.0 } else { 0.0 }),
        p: std::array::from_fn(|index| if index % 4 < 3 { k[(index / 4, index % 4)] } else { 0.0 }),
        ..CameraInfo::default()
    }
}

/// Where the cameras sit on the vehicle: `base_link` from each optical frame.
pub fn mounts(cameras: &[Camera], stamp: Stamp) -> TFMessage {
    let mount = |camera: &Camera| {
        let Isometry3 { rotation, translation } = camera.ego_from_camera;
        let [x, y, z] = translation.vector.into();
        let [i, j, k, w] = rotation.coords.into();
        TransformStamped {
            header: Header::new(stamp, EGO_FRAME),
            child_frame_id: camera_frame(&camera.name),
            transform: Transform { translation: Vector3 { x, y, z }, rotation: Quaternion { x: i, y: j, z: k, w } },
        }
    };
    TFMessage { transforms: cameras.iter().map(mount).collect() }
}

/// The camera of this name behind its calibration and the mounts; `None` where the mounts don't tell of it.
pub fn camera_of(name: &str, info: &CameraInfo, mounts: &TFMessage) -> Option<Camera> {
    let frame = camera_frame(name);
    let mount = mounts.transforms.iter().find(|mount| mount.child_frame_id == frame)?;
    let Transform { translation: Vector3 { x, y, z }, rotation } = mount.transform;
    let rotation = Rotation::new(rotation.w, rotation.x, rotation.y, rotation.z);
    Some(Camera {
        name: name.to_owned(),
        ego_from_camera: Isometry3::from_parts(
            Translation3::new(x, y, z),
            // As it was sent: another normalisation would change its last bits.
            UnitQuaternion::new_unchecked(rotation),
        ),
        intrinsics: Matrix3::from_row_slice(&info.k),
        image_size: [info.width, info.height],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_comes_back_from_its_messages_to_the_last_bit() {
        let camera = Camera {
            name: "CAM_BACK_LEFT".into(),
            ego_from_camera: Isometry3::new([1.03, 0.48, 1.59].into(), [0.3, -1.2, 0.7].into()),
            intrinsics: Matrix3::new(201.5, 0.1, 126.7, 0.0, 203.5, 33.25, 0.0, 0.0, 1.0),
            image_size: [256, 96],
        };
        let info = camera_info(&camera, Stamp::ZERO);
        assert_eq!((info.p[3], info.p[5], info.r), (0.0, 203.5, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]));
        assert_eq!(info.header.frame_id, "camera/back_left");
        let mounts = mounts(std::slice::from_ref(&camera), Stamp::ZERO);
        assert_eq!(camera_of(&camera.name, &info, &mounts), Some(camera));
        assert_eq!(camera_of("CAM_FRONT", &info, &mounts), None);
    }
}
