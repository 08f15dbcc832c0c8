//! How the links and nodes of a run fare: counters, latencies, and what `/diagnostics` says of them.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::Stamp;
use crate::msgs::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus, KeyValue};
use crate::msgs::std_msgs::Header;

/// What became of the messages of one link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounters {
    /// Messages that arrived.
    pub received: u64,
    /// Messages that were sent and never arrived.
    pub lost: u64,
    /// Messages that arrived and that newer ones pushed out of the queue before the node saw them.
    pub dropped: u64,
    /// Deadlines that passed without a new message.
    pub late: u64,
    /// Samples that were no message of the topic.
    pub malformed: u64,
}

/// Times from one point of a message's way to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// The longest, ns.
    pub max_ns: i64,
    sum_ns: i128,
}

impl Latency {
    /// Adds one.
    pub fn add(&mut self, ns: i64) {
        self.max_ns = if self.count == 0 { ns } else { self.max_ns.max(ns) };
        self.count += 1;
        self.sum_ns += i128::from(ns);
    }

    /// Their mean, ns; `None` of none.
    pub fn mean_ns(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / self.count as f64)
    }
}

/// What became of one input of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSummary {
    /// The node that reads.
    pub node: String,
    /// The topic.
    pub topic: String,
    /// What became of its messages.
    pub counters: LinkCounters,
    /// From capture to publishing, over the messages that arrived.
    pub capture_to_publish: Latency,
    /// From publishing to arrival.
    pub publish_to_receive: Latency,
    /// Messages sent that were still on their way when the run ended, as far as is known.
    pub in_flight: u64,
    /// Messages that still waited when the run ended.
    pub unread: u64,
    /// How many messages the input keeps; with 1, it wants the newest only and dropped ones are no loss.
    pub queue: usize,
}

/// What one node did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// How often it was stepped.
    pub steps: u64,
    /// Ticks that passed while it was still busy, for a node stepped at a fixed rate.
    pub missed_ticks: u64,
    /// Messages published on each of its outputs, in the order of its outputs.
    pub sent: Vec<u64>,
    /// Messages it published that could not be sent.
    pub unsent: u64,
    /// Messages it published that the observers were too slow for.
    pub unobserved: u64,
    /// What it panicked with or was killed by, if it did not run to the end.
    pub failure: Option<String>,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The links, by node in the order of adding, then by input.
    pub links: Vec<LinkSummary>,
    /// The nodes, in the order of adding.
    pub nodes: Vec<NodeSummary>,
    /// Whether nothing was lost, late, unread by a full queue, malformed or unsent, and no node failed.
    pub complete: bool,
}

impl RunSummary {
    /// Puts links and nodes together.
    pub fn new(links: Vec<LinkSummary>, nodes: Vec<NodeSummary>) -> Self {
        let complete = links.iter().all(LinkSummary::is_complete) && nodes.iter().all(NodeSummary::is_complete);
        Self { links, nodes, complete }
    }

    /// Messages that were sent and not seen by a node that wanted them: lost on the way, or pushed out of a queue.
    pub fn lost(&self) -> u64 {
        self.links.iter().map(|link| link.counters.lost + link.dropped_unwanted()).sum()
    }
}

impl LinkSummary {
    /// Whether the node got all that it wanted, in time.
    pub fn is_complete(&self) -> bool {
        let LinkCounters { received: _, lost, dropped: _, late, malformed } = self.counters;
        lost == 0 && late == 0 && malformed == 0 && self.dropped_unwanted() == 0
    }

    /// Dropped messages that the node would have wanted.
    fn dropped_unwanted(&self) -> u64 {
        if self.queue > 1 { self.counters.dropped } else { 0 }
    }
}

impl NodeSummary {
    /// A node that has not done anything yet.
    pub fn new(name: impl Into<String>, outputs: usize) -> Self {
        let sent = vec![0; outputs];
        Self { name: name.into(), steps: 0, missed_ticks: 0, sent, unsent: 0, unobserved: 0, failure: None }
    }

    /// Whether the node ran to the end and all that it published was sent.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none() && self.unsent == 0 && self.unobserved == 0
    }
}

/// Makes `/diagnostics` of the state of a run, looking each time at what is new since the last.
#[derive(Debug, Default)]
pub struct Health {
    before: Option<RunSummary>,
}

impl Health {
    /// Says how every node and link fares. The summaries of a run are all of the same nodes.
    pub fn diagnose(&mut self, now: Stamp, summary: RunSummary) -> DiagnosticArray {
        let before = self.before.take();
        let mut status = Vec::with_capacity(summary.nodes.len() + summary.links.len());
        for (index, node) in summary.nodes.iter().enumerate() {
            status.push(node_status(node, before.as_ref().and_then(|before| before.nodes.get(index))));
        }
        for (index, link) in summary.links.iter().enumerate() {
            status.push(link_status(link, before.as_ref().and_then(|before| before.links.get(index))));
        }
        self.before = Some(summary);
        DiagnosticArray { header: Header::new(now, ""), status }
    }
}

fn node_status(node: &NodeSummary, before: Option<&NodeSummary>) -> DiagnosticStatus {
    let missed = node.missed_ticks - before.map_or(0, |before| before.missed_ticks);
    let unsent = node.unsent + node.unobserved - before.map_or(0, |before| before.unsent + before.unobserved);
    let (level, message) = match &node.failure {
        Some(failure) => (DiagnosticStatus::ERROR, failure.clone()),
        None if unsent > 0 => (DiagnosticStatus::ERROR, format!("{unsent} messages not sent")),
        None if missed > 0 => (DiagnosticStatus::WARN, format!("too slow: {missed} ticks missed")),
        None => (DiagnosticStatus::OK, "ok".to_owned()),
    };
    DiagnosticStatus {
        level,
        name: node.name.clone(),
        message,
        hardware_id: String::new(),
        values: vec![
            value("steps", node.steps),
            value("missed_ticks", node.missed_ticks),
            value("sent", node.sent.iter().sum::<u64>()),
            value("unsent", node.unsent),
        ],
    }
}

fn link_status(link: &LinkSummary, before: Option<&LinkSummary>) -> DiagnosticStatus {
    let (now, before) = (link.counters, before.map(|before| before.counters).unwrap_or_default());
    let lost = now.lost.saturating_sub(before.lost);
    let dropped = if link.queue > 1 { now.dropped - before.dropped } else { 0 };
    let malformed = now.malformed - before.malformed;
    let (level, message) = if now.late > before.late {
        let what = if now.received == 0 { "not received" } else { "nothing new within its deadline" };
        (DiagnosticStatus::STALE, what.to_owned())
    } else if lost + dropped + malformed > 0 {
        (DiagnosticStatus::WARN, format!("{lost} lost, {dropped} dropped, {malformed} malformed"))
    } else {
        (DiagnosticStatus::OK, "ok".to_owned())
    };
    let mut values = vec![
        value("received", now.received),
        value("lost", now.lost),
        value("dropped", now.dropped),
        value("late", now.late),
        value("malformed", now.malformed),
    ];
    for (way, latency) in
        [("capture_to_publish", link.capture_to_publish), ("publish_to_receive", link.publish_to_receive)]
    {
        if let Some(mean_ns) = latency.mean_ns() {
            values.push(value(&format!("{way}_mean_ms"), format!("{:.3}", mean_ns * 1e-6)));
            values.push(value(&format!("{way}_max_ms"), format!("{:.3}", latency.max_ns as f64 * 1e-6)));
        }
    }
    DiagnosticStatus {
        level,
        name: format!("{} reads {}", link.node, link.topic),
        message,
        hardware_id: String::new(),
        values,
    }
}

fn value(key: &str, value: impl Display) -> KeyValue {
    KeyValue { key: key.to_owned(), value: value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(counters: LinkCounters, queue: usize) -> LinkSummary {
        LinkSummary {
            node: "planner".to_owned(),
            topic: "/objects".to_owned(),
            counters,
            capture_to_publish: Latency::default(),
            publish_to_receive: Latency::default(),
            in_flight: 0,
            unread: 0,
            queue,
        }
    }

    fn level(health: &mut Health, counters: LinkCounters, queue: usize) -> u8 {
        let summary = RunSummary::new(vec![link(counters, queue)], Vec::new());
        health.diagnose(Stamp::ZERO, summary).status[0].level
    }

    #[test]
    fn a_loss_is_told_once_and_the_link_is_well_again_after() {
        let mut health = Health::default();
        let lost = LinkCounters { received: 9, lost: 1, ..LinkCounters::default() };
        assert_eq!(level(&mut health, LinkCounters { received: 3, ..LinkCounters::default() }, 1), 0);
        assert_eq!(level(&mut health, lost, 1), DiagnosticStatus::WARN);
        assert_eq!(level(&mut health, lost, 1), DiagnosticStatus::OK);
        assert_eq!(level(&mut health, LinkCounters { late: 1, ..lost }, 1), DiagnosticStatus::STALE);
    }

    #[test]
    fn what_a_latest_only_input_drops_is_no_loss() {
        let counters = LinkCounters { received: 9, dropped: 5, ..LinkCounters::default() };
        for (queue, complete) in [(1, true), (2, false)] {
            let summary = RunSummary::new(vec![link(counters, queue)], Vec::new());
            assert_eq!((summary.complete, summary.lost() == 0), (complete, complete));
        }
    }

    #[test]
    fn latencies_have_mean_and_maximum_of_any_sign() {
        let mut latency = Latency::default();
        assert_eq!(latency.mean_ns(), None);
        [-4, -2].into_iter().for_each(|ns| latency.add(ns));
        assert_eq!((latency.mean_ns(), latency.max_ns), (Some(-3.0), -2));
    }
}
