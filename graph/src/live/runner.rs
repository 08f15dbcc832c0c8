//! The live run of a process's nodes, from opening the session to the summary of what happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::health::{HealthNode, summary};
use super::mailbox::Mailbox;
use super::session::Session;
use super::thread::{Readers, Wiring, run};
use super::{Error, wall_time};
use crate::fit;
use crate::health::{Health, RunSummary};
use crate::observe::{Observer, Published};
use crate::{Node, NodeSpec, Stamp};

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
    health: Option<Duration>,
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

impl<'a> Live<'a> {
    /// A run without nodes yet, on an open session.
    pub fn new(session: &'a Session) -> Self {
        Self { session, nodes: Vec::new(), observers: Vec::new(), health: None, stopper: Stopper::default() }
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

    /// Adds a node of the runner's own that publishes `/diagnostics` of all nodes and links.
    pub fn diagnose(&mut self, period: Duration) -> &mut Self {
        self.health = Some(period);
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
        let mut specs: Vec<NodeSpec> = self.nodes.iter().map(|(spec, _)| spec.clone()).collect();
        specs.extend(self.health.map(HealthNode::spec));
        fit::check(specs.iter())?;
        let start = Instant::now();
        let mailboxes: Vec<_> = specs.iter().map(|spec| Arc::new(Mailbox::new(spec, start))).collect();
        if let Some(period) = self.health {
            let (specs, mailboxes) = (specs.clone(), mailboxes.clone());
            self.add(HealthNode { period, health: Health::default(), specs, mailboxes });
        }
        let readers = readers(&specs, &mailboxes);
        let (tap, tapped) = sync_channel(TAP_DEPTH);
        let tap = (!self.observers.is_empty()).then_some(tap);
        let mut wirings = Vec::new();
        for (spec, mailbox) in specs.iter().zip(&mailboxes) {
            wirings.push(Wiring::declare(self.session, spec, mailbox, &readers, tap.clone())?);
        }
        drop(tap);
        thread::scope(|scope| {
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
            for (thread, mailbox) in threads.into_iter().zip(&mailboxes) {
                // A node's own panic is caught in its thread; this would be one of the runner.
                if thread.join().is_err() {
                    mailbox.lock().summary.failure = Some("its thread panicked".to_owned());
                }
            }
        });
        Ok(summary(&specs, &mailboxes))
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
