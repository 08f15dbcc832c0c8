//! One camera of the rig as the node hears of it: mount, calibration, and the newest image.

use std::sync::Arc;

use nalgebra::{Isometry3, Matrix3, Quaternion, Translation3, UnitQuaternion};
use tandem_datasets::Camera;
use tandem_graph::msgs::sensor_msgs::{CameraInfo, CompressedImage};
use tandem_graph::msgs::tf2_msgs::TFMessage;
use tandem_graph::{Inputs, NodeSpec, Sample, Stamp, Topic, topics};
use tandem_sim::camera::Image;

use crate::model::NetworkConfig;
use crate::rig::Preparation;
use crate::{Error, picture};

/// An image of a frame may be older than the newest of the frame by this, ns.
const APART_NS: i64 = 60_000_000;

/// One camera.
pub(super) struct Eye {
    name: String,
    images: Topic<CompressedImage>,
    infos: Topic<CameraInfo>,
    image: Option<Sample<CompressedImage>>,
    info: Option<Arc<CameraInfo>>,
    ego_from_camera: Option<Isometry3<f64>>,
    /// As the latest calibration and mount say; blank if they cannot be used.
    camera: Camera,
    /// Why the camera cannot be used, if so.
    flaw: Option<String>,
}

impl Eye {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            images: topics::camera_image(name),
            infos: topics::camera_info(name),
            image: None,
            info: None,
            ego_from_camera: None,
            camera: blank(name),
            flaw: Some("no calibration yet".to_owned()),
        }
    }

    /// Adds what it reads.
    pub fn declare(&self, spec: NodeSpec) -> NodeSpec {
        spec.reads(&self.infos).reads(&self.images)
    }

    /// Takes in what came, for a network.
    pub fn take(&mut self, inputs: &Inputs, mounts: Option<&TFMessage>, config: &NetworkConfig) {
        self.image = inputs.latest(&self.images).or(self.image.take());
        self.info = inputs.latest(&self.infos).map(|sample| sample.message).or(self.info.take());
        let Some(info) = &self.info else { return };
        let mount = mounts
            .and_then(|mounts| mounts.transforms.iter().find(|mount| mount.child_frame_id == info.header.frame_id));
        if let Some(mount) = mount {
            let (t, q) = (mount.transform.translation, mount.transform.rotation);
            self.ego_from_camera = Some(Isometry3::from_parts(
                Translation3::new(t.x, t.y, t.z),
                UnitQuaternion::from_quaternion(Quaternion::new(q.w, q.x, q.y, q.z)),
            ));
        }
        let Some(ego_from_camera) = self.ego_from_camera else { return };
        let (intrinsics, image_size) = (Matrix3::from_row_slice(&info.k), [info.width, info.height]);
        let known = &self.camera;
        if (known.ego_from_camera, known.intrinsics, known.image_size) != (ego_from_camera, intrinsics, image_size) {
            let camera = Camera { name: self.name.clone(), ego_from_camera, intrinsics, image_size };
            let flaw = Preparation::new(config.image, &camera).err();
            self.camera = if flaw.is_none() { camera } else { blank(&self.name) };
            self.flaw = flaw.map(|error| match error {
                Error::Calibration { reason, .. } => reason,
                error => error.to_string(),
            });
        }
    }

    /// When its newest image was taken.
    pub fn newest(&self) -> Option<Stamp> {
        self.image.as_ref().map(|image| image.capture)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its calibration; blank where there is none that can be used.
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// Whether its calibration can be used.
    pub fn is_calibrated(&self) -> bool {
        self.flaw.is_none()
    }

    /// Its image for the frame of a stamp, or why there is none.
    pub fn look(&self, stamp: Stamp) -> Result<Image, String> {
        self.flaw.clone().map_or_else(|| self.decode(stamp), Err)
    }

    fn decode(&self, stamp: Stamp) -> Result<Image, String> {
        let sample = self.image.as_ref().ok_or("no image yet")?;
        let late_ns = stamp.ns_since(sample.capture);
        if late_ns > APART_NS {
            return Err(format!("its newest image is {} ms late", late_ns / 1_000_000));
        }
        let image = picture::decode(&sample.message.data)?;
        let Image { width, height, .. } = image;
        let info = self.info.as_ref().ok_or("no calibration yet")?;
        if (width, height) != (info.width, info.height) {
            return Err(format!(
                "the image is {width} × {height}, its calibration is for {} × {}",
                info.width, info.height
            ));
        }
        Ok(image)
    }
}

/// The place of a camera of which nothing is known.
fn blank(name: &str) -> Camera {
    let (ego_from_camera, intrinsics) = (Isometry3::identity(), Matrix3::identity());
    Camera { name: name.to_owned(), ego_from_camera, intrinsics, image_size: [0; 2] }
}
