//! A perception that knows all, but as seldom and as late as one that looks through cameras: what is lost to time alone.

use std::time::Duration;

use tandem_datasets::messages;
use tandem_graph::msgs::autoware_perception_msgs::PredictedObjects;
use tandem_graph::topics::{OBJECTS, ODOMETRY, SIM_OBJECTS};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use super::{PERCEPTION_RADIUS_M, convert};
use crate::course::Course;
use crate::known::Known;

/// The oracle's node: publishes the true objects that are near, stamped with when they were so.
pub struct Oracle {
    known: Known,
    period: Duration,
}

impl Oracle {
    /// An oracle that speaks once in `period` of what can be known on a course.
    pub fn new(course: &Course, period: Duration) -> Self {
        Self { known: course.known.clone(), period }
    }
}

impl Node for Oracle {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("perception", self.period).reads(&SIM_OBJECTS).reads(&ODOMETRY).writes(&OBJECTS)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        let (Some(truth), Some(odometry)) = (inputs.latest(&SIM_OBJECTS), inputs.latest(&ODOMETRY)) else { return };
        let (ego, _) = convert::ego(&odometry.message);
        let PredictedObjects { header, objects } = &*truth.message;
        let is_near = |pose: tandem_datasets::Pose2| (pose.position() - ego.position()).norm() <= PERCEPTION_RADIUS_M;
        let all: Vec<_> = objects.iter().map(|object| messages::object_of(object, truth.capture)).collect();
        let known = self.known.of(&all, ego).into_iter().filter(|index| is_near(all[*index].state.pose));
        let objects = known.map(|index| objects[index].clone()).collect();
        outputs.publish(&OBJECTS, truth.capture, PredictedObjects { header: header.clone(), objects });
    }
}
