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
}

/// What a camera gives to a frame.
pub(super) struct Look {
    /// The camera's name.
    pub name: String,
    /// Its calibration, where it is known and can be used.
    pub camera: Option<Camera>,
    /// Its image.
    pub image: Option<Image>,
    /// Why there is none.
    pub trouble: Option<String>,
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
        }
    }

    /// Adds what it reads.
    pub fn declare(&self, spec: NodeSpec) -> NodeSpec {
        spec.reads(&self.infos).reads(&self.images)
    }

    /// Takes in what came.
    pub fn take(&mut self, inputs: &Inputs, mounts: Option<&TFMessage>) {
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
    }

    /// When its newest image was taken.
    pub fn newest(&self) -> Option<Stamp> {
        self.image.as_ref().map(|image| image.capture)
    }

    /// What it gives to the frame of a stamp, for a network.
    pub fn look(&self, stamp: Stamp, config: &NetworkConfig) -> Look {
        let usable = |camera: Camera| match Preparation::new(config, &camera) {
            Ok(_) => Ok(camera),
            Err(Error::Calibration { reason, .. }) => Err(reason),
            Err(error) => Err(error.to_string()),
        };
        let name = self.name.clone();
        match self.camera().ok_or_else(|| "no calibration yet".to_owned()).and_then(usable) {
            Ok(camera) => {
                let (image, trouble) = match self.decode(stamp) {
                    Ok(image) => (Some(image), None),
                    Err(trouble) => (None, Some(trouble)),
                };
                Look { name, camera: Some(camera), image, trouble }
            }
            Err(trouble) => Look { name, camera: None, image: None, trouble: Some(trouble) },
        }
    }

    fn camera(&self) -> Option<Camera> {
        let info = self.info.as_ref()?;
        Some(Camera {
            name: self.name.clone(),
            ego_from_camera: self.ego_from_camera?,
            intrinsics: Matrix3::from_row_slice(&info.k),
            image_size: [info.width, info.height],
        })
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
