//! The runners do the same with the same nodes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod suite;

use std::time::Duration;

use suite::Runner;
use tandem_graph::health::RunSummary;
use tandem_graph::live::{Config, Live, Session};
use tandem_graph::lockstep::{Lockstep, NodeLatency};
use tandem_graph::observe::Observer;
use tandem_graph::{Node, Stamp};

/// Lockstep with nodes that compute so long.
struct InLockstep(NodeLatency);

impl Runner for InLockstep {
    fn run(
        &self,
        nodes: Vec<Box<dyn Node + '_>>,
        observer: &mut dyn Observer,
        duration: Duration,
    ) -> Result<RunSummary, String> {
        let mut observer = observer;
        let start = Stamp::from_seconds(1_000.0);
        let mut run = Lockstep::new(start);
        for node in nodes {
            run.add(node, self.0);
        }
        run.observe(&mut observer);
        run.run_until(start + duration).map_err(|error| error.to_string())
    }
}

/// Live, on a session of its own.
struct InLive;

impl Runner for InLive {
    fn run(
        &self,
        nodes: Vec<Box<dyn Node + '_>>,
        observer: &mut dyn Observer,
        duration: Duration,
    ) -> Result<RunSummary, String> {
        let mut observer = observer;
        let session = Session::open(&Config::default()).map_err(|error| error.to_string())?;
        let mut run = Live::new(&session);
        for node in nodes {
            run.add(node);
        }
        run.observe(&mut observer);
        run.run_for(duration).map_err(|error| error.to_string())
    }
}

#[test]
fn live_conforms() {
    suite::check(&InLive);
}

#[test]
fn lockstep_conforms_with_nodes_that_take_no_time() {
    suite::check(&InLockstep(NodeLatency::NONE));
}

#[test]
fn lockstep_conforms_with_nodes_that_take_time() {
    suite::check(&InLockstep(NodeLatency::fixed(Duration::from_millis(2)).spread(Duration::from_millis(5), 3)));
}
