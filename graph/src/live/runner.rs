//! The live run of a process's nodes, from opening the session to the summary of what happened.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::link::LinkCounters;
use super::mailbox::Mailbox;
use super::session::Session;
use super::thread::{Readers, Wiring, run};
use super::{Error, wall_time};
use crate::observe::{Observer, Published};
use crate::{Node, NodeSpec, Stamp, Trigger};

/// How many published messages wait for a slow observer before it misses some, which is counted.
const TAP_DEPTH: usize = 1024;

/// How often the end of the run is looked for.
const POLL: Duration = Duration::from_millis(5);

/// The nodes of this process, on their session.
///
/// Nodes may be borrowed (`&mut node`), so that they can be looked at after the run.
///
/// ```
/// # use std::time::Duration;
/// # use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
/// use tandem_graph::live::{Config, Live, Session};
/// # struct Counter(u32);
/// # impl Node for Counter {
/// #     fn spec(&self) -> NodeSpec { NodeSpec::every("counter", Duration::from_millis(10)) }
/// #     fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) { self.0 += 1; }
/// # }
/// let session = Session::open(&Config::default())?;
/// let mut node = Counter(0);
/// let mut live = Live::new(&session);
/// live.add(&mut node);
/// let summary = live.run_for(Duration::from_millis(50))?;
/// assert!(summary.complete && node.0 > 0);
/// # Ok::<(), tandem_graph::live::Error>(())
/// ```
pub struct Live<'a> {
    session: &'a Session,
    nodes: Vec<(NodeSpec, Box<dyn Node + 'a>)>,
    observers: Vec<&'a mut dyn Observer>,
    stopper: Stopper,
}

/// Ends a run from elsewhere: from a node, another thread, a signal handler.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// Asks the run to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A message on its way to the observers.
pub(super) struct Tapped {
    pub topic: String,
    pub type_name: &'static str,
    pub definition: &'static str,
    pub capture: Stamp,
    pub publish: Stamp,
    pub sequence: u64,
    pub bytes: Vec<u8>,
}

/// What became of one input of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSummary {
    /// The node that reads.
    pub node: String,
    /// The topic.
    pub topic: String,
    /// What became of its messages.
    pub counters: LinkCounters,
    /// Messages that still waited when the run ended.
    pub unread: u64,
    /// How many messages the input keeps; with 1, it wants the newest only and dropped ones are no loss.
    pub queue: usize,
}

/// What one node did.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What it panicked with, if it did.
    pub failure: Option<String>,
}

impl NodeSummary {
    pub(super) fn new(spec: &NodeSpec) -> Self {
        Self {
            name: spec.name.clone(),
            steps: 0,
            missed_ticks: 0,
            sent: vec![0; spec.outputs.len()],
            unsent: 0,
            unobserved: 0,
            failure: None,
        }
    }
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// The links, by node in the order of adding, then by input.
    pub links: Vec<LinkSummary>,
    /// The nodes, in the order of adding.
    pub nodes: Vec<NodeSummary>,
    /// Whether nothing was lost, late, unread by a full queue, malformed or unsent, and no node failed.
    pub complete: bool,
}

impl<'a> Live<'a> {
    /// A run without nodes yet, on an open session.
    pub fn new(session: &'a Session) -> Self {
        Self { session, nodes: Vec::new(), observers: Vec::new(), stopper: Stopper::default() }
    }

    /// Adds a node.
    pub fn add(&mut self, node: impl Node + 'a) -> &mut Self {
        self.nodes.push((node.spec(), Box::new(node)));
        self
    }

    /// Adds someone who sees every message that the nodes of this process publish.
    ///
    /// Observers are called on the thread that runs; one that can't keep up never holds up a node, but misses
    /// messages, which the summary counts.
    pub fn observe(&mut self, observer: &'a mut dyn Observer) -> &mut Self {
        self.observers.push(observer);
        self
    }

    /// Lets the run end when this stopper says so.
    pub fn stopped_by(&mut self, stopper: &Stopper) -> &mut Self {
        self.stopper = stopper.clone();
        self
    }

    /// Runs the nodes for a time, or until they are stopped or have all failed.
    ///
    /// # Errors
    /// If the nodes don't fit together or can't be declared; never for what happens to messages.
    pub fn run_for(self, duration: Duration) -> Result<RunSummary, Error> {
        self.run_until(wall_time() + duration)
    }

    /// Runs the nodes until a point in Unix time, or until they are stopped or have all failed.
    ///
    /// # Errors
    /// As [`run_for`](Self::run_for).
    pub fn run_until(mut self, end: Stamp) -> Result<RunSummary, Error> {
        self.check()?;
        let start = Instant::now();
        let specs: Vec<NodeSpec> = self.nodes.iter().map(|(spec, _)| spec.clone()).collect();
        let mailboxes: Vec<_> = specs.iter().map(|spec| Arc::new(Mailbox::new(&spec.inputs, start))).collect();
        let readers = readers(&specs, &mailboxes);
        let (tap, tapped) = sync_channel(TAP_DEPTH);
        let tap = (!self.observers.is_empty()).then_some(tap);
        let mut wirings = Vec::new();
        for (spec, mailbox) in specs.iter().zip(&mailboxes) {
            wirings.push(Wiring::declare(self.session, spec, mailbox, &readers, tap.clone())?);
        }
        drop(tap);
        let nodes = thread::scope(|scope| {
            let nodes = self.nodes.iter_mut().zip(wirings);
            let threads: Vec<_> =
                nodes.map(|((_, node), wiring)| scope.spawn(move || run(node.as_mut(), wiring, start))).collect();
            while !self.stopper.is_stopped() && wall_time() < end && threads.iter().any(|thread| !thread.is_finished())
            {
                match tapped.recv_timeout(POLL) {
                    Ok(message) => show(&mut self.observers, &message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
                }
            }
            mailboxes.iter().for_each(|mailbox| mailbox.stop());
            // What the nodes published before they stopped; ends when the last of them has dropped its tap.
            tapped.iter().for_each(|message| show(&mut self.observers, &message));
            let summaries = threads.into_iter().zip(&specs).map(|(thread, spec)| {
                // A node's own panic is caught in its thread; this is one of the runner.
                thread.join().unwrap_or_else(|_| NodeSummary {
                    failure: Some("its thread panicked".to_owned()),
                    ..NodeSummary::new(spec)
                })
            });
            summaries.collect()
        });
        Ok(RunSummary::new(&specs, &mailboxes, nodes))
    }

    /// Whether the nodes fit together.
    fn check(&self) -> Result<(), Error> {
        let specs = || self.nodes.iter().map(|(spec, _)| spec);
        let mut names = BTreeSet::new();
        for spec in specs() {
            if !names.insert(&spec.name) {
                return Err(Error::SameName { node: spec.name.clone() });
            }
            if let Trigger::On(topic) = &spec.trigger
                && !spec.inputs.iter().any(|input| input.topic == *topic)
            {
                return Err(Error::Trigger { node: spec.name.clone(), topic: topic.clone() });
            }
        }
        for (writer, output) in specs().flat_map(|spec| spec.outputs.iter().map(move |output| (spec, output))) {
            for (reader, input) in specs().flat_map(|spec| spec.inputs.iter().map(move |input| (spec, input))) {
                if input.topic == output.topic && input.type_hash != output.type_hash {
                    return Err(Error::Type {
                        topic: input.topic.clone(),
                        reader: reader.name.clone(),
                        read: input.type_name,
                        writer: writer.name.clone(),
                        written: output.type_name,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Who reads what among the nodes of this process.
fn readers(specs: &[NodeSpec], mailboxes: &[Arc<Mailbox>]) -> Readers {
    let mut readers = Readers::new();
    for (spec, mailbox) in specs.iter().zip(mailboxes) {
        for (link, input) in spec.inputs.iter().enumerate() {
            readers.entry(input.topic.clone()).or_default().push((Arc::clone(mailbox), link));
        }
    }
    readers
}

fn show(observers: &mut [&mut dyn Observer], message: &Tapped) {
    let published = Published {
        topic: &message.topic,
        type_name: message.type_name,
        definition: message.definition,
        capture: message.capture,
        publish: message.publish,
        sequence: message.sequence,
        bytes: &message.bytes,
    };
    observers.iter_mut().for_each(|observer| observer.observe(&published));
}

impl RunSummary {
    fn new(specs: &[NodeSpec], mailboxes: &[Arc<Mailbox>], nodes: Vec<NodeSummary>) -> Self {
        let mut links = Vec::new();
        for (spec, mailbox) in specs.iter().zip(mailboxes) {
            for (input, link) in spec.inputs.iter().zip(&mailbox.lock().links) {
                links.push(LinkSummary {
                    node: spec.name.clone(),
                    topic: input.topic.clone(),
                    counters: link.counters,
                    unread: link.waiting() as u64,
                    queue: input.queue,
                });
            }
        }
        let complete = links.iter().all(LinkSummary::is_complete) && nodes.iter().all(NodeSummary::is_complete);
        Self { links, nodes, complete }
    }
}

impl LinkSummary {
    /// Whether the node got all that it wanted, in time.
    pub fn is_complete(&self) -> bool {
        let LinkCounters { received: _, lost, dropped, late, malformed } = self.counters;
        lost == 0 && late == 0 && malformed == 0 && (dropped == 0 || self.queue <= 1)
    }
}

impl NodeSummary {
    /// Whether the node ran to the end and all that it published was sent.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none() && self.unsent == 0 && self.unobserved == 0
    }
}
