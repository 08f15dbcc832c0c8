//! The lockstep runner: simulated time, one order of events, modelled latencies, the same bytes every time.
//!
//! Time jumps from event to event. Events of the same time come in the order in which their nodes were added, and
//! for one node in the order publish, arrive, step. So a node sees at its step what nodes added before it published
//! at the same time, and what later ones published then only at its next step.
//!
//! A node is one thread, as live: while it computes, which takes as long as its [`NodeLatency`] says, it is not
//! stepped again, and messages wait for it. What it publishes is published when it is done.
//!
//! ```
//! use std::time::Duration;
//! use tandem_graph::lockstep::{Lockstep, NodeLatency};
//! use tandem_graph::msgs::std_msgs;
//! use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};
//!
//! const HELLO: Topic<std_msgs::String> = Topic::new("/hello");
//!
//! struct Greeter;
//! impl Node for Greeter {
//!     fn spec(&self) -> NodeSpec {
//!         NodeSpec::every("greeter", Duration::from_millis(100)).writes(&HELLO)
//!     }
//!     fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
//!         outputs.publish(&HELLO, now, std_msgs::String { data: "hello".to_owned() });
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Listener(Vec<String>);
//! impl Node for Listener {
//!     fn spec(&self) -> NodeSpec {
//!         NodeSpec::on("listener", &HELLO)
//!     }
//!     fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
//!         self.0.extend(inputs.fresh(&HELLO).into_iter().map(|sample| sample.message.data.clone()));
//!     }
//! }
//!
//! let mut listener = Listener::default();
//! let mut run = Lockstep::new(Stamp::ZERO);
//! run.add(Greeter, NodeLatency::fixed(Duration::from_millis(30))).add(&mut listener, NodeLatency::NONE);
//! let summary = run.run_until(Stamp::from_seconds(1.0))?;
//! assert!(summary.complete);
//! assert_eq!(listener.0.len(), 10);
//! # Ok::<(), tandem_graph::lockstep::Error>(())
//! ```

mod event;
mod fault;
mod link;
mod node;
mod run;

use std::time::Duration;

pub use fault::LinkFault;
pub use node::NodeLatency;

use crate::fit::{self, Misfit};
use crate::health::{Health, RunSummary};
use crate::observe::Observer;
use crate::recording::Recorded;
use crate::{Node, NodeSpec, Stamp, Trigger, topics};
use node::{Slot, Source};
use run::Run;

/// Why a run could not start or go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The nodes don't fit together.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A fault is put on a link that does not exist.
    #[error("fault on topic {topic}: no {node} reads it")]
    NoLink {
        /// The topic.
        topic: String,
        /// The reader, or `node` for any.
        node: String,
    },
    /// A node that does not exist is to die.
    #[error("node {node}: there is none of this name to kill")]
    NoNode {
        /// The name.
        node: String,
    },
    /// Nodes step each other without any time passing.
    #[error("node {node}: messages go in circles without time passing, at {at:?}")]
    Stuck {
        /// One of the nodes.
        node: String,
        /// The time that does not pass.
        at: Stamp,
    },
}

/// Nodes, what is done to them, and who looks on; run in simulated time.
///
/// Nodes may be borrowed (`&mut node`), so that they can be looked at after the run.
pub struct Lockstep<'a> {
    start: Stamp,
    slots: Vec<Slot<'a>>,
    faults: Vec<LinkFault>,
    deaths: Vec<(String, Stamp)>,
    observers: Vec<&'a mut dyn Observer>,
}

impl<'a> Lockstep<'a> {
    /// A run without nodes yet, whose time starts at `start`.
    pub fn new(start: Stamp) -> Self {
        Self { start, slots: Vec::new(), faults: Vec::new(), deaths: Vec::new(), observers: Vec::new() }
    }

    /// Adds a node and how long it computes.
    pub fn add(&mut self, node: impl Node + 'a, latency: NodeLatency) -> &mut Self {
        self.slots.push(Slot { spec: node.spec(), source: Source::Node(Box::new(node)), latency, first: self.start });
        self
    }

    /// Adds recorded messages in the place of the nodes that published them, by rising publish stamp.
    ///
    /// They are published at the time, and with the stamps, numbers and bytes that they were recorded with; what
    /// was published before the start of the run is published at its start.
    pub fn inject(&mut self, name: impl Into<String>, messages: impl IntoIterator<Item = Recorded> + 'a) -> &mut Self {
        let mut messages: Box<dyn Iterator<Item = Recorded> + 'a> = Box::new(messages.into_iter());
        let next = messages.next();
        let first = next.as_ref().map_or(Stamp::MAX, |next| next.publish.max(self.start));
        let spec =
            NodeSpec { name: name.into(), trigger: Trigger::Every(Duration::MAX), inputs: vec![], outputs: vec![] };
        let source = Source::Recording { messages, next };
        self.slots.push(Slot { spec, source, latency: NodeLatency::NONE, first });
        self
    }

    /// Adds a node of the runner's own that publishes `/diagnostics` of all nodes and links.
    pub fn diagnose(&mut self, period: Duration) -> &mut Self {
        let spec = NodeSpec::every("health", period).writes(&topics::DIAGNOSTICS);
        let source = Source::Health(Health::default());
        self.slots.push(Slot { spec, source, latency: NodeLatency::NONE, first: self.start + period });
        self
    }

    /// Puts a fault on the way of a topic's messages; several on the same way add up.
    pub fn link(&mut self, fault: LinkFault) -> &mut Self {
        self.faults.push(fault);
        self
    }

    /// Lets a node die: from `at` on it is not stepped, and what it was computing is not published.
    pub fn kill(&mut self, node: impl Into<String>, at: Stamp) -> &mut Self {
        self.deaths.push((node.into(), at));
        self
    }

    /// Adds someone who sees every published message, in order.
    pub fn observe(&mut self, observer: &'a mut dyn Observer) -> &mut Self {
        self.observers.push(observer);
        self
    }

    /// Runs until just before `end`: what is due at `end` itself does not happen any more.
    ///
    /// # Errors
    /// If the nodes or faults don't fit together, or time stands still; never for what happens to messages.
    pub fn run_until(self, end: Stamp) -> Result<RunSummary, Error> {
        fit::check(self.slots.iter().map(|slot| &slot.spec))?;
        Run::new(self)?.until(end)
    }
}
