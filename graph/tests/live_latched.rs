//! A node that starts late still gets the last message of a latched topic from another process.

use std::time::Duration;

use tandem_graph::live::{Config, Live, Session, Stopper};
use tandem_graph::msgs::std_msgs::String as Text;
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};

const MAP: Topic<Text> = Topic::new("/test/map");
const LIMIT: Duration = Duration::from_secs(20);

/// Publishes three versions of the map at its first step, and nothing after.
struct Mapper(bool);

impl Node for Mapper {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("mapper", Duration::from_millis(10)).writes_latched(&MAP)
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        if !std::mem::replace(&mut self.0, true) {
            for version in ["one", "two", "three"] {
                outputs.publish(&MAP, now, Text { data: version.to_owned() });
            }
        }
    }
}

struct Reader {
    seen: Vec<(String, u64)>,
    done: Stopper,
}

impl Node for Reader {
    fn spec(&self) -> NodeSpec {
        NodeSpec::on("reader", &MAP)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
        self.seen.extend(inputs.fresh(&MAP).iter().map(|map| (map.message.data.clone(), map.sequence)));
        self.done.stop();
    }
}

#[test]
fn a_late_node_gets_the_last_map() {
    let early = Session::open(&Config::default()).unwrap();
    let late = Session::open(&Config::default().connect_to(&early.endpoints()[0])).unwrap();
    let done = Stopper::default();
    let mut reader = Reader { seen: Vec::new(), done: done.clone() };
    let (published, summary) = std::thread::scope(|scope| {
        let early = scope.spawn(|| {
            let mut live = Live::new(&early);
            live.add(Mapper(false)).stopped_by(&done);
            live.run_for(LIMIT).unwrap()
        });
        std::thread::sleep(Duration::from_millis(300));

        let mut live = Live::new(&late);
        live.add(&mut reader).stopped_by(&done);
        let summary = live.run_for(LIMIT).unwrap();
        (early.join().unwrap(), summary)
    });
    assert_eq!(published.nodes[0].sent, [3]);
    assert_eq!(reader.seen, [("three".to_owned(), 2)]);
    assert!(summary.complete, "what was published before is not lost: {summary:?}");
}
