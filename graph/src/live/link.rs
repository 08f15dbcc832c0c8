//! One input of a live node: its queue, and a count of everything that did not get through.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use zenoh::bytes::ZBytes;

use crate::Stamp;
use crate::health::{Latency, LinkCounters, LinkSummary};
use crate::node::{AnyMessage, InputSpec};
use crate::rmw::Gid;

/// How many publishers a link keeps count of; the one heard of longest ago is forgotten beyond that.
const MAX_SOURCES: usize = 256;

/// A message as it arrived, not yet looked at.
pub(super) struct Arrival {
    pub payload: Payload,
    pub publish: Stamp,
    pub receive: Stamp,
    pub sequence: u64,
}

/// What an arrival holds: decoding is left to the node's own thread, and to messages that survive the queue.
pub(super) enum Payload {
    /// From a node of this process, with its capture stamp.
    Shared(AnyMessage, Stamp),
    /// From the wire.
    Encoded(ZBytes),
}

/// The queue of one input, and its counters.
pub(super) struct Link {
    capacity: usize,
    waiting: VecDeque<Arrival>,
    deadline: Option<Duration>,
    due: Option<Instant>,
    sources: BTreeMap<Gid, Source>,
    pub counters: LinkCounters,
    /// Of the messages that the node was given: before, the capture stamp of a message is not known.
    pub capture_to_publish: Latency,
    publish_to_receive: Latency,
}

/// How far one publisher's numbers have been seen.
struct Source {
    /// The first number that counts; what was sent before the link existed is not lost.
    first: u64,
    /// The number expected next.
    next: u64,
    /// The newest number that arrived.
    newest: Option<u64>,
    heard: Instant,
}

impl Link {
    /// A link whose deadline is armed at once, before any message.
    pub fn new(spec: &InputSpec, now: Instant) -> Self {
        Self {
            capacity: spec.queue.max(1),
            waiting: VecDeque::new(),
            deadline: spec.deadline,
            due: spec.deadline.map(|deadline| now + deadline),
            sources: BTreeMap::new(),
            counters: LinkCounters::default(),
            capture_to_publish: Latency::default(),
            publish_to_receive: Latency::default(),
        }
    }

    /// Takes in a message from a publisher. A repeated one, as history may bring, is ignored.
    pub fn arrive(&mut self, gid: Gid, arrival: Arrival, now: Instant) {
        let sequence = arrival.sequence;
        let source = self.source(gid, sequence, now);
        if source.newest.is_some_and(|newest| sequence <= newest) {
            return;
        }
        source.newest = Some(sequence);
        if sequence >= source.next {
            let gap = sequence - source.next;
            source.next = sequence.saturating_add(1);
            self.counters.lost = self.counters.lost.saturating_add(gap);
        } else if sequence >= source.first {
            // Given up for lost when a higher number was announced, and here after all.
            self.counters.lost = self.counters.lost.saturating_sub(1);
        }
        self.counters.received += 1;
        self.publish_to_receive.add(arrival.receive.ns_since(arrival.publish));
        self.count_late(now);
        self.due = self.deadline.map(|deadline| now + deadline);
        if self.waiting.len() == self.capacity {
            self.waiting.pop_front();
            self.counters.dropped += 1;
        }
        self.waiting.push_back(arrival);
    }

    /// Takes in a publisher's word that its next message will have the number `next`.
    ///
    /// This is how the loss of the last messages of a burst shows, which no later number would reveal.
    pub fn announce(&mut self, gid: Gid, next: u64, now: Instant) {
        let source = self.source(gid, next, now);
        if next > source.next {
            let gap = next - source.next;
            source.next = next;
            self.counters.lost = self.counters.lost.saturating_add(gap);
        }
    }

    fn source(&mut self, gid: Gid, first: u64, now: Instant) -> &mut Source {
        if self.sources.len() >= MAX_SOURCES
            && !self.sources.contains_key(&gid)
            && let Some(oldest) = self.sources.iter().min_by_key(|(_, source)| source.heard).map(|(gid, _)| *gid)
        {
            self.sources.remove(&oldest);
        }
        let source = self.sources.entry(gid).or_insert(Source { first, next: first, newest: None, heard: now });
        source.heard = now;
        source
    }

    /// Counts the deadlines that have passed by `now`.
    pub fn count_late(&mut self, now: Instant) {
        let (Some(due), Some(deadline)) = (self.due, self.deadline) else { return };
        if let Some(overdue) = now.checked_duration_since(due) {
            let periods = 1 + overdue.as_nanos() / deadline.as_nanos().max(1);
            let periods = u32::try_from(periods).unwrap_or(u32::MAX);
            self.counters.late += u64::from(periods);
            self.due = Some(due + deadline.max(Duration::from_nanos(1)) * periods);
        }
    }

    /// When the next deadline passes.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a message waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes up to `count` waiting messages, oldest first.
    pub fn take(&mut self, count: usize) -> impl Iterator<Item = Arrival> {
        self.waiting.drain(..count.min(self.waiting.len()))
    }

    /// What became of it. What is on its way on the wire is not known.
    pub fn summary(&self, node: &str, spec: &InputSpec) -> LinkSummary {
        LinkSummary {
            node: node.to_owned(),
            topic: spec.topic.clone(),
            counters: self.counters,
            capture_to_publish: self.capture_to_publish,
            publish_to_receive: self.publish_to_receive,
            in_flight: 0,
            unread: self.waiting.len() as u64,
            queue: spec.queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use proptest::prelude::*;

    const GID: Gid = Gid([1; 16]);

    fn link(queue: usize, deadline: Option<Duration>, now: Instant) -> Link {
        let spec = InputSpec {
            topic: "/t".to_owned(),
            type_name: "a/msg/B",
            type_hash: "RIHS01_0",
            queue,
            deadline,
            decode: |_| Ok(Arc::new(())),
            stamp: |_| None,
        };
        Link::new(&spec, now)
    }

    fn arrival(sequence: u64) -> Arrival {
        let payload = Payload::Shared(Arc::new(()), Stamp::ZERO);
        Arrival { payload, publish: Stamp::ZERO, receive: Stamp::ZERO, sequence }
    }

    #[test]
    fn a_gap_is_lost_and_what_came_before_the_link_is_not() {
        let now = Instant::now();
        let mut link = link(10, None, now);
        for sequence in [40, 41, 44] {
            link.arrive(GID, arrival(sequence), now);
        }
        assert_eq!(link.counters, LinkCounters { received: 3, lost: 2, ..LinkCounters::default() });
    }

    #[test]
    fn the_loss_of_the_last_messages_shows_by_announcement() {
        let now = Instant::now();
        let mut link = link(10, None, now);
        link.announce(GID, 0, now);
        link.arrive(GID, arrival(1), now);
        link.announce(GID, 5, now);
        assert_eq!((link.counters.received, link.counters.lost), (1, 4));
        link.arrive(GID, arrival(4), now);
        assert_eq!((link.counters.received, link.counters.lost), (2, 3), "what comes late is not lost");
    }

    #[test]
    fn history_is_taken_once_and_counts_nothing_as_lost() {
        let now = Instant::now();
        let mut link = link(10, None, now);
        link.announce(GID, 8, now);
        link.arrive(GID, arrival(7), now);
        link.arrive(GID, arrival(7), now);
        assert_eq!(link.counters, LinkCounters { received: 1, ..LinkCounters::default() });
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_says_so() {
        let now = Instant::now();
        let mut link = link(2, None, now);
        (0..5).for_each(|sequence| link.arrive(GID, arrival(sequence), now));
        assert_eq!(link.counters.dropped, 3);
        assert_eq!(link.take(9).map(|arrival| arrival.sequence).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_deadline_is_armed_before_the_first_message() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut link = link(1, Some(ms(100)), start);
        link.count_late(start + ms(99));
        assert_eq!(link.counters.late, 0);
        link.count_late(start + ms(250));
        assert_eq!(link.counters.late, 2);
        link.arrive(GID, arrival(0), start + ms(260));
        link.count_late(start + ms(359));
        assert_eq!(link.counters.late, 2, "a message arms it anew");
        link.arrive(GID, arrival(1), start + ms(370));
        assert_eq!(link.counters.late, 3, "a message that comes too late does not hide it");
    }

    proptest! {
        /// Whatever the wire drops, and however the burst ends: received + lost = sent.
        #[test]
        fn every_message_is_received_or_lost(arrives in proptest::collection::vec(any::<bool>(), 0..200)) {
            let now = Instant::now();
            let mut link = link(3, None, now);
            link.announce(GID, 0, now);
            for (sequence, _) in arrives.iter().enumerate().filter(|(_, arrives)| **arrives) {
                link.arrive(GID, arrival(sequence as u64), now);
            }
            link.announce(GID, arrives.len() as u64, now);
            let counters = link.counters;
            prop_assert_eq!(counters.received + counters.lost, arrives.len() as u64);
            prop_assert_eq!(counters.received, counters.dropped + link.waiting.len() as u64);
        }

        #[test]
        fn no_numbers_of_a_stranger_overflow(numbers in proptest::collection::vec(any::<(u64, bool)>(), 0..50)) {
            let now = Instant::now();
            let mut link = link(3, None, now);
            for (number, arrives) in numbers {
                if arrives { link.arrive(GID, arrival(number), now) } else { link.announce(GID, number, now) }
            }
        }
    }
}
