//! Lockstep: the same bytes every time, faults that do what they say, and replay.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::{Duration, Instant};

use tandem_graph::fit::Misfit;
use tandem_graph::health::RunSummary;
use tandem_graph::lockstep::{Error, LinkFault, Lockstep, NodeLatency};
use tandem_graph::msgs::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus};
use tandem_graph::msgs::std_msgs::Float64MultiArray;
use tandem_graph::observe::{Observer, Published};
use tandem_graph::recording::{Digest, Reader, Recorded, Recorder};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic, Trigger, cdr, topics};

const SENSOR: Topic<Float64MultiArray> = Topic::new("/sensor");
const STATE: Topic<Float64MultiArray> = Topic::new("/state");
const COMMAND: Topic<Float64MultiArray> = Topic::new("/command");

const PERIOD: Duration = Duration::from_millis(100);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn at(ms: i64) -> Stamp {
    Stamp::from_ns(ms * 1_000_000)
}

fn numbers(data: Vec<f64>) -> Float64MultiArray {
    Float64MultiArray { data, ..Float64MultiArray::default() }
}

/// A plant: moves by the newest command, tells its state.
#[derive(Default)]
struct Plant {
    position: f64,
    steps: u64,
}

impl Node for Plant {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("plant", PERIOD).reads(&COMMAND).writes(&SENSOR)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        let command = inputs.latest(&COMMAND).map_or(1.0, |sample| sample.message.data[0]);
        self.position += command * 0.1 + (self.steps as f64).sin() * 1e-3;
        self.steps += 1;
        outputs.publish(&SENSOR, now, numbers(vec![self.position; 30]));
    }
}

/// A filter stepped by every sensor message.
#[derive(Default)]
struct Filter {
    mean: f64,
    ages: Vec<i64>,
    values: Vec<f64>,
    sequences: Vec<u64>,
}

impl Node for Filter {
    fn spec(&self) -> NodeSpec {
        NodeSpec::on("filter", &SENSOR).writes(&STATE)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        for sample in inputs.fresh(&SENSOR) {
            self.mean += (sample.message.data[0] - self.mean) * 0.5;
            self.ages.push(now.ns_since(sample.capture));
            self.values.push(sample.message.data[0]);
            self.sequences.push(sample.sequence);
            outputs.publish(&STATE, sample.capture, numbers(vec![self.mean]));
        }
    }
}

/// A controller at its own rate.
#[derive(Default)]
struct Controller {
    steps: Vec<Stamp>,
}

impl Node for Controller {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("controller", ms(50)).reads(&STATE).writes(&COMMAND)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        self.steps.push(now);
        if let Some(state) = inputs.latest(&STATE) {
            outputs.publish(&COMMAND, state.capture, numbers(vec![(3.0 - state.message.data[0]) * 0.4]));
        }
    }
}

/// Keeps what it sees.
#[derive(Default)]
struct Keeper(Vec<(String, Stamp, Vec<u8>)>);

impl Observer for Keeper {
    fn observe(&mut self, published: &Published<'_>) {
        self.0.push((published.topic.to_owned(), published.publish, published.bytes.to_vec()));
    }
}

/// Plant, filter and controller with latencies, jitter and loss, for so many ticks; its digest.
fn run(ticks: u32, seed: u64) -> (RunSummary, String) {
    let (mut plant, mut filter, mut controller) = (Plant::default(), Filter::default(), Controller::default());
    let mut digest = Digest::default();
    let mut run = Lockstep::new(at(500));
    run.add(&mut plant, NodeLatency::NONE)
        .add(&mut filter, NodeLatency::fixed(ms(7)).spread(ms(30), seed))
        .add(&mut controller, NodeLatency::fixed(ms(20)))
        .link(LinkFault::on(&SENSOR).delayed(ms(5)).jittered(ms(40)).losing(0.05).seeded(seed))
        .diagnose(Duration::from_secs(1))
        .observe(&mut digest);
    let summary = run.run_until(at(500) + PERIOD * ticks).unwrap();
    (summary, digest.sha256())
}

#[test]
fn a_thousand_ticks_are_the_same_twice_and_others_with_another_seed() {
    let (summary, digest) = run(1024, 1);
    assert_eq!((summary.clone(), digest.clone()), run(1024, 1));
    assert_ne!(digest, run(1024, 2).1);
    assert_eq!(summary.nodes[0].steps, 1024);
    let link = &summary.links[1];
    assert_eq!((link.node.as_str(), link.topic.as_str()), ("filter", "/sensor"));
    assert_eq!(link.counters.received + link.counters.lost + link.in_flight, 1024);
    assert!((20..90).contains(&link.counters.lost), "{} of 1024 lost at 5 %", link.counters.lost);
    assert!(!summary.complete);
}

#[test]
fn a_node_sees_what_earlier_nodes_published_at_the_same_time_and_not_what_later_ones_did() {
    let (mut plant, mut filter, mut controller) = (Plant::default(), Filter::default(), Controller::default());
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(&mut plant, NodeLatency::NONE).add(&mut filter, NodeLatency::NONE).add(&mut controller, NodeLatency::NONE);
    let summary = run.run_until(at(300)).unwrap();
    assert_eq!(filter.ages, [0, 0, 0]);
    // At 0 ms the controller already has the state, so that it commands at each of its steps.
    assert_eq!(summary.nodes[2].sent, [6]);
    // Of the commands of 0 to 250 ms the plant had all but that of 200 and 250 ms at its last step at 200 ms.
    assert_eq!(summary.links[0].unread, 1);
    assert!(summary.complete);
}

#[test]
fn a_node_that_computes_longer_than_its_period_misses_ticks_and_says_so() {
    let mut controller = Controller::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(&mut controller, NodeLatency::fixed(ms(120)));
    let summary = run.run_until(at(600)).unwrap();
    // Due at 50 and 100 while busy until 120: the later of the two is stepped then, the other is missed.
    assert_eq!(controller.steps, [at(0), at(120), at(240), at(360), at(480)]);
    assert_eq!(summary.nodes[0].missed_ticks, 4 + 3);
}

#[test]
fn a_delayed_link_delivers_later_and_in_order() {
    let (mut plant, mut filter) = (Plant::default(), Filter::default());
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(&mut plant, NodeLatency::NONE)
        .add(&mut filter, NodeLatency::NONE)
        .link(LinkFault::on(&SENSOR).to("filter").delayed(ms(30)).jittered(ms(400)).seeded(9));
    let summary = run.run_until(at(10_000)).unwrap();
    assert!(filter.sequences.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(filter.ages.iter().all(|age| (30_000_000..=430_000_000).contains(age)), "{:?}", filter.ages);
    let link = &summary.links[1];
    assert_eq!(link.counters.received + link.in_flight, 100);
    assert_eq!(link.publish_to_receive.count, link.counters.received);
    let oldest = *filter.ages.iter().max().unwrap();
    assert!((oldest..=430_000_000).contains(&link.publish_to_receive.max_ns), "{link:?}");
}

#[test]
fn a_frozen_link_repeats_its_last_message_with_its_old_capture_stamp() {
    let (mut plant, mut filter) = (Plant::default(), Filter::default());
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(&mut plant, NodeLatency::NONE)
        .add(&mut filter, NodeLatency::NONE)
        .link(LinkFault::on(&SENSOR).frozen(at(300), at(600)));
    let summary = run.run_until(at(1000)).unwrap();
    let age_ms: Vec<_> = filter.ages.iter().map(|age| age / 1_000_000).collect();
    assert_eq!(age_ms, [0, 0, 0, 100, 200, 300, 0, 0, 0, 0]);
    assert_eq!(filter.values[2..6], [filter.values[2]; 4]);
    assert_eq!(filter.sequences, (0..10).collect::<Vec<_>>());
    assert_eq!(summary.links[1].counters.lost, 0);
}

#[test]
fn a_killed_node_is_silent_from_then_on_and_its_readers_are_late() {
    struct Watch;
    impl Node for Watch {
        fn spec(&self) -> NodeSpec {
            NodeSpec::every("watch", PERIOD).reads(&STATE).within(ms(250))
        }
        fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) {}
    }
    let mut filter = Filter::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(Plant::default(), NodeLatency::NONE)
        .add(&mut filter, NodeLatency::fixed(ms(10)))
        .add(Watch, NodeLatency::NONE)
        .kill("filter", at(505));
    let summary = run.run_until(at(1000)).unwrap();
    // Stepped at 0 to 500 ms; what it computed at 500 would have come at 510.
    assert_eq!((filter.values.len(), summary.nodes[1].sent[0]), (6, 5));
    assert_eq!(summary.nodes[1].failure.as_deref(), Some("killed"));
    assert_eq!(summary.links[1].counters.lost, 4);
    // The last state came at 410 ms; deadlines pass at 660 and 910.
    assert_eq!((summary.links[2].counters.received, summary.links[2].counters.late), (5, 2));
    assert!(!summary.complete);
}

#[test]
fn replaying_the_inputs_of_a_recording_gives_its_outputs_byte_for_byte() {
    let mut recorder = Recorder::new(Cursor::new(Vec::new())).unwrap();
    let mut first = Lockstep::new(Stamp::ZERO);
    let latency = NodeLatency::fixed(ms(7)).spread(ms(30), 4);
    first
        .add(Plant::default(), NodeLatency::NONE)
        .add(Filter::default(), latency)
        .add(Controller::default(), NodeLatency::fixed(ms(20)))
        .observe(&mut recorder);
    first.run_until(at(60_000)).unwrap();
    let file = recorder.finish().unwrap().into_inner();
    let messages: Vec<Recorded> = Reader::new(file.as_slice()).map(|message| message.unwrap()).collect();
    let mut recorded = Digest::default();
    messages.iter().for_each(|message| recorded.observe(&message.published()));

    let sensor = messages.into_iter().filter(|message| message.channel.topic == SENSOR.name());
    let mut replayed = Digest::default();
    let mut second = Lockstep::new(Stamp::ZERO);
    second
        .inject("plant", sensor)
        .add(Filter::default(), latency)
        .add(Controller::default(), NodeLatency::fixed(ms(20)))
        .observe(&mut replayed);
    let summary = second.run_until(at(60_000)).unwrap();
    assert!(summary.complete);
    assert_eq!(replayed.sha256(), recorded.sha256());
}

#[test]
fn diagnostics_name_the_link_that_is_silent() {
    let mut keeper = Keeper::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    struct Waiting;
    impl Node for Waiting {
        fn spec(&self) -> NodeSpec {
            NodeSpec::every("waiting", PERIOD).reads(&STATE).within(ms(200)).reads(&SENSOR)
        }
        fn step(&mut self, _: Stamp, _: &Inputs, _: &mut Outputs) {}
    }
    run.add(Plant::default(), NodeLatency::NONE)
        .add(Waiting, NodeLatency::NONE)
        .diagnose(Duration::from_secs(1))
        .observe(&mut keeper);
    run.run_until(at(3500)).unwrap();
    let health = keeper.0.iter().filter(|(topic, ..)| topic == topics::DIAGNOSTICS.name());
    let health: Vec<_> = health.map(|(_, at, bytes)| (*at, cdr::decode::<DiagnosticArray>(bytes).unwrap())).collect();
    assert_eq!(health.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [at(1000), at(2000), at(3000)]);
    for (_, array) in &health {
        let levels: BTreeMap<_, _> = array.status.iter().map(|status| (status.name.as_str(), status)).collect();
        let silent = levels["waiting reads /state"];
        assert_eq!((silent.level, silent.message.as_str()), (DiagnosticStatus::STALE, "not received"));
        assert_eq!(levels["waiting reads /sensor"].level, DiagnosticStatus::OK);
        assert_eq!(levels["plant"].level, DiagnosticStatus::OK);
    }
}

#[test]
fn graphs_that_do_not_fit_together_are_refused_by_name() {
    let refused = |build: &dyn Fn(&mut Lockstep<'_>)| {
        let mut run = Lockstep::new(Stamp::ZERO);
        run.add(Plant::default(), NodeLatency::NONE);
        build(&mut run);
        run.run_until(at(1000)).unwrap_err()
    };
    struct As(NodeSpec);
    impl Node for As {
        fn spec(&self) -> NodeSpec {
            self.0.clone()
        }
        fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
            if !inputs.fresh(&SENSOR).is_empty() {
                outputs.publish(&SENSOR, now, numbers(vec![1.0]));
            }
        }
    }
    let same = refused(&|run| _ = run.add(Plant::default(), NodeLatency::NONE));
    assert_eq!(same, Error::Misfit(Misfit::SameName { node: "plant".to_owned() }));
    let other: Topic<tandem_graph::msgs::std_msgs::String> = Topic::new("/sensor");
    let wrong = NodeSpec::on("other", &other);
    let wrong = refused(&|run| _ = run.add(As(wrong.clone()), NodeLatency::NONE));
    assert_eq!(
        wrong.to_string(),
        "topic /sensor: node other reads std_msgs/msg/String, but plant writes std_msgs/msg/Float64MultiArray"
    );
    let spec = NodeSpec { trigger: Trigger::On("/nothing".to_owned()), ..NodeSpec::every("idle", PERIOD) };
    assert!(matches!(
        refused(&|run| _ = run.add(As(spec.clone()), NodeLatency::NONE)),
        Error::Misfit(Misfit::Trigger { .. })
    ));
    let never = NodeSpec::every("never", Duration::ZERO);
    assert!(matches!(
        refused(&|run| _ = run.add(As(never.clone()), NodeLatency::NONE)),
        Error::Misfit(Misfit::Period { .. })
    ));
    assert!(matches!(refused(&|run| _ = run.link(LinkFault::on(&STATE).losing(0.5))), Error::NoLink { .. }));
    assert!(matches!(refused(&|run| _ = run.kill("nobody", at(3))), Error::NoNode { .. }));
    let circle = NodeSpec::on("circle", &SENSOR).writes(&SENSOR);
    assert!(matches!(refused(&|run| _ = run.add(As(circle.clone()), NodeLatency::NONE)), Error::Stuck { .. }));
}

#[test]
fn the_runner_takes_less_than_twenty_microseconds_a_tick() {
    let ticks = 20_000;
    let mut digest = Digest::default();
    let mut run = Lockstep::new(Stamp::ZERO);
    run.add(Plant::default(), NodeLatency::NONE)
        .add(Filter::default(), NodeLatency::fixed(ms(7)))
        .add(Controller::default(), NodeLatency::fixed(ms(20)));
    run.observe(&mut digest);
    let start = Instant::now();
    let summary = run.run_until(Stamp::ZERO + PERIOD * ticks).unwrap();
    let per_tick = start.elapsed() / ticks;
    println!("{per_tick:?} a tick of three nodes and four messages, digest included");
    assert_eq!(summary.nodes[0].steps, u64::from(ticks));
    // Debug builds and busy machines are slower; a quadratic runner would be far off.
    assert!(per_tick < ms(1), "{per_tick:?}");
}
