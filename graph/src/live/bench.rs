//! How fast and how faithfully a link carries messages, measured between two processes.
//!
//! This process publishes; a child, started for each measurement, subscribes and tells on its standard output what it
//! saw. The program that calls [`run`] names the command that starts the child; that command calls [`child`].

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Config, Delivery, Error, Live, Session, Stopper, wall_time};
use crate::health::{LinkCounters, RunSummary};
use crate::msgs::sensor_msgs::Image;
use crate::msgs::std_msgs::Header;
use crate::{Inputs, Node, NodeSpec, Outputs, Stamp, Topic};

/// The environment variable by which a child knows its job.
const JOB: &str = "TANDEM_LINK_BENCH_JOB";

/// How long it is waited, before the first message until the child's subscription has surely come through, and after the
/// last one, so that what was sent is also announced.
const SETTLE: Duration = Duration::from_millis(500);

/// How many messages are left out of the latencies: the first ones map the shared memory.
const WARM_UP: usize = 10;

const IMAGE: Topic<Image> = Topic::new("/bench/image");
const READY: Topic<Header> = Topic::new("/bench/ready");
const DONE: Topic<Header> = Topic::new("/bench/done");

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How many messages are sent.
    pub messages: u64,
    /// How large each one is, in bytes of image data.
    pub bytes: usize,
    /// How long the publisher waits between two messages.
    pub period: Duration,
    /// How long the subscriber takes for each message; zero for no longer than it has to.
    pub slow: Duration,
    /// How many messages wait for the subscriber.
    pub queue: usize,
    /// Whether the publisher waits for the wire.
    pub reliable: bool,
    /// Whether large messages go through shared memory.
    pub shared_memory: bool,
    /// After this time the measurement is given up.
    pub limit: Duration,
}

impl Options {
    /// Images of 3 MB at 50 Hz, as fast as they go: what a camera needs.
    pub fn latency() -> Self {
        Self {
            messages: 500,
            bytes: 3_000_000,
            period: Duration::from_millis(20),
            slow: Duration::ZERO,
            queue: 1,
            reliable: false,
            shared_memory: true,
            limit: Duration::from_secs(60),
        }
    }

    /// 10,000 messages to a subscriber that takes longer for each than the publisher does.
    pub fn loss() -> Self {
        Self {
            messages: 10_000,
            bytes: 20_000,
            period: Duration::from_micros(200),
            slow: Duration::from_millis(1),
            queue: 10,
            ..Self::latency()
        }
    }
}

/// What a measurement found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages published.
    pub sent: u64,
    /// What the subscriber's link counted.
    pub counters: LinkCounters,
    /// Messages that the subscribing node was given.
    pub seen: u64,
    /// Messages that still waited for it at the end.
    pub unread: u64,
    /// Messages that are neither received nor counted as lost, or neither seen nor counted as dropped: to be 0.
    pub unreported: u64,
    /// From publishing, before encoding, to the subscriber's step, after decoding; `None` without messages.
    pub latency: Option<Latency>,
}

/// The distribution of a latency, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the messages took at most this long.
    pub p50_ms: f64,
    /// 99 of 100 messages took at most this long.
    pub p99_ms: f64,
    /// The slowest took this long.
    pub max_ms: f64,
}

/// What the child is told.
#[derive(Serialize, Deserialize)]
struct Job {
    endpoint: String,
    options: Options,
}

/// What the child tells.
#[derive(Serialize, Deserialize)]
struct Seen {
    counters: LinkCounters,
    unread: u64,
    latency_ns: Vec<i64>,
}

/// Measures: publishes to a child that `command` starts, and compares what was sent with what the child saw.
///
/// # Errors
/// If a session can't be opened, or the child can't be started or does not tell what it saw.
pub fn run(options: &Options, mut command: Command) -> Result<Report, Error> {
    let session = Session::open(&config(options))?;
    let endpoint = session.endpoints().into_iter().next();
    let endpoint = endpoint.ok_or_else(|| failed("the session listens nowhere"))?;
    let job = Job { endpoint, options: options.clone() };
    let job = serde_json::to_string(&job).map_err(failed)?;
    let mut child = command.env(JOB, job).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut stdout = child.stdout.take().ok_or_else(|| failed("the child has no standard output"))?;
    let stopper = Stopper::default();
    let ended = stopper.clone();
    // Ends when the child has closed its output, which ends the run as well.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text);
        ended.stop();
        read.map(|_| text)
    });
    let image = Image { data: vec![7; options.bytes], ..Image::default() };
    let mut source = Source { period: options.period, messages: options.messages, image, ready: None, sent: 0 };
    let mut live = Live::new(&session);
    live.add(&mut source).stopped_by(&stopper);
    let summary = live.run_for(options.limit);
    // Past the limit the child is stuck, and before it has ended already.
    let _ = child.kill();
    let _ = child.wait();
    let text = reader.join().map_err(|_| failed("reading the child's output panicked"))?.map_err(failed)?;
    summary?;
    let seen: Seen = text
        .lines()
        .find_map(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| failed("the child does not say what it saw"))?;
    Ok(Report::new(source.sent, seen))
}

/// Does a child's work and prints what it saw, if this process is a child; `None` if it is not.
pub fn child() -> Option<Result<(), Error>> {
    std::env::var(JOB).ok().map(|job| subscribe(&job))
}

fn subscribe(job: &str) -> Result<(), Error> {
    let Job { endpoint, options } = serde_json::from_str(job).map_err(failed)?;
    let session = Session::open(&config(&options).connect_to(endpoint))?;
    let stopper = Stopper::default();
    let mut sink = Sink { slow: options.slow, queue: options.queue, latency_ns: Vec::new() };
    let mut live = Live::new(&session);
    live.add(&mut sink).add(Starter { stopper: stopper.clone(), done: None }).stopped_by(&stopper);
    let RunSummary { links, .. } = live.run_for(options.limit)?;
    let link = links.iter().find(|link| link.topic == IMAGE.name()).ok_or_else(|| failed("no link"))?;
    let seen = Seen { counters: link.counters, unread: link.unread, latency_ns: sink.latency_ns };
    // On a line of its own, whatever was printed before.
    println!("\n{}", serde_json::to_string(&seen).map_err(failed)?);
    Ok(())
}

fn config(options: &Options) -> Config {
    let mut config = Config::default();
    if options.reliable {
        config.delivery = Delivery::Reliable;
    }
    if !options.shared_memory {
        config.shared_memory_bytes = 0;
    }
    config
}

fn failed(reason: impl ToString) -> Error {
    Error::Bench(reason.to_string())
}

impl Report {
    fn new(sent: u64, seen: Seen) -> Self {
        let Seen { counters, unread, mut latency_ns } = seen;
        let seen = latency_ns.len() as u64;
        let arrived = counters.received + counters.lost;
        let given = seen + counters.dropped + unread + counters.malformed;
        let unreported = sent.abs_diff(arrived) + counters.received.abs_diff(given);
        let latency = Latency::of(latency_ns.split_off(WARM_UP.min(latency_ns.len())));
        Self { sent, counters, seen, unread, unreported, latency }
    }
}

impl Latency {
    /// Of latencies in ns, in any order; `None` of none.
    pub fn of(mut latency_ns: Vec<i64>) -> Option<Self> {
        latency_ns.sort_unstable();
        // The nearest-rank percentile.
        let rank = |percent: usize| latency_ns.get((latency_ns.len() * percent).div_ceil(100).max(1) - 1);
        let ms = |percent| rank(percent).map(|ns| *ns as f64 * 1e-6);
        Some(Self { p50_ms: ms(50)?, p99_ms: ms(99)?, max_ms: ms(100)? })
    }
}

/// Publishes the messages once the child is ready, then says that it is done.
struct Source {
    period: Duration,
    messages: u64,
    image: Image,
    /// When the child was first heard of.
    ready: Option<Stamp>,
    sent: u64,
}

impl Node for Source {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("bench_source", self.period).reads(&READY).writes(&IMAGE).writes(&DONE)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        if self.ready.is_none() && inputs.latest(&READY).is_some() {
            self.ready = Some(now);
        }
        if self.ready.is_none_or(|ready| now < ready + SETTLE) {
            return;
        }
        if self.sent < self.messages {
            outputs.publish(&IMAGE, now, Image { header: Header::new(now, ""), ..self.image.clone() });
            self.sent += 1;
        } else {
            outputs.publish(&DONE, now, Header::new(now, ""));
        }
    }
}

/// Receives the messages, and takes its time.
struct Sink {
    slow: Duration,
    queue: usize,
    latency_ns: Vec<i64>,
}

impl Node for Sink {
    fn spec(&self) -> NodeSpec {
        let mut spec = NodeSpec::on("bench_sink", &IMAGE);
        spec.inputs.iter_mut().for_each(|input| input.queue = self.queue);
        spec
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, _: &mut Outputs) {
        let now = wall_time();
        self.latency_ns.extend(inputs.fresh(&IMAGE).iter().map(|image| now.ns_since(image.publish)));
        std::thread::sleep(self.slow);
    }
}

/// Tells the publisher that somebody listens, and ends the run some time after it is done.
struct Starter {
    stopper: Stopper,
    done: Option<Stamp>,
}

impl Node for Starter {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("bench_starter", Duration::from_millis(20)).reads(&DONE).writes(&READY)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        match (self.done, inputs.latest(&DONE)) {
            (Some(done), _) if now >= done + SETTLE => self.stopper.stop(),
            (Some(_), _) => {}
            (None, Some(_)) => self.done = Some(now),
            (None, None) => outputs.publish(&READY, now, Header::new(now, "")),
        }
    }
}
