//! One input of a node: its queue, its faults, and a count of everything that did not get through.

use std::collections::VecDeque;
use std::time::Duration;

use super::fault::Dice;
use crate::Stamp;
use crate::health::{Latency, LinkCounters, LinkSummary};
use crate::node::{AnySample, InputSpec};

/// A link to one input of a node.
pub(super) struct Link {
    /// The node that reads.
    pub node: usize,
    pub faults: Vec<Dice>,
    pub counters: LinkCounters,
    capture_to_publish: Latency,
    publish_to_receive: Latency,
    capacity: usize,
    waiting: VecDeque<AnySample>,
    deadline: Option<Duration>,
    due: Stamp,
    /// When the last message that was sent arrives, which later ones don't overtake.
    last_arrival: Stamp,
}

impl Link {
    /// A link whose deadline is armed at once, before any message.
    pub fn new(node: usize, spec: &InputSpec, start: Stamp) -> Self {
        Self {
            node,
            faults: Vec::new(),
            counters: LinkCounters::default(),
            capture_to_publish: Latency::default(),
            publish_to_receive: Latency::default(),
            capacity: spec.queue.max(1),
            waiting: VecDeque::new(),
            deadline: spec.deadline,
            due: spec.deadline.map_or(Stamp::MAX, |deadline| start + deadline),
            last_arrival: start,
        }
    }

    /// Sends a message on its way at `now`: what arrives and when, or `None` if it is lost.
    pub fn send(&mut self, mut sample: AnySample, now: Stamp) -> Option<(AnySample, Stamp)> {
        let mut arrival = now;
        for fault in &mut self.faults {
            let Some((changed, lag)) = fault.roll(sample) else {
                self.counters.lost += 1;
                return None;
            };
            sample = changed;
            arrival += lag;
        }
        self.last_arrival = self.last_arrival.max(arrival);
        Some((sample, self.last_arrival))
    }

    /// Takes in a message.
    pub fn arrive(&mut self, mut sample: AnySample, now: Stamp) {
        sample.receive = now;
        self.count_late(now);
        self.due = self.deadline.map_or(Stamp::MAX, |deadline| now + deadline);
        self.counters.received += 1;
        self.capture_to_publish.add(sample.publish.ns_since(sample.capture));
        self.publish_to_receive.add(now.ns_since(sample.publish));
        if self.waiting.len() == self.capacity {
            self.waiting.pop_front();
            self.counters.dropped += 1;
        }
        self.waiting.push_back(sample);
    }

    /// Counts the deadlines that have passed by `now`.
    pub fn count_late(&mut self, now: Stamp) {
        let Some(deadline) = self.deadline else { return };
        let overdue_ns = now.ns_since(self.due);
        if overdue_ns >= 0 {
            let deadline_ns = i64::try_from(deadline.as_nanos()).unwrap_or(i64::MAX).max(1);
            let periods = 1 + overdue_ns / deadline_ns;
            self.counters.late += periods.unsigned_abs();
            self.due = self.due.offset_ns(deadline_ns.saturating_mul(periods));
        }
    }

    /// Whether a message waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes up to `count` waiting messages, oldest first.
    pub fn take(&mut self, count: usize) -> impl Iterator<Item = AnySample> {
        self.waiting.drain(..count.min(self.waiting.len()))
    }

    /// What became of it.
    pub fn summary(&self, node: &str, spec: &InputSpec, in_flight: u64) -> LinkSummary {
        LinkSummary {
            node: node.to_owned(),
            topic: spec.topic.clone(),
            counters: self.counters,
            capture_to_publish: self.capture_to_publish,
            publish_to_receive: self.publish_to_receive,
            in_flight,
            unread: self.waiting.len() as u64,
            queue: spec.queue,
        }
    }
}
