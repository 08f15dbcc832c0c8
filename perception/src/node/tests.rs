//! The node with cameras that fail in every way.

use std::io::Cursor;

use burn::backend::Flex;
use image::{ImageFormat, RgbImage};
use tandem_datasets::Camera;
use tandem_datasets::messages::{camera_info, mounts};
use tandem_graph::lockstep::{Lockstep, NodeLatency};
use tandem_graph::msgs::sensor_msgs::{CameraInfo, CompressedImage};
use tandem_graph::topics::{camera_image, camera_info as info_topic};
use tandem_sim::camera::rig;

use super::*;
use crate::engine::Burn;
use crate::model::{DepthBins, Grid, Network, NetworkConfig};

/// Between two moments.
const APART: Duration = Duration::from_millis(200);

/// A network small enough to answer in a moment.
fn perceiver() -> Perceiver {
    let config = NetworkConfig {
        image: [32, 96],
        neck: 8,
        context: 4,
        depth: DepthBins { count: 6, ..NetworkConfig::tiny().depth },
        grid: Grid { extent_m: 25.6, cells: 32, heights_m: vec![0.5] },
        lifted: 4,
        encoder: [4, 8, 8],
        blocks: [1, 1, 1],
        head: 8,
        forecast_objects: 8,
        ..NetworkConfig::tiny()
    };
    let device = Default::default();
    Perceiver::new(Burn::new(Network::<Flex>::new(&config, &device), config, device).shared())
}

/// What a camera gives: its calibration, and its image file if there is one.
type Given = (CameraInfo, Option<Vec<u8>>);

/// A rig that stands still, some of whose cameras fail.
struct Stand<F> {
    cameras: Vec<Camera>,
    fail: F,
    is_mounted: bool,
}

impl<F: FnMut(usize, &mut Given) + Send> Node for Stand<F> {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::every("stand", APART).writes(&ODOMETRY).writes_latched(&TF_STATIC);
        let names = self.cameras.iter().map(|camera| &camera.name);
        names.fold(spec, |spec, name| spec.writes(&info_topic(name)).writes(&camera_image(name)))
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        if !std::mem::replace(&mut self.is_mounted, true) {
            outputs.publish(&TF_STATIC, now, mounts(&self.cameras, now));
        }
        let mut odometry = Odometry { header: Header::new(now, MAP_FRAME), ..Default::default() };
        odometry.pose.pose.orientation.w = 1.0;
        outputs.publish(&ODOMETRY, now, odometry);
        for (number, camera) in self.cameras.iter().enumerate() {
            let mut given = (camera_info(camera, now), Some(picture(camera.image_size)));
            (self.fail)(number, &mut given);
            let (info, data) = given;
            let header = info.header.clone();
            outputs.publish(&info_topic(&camera.name), now, info);
            if let Some(data) = data {
                outputs.publish(
                    &camera_image(&camera.name),
                    now,
                    CompressedImage { header, format: "png".into(), data },
                );
            }
        }
    }
}

fn picture([width, height]: [u32; 2]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What the node says.
#[derive(Default)]
struct Listener {
    statuses: Vec<DiagnosticStatus>,
    objects: usize,
}

impl Node for Listener {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("listener", PERIOD).reads_queue(&PERCEPTION_STATUS, 64).reads_queue(&OBJECTS, 64)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
        for sample in inputs.fresh(&PERCEPTION_STATUS) {
            self.statuses.extend(sample.message.status.iter().cloned());
        }
        self.objects += inputs.fresh(&OBJECTS).len();
    }
}

/// Runs the node for three moments; the last status and the number of answers.
fn run(fail: impl FnMut(usize, &mut Given) + Send) -> (DiagnosticStatus, usize) {
    let cameras = rig::nuscenes(96, 32);
    let names: Vec<String> = cameras.iter().map(|camera| camera.name.clone()).collect();
    let mut listener = Listener::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(Stand { cameras, fail, is_mounted: false }, NodeLatency::NONE)
        .add(PerceptionNode::new(perceiver(), &names), NodeLatency::NONE)
        .add(&mut listener, NodeLatency::NONE);
    run.run_until(Stamp::ZERO.offset_ns(590_000_000)).unwrap();
    (listener.statuses.last().unwrap().clone(), listener.objects)
}

/// One camera does without; the others go on, and the status names it and why.
fn degrades(fail: impl FnMut(usize, &mut Given) + Send, camera: &str, why: &str) {
    let (status, answers) = run(fail);
    assert_eq!((status.level, answers), (DiagnosticStatus::WARN, 3), "{status:?}");
    assert_eq!(status.message, "1 of 6 cameras do not see");
    let [blind] = status.values.as_slice() else { panic!("{status:?}") };
    assert_eq!(blind.key, camera);
    assert!(blind.value.contains(why) && blind.value.lines().count() == 1, "{}", blind.value);
}

#[test]
fn with_all_cameras_all_is_well() {
    let (status, answers) = run(|_, _| {});
    assert_eq!((status.level, status.message.as_str(), answers), (DiagnosticStatus::OK, "all cameras see", 3));
}

#[test]
fn a_camera_without_images_is_done_without() {
    let fail = |number: usize, given: &mut Given| {
        if number == 2 {
            given.1 = None;
        }
    };
    degrades(fail, "CAM_BACK_RIGHT", "no image yet");
}

#[test]
fn a_camera_that_froze_is_done_without() {
    let mut moments = 0;
    let fail = move |number: usize, given: &mut Given| {
        if number == 0 {
            moments += 1;
            if moments > 1 {
                given.1 = None;
            }
        }
    };
    degrades(fail, "CAM_FRONT", "400 ms late");
}

#[test]
fn damaged_images_are_done_without() {
    let cut = |number: usize, given: &mut Given| {
        if number == 1
            && let Some(bytes) = &mut given.1
        {
            bytes.truncate(20);
        }
    };
    degrades(cut, "CAM_FRONT_RIGHT", "damaged image");
}

#[test]
fn images_of_another_size_are_done_without() {
    let other = |number: usize, given: &mut Given| {
        if number == 3 {
            given.1 = Some(picture([40, 30]));
        }
    };
    degrades(other, "CAM_BACK", "the image is 40 × 30, its calibration is for 96 × 32");
}

#[test]
fn a_camera_whose_calibration_is_no_number_is_done_without() {
    let broken = |number: usize, given: &mut Given| {
        if number == 4 {
            given.0.k[0] = f64::NAN;
        }
    };
    degrades(broken, "CAM_BACK_LEFT", "its intrinsics are no pinhole matrix");
}

#[test]
fn without_any_image_it_says_that_no_camera_sees() {
    let (status, answers) = run(|_, given| given.1 = Some(Vec::new()));
    assert_eq!((status.level, status.message.as_str(), answers), (DiagnosticStatus::ERROR, "no camera sees", 3));
}

#[test]
fn a_rig_without_cameras_is_said_once() {
    let mut listener = Listener::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(PerceptionNode::new(perceiver(), &[]), NodeLatency::NONE).add(&mut listener, NodeLatency::NONE);
    run.run_until(Stamp::ZERO.offset_ns(590_000_000)).unwrap();
    let [status] = listener.statuses.as_slice() else { panic!("{:?}", listener.statuses) };
    assert_eq!((status.level, status.message.as_str()), (DiagnosticStatus::ERROR, "the rig has no cameras"));
}
