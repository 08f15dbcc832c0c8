//! The vehicle's cameras: what they see of the place and of the traffic as it truly is, as JPEG images.

use std::collections::VecDeque;
use std::sync::Arc;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use tandem_datasets::{DetectionClass, Pose2, messages};
use tandem_graph::msgs::sensor_msgs::{CameraInfo, CompressedImage};
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::topics::{ODOMETRY, SIM_OBJECTS, TF_STATIC, camera_image, camera_info, camera_name};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};

use super::brakes::Brakes;
use super::convert;
use crate::camera::{Guise, Image, Look, Scenery, Subject, Visibility, visibility};
use crate::course::Course;
use crate::faults::{CameraFault, CameraFaultKind};
use crate::sight::CameraSight;
use crate::world::hazard::Staging;

/// How good the JPEGs are, of 100.
const QUALITY: u8 = 90;

/// How far apart the pictures are that are kept to be looked at, ns.
const KEEP_NS: i64 = 1_000_000_000;

/// How late the images of a late camera are, ns.
const LATE_NS: i64 = 500_000_000;

/// One moment as the cameras saw it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// When.
    pub stamp: Stamp,
    /// Where the vehicle was.
    pub map_from_ego: Isometry3<f64>,
    /// The image file of each camera of the rig, as published; `None` where it gave none.
    pub jpegs: Vec<Option<Vec<u8>>>,
    /// Everything that was there, and how much of it showed.
    pub subjects: Vec<(Subject, Option<Visibility>)>,
}

/// An image that is late.
struct Held {
    due: Stamp,
    /// Which of the rig's cameras it is from.
    camera: usize,
    capture: Stamp,
    jpeg: Vec<u8>,
}

/// The cameras' node: stepped by the true objects, it exposes all cameras at once at its own rate.
pub struct Cameras {
    course: Arc<Course>,
    sight: Arc<CameraSight>,
    scenery: Scenery,
    topics: Vec<(Topic<CompressedImage>, Topic<CameraInfo>)>,
    faults: Vec<CameraFault>,
    brakes: Brakes,
    are_mounts_sent: bool,
    /// Images of late cameras, by when they are due.
    held: VecDeque<Held>,
    pictures: Vec<Picture>,
}

impl Cameras {
    /// The cameras of a sight on a course, some of which fail.
    pub fn new(course: &Arc<Course>, sight: &Arc<CameraSight>, faults: &[CameraFault]) -> Self {
        let staging = course.staging.as_deref();
        let own = || staging.map_or_else(|| Look::of_log(&course.log.id), |staging| staging.look.clone());
        let look = sight.look.clone().unwrap_or_else(own);
        let scenery = Scenery::new(&course.log, &look).flooded(staging.map_or(&[], Staging::flooded));
        Self {
            course: Arc::clone(course),
            sight: Arc::clone(sight),
            scenery,
            topics: sight.rig.iter().map(|camera| (camera_image(&camera.name), camera_info(&camera.name))).collect(),
            faults: faults.to_vec(),
            brakes: Brakes::default(),
            are_mounts_sent: false,
            held: VecDeque::new(),
            pictures: Vec::new(),
        }
    }

    /// What it is called, reads and writes.
    pub(crate) fn node_spec(sight: &CameraSight) -> NodeSpec {
        let spec = NodeSpec::on("cameras", &SIM_OBJECTS).reads(&ODOMETRY).writes_latched(&TF_STATIC);
        let names = sight.rig.iter().map(|camera| &camera.name);
        names.fold(spec, |spec, name| spec.writes(&camera_info(name)).writes(&camera_image(name)))
    }

    /// What the cameras saw, about a second apart, the first one at the start of the run.
    pub fn into_pictures(self) -> Vec<Picture> {
        self.pictures
    }

    /// How a camera fails at a time, if it does.
    fn fault(&self, camera: usize, now: Stamp) -> Option<CameraFaultKind> {
        let name = camera_name(&self.sight.rig[camera].name);
        let time_s = now.seconds_since(self.course.start);
        let is_now = |fault: &&CameraFault| fault.camera == name && fault.during.holds(time_s);
        self.faults.iter().find(is_now).map(|fault| fault.kind)
    }

    fn subject(&self, object: &messages::Object) -> Subject {
        let log = &self.course.log;
        let track = log.tracks.get(object.number as usize);
        Subject {
            detection: track.map_or_else(|| DetectionClass::of_class(object.class), DetectionClass::of),
            guise: track.and_then(|track| Guise::of(&track.source_class)),
            braking: self.brakes.are_on(object, log),
            ..Subject::from(object)
        }
    }

    /// The vehicle upright on the ground, as high as the log has it then.
    fn map_from_ego(&self, now: Stamp, pose: Pose2) -> Isometry3<f64> {
        let z = self.course.log.ego_at(now).map_or(0.0, |state| state.map_from_ego.translation.z);
        let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), pose.yaw);
        Isometry3::from_parts(Translation3::new(pose.x, pose.y, z), rotation)
    }

    fn expose(&mut self, now: Stamp, pose: Pose2, objects: &[messages::Object], outputs: &mut Outputs) {
        let map_from_ego = self.map_from_ego(now, pose);
        let subjects: Vec<Subject> = objects.iter().map(|object| self.subject(object)).collect();
        let shots = self.scenery.shots(&self.sight.rig, &map_from_ego, &subjects, now, false);
        let mut jpegs = Vec::with_capacity(shots.len());
        for (camera, shot) in shots.iter().enumerate() {
            let fault = self.fault(camera, now);
            let mut jpeg = jpeg(&shot.image).filter(|_| fault != Some(CameraFaultKind::Missing));
            if let (Some(bytes), Some(CameraFaultKind::Corrupt)) = (&mut jpeg, fault) {
                corrupt(bytes);
            }
            match &jpeg {
                Some(bytes) if fault == Some(CameraFaultKind::Late) => {
                    let (due, jpeg) = (now.offset_ns(LATE_NS), bytes.clone());
                    self.held.push_back(Held { due, camera, capture: now, jpeg });
                }
                Some(bytes) => self.publish(camera, now, bytes.clone(), outputs),
                None => {}
            }
            jpegs.push(jpeg);
        }
        let keep_from = self.course.start.offset_ns(self.pictures.len() as i64 * KEEP_NS);
        if now >= keep_from {
            let seen = visibility(&shots);
            let subjects = subjects.into_iter().map(|subject| (subject, seen.get(&subject.number).copied())).collect();
            self.pictures.push(Picture { stamp: now, map_from_ego, jpegs, subjects });
        }
    }

    fn publish(&self, camera: usize, capture: Stamp, data: Vec<u8>, outputs: &mut Outputs) {
        let (image, info) = &self.topics[camera];
        let calibration = messages::camera_info(&self.sight.rig[camera], capture);
        let header = Header::new(capture, calibration.header.frame_id.clone());
        outputs.publish(info, capture, calibration);
        outputs.publish(image, capture, CompressedImage { header, format: "jpeg".into(), data });
    }
}

impl Node for Cameras {
    fn spec(&self) -> NodeSpec {
        Self::node_spec(&self.sight)
    }

    fn step(&mut self, step: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        if !self.are_mounts_sent {
            self.are_mounts_sent = true;
            outputs.publish(&TF_STATIC, step, messages::mounts(&self.sight.rig, step));
        }
        while self.held.front().is_some_and(|held| held.due <= step) {
            if let Some(Held { camera, capture, jpeg, .. }) = self.held.pop_front() {
                self.publish(camera, capture, jpeg, outputs);
            }
        }
        let (Some(truth), Some(odometry)) = (inputs.latest(&SIM_OBJECTS), inputs.latest(&ODOMETRY)) else { return };
        let now = truth.capture;
        let objects: Vec<_> = truth.message.objects.iter().map(|object| messages::object_of(object, now)).collect();
        self.brakes.step(&objects);
        let period_ns = i64::try_from(self.sight.period.as_nanos()).unwrap_or(i64::MAX).max(1);
        if now.ns_since(self.course.first()).rem_euclid(period_ns) == 0 {
            let (pose, _) = convert::ego(&odometry.message);
            self.expose(now, pose, &objects, outputs);
        }
    }
}

/// The image as a file; `None` for an empty one, which a camera that does not exist sees.
fn jpeg(image: &Image) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(&image.rgb, image.width, image.height, ExtendedColorType::Rgb8).ok()?;
    Some(bytes)
}

/// Loses the lower half of a picture: from the middle of its file on there is nothing but zeros.
fn corrupt(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
}
