//! A subscriber in another process that can't keep up reports exactly what it missed.

use std::process::Command;
use std::time::Duration;

use tandem_graph::live::bench::{self, Options};

/// Publisher and subscriber are this test, once in each process.
#[test]
fn every_message_to_a_slow_subscriber_is_received_or_reported_lost() {
    if let Some(done) = bench::child() {
        return done.unwrap();
    }
    for reliable in [false, true] {
        let options = Options {
            messages: 1500,
            slow: Duration::from_millis(2),
            queue: 5,
            reliable,
            limit: Duration::from_secs(40),
            ..Options::loss()
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["every_message_to_a_slow_subscriber", "--nocapture"]);
        let report = bench::run(&options, command).unwrap();
        assert_eq!(report.sent, 1500, "{report:?}");
        assert_eq!(report.unreported, 0, "{report:?}");
        assert!(report.counters.dropped > 0, "the subscriber was meant to be too slow: {report:?}");
        if reliable {
            assert_eq!(report.counters.lost, 0, "a reliable link waits: {report:?}");
        }
    }
}
