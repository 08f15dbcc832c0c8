//! The run itself: takes one event after the other and lets it happen.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::event::{Action, Agenda, Event};
use super::fault::Dice;
use super::link::Link;
use super::node::{Slot, Source, State};
use super::{Error, Lockstep};
use crate::health::RunSummary;
use crate::node::{AnySample, Outgoing, panic_text};
use crate::observe::{Observer, Published};
use crate::recording::Recorded;
use crate::{Stamp, Trigger, topics};

/// How many events may happen at one time before it counts as standing still.
const MOST_EVENTS_AT_ONCE: u32 = 1_000_000;

/// Everything that a run is made of.
pub(super) struct Run<'a> {
    slots: Vec<Slot<'a>>,
    states: Vec<State>,
    links: Vec<Link>,
    /// The links of each output of each node.
    routes: Vec<Vec<Vec<usize>>>,
    /// The links of each topic.
    readers: BTreeMap<String, Vec<usize>>,
    agenda: Agenda,
    observers: Vec<&'a mut dyn Observer>,
    /// For messages as CDR.
    bytes: Vec<u8>,
    now: Stamp,
}

impl<'a> Run<'a> {
    /// Ties nodes and links together.
    pub fn new(lockstep: Lockstep<'a>) -> Result<Self, Error> {
        let Lockstep { start, slots, faults, deaths, observers } = lockstep;
        let (mut states, mut links) = (Vec::new(), Vec::new());
        let mut readers = BTreeMap::<String, Vec<usize>>::new();
        for (node, slot) in slots.iter().enumerate() {
            states.push(State::new(slot, links.len()));
            for input in &slot.spec.inputs {
                readers.entry(input.topic.clone()).or_default().push(links.len());
                links.push(Link::new(node, input, start));
            }
        }
        for fault in faults {
            let mut found = false;
            for &link in readers.get(&fault.topic).into_iter().flatten() {
                if fault.node.as_ref().is_none_or(|node| *node == slots[links[link].node].spec.name) {
                    links[link].faults.push(Dice::new(fault.clone(), link));
                    found = true;
                }
            }
            if !found {
                return Err(Error::NoLink { topic: fault.topic, node: fault.node.unwrap_or("node".to_owned()) });
            }
        }
        for (node, at) in deaths {
            let Some(index) = slots.iter().position(|slot| slot.spec.name == node) else {
                return Err(Error::NoNode { node });
            };
            let earlier = states[index].death.unwrap_or(Stamp::MAX);
            states[index].death = Some(at.min(earlier));
        }
        let route = |topic: &String| readers.get(topic).cloned().unwrap_or_default();
        let outputs = |slot: &Slot<'_>| slot.spec.outputs.iter().map(|output| route(&output.topic)).collect();
        let routes = slots.iter().map(outputs).collect();
        let (agenda, bytes) = (Agenda::default(), Vec::new());
        Ok(Self { slots, states, links, routes, readers, agenda, observers, bytes, now: start })
    }

    /// Lets everything happen that is due before `end`.
    pub fn until(mut self, end: Stamp) -> Result<RunSummary, Error> {
        for node in 0..self.slots.len() {
            if self.states[node].trigger.is_none() {
                self.schedule(node, self.slots[node].first);
            }
        }
        let mut at_once = 0;
        while let Some(Event { time, node, action, .. }) = self.agenda.next_before(end) {
            at_once = if time == self.now { at_once + 1 } else { 0 };
            if at_once > MOST_EVENTS_AT_ONCE {
                return Err(Error::Stuck { node: self.slots[node].spec.name.clone(), at: time });
            }
            self.now = time;
            if self.states[node].is_dead(time) {
                if let Action::Arrive(link, _) = action {
                    self.links[link].counters.lost += 1;
                }
                continue;
            }
            match action {
                Action::Publish(outgoing) => outgoing.into_iter().for_each(|outgoing| self.publish(node, outgoing)),
                Action::Arrive(link, sample) => self.arrive(link, sample),
                Action::Step => self.step(node),
            }
        }
        self.now = self.now.max(end);
        Ok(self.summary())
    }

    fn schedule(&mut self, node: usize, time: Stamp) {
        self.states[node].is_scheduled = true;
        self.agenda.add(time, node, Action::Step);
    }

    /// Steps a node, and puts what comes of it on the agenda.
    fn step(&mut self, node: usize) {
        self.states[node].is_scheduled = false;
        match &mut self.slots[node].source {
            Source::Node(_) => self.compute(node),
            Source::Recording { .. } => return self.replay(node),
            Source::Health(_) => self.diagnose(node),
        }
        let state = &mut self.states[node];
        if state.summary.failure.is_some() {
            return;
        }
        state.summary.steps += 1;
        match (state.trigger, &self.slots[node].spec.trigger) {
            (Some(link), _) if self.links[link].is_waiting() => {
                let time = state.busy_until;
                self.schedule(node, time);
            }
            (None, Trigger::Every(period)) => {
                let time = state.next_tick(*period);
                self.schedule(node, time);
            }
            _ => {}
        }
    }

    /// Lets a node compute.
    fn compute(&mut self, node: usize) {
        let Source::Node(code) = &mut self.slots[node].source else { return };
        let state = &mut self.states[node];
        for (link, slot) in (state.first_link..).zip(&mut state.inputs.slots) {
            let count = if state.trigger == Some(link) { 1 } else { usize::MAX };
            slot.fresh.clear();
            slot.fresh.extend(self.links[link].take(count));
            if let Some(newest) = slot.fresh.last() {
                slot.latest = Some(newest.clone());
            }
        }
        let step = AssertUnwindSafe(|| code.step(self.now, &state.inputs, &mut state.outputs));
        if let Err(panic) = catch_unwind(step) {
            state.summary.failure = Some(panic_text(panic.as_ref()));
            state.outputs.messages.clear();
            tracing::error!(node = state.summary.name, "panicked, and is out of the graph");
            return;
        }
        let latency = state.roll(self.slots[node].latency);
        state.busy_until = self.now + latency;
        let mut messages = std::mem::take(&mut state.outputs.messages);
        if latency.is_zero() {
            messages.drain(..).for_each(|outgoing| self.publish(node, outgoing));
            self.states[node].outputs.messages = messages;
        } else if !messages.is_empty() {
            self.agenda.add(self.now + latency, node, Action::Publish(messages));
        }
    }

    /// Publishes the recorded messages that are due.
    fn replay(&mut self, node: usize) {
        loop {
            let Source::Recording { messages, next } = &mut self.slots[node].source else { return };
            match next.take() {
                Some(message) if message.publish <= self.now => {
                    *next = messages.next();
                    self.publish_recorded(&message);
                    self.states[node].summary.steps += 1;
                }
                Some(message) => {
                    let time = message.publish;
                    *next = Some(message);
                    return self.schedule(node, time);
                }
                None => return,
            }
        }
    }

    /// Publishes how everything fares.
    fn diagnose(&mut self, node: usize) {
        let summary = self.summary();
        let Source::Health(health) = &mut self.slots[node].source else { return };
        let message = health.diagnose(self.now, summary);
        let mut outputs = std::mem::take(&mut self.states[node].outputs);
        outputs.publish(&topics::DIAGNOSTICS, self.now, message);
        outputs.messages.drain(..).for_each(|outgoing| self.publish(node, outgoing));
    }

    /// Shows a message to the observers and sends it to its readers.
    fn publish(&mut self, node: usize, outgoing: Outgoing) {
        let (spec, summary) = (&self.slots[node].spec, &mut self.states[node].summary);
        let mut outputs = spec.outputs.iter();
        let declared = outputs.position(|output| outgoing.is_of(output));
        let Some((output, declared)) = declared.map(|output| (output, &spec.outputs[output])) else {
            tracing::error!(node = spec.name, topic = outgoing.topic, "published what it does not declare");
            summary.unsent += 1;
            return;
        };
        let Outgoing { capture, message, encode, .. } = outgoing;
        let sequence = summary.sent[output];
        if !self.observers.is_empty() {
            if let Err(error) = encode(&message, &mut self.bytes) {
                tracing::error!(node = spec.name, topic = declared.topic, %error, "message not encoded");
                summary.unsent += 1;
                return;
            }
            let published = Published {
                topic: &declared.topic,
                type_name: declared.type_name,
                definition: declared.definition,
                capture,
                publish: self.now,
                sequence,
                bytes: &self.bytes,
            };
            self.observers.iter_mut().for_each(|observer| observer.observe(&published));
        }
        summary.sent[output] += 1;
        let sample = AnySample { message, capture, publish: self.now, receive: self.now, sequence };
        for index in 0..self.routes[node][output].len() {
            self.send(self.routes[node][output][index], sample.clone());
        }
    }

    /// Shows a recorded message to the observers and sends it to its readers.
    fn publish_recorded(&mut self, recorded: &Recorded) {
        let published = recorded.published();
        self.observers.iter_mut().for_each(|observer| observer.observe(&published));
        let links = self.readers.get(&recorded.channel.topic).cloned().unwrap_or_default();
        let mut decoded = None;
        for link in links {
            let reader = &self.slots[self.links[link].node];
            let input = &reader.spec.inputs[link - self.states[self.links[link].node].first_link];
            // All readers of a topic read the same type, so it is decoded once.
            if decoded.is_none() && input.type_name == recorded.channel.type_name {
                decoded = (input.decode)(&recorded.bytes).ok();
            }
            match &decoded {
                Some(message) => {
                    let Recorded { capture, publish, sequence, .. } = *recorded;
                    let sample = AnySample { message: message.clone(), capture, publish, receive: self.now, sequence };
                    self.send(link, sample);
                }
                None => self.links[link].counters.malformed += 1,
            }
        }
    }

    /// Sends a message over a link.
    fn send(&mut self, link: usize, sample: AnySample) {
        if let Some((sample, arrival)) = self.links[link].send(sample, self.now) {
            let node = self.links[link].node;
            if arrival > self.now || self.states[node].is_dead(self.now) {
                self.agenda.add(arrival, node, Action::Arrive(link, sample));
            } else {
                self.arrive(link, sample);
            }
        }
    }

    /// Takes a message in at the end of its link, and wakes the node if it waits for it.
    fn arrive(&mut self, link: usize, sample: AnySample) {
        self.links[link].arrive(sample, self.now);
        let node = self.links[link].node;
        let state = &self.states[node];
        if state.trigger == Some(link) && !state.is_scheduled {
            let time = state.busy_until.max(self.now);
            self.schedule(node, time);
        }
    }

    /// What has happened so far.
    fn summary(&mut self) -> RunSummary {
        let mut in_flight = vec![0; self.links.len()];
        self.agenda.in_flight().for_each(|link| in_flight[link] += 1);
        let mut summaries = Vec::with_capacity(self.links.len());
        for (slot, state) in self.slots.iter().zip(&mut self.states) {
            // A death that nothing happened after.
            state.is_dead(self.now);
            for (link, input) in (state.first_link..).zip(&slot.spec.inputs) {
                self.links[link].count_late(self.now);
                summaries.push(self.links[link].summary(&slot.spec.name, input, in_flight[link]));
            }
        }
        RunSummary::new(summaries, self.states.iter().map(|state| state.summary.clone()).collect())
    }
}
