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
use crate::model::Grid;
use crate::path;
use crate::perceiver::Perceiver;
use crate::rig::Pixels;

use images::Eye;

/// How often the node looks for new images.
pub const PERIOD: Duration = Duration::from_millis(50);

/// Odometry kept to say where the vehicle was when an image was taken, samples.
const POSES: usize = 64;

/// The node's name.
pub const NAME: &str = "perception";

/// The perception node.
pub struct PerceptionNode {
    perceiver: Perceiver,
    /// The network's.
    grid: Grid,
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
            grid: perceiver.config().grid.clone(),
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
        let mounts = mounts.as_ref().map(|mounts| &*mounts.message);
        self.eyes.iter_mut().for_each(|eye| eye.take(inputs, mounts, self.perceiver.config()));
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
                outputs.publish(&PERCEPTION_STATUS, now, status(now, 0, &[], Some(Error::NoCameras.to_string())));
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
        let looks: Vec<_> = self.eyes.iter().map(|eye| eye.look(stamp)).collect();
        let blind = self.eyes.iter().zip(&looks).filter_map(|(eye, look)| Some((eye.name(), look.as_ref().err()?)));
        let blind: Vec<_> = blind.collect();
        if !self.eyes.iter().any(Eye::is_calibrated) {
            outputs.publish(&PERCEPTION_STATUS, stamp, status(stamp, looks.len(), &blind, None));
            return;
        }
        let cameras: Vec<_> = self.eyes.iter().map(Eye::camera).collect();
        let images: Vec<_> = looks.iter().map(|look| look.as_ref().ok().map(Pixels::from)).collect();
        match self.perceiver.see(stamp, &map_from_ego, &cameras, &images) {
            Ok(percept) => {
                let tracked = self.follower.follow(stamp, &map_from_ego, &mut percept.boxes);
                let message = objects::message(stamp, tracked, &percept.boxes, &map_from_ego);
                outputs.publish(&BEV_GRID, stamp, occupancy(stamp, &map_from_ego, &self.grid, &percept.map));
                outputs.publish(&SEEN_LANES, stamp, objects::lanes(stamp, &percept.lanes, &map_from_ego));
                if let Some(best) = path::best(&percept.numbers.paths, &percept.numbers.speeds, self.speed_mps) {
                    outputs.publish(&EGO_PATH, stamp, objects::trajectory(stamp, &best, self.speed_mps, &map_from_ego));
                }
                outputs.publish(&EMBEDDING, stamp, objects::embedding(stamp, &percept.numbers.embedding));
                outputs.publish(&PERCEPTION_STATUS, stamp, status(stamp, looks.len(), &blind, None));
                outputs.publish(&OBJECTS, stamp, message);
            }
            Err(error) => {
                let status = status(stamp, looks.len(), &blind, Some(error.to_string()));
                outputs.publish(&PERCEPTION_STATUS, stamp, status);
            }
        }
    }
}

/// Where vehicles may be, in percent, as a grid whose axes are the vehicle's; `map` is that of a percept.
fn occupancy(stamp: Stamp, map_from_ego: &Isometry3<f64>, grid: &Grid, map: &[f32]) -> OccupancyGrid {
    let side = grid.cells;
    let corner = map_from_ego * nalgebra::Point3::new(-grid.extent_m, -grid.extent_m, 0.0);
    // An occupancy grid's rows run along y, ours along x.
    let cells = (0..side * side).map(|at| map[(at % side) * side + at / side]);
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

/// What the node has to say of itself: which of its cameras it did without, and why.
fn status(stamp: Stamp, cameras: usize, blind: &[(&str, &String)], error: Option<String>) -> DiagnosticArray {
    let (level, message) = match (error, blind.len()) {
        (Some(error), _) => (DiagnosticStatus::ERROR, error),
        (None, 0) => (DiagnosticStatus::OK, "all cameras see".to_owned()),
        (None, count) if count == cameras => (DiagnosticStatus::ERROR, "no camera sees".to_owned()),
        (None, count) => (DiagnosticStatus::WARN, format!("{count} of {cameras} cameras do not see")),
    };
    let value = |(name, trouble): &(&str, &String)| KeyValue { key: (*name).to_owned(), value: (*trouble).clone() };
    let values = blind.iter().map(value).collect();
    let status = DiagnosticStatus { level, name: NAME.into(), message, hardware_id: String::new(), values };
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
