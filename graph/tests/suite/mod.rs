//! What every runner has to do with the same nodes, written once: the conformance suite.

use std::time::Duration;

use tandem_graph::health::RunSummary;
use tandem_graph::msgs::std_msgs::{Header, String as Text};
use tandem_graph::observe::{Observer, Published};
use tandem_graph::{Inputs, Message, Node, NodeSpec, Outputs, Sample, Stamp, Topic, cdr};

/// A way to run nodes.
pub trait Runner {
    /// Runs the nodes for a time with someone looking on.
    ///
    /// # Errors
    /// What is said when the nodes don't fit together.
    fn run(
        &self,
        nodes: Vec<Box<dyn Node + '_>>,
        observer: &mut dyn Observer,
        duration: Duration,
    ) -> Result<RunSummary, String>;
}

const COUNT: Topic<Header> = Topic::new("/conformance/count");
const ECHO: Topic<Header> = Topic::new("/conformance/echo");
const SILENCE: Topic<Text> = Topic::new("/conformance/silence");

/// How often the counter counts.
const PERIOD: Duration = Duration::from_millis(10);

/// How long each check runs.
const RUN: Duration = Duration::from_millis(500);

/// Runs all checks.
pub fn check(runner: &dyn Runner) {
    every_message_arrives_once_in_order_and_stamps_rise(runner);
    a_triggered_node_is_stepped_once_a_message(runner);
    a_latest_only_input_gives_the_newest_and_drops_without_loss(runner);
    a_full_queue_is_counted(runner);
    a_deadline_is_armed_at_the_start(runner);
    a_panic_takes_one_node_out_and_no_other(runner);
    what_is_not_declared_is_not_sent_and_counted(runner);
    a_topic_of_two_types_is_refused(runner);
    two_nodes_of_one_name_are_refused(runner);
    an_observer_sees_every_message_as_it_was_published(runner);
}

/// Counts messages out at a fixed rate: the frame is the number.
#[derive(Default)]
struct Counter {
    count: u64,
}

impl Node for Counter {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("counter", PERIOD).writes(&COUNT)
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        outputs.publish(&COUNT, now, Header::new(now, self.count.to_string()));
        self.count += 1;
    }
}

/// Keeps what comes, with the time of the step that it came in.
struct Listener {
    spec: NodeSpec,
    seen: Vec<(Stamp, Sample<Header>)>,
    steps: u64,
    newest: Option<Sample<Header>>,
}

impl Listener {
    fn new(spec: NodeSpec) -> Self {
        Self { spec, seen: Vec::new(), steps: 0, newest: None }
    }
}

impl Node for Listener {
    fn spec(&self) -> NodeSpec {
        self.spec.clone()
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        self.steps += 1;
        self.newest = inputs.latest(&COUNT);
        for sample in inputs.fresh(&COUNT) {
            outputs.publish(&ECHO, sample.capture, sample.message.as_ref().clone());
            self.seen.push((now, sample));
        }
    }
}

/// Sees and forgets.
struct Nobody;

impl Observer for Nobody {
    fn observe(&mut self, _: &Published<'_>) {}
}

fn every_message_arrives_once_in_order_and_stamps_rise(runner: &dyn Runner) {
    let spec = NodeSpec::every("listener", PERIOD).reads_queue(&COUNT, 1000).writes(&ECHO);
    let (mut counter, mut listener) = (Counter::default(), Listener::new(spec));
    let summary = runner.run(vec![Box::new(&mut counter), Box::new(&mut listener)], &mut Nobody, RUN).unwrap();
    assert!(summary.complete, "{summary:?}");
    assert!(counter.count >= 10, "the counter ran {} times", counter.count);
    let link = &summary.links[0];
    assert_eq!(link.counters.received + link.in_flight, counter.count);
    assert_eq!(listener.seen.len() as u64 + link.unread, link.counters.received);
    assert_eq!(summary.nodes[1].steps, listener.steps);
    for (number, (now, sample)) in (0_u64..).zip(&listener.seen) {
        assert_eq!((sample.sequence, &sample.message.frame_id), (number, &number.to_string()));
        assert!(sample.capture <= sample.publish, "{sample:?}");
        assert!(sample.publish <= sample.receive, "{sample:?}");
        assert!(sample.receive <= *now, "{sample:?} at {now:?}");
        assert_eq!(sample.message.stamp, sample.capture.into());
    }
    assert_eq!(link.publish_to_receive.count, link.counters.received);
    assert!(link.publish_to_receive.max_ns >= 0);
}

fn a_triggered_node_is_stepped_once_a_message(runner: &dyn Runner) {
    let mut spec = NodeSpec::on("listener", &COUNT).writes(&ECHO);
    spec.inputs[0].queue = 1000;
    let mut listener = Listener::new(spec);
    let summary = runner.run(vec![Box::new(Counter::default()), Box::new(&mut listener)], &mut Nobody, RUN).unwrap();
    assert_eq!(listener.steps, listener.seen.len() as u64);
    assert_eq!(listener.steps + summary.links[0].unread, summary.links[0].counters.received);
    assert_eq!(summary.nodes[1].sent, [listener.steps]);
    assert!(listener.steps >= 10);
}

fn a_latest_only_input_gives_the_newest_and_drops_without_loss(runner: &dyn Runner) {
    let mut listener = Listener::new(NodeSpec::every("listener", PERIOD * 7).reads(&COUNT).writes(&ECHO));
    let summary = runner.run(vec![Box::new(Counter::default()), Box::new(&mut listener)], &mut Nobody, RUN).unwrap();
    let link = &summary.links[0];
    assert!(link.counters.dropped > 0, "{link:?}");
    assert!(summary.complete && summary.lost() == 0, "{summary:?}");
    let sequences: Vec<_> = listener.seen.iter().map(|(_, sample)| sample.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    assert_eq!(link.counters.received, listener.seen.len() as u64 + link.counters.dropped + link.unread);
    assert_eq!(listener.newest.map(|sample| sample.sequence), sequences.last().copied());
}

fn a_full_queue_is_counted(runner: &dyn Runner) {
    let mut listener = Listener::new(NodeSpec::every("listener", PERIOD * 9).reads_queue(&COUNT, 3).writes(&ECHO));
    let summary = runner.run(vec![Box::new(Counter::default()), Box::new(&mut listener)], &mut Nobody, RUN).unwrap();
    let link = &summary.links[0];
    assert!(link.counters.dropped > 0 && !summary.complete, "{summary:?}");
    assert_eq!(link.counters.received, listener.seen.len() as u64 + link.counters.dropped + link.unread);
    assert_eq!(summary.lost(), link.counters.dropped);
}

fn a_deadline_is_armed_at_the_start(runner: &dyn Runner) {
    let spec = NodeSpec::every("waiting", PERIOD).reads(&SILENCE).within(RUN / 5);
    let summary = runner.run(vec![Box::new(Listener::new(spec))], &mut Nobody, RUN).unwrap();
    assert!((3..=6).contains(&summary.links[0].counters.late), "{summary:?}");
    assert!(!summary.complete);
}

fn a_panic_takes_one_node_out_and_no_other(runner: &dyn Runner) {
    struct Bomb;
    impl Node for Bomb {
        fn spec(&self) -> NodeSpec {
            NodeSpec::on("bomb", &COUNT)
        }
        fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
            assert!(inputs.latest(&COUNT).is_none_or(|sample| sample.sequence < 5), "boom");
        }
    }
    let mut counter = Counter::default();
    let summary = runner.run(vec![Box::new(Bomb), Box::new(&mut counter)], &mut Nobody, RUN).unwrap();
    assert_eq!(summary.nodes[0].failure.as_deref(), Some("boom"));
    assert_eq!(summary.nodes[1].failure, None);
    assert!(counter.count >= 10);
    assert!(!summary.complete);
}

fn what_is_not_declared_is_not_sent_and_counted(runner: &dyn Runner) {
    let spec = NodeSpec::every("listener", PERIOD).reads_queue(&COUNT, 1000);
    let mut listener = Listener::new(spec);
    let summary = runner.run(vec![Box::new(Counter::default()), Box::new(&mut listener)], &mut Nobody, RUN).unwrap();
    assert_eq!(summary.nodes[1].unsent, listener.seen.len() as u64);
    assert!(summary.nodes[1].unsent > 0 && !summary.complete);
}

fn a_topic_of_two_types_is_refused(runner: &dyn Runner) {
    let text: Topic<Text> = Topic::new(COUNT.name().to_owned().leak());
    let spec = NodeSpec::on("wrong", &text);
    let nodes: Vec<Box<dyn Node>> = vec![Box::new(Counter::default()), Box::new(Listener::new(spec))];
    let error = runner.run(nodes, &mut Nobody, RUN).unwrap_err();
    for part in [COUNT.name(), "wrong", "counter", Text::NAME, Header::NAME] {
        assert!(error.contains(part), "{error}");
    }
}

fn two_nodes_of_one_name_are_refused(runner: &dyn Runner) {
    let nodes: Vec<Box<dyn Node>> = vec![Box::new(Counter::default()), Box::new(Counter::default())];
    let error = runner.run(nodes, &mut Nobody, RUN).unwrap_err();
    assert!(error.contains("counter"), "{error}");
}

fn an_observer_sees_every_message_as_it_was_published(runner: &dyn Runner) {
    #[derive(Default)]
    struct Checker(u64);
    impl Observer for Checker {
        fn observe(&mut self, published: &Published<'_>) {
            assert_eq!((published.topic, published.type_name), (COUNT.name(), Header::NAME));
            assert_eq!(published.definition, Header::definition());
            assert_eq!(published.sequence, self.0);
            let message: Header = cdr::decode(published.bytes).unwrap();
            assert_eq!((message.frame_id, message.stamp), (self.0.to_string(), published.capture.into()));
            assert!(published.capture <= published.publish);
            self.0 += 1;
        }
    }
    let (mut counter, mut checker) = (Counter::default(), Checker::default());
    let summary = runner.run(vec![Box::new(&mut counter)], &mut checker, RUN).unwrap();
    assert_eq!(checker.0, counter.count);
    assert_eq!(summary.nodes[0].sent, [counter.count]);
}
