//! A node in a run: what it is, how long it computes, and when it is stepped next.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::health::{Health, NodeSummary};
use crate::node::InputSlot;
use crate::recording::Recorded;
use crate::{Inputs, Node, NodeSpec, Outputs, Stamp, Trigger};

/// How long a node computes: from its step to what it then publishes, and until it can be stepped again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLatency {
    /// At least so long.
    pub least: Duration,
    /// And up to so much longer, evenly spread.
    pub spread: Duration,
    /// The seed of the spread.
    pub seed: u64,
}

impl NodeLatency {
    /// No time at all.
    pub const NONE: Self = Self::fixed(Duration::ZERO);

    /// The same time at each step.
    pub const fn fixed(least: Duration) -> Self {
        Self { least, spread: Duration::ZERO, seed: 0 }
    }

    /// Up to so much longer, with this seed.
    pub const fn spread(self, spread: Duration, seed: u64) -> Self {
        Self { spread, seed, ..self }
    }
}

/// A node as it was added.
pub(super) struct Slot<'a> {
    pub spec: NodeSpec,
    pub source: Source<'a>,
    pub latency: NodeLatency,
    /// When it is stepped first, unless a topic steps it.
    pub first: Stamp,
}

/// Where a node's messages come from.
pub(super) enum Source<'a> {
    /// It computes them.
    Node(Box<dyn Node + 'a>),
    /// They were recorded.
    Recording { messages: Box<dyn Iterator<Item = Recorded> + 'a>, next: Option<Recorded> },
    /// They are the runner's own.
    Health(Health),
}

/// What a run knows of a node.
pub(super) struct State {
    pub inputs: Inputs,
    pub outputs: Outputs,
    /// The numbers of its links, one after the other, are this and those above.
    pub first_link: usize,
    /// The number of the link that steps it.
    pub trigger: Option<usize>,
    /// The tick that is due next, for a node stepped at a fixed rate.
    pub tick: Stamp,
    pub busy_until: Stamp,
    /// Whether a step is on the agenda.
    pub is_scheduled: bool,
    pub death: Option<Stamp>,
    pub summary: NodeSummary,
    rng: ChaCha8Rng,
}

impl State {
    /// A node whose links begin at this number.
    pub fn new(slot: &Slot<'_>, first_link: usize) -> Self {
        let spec = &slot.spec;
        let trigger = match &spec.trigger {
            Trigger::On(topic) => spec.inputs.iter().position(|input| input.topic == *topic),
            Trigger::Every(_) => None,
        };
        let inputs = spec.inputs.iter();
        let slots = inputs.map(|input| InputSlot { topic: input.topic.clone(), ..InputSlot::default() });
        Self {
            inputs: Inputs { slots: slots.collect() },
            outputs: Outputs::default(),
            first_link,
            trigger: trigger.map(|input| first_link + input),
            tick: slot.first,
            busy_until: slot.first,
            is_scheduled: false,
            death: None,
            summary: NodeSummary::new(&spec.name, spec.outputs.len()),
            rng: ChaCha8Rng::seed_from_u64(slot.latency.seed),
        }
    }

    /// Whether the node is dead at `now`; says so in the summary.
    pub fn is_dead(&mut self, now: Stamp) -> bool {
        if self.summary.failure.is_none() && self.death.is_some_and(|death| death <= now) {
            self.summary.failure = Some("killed".to_owned());
        }
        self.summary.failure.is_some()
    }

    /// How long this step takes.
    pub fn roll(&mut self, latency: NodeLatency) -> Duration {
        latency.least + latency.spread.mul_f64(self.rng.random())
    }

    /// Moves on from a tick to the next one that the node is not busy at, and says when to step it.
    ///
    /// A tick that falls due while the node is busy is stepped when it is done; any more are missed.
    pub fn next_tick(&mut self, period: Duration) -> Stamp {
        self.tick += period;
        let behind_ns = self.busy_until.ns_since(self.tick);
        let period_ns = i64::try_from(period.as_nanos()).unwrap_or(i64::MAX).max(1);
        let missed = behind_ns.max(0) / period_ns;
        self.tick = self.tick.offset_ns(missed * period_ns);
        self.summary.missed_ticks += missed.unsigned_abs();
        self.tick.max(self.busy_until)
    }
}
