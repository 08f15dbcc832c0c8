//! A perception that knows all, but as seldom and as late as one that looks through cameras: what is lost to time alone.

use std::time::Duration;

use tandem_datasets::messages;
use tandem_graph::msgs::autoware_perception_msgs::PredictedObjects;
use tandem_graph::topics::{OBJECTS, ODOMETRY, SIM_OBJECTS};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use super::{PERCEPTION_RADIUS_M, convert};

/// The oracle's node: publishes the true objects that are near, stamped with when they were so.
pub struct Oracle {
    period: Duration,
}

impl Oracle {
    /// An oracle that speaks once in `period`.
    pub fn new(period: Duration) -> Self {
        Self { period }
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
        let near = objects.iter().filter(|object| is_near(messages::object_of(object, truth.capture).state.pose));
        let objects = near.cloned().collect();
        outputs.publish(&OBJECTS, truth.capture, PredictedObjects { header: header.clone(), objects });
    }
}
