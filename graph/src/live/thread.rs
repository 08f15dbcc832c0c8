//! The loop of one node's thread: wait, step, publish; and the end of it, wanted or not.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::link::{Arrival, Payload};
use super::mailbox::{Mailbox, State};
use super::runner::Tapped;
use super::session::{ANNOUNCE_PERIOD, Announced, Publisher, Session, Subscription};
use super::{Error, wall_time};
use crate::health::NodeSummary;
use crate::node::{AnySample, InputSlot, Outgoing, OutputSpec, panic_text};
use crate::{Inputs, Node, NodeSpec, Outputs, Trigger, cdr};

/// The local readers of a topic: their mailboxes, and the link of each.
pub(super) type Readers = BTreeMap<String, Vec<(Arc<Mailbox>, usize)>>;

/// Everything around a node that its thread owns; dropped, the node is gone from the graph.
pub(super) struct Wiring<'a> {
    spec: &'a NodeSpec,
    mailbox: Arc<Mailbox>,
    publishers: Vec<Publisher>,
    _subscriptions: Vec<Subscription>,
    _announced: Announced,
    readers: &'a Readers,
    /// To the observers, if there are any.
    tap: Option<SyncSender<Tapped>>,
    /// The message that is being published.
    bytes: Vec<u8>,
}

/// When the node is stepped, in terms of the thread.
enum Schedule {
    Every { period: Duration, next: Instant },
    On { link: usize },
}

/// Runs a node until its mailbox says stop or the node panics; leaves what it did in the mailbox.
pub(super) fn run(node: &mut dyn Node, mut wiring: Wiring<'_>, start: Instant) {
    let mut summary = NodeSummary::new(&wiring.spec.name, wiring.spec.outputs.len());
    let mut schedule = match &wiring.spec.trigger {
        Trigger::Every(period) => Schedule::Every { period: *period, next: start },
        Trigger::On(topic) => {
            // The runner has checked that the trigger is an input.
            let link = wiring.spec.inputs.iter().position(|input| input.topic == *topic).unwrap_or(0);
            Schedule::On { link }
        }
    };
    let slots = wiring.spec.inputs.iter().map(|input| InputSlot { topic: input.topic.clone(), ..InputSlot::default() });
    let mut inputs = Inputs { slots: slots.collect() };
    let mut outputs = Outputs::default();
    let mut announced = start;
    while let Some(arrivals) = wiring.next_step(&mut schedule, &mut summary, &mut announced) {
        wiring.fill(&mut inputs, arrivals);
        let now = wall_time();
        let step = AssertUnwindSafe(|| node.step(now, &inputs, &mut outputs));
        if let Err(panic) = catch_unwind(step) {
            summary.failure = Some(panic_text(panic.as_ref()));
            tracing::error!(node = wiring.spec.name, "panicked, and is out of the graph");
            break;
        }
        summary.steps += 1;
        for outgoing in outputs.messages.drain(..) {
            wiring.publish(outgoing, &mut summary);
        }
    }
    for publisher in &mut wiring.publishers {
        if let Err(error) = publisher.announce_last() {
            tracing::warn!(node = wiring.spec.name, %error, "subscribers may not learn of the last losses");
        }
    }
    wiring.mailbox.lock().summary = summary;
}

impl<'a> Wiring<'a> {
    /// Declares a node and its endpoints. Messages begin to fill the mailbox at once.
    pub fn declare(
        session: &Session,
        spec: &'a NodeSpec,
        mailbox: &Arc<Mailbox>,
        readers: &'a Readers,
        tap: Option<SyncSender<Tapped>>,
    ) -> Result<Self, Error> {
        let announced = session.node(&spec.name)?;
        let node = &announced.entity;
        let publishers = spec.outputs.iter().map(|output| session.publisher(node, output));
        let publishers = publishers.collect::<Result<_, _>>()?;
        let inputs = spec.inputs.iter().enumerate();
        let subscriptions = inputs.map(|(link, input)| session.subscription(node, input, mailbox, link));
        let _subscriptions = subscriptions.collect::<Result<_, _>>()?;
        let mailbox = Arc::clone(mailbox);
        Ok(Self { spec, mailbox, publishers, _subscriptions, _announced: announced, readers, tap, bytes: Vec::new() })
    }

    /// Waits for the next step, and takes what has arrived for it: for each input, oldest first. `None` to end.
    fn next_step(
        &mut self,
        schedule: &mut Schedule,
        summary: &mut NodeSummary,
        announced: &mut Instant,
    ) -> Option<Vec<Vec<Arrival>>> {
        let mailbox = Arc::clone(&self.mailbox);
        let mut state = mailbox.lock();
        state.summary.clone_from(summary);
        loop {
            let now = Instant::now();
            state.links.iter_mut().for_each(|link| link.count_late(now));
            if state.stop {
                return None;
            }
            if now.duration_since(*announced) >= ANNOUNCE_PERIOD {
                *announced = now;
                if self.publishers.iter().any(Publisher::has_news) {
                    drop(state);
                    self.announce();
                    state = mailbox.lock();
                    continue;
                }
            }
            let wake = match schedule {
                Schedule::Every { period, next } => {
                    if now >= *next {
                        *next += *period;
                        // A tick that has passed already is not made up for.
                        let behind = now.saturating_duration_since(*next).as_nanos() / period.as_nanos();
                        let behind = u32::try_from(behind).unwrap_or(u32::MAX);
                        *next += *period * behind;
                        summary.missed_ticks += u64::from(behind);
                        return Some(take(&mut state, None));
                    }
                    Some(*next)
                }
                Schedule::On { link } => {
                    if state.links.get(*link).is_some_and(|link| link.is_waiting()) {
                        return Some(take(&mut state, Some(*link)));
                    }
                    None
                }
            };
            let due = state.links.iter().filter_map(|link| link.due());
            let news = self.publishers.iter().any(Publisher::has_news).then(|| *announced + ANNOUNCE_PERIOD);
            let until = due.chain(wake).chain(news).min();
            state = mailbox.wait(state, until);
        }
    }

    /// Decodes what has arrived, and makes it the inputs of the step.
    fn fill(&self, inputs: &mut Inputs, arrivals: Vec<Vec<Arrival>>) {
        for (link, (slot, arrivals)) in inputs.slots.iter_mut().zip(arrivals).enumerate() {
            slot.fresh.clear();
            for arrival in arrivals {
                match self.open(link, arrival) {
                    Ok(sample) => slot.fresh.push(sample),
                    Err(error) => {
                        tracing::warn!(node = self.spec.name, topic = slot.topic, %error, "message not understood");
                        self.mailbox.with_link(link, |link| link.counters.malformed += 1);
                    }
                }
            }
            if let Some(newest) = slot.fresh.last() {
                slot.latest = Some(newest.clone());
                let mut state = self.mailbox.lock();
                let latency = &mut state.links[link].capture_to_publish;
                slot.fresh.iter().for_each(|sample| latency.add(sample.publish.ns_since(sample.capture)));
            }
        }
    }

    fn open(&self, link: usize, arrival: Arrival) -> Result<AnySample, cdr::Error> {
        let Arrival { payload, publish, receive, sequence } = arrival;
        let (message, capture) = match payload {
            Payload::Shared(message, capture) => (message, capture),
            Payload::Encoded(bytes) => {
                let input = &self.spec.inputs[link];
                let message = (input.decode)(&bytes.to_bytes())?;
                let capture = (input.stamp)(&message).unwrap_or(publish);
                (message, capture)
            }
        };
        Ok(AnySample { message, capture, publish, receive, sequence })
    }

    /// Hands a message to the readers in this process, to the wire and to the observers.
    fn publish(&mut self, outgoing: Outgoing, summary: &mut NodeSummary) {
        let Some(output) = self.spec.outputs.iter().position(|output| outgoing.is_of(output)) else {
            tracing::error!(node = self.spec.name, topic = outgoing.topic, "published what it does not declare");
            summary.unsent += 1;
            return;
        };
        let Outgoing { topic, capture, message, encode, .. } = outgoing;
        let publish = wall_time();
        let sequence = summary.sent[output];
        summary.sent[output] += 1;
        let publisher = &mut self.publishers[output];
        for (mailbox, link) in self.readers.get(&topic).into_iter().flatten() {
            let payload = Payload::Shared(Arc::clone(&message), capture);
            let arrival = Arrival { payload, publish, receive: wall_time(), sequence };
            mailbox.with_link(*link, |link| link.arrive(publisher.gid(), arrival, Instant::now()));
        }
        if !publisher.is_wanted() && self.tap.is_none() {
            return;
        }
        // One buffer for all messages: fresh memory for a large one costs as much as writing it.
        if let Err(error) = encode(&message, &mut self.bytes) {
            tracing::error!(node = self.spec.name, topic, %error, "message not encoded");
            summary.unsent += 1;
            return;
        }
        if publisher.is_wanted()
            && let Err(error) = publisher.put(sequence, publish, &self.bytes)
        {
            tracing::error!(node = self.spec.name, %error, "message not sent");
            summary.unsent += 1;
        }
        if let Some(tap) = &self.tap {
            let OutputSpec { type_name, definition, .. } = self.spec.outputs[output];
            let bytes = self.bytes.clone();
            let published = Tapped { topic, type_name, definition, capture, publish, sequence, bytes };
            summary.unobserved += u64::from(tap.try_send(published).is_err());
        }
    }

    fn announce(&mut self) {
        for publisher in &mut self.publishers {
            if publisher.has_news()
                && let Err(error) = publisher.announce()
            {
                tracing::warn!(node = self.spec.name, %error, "number of messages sent not announced");
            }
        }
    }
}

/// Takes one message of the link that triggers, and everything of the others.
fn take(state: &mut State, trigger: Option<usize>) -> Vec<Vec<Arrival>> {
    let links = state.links.iter_mut().enumerate();
    links.map(|(index, link)| link.take(if trigger == Some(index) { 1 } else { usize::MAX }).collect()).collect()
}
