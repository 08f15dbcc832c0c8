//! A deadline is armed at the start of the run, not by the first message.

use std::time::Duration;

use tandem_graph::live::{Config, Live, Session};
use tandem_graph::msgs::std_msgs::String as Text;
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};

const NEVER: Topic<Text> = Topic::new("/test/never");

struct Waiter(u32);

impl Node for Waiter {
    fn spec(&self) -> NodeSpec {
        NodeSpec::on("waiter", &NEVER).within(Duration::from_millis(100))
    }

    fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) {
        self.0 += 1;
    }
}

#[test]
fn an_input_that_never_hears_anything_is_late() {
    let session = Session::open(&Config::default()).unwrap();
    let mut waiter = Waiter(0);
    let mut live = Live::new(&session);
    live.add(&mut waiter);
    let summary = live.run_for(Duration::from_millis(450)).unwrap();
    assert_eq!(summary.links[0].counters.late, 4);
    assert!(!summary.complete);
    assert_eq!(waiter.0, 0);
}
