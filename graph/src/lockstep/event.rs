//! What happens when, in one total order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::Stamp;
use crate::node::{AnySample, Outgoing};

/// What happens at an event; the node is the event's.
pub(super) enum Action {
    /// The node has computed these and publishes them.
    Publish(Vec<Outgoing>),
    /// A message arrives at the link of this number, which is one of the node's.
    Arrive(usize, AnySample),
    /// The node is stepped.
    Step,
}

impl Action {
    fn rank(&self) -> u8 {
        match self {
            Self::Publish(_) => 0,
            Self::Arrive(..) => 1,
            Self::Step => 2,
        }
    }
}

/// Something that is going to happen.
pub(super) struct Event {
    pub time: Stamp,
    pub node: usize,
    pub action: Action,
    /// Counts up, so that no two events are equal.
    number: u64,
}

impl Event {
    fn key(&self) -> (Stamp, usize, u8, u64) {
        (self.time, self.node, self.action.rank(), self.number)
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// What is going to happen, first things first.
#[derive(Default)]
pub(super) struct Agenda {
    events: BinaryHeap<Reverse<Event>>,
    number: u64,
}

impl Agenda {
    /// Adds an event.
    pub fn add(&mut self, time: Stamp, node: usize, action: Action) {
        self.events.push(Reverse(Event { time, node, action, number: self.number }));
        self.number += 1;
    }

    /// Takes the first event, if it comes before `end`.
    pub fn next_before(&mut self, end: Stamp) -> Option<Event> {
        if self.events.peek()?.0.time >= end {
            return None;
        }
        self.events.pop().map(|Reverse(event)| event)
    }

    /// The links that messages are on their way to, one entry a message, in no order.
    pub fn in_flight(&self) -> impl Iterator<Item = usize> {
        self.events.iter().filter_map(|Reverse(event)| match event.action {
            Action::Arrive(link, _) => Some(link),
            Action::Publish(_) | Action::Step => None,
        })
    }
}
