//! How a live run fares while it runs: the node that publishes `/diagnostics`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::mailbox::Mailbox;
use crate::health::{Health, RunSummary};
use crate::{Inputs, Node, NodeSpec, Outputs, Stamp, topics};

/// What is known of a run by now.
pub(super) fn summary(specs: &[NodeSpec], mailboxes: &[Arc<Mailbox>]) -> RunSummary {
    let (mut links, mut nodes) = (Vec::new(), Vec::new());
    let now = Instant::now();
    for (spec, mailbox) in specs.iter().zip(mailboxes) {
        let mut state = mailbox.lock();
        for (input, link) in spec.inputs.iter().zip(&mut state.links) {
            link.count_late(now);
            links.push(link.summary(&spec.name, input));
        }
        nodes.push(state.summary.clone());
    }
    RunSummary::new(links, nodes)
}

/// Publishes how all nodes and links of the process fare.
pub(super) struct HealthNode {
    pub period: Duration,
    pub health: Health,
    pub specs: Vec<NodeSpec>,
    pub mailboxes: Vec<Arc<Mailbox>>,
}

impl HealthNode {
    /// What the node is, before it exists.
    pub fn spec(period: Duration) -> NodeSpec {
        NodeSpec::every("health", period).writes(&topics::DIAGNOSTICS)
    }
}

impl Node for HealthNode {
    fn spec(&self) -> NodeSpec {
        Self::spec(self.period)
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        let message = self.health.diagnose(now, summary(&self.specs, &self.mailboxes));
        outputs.publish(&topics::DIAGNOSTICS, now, message);
    }
}
