//! Records runs, and lets the planner of a recording plan again on what it was told: it must answer the same bytes.

mod metadata;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tandem_graph::lockstep::{Lockstep, NodeLatency};
use tandem_graph::msgs::std_msgs;
use tandem_graph::observe::{Observer, Published};
use tandem_graph::recording::{self, Digest, Recorded, Recorder};
use tandem_graph::topics::{STATUS, TRAJECTORY};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};
use tandem_planner::node::PlannerNode;
use tandem_planner::planners;

use crate::Error;
use crate::drive::{self, Driven, Setup};
use crate::nodes::Vehicle;
use metadata::{RECORD, RunRecord};

/// Drives a run and records every message of it.
///
/// # Errors
/// As [`drive::drive`], and [`Error::Recording`] if the file can't be written.
pub fn record(setup: &Setup, path: impl AsRef<Path>) -> Result<Driven, Error> {
    let path = path.as_ref();
    let failed = |source| Error::Recording { path: path.to_owned(), source };
    let mut recorder = Recorder::create(path).map_err(failed)?;
    recorder.metadata(RECORD, RunRecord::of(setup)?.values()).map_err(failed)?;
    let driven = drive::drive(setup, &mut [&mut recorder])?;
    recorder.finish().map_err(failed)?;
    Ok(driven)
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The recorded run's log, planner and traffic, for people.
    pub run: String,
    /// How many messages the recording holds.
    pub messages: u64,
    /// How many of the planner's answers were compared.
    pub compared: u64,
    /// The first answer that is not the recorded one.
    pub difference: Option<Difference>,
    /// The digest of the recording.
    pub recorded_sha256: String,
    /// The digest of the replay.
    pub replayed_sha256: String,
}

impl Comparison {
    /// Whether the replay is the recording to the last byte.
    pub fn is_identical(&self) -> bool {
        self.difference.is_none() && self.recorded_sha256 == self.replayed_sha256
    }
}

/// An answer that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its topic.
    pub topic: String,
    /// Its number on its topic.
    pub sequence: u64,
    /// When it was published.
    pub publish: Stamp,
    /// How it differs, for people.
    pub what: String,
}

/// Runs the planner of a recording again, in lockstep and under the same faults, on the recorded messages of all others.
///
/// # Errors
/// [`Error::Recording`] for a file that can't be read to its end, [`Error::NotARun`] for one that was not made by
/// [`record`].
pub fn replay(path: impl AsRef<Path>) -> Result<Comparison, Error> {
    let path = path.as_ref();
    let not_a_run = |reason: String| Error::NotARun { path: path.to_owned(), reason };
    let failed = |source| Error::Recording { path: path.to_owned(), source };
    let mut reader = recording::read(path).map_err(failed)?;
    let mut messages: Vec<Recorded> = Vec::new();
    for message in &mut reader {
        messages.push(message.map_err(failed)?);
    }
    let values = reader.metadata().iter().find(|metadata| metadata.name == RECORD);
    let values =
        values.ok_or_else(|| not_a_run(format!("it has no metadata {RECORD}: it is no run of this program")))?;
    let run = RunRecord::parse(&values.values).map_err(not_a_run)?;

    let mut recorded = Digest::default();
    messages.iter().for_each(|message| recorded.observe(&message.published()));
    let count = messages.len() as u64;
    let is_answer = |message: &Recorded| [TRAJECTORY.name(), STATUS.name()].contains(&message.channel.topic.as_str());
    let (answers, told): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_answer);

    let planner = planners::by_name(&run.planner, &run.human_track)?;
    let mut planner = PlannerNode::new(planner, run.body);
    let mut replayed = Digest::default();
    let mut comparer = Comparer::new(answers);
    let faults = drive::faulty_links(&run.faults, &planner, run.start);
    let vehicle = Vehicle::node_spec();
    let other_links = run.links_before_planner.saturating_sub(vehicle.inputs.len());
    let mut lockstep = Lockstep::new(run.first);
    lockstep
        .inject("recording", told)
        // In the place of those whose messages are recorded, for the links to have the numbers that they had: their
        // dice go by these.
        .add(Absent(vehicle), NodeLatency::NONE)
        .add(Absent::unlinked(other_links), NodeLatency::NONE)
        .add(&mut planner, NodeLatency::NONE)
        .observe(&mut replayed)
        .observe(&mut comparer);
    for fault in faults {
        lockstep.link(fault);
    }
    if let Some(death) = run.faults.dead.as_ref().filter(|death| death.node == drive::PLANNER_NODE) {
        lockstep.kill(drive::PLANNER_NODE, run.start.offset_ns((death.at_s * 1e9) as i64));
    }
    lockstep.run_until(run.end.offset_ns(1))?;
    Ok(Comparison {
        run: format!("{} by {} with {} traffic, seen by {}", run.log, run.planner, run.traffic, run.perception),
        messages: count,
        compared: comparer.compared,
        difference: comparer.finish(),
        recorded_sha256: recorded.sha256(),
        replayed_sha256: replayed.sha256(),
    })
}

/// A node that reads and does nothing.
struct Absent(NodeSpec);

impl Absent {
    /// One with so many links to topics that nobody writes.
    fn unlinked(links: usize) -> Self {
        let input = |number| Topic::<std_msgs::String>::named(format!("/absent/{number}"));
        Self((0..links).fold(NodeSpec::every("absent", Duration::MAX), |spec, number| spec.reads(&input(number))))
    }
}

impl Node for Absent {
    fn spec(&self) -> NodeSpec {
        let trigger = tandem_graph::Trigger::Every(Duration::MAX);
        NodeSpec { trigger, outputs: Vec::new(), ..self.0.clone() }
    }

    fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) {}
}

/// Holds the planner's answers against the recorded ones.
struct Comparer {
    /// What is still to come, by topic and number.
    expected: BTreeMap<(String, u64), Recorded>,
    compared: u64,
    difference: Option<Difference>,
}

impl Comparer {
    fn new(answers: Vec<Recorded>) -> Self {
        let keyed = answers.into_iter().map(|answer| ((answer.channel.topic.clone(), answer.sequence), answer));
        Self { expected: keyed.collect(), compared: 0, difference: None }
    }

    /// The first difference; also one that never came.
    fn finish(mut self) -> Option<Difference> {
        let missing = self.expected.pop_first().map(|((topic, sequence), recorded)| {
            let what = "recorded, but not published in the replay".to_owned();
            Difference { topic, sequence, publish: recorded.publish, what }
        });
        self.difference.or(missing)
    }
}

impl Observer for Comparer {
    fn observe(&mut self, published: &Published<'_>) {
        let Published { topic, sequence, publish, capture, bytes, .. } = *published;
        if ![TRAJECTORY.name(), STATUS.name()].contains(&topic) {
            return;
        }
        self.compared += 1;
        let what = match self.expected.remove(&(topic.to_owned(), sequence)) {
            None => "published in the replay, but not recorded".to_owned(),
            Some(recorded) if (recorded.publish, recorded.capture) != (publish, capture) => {
                format!("published {} ns apart from the recorded one", publish.ns_since(recorded.publish))
            }
            Some(recorded) if recorded.bytes != bytes => {
                let same = recorded.bytes.iter().zip(bytes).take_while(|(a, b)| a == b).count();
                format!("byte {same} of {} differs", recorded.bytes.len())
            }
            Some(_) => return,
        };
        let difference = || Difference { topic: topic.to_owned(), sequence, publish, what };
        self.difference.get_or_insert_with(difference);
    }
}
