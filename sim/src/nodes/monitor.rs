//! Keeps what the planner published, for the trace and the score.

use std::sync::Arc;

use tandem_datasets::messages::{Object, object_of};
use tandem_graph::msgs::tandem_msgs::PlanStatus;
use tandem_graph::topics::{OBJECTS, STATUS, TRAJECTORY};
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

/// The objects as perception reported them once.
#[derive(Debug, Clone)]
pub struct Perceived {
    /// When they were so.
    pub capture: Stamp,
    /// When it said so.
    pub publish: Stamp,
    /// The objects.
    pub objects: Vec<Object>,
}

/// The monitor node: hears every plan, whatever is lost on the way to the vehicle.
#[derive(Default)]
pub struct Monitor {
    plans: Vec<Planned>,
    perceived: Option<Vec<Perceived>>,
}

impl Monitor {
    /// One that hears what perception says too.
    pub fn of_perception() -> Self {
        Self { perceived: Some(Vec::new()), ..Self::default() }
    }

    /// What perception said, in order; nothing unless asked to listen.
    pub fn perceived(&self) -> &[Perceived] {
        self.perceived.as_deref().unwrap_or_default()
    }

    /// The plans so far, in the order of their publication.
    pub fn plans(&self) -> &[Planned] {
        &self.plans
    }
}

impl Node for Monitor {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::on("monitor", &STATUS).reads_queue(&TRAJECTORY, 64);
        if self.perceived.is_some() { spec.reads_queue(&OBJECTS, 64) } else { spec }
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
        if let Some(perceived) = &mut self.perceived {
            perceived.extend(inputs.fresh(&OBJECTS).into_iter().map(|sample| Perceived {
                capture: sample.capture,
                publish: sample.publish,
                objects: sample.message.objects.iter().map(|object| object_of(object, sample.capture)).collect(),
            }));
        }
    }
}
