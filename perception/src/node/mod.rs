//! The fast system on the graph: images, calibration and odometry in; objects with futures, map, lanes, ego path and
//! embedding out.
//!
//! Images of one moment need not come together: the node looks every [`PERIOD`] whether a newer one has come than it
//! last looked at, takes from every camera what is as new, and leaves out cameras that are late, damaged or silent. What
//! it left out stands in its diagnostics.

mod images;
mod objects;

use std::collections::VecDeque;
use std::time::Duration;

use nalgebra::Isometry3;
use tandem_datasets::Camera;
use tandem_datasets::messages::MAP_FRAME;
use tandem_graph::msgs::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus, KeyValue};
use tandem_graph::msgs::nav_msgs::{MapMetaData, OccupancyGrid, Odometry};
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::topics::{
    BEV_GRID, EGO_PATH, EMBEDDING, OBJECTS, ODOMETRY, PERCEPTION_STATUS, SEEN_LANES, TF_STATIC,
};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use crate::Error;
use crate::decode::sigmoid;
use crate::follow::Follower;
use crate::path;
use crate::perceiver::{Perceiver, Percept};
use crate::rig::Pixels;

use images::{Eye, Look};

/// How often the node looks for new images.
pub const PERIOD: Duration = Duration::from_millis(50);

/// Odometry kept to say where the vehicle was when an image was taken, samples.
const POSES: usize = 64;

/// The node's name.
pub const NAME: &str = "perception";

/// The perception node.
pub struct PerceptionNode {
    perceiver: Perceiver,
    follower: Follower,
    eyes: Vec<Eye>,
    /// Where the vehicle was, by rising stamp.
    poses: VecDeque<(Stamp, Isometry3<f64>)>,
    /// The capture stamp of the last frame.
    last: Option<Stamp>,
    /// The vehicle's speed as last heard.
    speed_mps: f64,
}

impl PerceptionNode {
    /// For a rig whose cameras have these names, in the order in which the network was trained to see them.
    pub fn new(perceiver: Perceiver, cameras: &[String]) -> Self {
        Self {
            perceiver,
            follower: Follower::default(),
            eyes: cameras.iter().map(|name| Eye::new(name)).collect(),
            poses: VecDeque::with_capacity(POSES),
            last: None,
            speed_mps: 0.0,
        }
    }

    /// Where the vehicle was at a stamp: between the samples around it; `None` outside what is known.
    fn pose_at(&self, stamp: Stamp) -> Option<Isometry3<f64>> {
        let after = self.poses.partition_point(|(known, _)| *known < stamp);
        let (next_stamp, next) = self.poses.get(after)?;
        if *next_stamp == stamp {
            return Some(*next);
        }
        let (previous_stamp, previous) = self.poses.get(after.checked_sub(1)?)?;
        let share = stamp.ns_since(*previous_stamp) as f64 / next_stamp.ns_since(*previous_stamp) as f64;
        Some(previous.lerp_slerp(next, share))
    }

    fn take(&mut self, inputs: &Inputs) {
        for sample in inputs.fresh(&ODOMETRY) {
            if self.poses.back().is_none_or(|(known, _)| *known < sample.capture) {
                self.poses.push_back((sample.capture, pose(&sample.message)));
                self.speed_mps = sample.message.twist.twist.linear.x;
            }
        }
        while self.poses.len() > POSES {
            self.poses.pop_front();
        }
        let mounts = inputs.latest(&TF_STATIC);
        self.eyes.iter_mut().for_each(|eye| eye.take(inputs, mounts.as_ref().map(|mounts| &*mounts.message)));
    }
}

impl Node for PerceptionNode {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::every(NAME, PERIOD).reads_queue(&ODOMETRY, POSES).reads(&TF_STATIC);
        let spec = self.eyes.iter().fold(spec, |spec, eye| eye.declare(spec));
        spec.writes(&OBJECTS)
            .writes(&BEV_GRID)
            .writes(&SEEN_LANES)
            .writes(&EGO_PATH)
            .writes(&EMBEDDING)
            .writes(&PERCEPTION_STATUS)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        if self.eyes.is_empty() {
            // Said once; nothing will change.
            if self.last.replace(now).is_none() {
                outputs.publish(&PERCEPTION_STATUS, now, status(now, &[], Some(Error::NoCameras.to_string())));
            }
            return;
        }
        self.take(inputs);
        let Some(stamp) = self.eyes.iter().filter_map(Eye::newest).max() else { return };
        if self.last.is_some_and(|last| stamp <= last) {
            return;
        }
        // The odometry of that moment may still be on its way.
        let Some(map_from_ego) = self.pose_at(stamp) else { return };
        self.last = Some(stamp);
        let looks: Vec<Look> = self.eyes.iter().map(|eye| eye.look(stamp, self.perceiver.config())).collect();
        if looks.iter().all(|look| look.camera.is_none()) {
            outputs.publish(&PERCEPTION_STATUS, stamp, status(stamp, &looks, None));
            return;
        }
        let cameras: Vec<_> =
            looks.iter().map(|look| look.camera.clone().unwrap_or_else(|| unknown(&look.name))).collect();
        let images: Vec<_> = looks.iter().map(|look| look.image.as_ref().map(Pixels::from)).collect();
        match self.perceiver.see(stamp, &map_from_ego, &cameras, &images) {
            Ok(mut percept) => {
                let tracked = self.follower.follow(stamp, &map_from_ego, &mut percept.boxes);
                let message = objects::message(stamp, tracked, &percept.boxes, &map_from_ego);
                outputs.publish(&BEV_GRID, stamp, self.grid(stamp, &map_from_ego, &percept));
                outputs.publish(&SEEN_LANES, stamp, objects::lanes(stamp, &percept.lanes, &map_from_ego));
                if let Some(best) = path::best(&percept.numbers.paths, &percept.numbers.speeds, self.speed_mps) {
                    outputs.publish(&EGO_PATH, stamp, objects::trajectory(stamp, &best, self.speed_mps, &map_from_ego));
                }
                outputs.publish(&EMBEDDING, stamp, objects::embedding(stamp, &percept.numbers.embedding));
                outputs.publish(&PERCEPTION_STATUS, stamp, status(stamp, &looks, None));
                outputs.publish(&OBJECTS, stamp, message);
            }
            Err(error) => outputs.publish(&PERCEPTION_STATUS, stamp, status(stamp, &looks, Some(error.to_string()))),
        }
    }
}

impl PerceptionNode {
    /// Where vehicles may be, in percent, as a grid whose axes are the vehicle's.
    fn grid(&self, stamp: Stamp, map_from_ego: &Isometry3<f64>, percept: &Percept) -> OccupancyGrid {
        let grid = &self.perceiver.config().grid;
        let side = grid.cells;
        let corner = map_from_ego * nalgebra::Point3::new(-grid.extent_m, -grid.extent_m, 0.0);
        let drivable = &percept.map[..side * side];
        // An occupancy grid's rows run along y, ours along x.
        let cells = (0..side * side).map(|at| drivable[(at % side) * side + at / side]);
        OccupancyGrid {
            header: Header::new(stamp, MAP_FRAME),
            info: MapMetaData {
                map_load_time: stamp.into(),
                resolution: grid.cell_m() as f32,
                width: side as u32,
                height: side as u32,
                origin: objects::pose_message(&Isometry3::from_parts(corner.coords.into(), map_from_ego.rotation)),
            },
            data: cells.map(|logit| (100.0 * (1.0 - sigmoid(logit))).round() as i8).collect(),
        }
    }
}

/// The place of a camera of which nothing is known, and no image is shown.
fn unknown(name: &str) -> Camera {
    let intrinsics = nalgebra::Matrix3::identity();
    Camera { name: name.to_owned(), ego_from_camera: Isometry3::identity(), intrinsics, image_size: [0; 2] }
}

/// What the node has to say of itself: which cameras it did without, and why.
fn status(stamp: Stamp, looks: &[Look], error: Option<String>) -> DiagnosticArray {
    let blind: Vec<KeyValue> = looks
        .iter()
        .filter_map(|look| Some(KeyValue { key: look.name.clone(), value: look.trouble.clone()? }))
        .collect();
    let (level, message) = match (&error, blind.len()) {
        (Some(error), _) => (DiagnosticStatus::ERROR, error.clone()),
        (None, 0) => (DiagnosticStatus::OK, "all cameras see".to_owned()),
        (None, count) if count == looks.len() => (DiagnosticStatus::ERROR, "no camera sees".to_owned()),
        (None, count) => (DiagnosticStatus::WARN, format!("{count} of {} cameras do not see", looks.len())),
    };
    let status = DiagnosticStatus { level, name: NAME.into(), message, hardware_id: String::new(), values: blind };
    DiagnosticArray { header: Header::new(stamp, ""), status: vec![status] }
}

fn pose(odometry: &Odometry) -> Isometry3<f64> {
    let pose = odometry.pose.pose;
    let (p, q) = (pose.position, pose.orientation);
    Isometry3::from_parts(
        nalgebra::Translation3::new(p.x, p.y, p.z),
        nalgebra::UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(q.w, q.x, q.y, q.z)),
    )
}

#[cfg(test)]
mod tests;
