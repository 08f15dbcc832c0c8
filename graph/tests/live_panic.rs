//! A node that panics leaves the graph, is reported, and takes nobody with it.

use std::time::Duration;

use tandem_graph::live::{Config, Live, Session};
use tandem_graph::msgs::std_msgs::String as Text;
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};

const TICK: Topic<Text> = Topic::new("/test/tick");

struct Bomb(u32);

impl Node for Bomb {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("bomb", Duration::from_millis(5)).writes(&TICK)
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        assert!(self.0 > 0, "out of time");
        self.0 -= 1;
        outputs.publish(&TICK, now, Text::default());
    }
}

/// Reads the bomb's ticks, which have to come every 50 ms.
struct Survivor;

impl Node for Survivor {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("survivor", Duration::from_millis(10)).reads_queue(&TICK, 100).within(Duration::from_millis(50))
    }

    fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) {}
}

#[test]
fn a_panic_is_contained_reported_and_seen_as_silence() {
    let session = Session::open(&Config::default()).unwrap();
    let watcher = Session::open(&Config::default().connect_to(&session.endpoints()[0])).unwrap();
    let run = std::thread::spawn(move || {
        let mut live = Live::new(&session);
        live.add(Bomb(3)).add(Survivor);
        live.run_for(Duration::from_millis(1500)).unwrap()
    });
    std::thread::sleep(Duration::from_millis(900));
    let entities = watcher.entities().unwrap();
    let names: Vec<_> = entities.iter().map(|entity| entity.node.as_str()).collect();
    assert!(names.contains(&"survivor") && !names.contains(&"bomb"), "the graph knows who is left: {names:?}");

    let summary = run.join().unwrap();
    assert_eq!(summary.nodes[0].failure.as_deref(), Some("out of time"));
    assert_eq!((summary.nodes[0].steps, summary.nodes[0].sent.as_slice()), (3, [3].as_slice()));
    assert!(summary.nodes[1].failure.is_none() && summary.nodes[1].steps > 20, "{summary:?}");
    let link = &summary.links[0];
    assert_eq!(link.counters.received, 3);
    assert!(link.counters.late >= 5, "the silence after the panic breaks the deadline: {summary:?}");
    assert!(!summary.complete);
}
