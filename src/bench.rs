//! `tandem bench`: how fast the closed loop runs, and how fast and faithfully live links carry messages.

use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde::Serialize;
use tandem_graph::live::bench::{self, Options, Report};
use tandem_sim::faults::Faults;
use tandem_sim::suite::Case;
use tandem_sim::{Course, Setup, Sight, TrafficMode, drive};

use crate::log;
use crate::outcome::Outcome;
use crate::table::table;

#[derive(Subcommand)]
pub enum Command {
    /// Drive a log in closed loop several times, on one core: simulated seconds per second.
    Lockstep(LockstepArgs),
    /// Send messages from this process to another over zenoh: latency of 3 MB images, losses to a slow subscriber.
    Link(LinkArgs),
}

#[derive(Args)]
pub struct LockstepArgs {
    /// Files or directories of any known format; without any, a generated world.
    logs: Vec<PathBuf>,
    /// Who drives.
    #[arg(long, value_delimiter = ',', default_value = "tandem,pdm,idm")]
    planner: Vec<String>,
    /// How the others move.
    #[arg(long, default_value = "replay")]
    traffic: TrafficMode,
    /// How often each is driven.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct LinkArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Lockstep(args) => lockstep(args),
        Command::Link(args) => link(args),
    }
}

/// How fast one log is driven by one planner.
#[derive(Serialize)]
struct Pace {
    log: String,
    planner: String,
    simulated_s: f64,
    /// The fastest, the median and the slowest run, in simulated seconds per second.
    fastest: f64,
    median: f64,
    slowest: f64,
    sha256: String,
}

fn lockstep(args: &LockstepArgs) -> anyhow::Result<Outcome> {
    let mut cases: Vec<_> = log::find(&args.logs)?.into_iter().map(Case::from).collect();
    if cases.is_empty() {
        cases.push(Case::world(0));
    }
    let mut paces = Vec::new();
    for case in &cases {
        let course = Arc::new(case.open()?.course()?);
        for planner in &args.planner {
            paces.push(pace(&course, planner, args.traffic, args.runs)?);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&paces)?);
    } else {
        let mut rows = table(&["log", "planner", "simulated s", "× real time", "slowest", "fastest"], 2);
        for pace in &paces {
            let times = [pace.median, pace.slowest, pace.fastest].map(|times| format!("{times:.0}"));
            let [median, slowest, fastest] = times;
            let seconds = format!("{:.1}", pace.simulated_s);
            rows.add_row([pace.log.clone(), pace.planner.clone(), seconds, median, slowest, fastest]);
        }
        println!("{rows}");
    }
    Ok(Outcome::Done)
}

/// Drives a course `runs` times, after once to warm up; every run has to give the same messages.
fn pace(course: &Arc<Course>, planner: &str, traffic: TrafficMode, runs: usize) -> anyhow::Result<Pace> {
    let (course, sight, faults) = (Arc::clone(course), Sight::Truth, Faults::default());
    let setup = Setup { course, planner: planner.to_owned(), traffic, sight, slow: None, faults };
    let course = &setup.course;
    let sha256 = drive(&setup, &mut [])?.sha256;
    let simulated_s = course.end().seconds_since(course.first());
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        let driven = drive(&setup, &mut [])?;
        times.push(simulated_s / start.elapsed().as_secs_f64());
        anyhow::ensure!(driven.sha256 == sha256, "{planner}: two runs of {} differ", course.log.id);
    }
    times.sort_by(f64::total_cmp);
    Ok(Pace {
        log: course.log.id.clone(),
        planner: planner.to_owned(),
        simulated_s,
        fastest: times[times.len() - 1],
        median: times[times.len() / 2],
        slowest: times[0],
        sha256,
    })
}

/// One way to send, and what came of it.
#[derive(Serialize)]
struct Sent {
    what: &'static str,
    options: Options,
    report: Report,
}

fn link(args: &LinkArgs) -> anyhow::Result<Outcome> {
    if let Some(done) = bench::child() {
        return Ok(done.map(|()| Outcome::Done)?);
    }
    let ways = [
        ("3 MB, shared memory", Options::latency()),
        ("3 MB, without", Options { shared_memory: false, ..Options::latency() }),
        ("slow subscriber", Options::loss()),
        ("slow, reliable", Options { reliable: true, limit: Duration::from_secs(120), ..Options::loss() }),
    ];
    let mut all_sent = Vec::new();
    for (what, options) in ways {
        let mut process = Process::new(std::env::current_exe()?);
        process.args(["bench", "link"]);
        let report = bench::run(&options, process)?;
        all_sent.push(Sent { what, options, report });
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all_sent)?);
    } else {
        let columns = ["link", "sent", "seen", "lost", "dropped", "unreported", "p50 ms", "p99 ms", "max ms"];
        let mut rows = table(&columns, 1);
        for Sent { what, report, .. } in &all_sent {
            let counters = &report.counters;
            let counts = [report.sent, report.seen, counters.lost, counters.dropped, report.unreported];
            let latency = report.latency.map_or([f64::NAN; 3], |ms| [ms.p50_ms, ms.p99_ms, ms.max_ms]);
            let cells = counts.iter().map(u64::to_string).chain(latency.iter().map(|ms| format!("{ms:.2}")));
            rows.add_row(std::iter::once((*what).to_owned()).chain(cells));
        }
        println!("{rows}");
    }
    let unreported = all_sent.iter().any(|sent| sent.report.unreported > 0);
    Ok(if unreported { Outcome::Incomplete } else { Outcome::Done })
}
