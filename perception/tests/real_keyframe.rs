//! The six real images of scene-0061's first keyframe through the whole node, and what it makes of them as a picture.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;
mod overlay;

use std::path::{Path, PathBuf};
use std::time::Duration;

use nalgebra::Isometry3;
use tandem_datasets::Camera;
use tandem_datasets::messages::{MAP_FRAME, camera_info, mounts};
use tandem_graph::lockstep::{Lockstep, NodeLatency};
use tandem_graph::msgs::autoware_planning_msgs::Trajectory;
use tandem_graph::msgs::builtin_interfaces::Duration as TimeSpan;
use tandem_graph::msgs::diagnostic_msgs::DiagnosticStatus;
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::msgs::sensor_msgs::CompressedImage;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::topics::{
    BEV_GRID, EGO_PATH, EMBEDDING, OBJECTS, ODOMETRY, PERCEPTION_STATUS, SEEN_LANES, TF_STATIC, camera_image,
    camera_info as info_topic,
};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_perception::engine;
use tandem_perception::model::NetworkConfig;
use tandem_perception::node::PerceptionNode;
use tandem_perception::perceiver::Perceiver;
use tandem_perception::rig::Pixels;
use tandem_perception::train::drives::Drives;

/// A vehicle that stands and sends the same images over and over.
struct Vehicle {
    cameras: Vec<Camera>,
    files: Vec<PathBuf>,
    map_from_ego: Isometry3<f64>,
}

impl Node for Vehicle {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::every("vehicle", Duration::from_millis(500)).writes(&ODOMETRY).writes_latched(&TF_STATIC);
        let names = self.cameras.iter().map(|camera| &camera.name);
        names.fold(spec, |spec, name| spec.writes(&info_topic(name)).writes(&camera_image(name)))
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        outputs.publish(&TF_STATIC, now, mounts(&self.cameras, now));
        let mut odometry = Odometry { header: Header::new(now, MAP_FRAME), ..Default::default() };
        let (position, turn) = (self.map_from_ego.translation, self.map_from_ego.rotation);
        let pose = &mut odometry.pose.pose;
        (pose.position.x, pose.position.y, pose.position.z) = (position.x, position.y, position.z);
        (pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w) =
            (turn.i, turn.j, turn.k, turn.w);
        outputs.publish(&ODOMETRY, now, odometry);
        for (camera, file) in self.cameras.iter().zip(&self.files) {
            let info = camera_info(camera, now);
            let (header, data) = (info.header.clone(), std::fs::read(file).unwrap());
            outputs.publish(&info_topic(&camera.name), now, info);
            outputs.publish(&camera_image(&camera.name), now, CompressedImage { header, format: "jpeg".into(), data });
        }
    }
}

/// What the node publishes.
#[derive(Default)]
struct Listener {
    statuses: Vec<DiagnosticStatus>,
    objects: usize,
    grids: Vec<usize>,
    embeddings: Vec<usize>,
    paths: Vec<Trajectory>,
    lanes: usize,
}

impl Node for Listener {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::every("listener", Duration::from_millis(100)).reads_queue(&PERCEPTION_STATUS, 8);
        let spec = spec.reads_queue(&OBJECTS, 8).reads_queue(&BEV_GRID, 8).reads_queue(&EMBEDDING, 8);
        spec.reads_queue(&EGO_PATH, 8).reads_queue(&SEEN_LANES, 8)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
        self.statuses.extend(inputs.fresh(&PERCEPTION_STATUS).iter().flat_map(|sample| sample.message.status.clone()));
        self.objects += inputs.fresh(&OBJECTS).len();
        self.grids.extend(inputs.fresh(&BEV_GRID).iter().map(|sample| sample.message.data.len()));
        self.paths.extend(inputs.fresh(&EGO_PATH).iter().map(|sample| (*sample.message).clone()));
        self.lanes += inputs.fresh(&SEEN_LANES).len();
        self.embeddings.extend(inputs.fresh(&EMBEDDING).iter().map(|sample| sample.message.values.len()));
    }
}

#[test]
fn the_surround_keyframe_goes_through_the_node() {
    let Some(data) = data::data() else { return };
    let drives = Drives::open(&data.join("nuscenes"), &NetworkConfig::tiny()).unwrap();
    let moment = &drives.moments()[0];
    let (cameras, files): (Vec<Camera>, Vec<PathBuf>) =
        moment.files().map(|(camera, file)| (camera.clone(), file.to_owned())).unzip();
    assert_eq!(cameras.len(), 6);
    assert_eq!(cameras[0].name, "CAM_FRONT");
    let names: Vec<String> = cameras.iter().map(|camera| camera.name.clone()).collect();

    let engine = engine::own().unwrap();
    let vehicle = Vehicle { cameras, files, map_from_ego: *moment.map_from_ego() };
    let mut listener = Listener::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(vehicle, NodeLatency::NONE)
        .add(PerceptionNode::new(Perceiver::new(engine.clone()), &names), NodeLatency::NONE)
        .add(&mut listener, NodeLatency::NONE);
    run.run_until(Stamp::ZERO.offset_ns(1_200_000_000)).unwrap();
    assert_eq!((listener.objects, listener.grids.len()), (3, 3));
    assert!(listener.grids.iter().all(|cells| *cells == 128 * 128));
    assert!(listener.embeddings.iter().all(|numbers| *numbers == 128));
    // The vehicle of this test stands where it was; its path begins there and says seven times when it is where.
    assert_eq!((listener.paths.len(), listener.lanes), (3, 3));
    for path in &listener.paths {
        let (first, last) = (path.points[0], path.points[path.points.len() - 1]);
        let start = moment.map_from_ego().translation;
        assert!((first.pose.position.x - start.x).hypot(first.pose.position.y - start.y) < 1e-6);
        assert_eq!((path.points.len(), last.time_from_start), (7, TimeSpan { sec: 3, nanosec: 0 }));
    }
    for status in &listener.statuses {
        assert_eq!((status.level, status.message.as_str()), (DiagnosticStatus::OK, "all cameras see"));
    }

    let captured = drives.capture(moment).unwrap();
    // The annotators saw 69 objects; some lie beyond the images' crop.
    assert!(captured.things.len() > 40, "{}", captured.things.len());
    let images: Vec<_> = captured.images.iter().map(|image| image.as_ref().map(Pixels::from)).collect();
    let mut perceiver = Perceiver::new(engine);
    let percept = perceiver.see(moment.stamp, &captured.map_from_ego, &captured.cameras, &images).unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scene-0061_keyframe0.jpg");
    overlay::save(&captured, &percept.boxes, &path);
    println!("annotated boxes green, seen boxes orange: {}", path.display());
    let picture = image::open(&path).unwrap();
    assert_eq!((picture.width(), picture.height()), (2400, 900));
}
