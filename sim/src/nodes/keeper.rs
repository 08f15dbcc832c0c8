//! The keeper of the others' true states: it moves the traffic on, and says where everything is and what the lights show.

use std::sync::Arc;

use tandem_datasets::{Box2, Pose2, messages};
use tandem_graph::msgs::autoware_perception_msgs::PredictedObjects;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::topics::{OBJECTS, ODOMETRY, SIGNALS, SIM_OBJECTS};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use super::convert;
use crate::FrameAgent;
use crate::course::Course;
use crate::traffic::{Traffic, TrafficMode};

/// How far perception sees that sees everything, m: as far as the benchmarks' planners do.
pub const PERCEPTION_RADIUS_M: f64 = 100.0;

/// Whom the true objects are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The planner: it sees what is near as it is, with no future, and the keeper stands in for perception.
    Planner,
    /// The simulated cameras, which see farther; what the planner sees is another node's to say.
    Cameras,
}

/// The keeper's node, driven by the vehicle's odometry.
pub struct Keeper {
    course: Arc<Course>,
    audience: Audience,
    mode: TrafficMode,
    traffic: Traffic,
    /// The ego at the last step: outline and speed.
    ego: Option<(Box2, f64)>,
    frames: Vec<Vec<FrameAgent>>,
}

impl Keeper {
    /// A node that keeps the traffic of a course.
    pub fn new(course: &Arc<Course>, mode: TrafficMode, audience: Audience) -> Self {
        // Until the run starts, all is as recorded.
        let traffic = Traffic::new(&course.log, TrafficMode::Replay, course.first());
        let frames = Vec::with_capacity(course.steps() + 1);
        Self { course: Arc::clone(course), audience, mode, traffic, ego: None, frames }
    }

    /// What it is called, reads and writes.
    pub(crate) fn node_spec(audience: Audience) -> NodeSpec {
        let spec = match audience {
            Audience::Planner => NodeSpec::on("perception", &ODOMETRY).writes(&OBJECTS),
            Audience::Cameras => NodeSpec::on("traffic", &ODOMETRY).writes(&SIM_OBJECTS),
        };
        spec.writes(&SIGNALS)
    }

    /// The true states of the others, one entry a step, the first one at the start of the run.
    pub fn frames(&self) -> &[Vec<FrameAgent>] {
        &self.frames
    }

    fn objects(&self, now: Stamp, map_from_ego: Pose2, ego: &Box2) -> PredictedObjects {
        let near = |object: &&messages::Object| {
            let apart = object.state.pose.position() - ego.pose.position();
            apart.norm() <= PERCEPTION_RADIUS_M
        };
        let all = self.traffic.objects();
        let objects = match self.audience {
            Audience::Cameras => all.iter().map(messages::object).collect(),
            Audience::Planner => {
                let known = self.course.known.of(all, map_from_ego).into_iter().map(|index| &all[index]);
                known.filter(near).map(messages::object).collect()
            }
        };
        PredictedObjects { header: Header::new(now, messages::MAP_FRAME), objects }
    }
}

impl Node for Keeper {
    fn spec(&self) -> NodeSpec {
        Self::node_spec(self.audience)
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
        let topic = match self.audience {
            Audience::Planner => &OBJECTS,
            Audience::Cameras => &SIM_OBJECTS,
        };
        outputs.publish(topic, now, self.objects(now, pose, &outline));
    }
}
