//! Where the messages for one node wait, and where its thread waits for them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::link::Link;
use crate::NodeSpec;
use crate::health::NodeSummary;

/// The links of one node behind one lock, with a bell that rings when something arrives or the run ends.
pub(super) struct Mailbox {
    state: Mutex<State>,
    bell: Condvar,
}

/// What the lock guards.
pub(super) struct State {
    /// One link for each input, in the order of the node's inputs.
    pub links: Vec<Link>,
    /// What the node has done, as of its last step.
    pub summary: NodeSummary,
    /// Whether the run ends.
    pub stop: bool,
}

impl Mailbox {
    /// A mailbox whose deadlines run from `now` on.
    pub fn new(spec: &NodeSpec, now: Instant) -> Self {
        let links = spec.inputs.iter().map(|input| Link::new(input, now)).collect();
        let summary = NodeSummary::new(&spec.name, spec.outputs.len());
        Self { state: Mutex::new(State { links, summary, stop: false }), bell: Condvar::new() }
    }

    /// Locks it. A thread that panicked holding the lock left counters that are still true.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one link and rings.
    pub fn with_link(&self, link: usize, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.lock().links.get_mut(link) {
            change(link);
        }
        self.bell.notify_one();
    }

    /// Ends the run of its node.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.bell.notify_one();
    }

    /// Waits for the bell, at most until `until`.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        let limit = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
        // A year is long enough, and short enough for every platform's clock.
        let limit = limit.min(Duration::from_secs(365 * 86_400));
        self.bell.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}
