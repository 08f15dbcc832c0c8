//! Perception that sees everything around as it is: it moves the traffic on and reports what is near, with no future.

use std::sync::Arc;

use tandem_datasets::{Box2, messages};
use tandem_graph::msgs::autoware_perception_msgs::PredictedObjects;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::topics::{OBJECTS, ODOMETRY, SIGNALS};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use super::convert;
use crate::FrameAgent;
use crate::course::Course;
use crate::traffic::{Traffic, TrafficMode};

/// How far it sees, m: as far as the benchmarks' planners do.
pub const PERCEPTION_RADIUS_M: f64 = 100.0;

/// The perception node. Driven by the vehicle's odometry, it also is the keeper of the others' true states.
pub struct Perception {
    course: Arc<Course>,
    mode: TrafficMode,
    traffic: Traffic,
    /// The ego at the last step: outline and speed.
    ego: Option<(Box2, f64)>,
    frames: Vec<Vec<FrameAgent>>,
}

impl Perception {
    /// A node that sees the traffic of a course.
    pub fn new(course: &Arc<Course>, mode: TrafficMode) -> Self {
        // Until the run starts, all is as recorded.
        let traffic = Traffic::new(&course.log, TrafficMode::Replay, course.first());
        Self { course: Arc::clone(course), mode, traffic, ego: None, frames: Vec::with_capacity(course.steps() + 1) }
    }

    /// What it reads and writes.
    pub(crate) fn node_spec() -> NodeSpec {
        NodeSpec::on("perception", &ODOMETRY).writes(&OBJECTS).writes(&SIGNALS)
    }

    /// The true states of the others, one entry a step, the first one at the start of the run.
    pub fn frames(&self) -> &[Vec<FrameAgent>] {
        &self.frames
    }

    fn objects(&self, now: Stamp, ego: &Box2) -> PredictedObjects {
        let near = |object: &&messages::Object| {
            let pose = object.state.pose;
            (pose.x - ego.pose.x).hypot(pose.y - ego.pose.y) <= PERCEPTION_RADIUS_M
        };
        let objects = self.traffic.objects().iter().filter(near).map(messages::object).collect();
        PredictedObjects { header: Header::new(now, messages::MAP_FRAME), objects }
    }
}

impl Node for Perception {
    fn spec(&self) -> NodeSpec {
        Self::node_spec()
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        let Some(odometry) = inputs.latest(&ODOMETRY) else { return };
        let now = odometry.capture;
        let (pose, speed_mps) = convert::ego(&odometry.message);
        if now == self.course.start {
            self.traffic = Traffic::new(&self.course.log, self.mode, now);
        } else if let Some((outline, speed_mps)) = self.ego {
            self.traffic.advance(now, &outline, speed_mps);
        }
        let outline = self.course.body().outline(pose);
        self.ego = Some((outline, speed_mps));
        if now >= self.course.start {
            self.frames.push(self.traffic.agents().to_vec());
        }
        outputs.publish(&SIGNALS, now, messages::signals(&self.course.log, now));
        outputs.publish(&OBJECTS, now, self.objects(now, &outline));
    }
}
