//! Keeps what the planner published, for the trace and the score.

use std::sync::Arc;

use tandem_graph::msgs::tandem_msgs::PlanStatus;
use tandem_graph::topics::{STATUS, TRAJECTORY};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_planner::Rollout;

use super::convert;

/// One plan as published.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The time of its first state.
    pub start: Stamp,
    /// Its states.
    pub states: Rollout,
    /// The planner's account of it, if there was one.
    pub status: Option<Arc<PlanStatus>>,
}

/// The monitor node: hears every plan, whatever is lost on the way to the vehicle.
#[derive(Default)]
pub struct Monitor {
    plans: Vec<Planned>,
}

impl Monitor {
    /// The plans so far, in the order of their publication.
    pub fn plans(&self) -> &[Planned] {
        &self.plans
    }
}

impl Node for Monitor {
    fn spec(&self) -> NodeSpec {
        NodeSpec::on("monitor", &STATUS).reads_queue(&TRAJECTORY, 64)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
        for sample in inputs.fresh(&TRAJECTORY) {
            if let Some(states) = convert::rollout(&sample.message) {
                self.plans.push(Planned { start: sample.capture, states, status: None });
            }
        }
        for sample in inputs.fresh(&STATUS) {
            if let Some(plan) = self.plans.iter_mut().rfind(|plan| plan.start == sample.capture) {
                plan.status = Some(sample.message);
            }
        }
    }
}
