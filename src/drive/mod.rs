//! `tandem drive`: closed loop over logs or generated worlds, with a table, JSON, a recording and a report.

mod args;
mod print;
mod sight;
mod slow;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tandem_sim::report::{self, About};
use tandem_sim::suite::{Case, Driver, Progress, Results, Run, Suite};
use tandem_sim::{Setup, Trace, replay};

pub use args::{Args, Usage};
use sight::Driven;

use crate::log;
use crate::outcome::Outcome;

/// Where the report of `tandem drive` without arguments goes.
const DEFAULT_REPORT: &str = "tandem-report";

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let results = match args.merge.as_slice() {
        [] => drive(args)?,
        parts => merge(parts)?,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        print::results(&results);
    }
    Ok(outcome(&results))
}

/// A log that nobody can drive for want of a map or an ego is no fault of the input; a damaged one is.
fn outcome(results: &Results) -> Outcome {
    let damaged = results.skipped.iter().filter(|log| log.is_damaged || results.runs.is_empty());
    for log in damaged.clone() {
        eprintln!("tandem: {}", log.reason);
    }
    match (damaged.count(), results.complete) {
        (0, true) => Outcome::Done,
        (0, false) => Outcome::Incomplete,
        _ => Outcome::BadInput,
    }
}

fn drive(args: &Args) -> anyhow::Result<Results> {
    let cases = args.shard.select(cases(args)?);
    let driven = match (&args.record, args.logs.is_empty()) {
        (_, false) => Driven::Logs,
        (Some(_), true) => Driven::Recorded,
        (None, true) => Driven::Worlds,
    };
    let suite = Suite {
        drivers: args.judging.with(args.looking.drivers(&args.planner, driven)?)?,
        traffic: args.traffic.clone(),
        faults: args.faults(),
    };
    let recorded = args.record.as_deref().map(|path| record(&cases, &suite, path)).transpose()?;
    let report = args.report.clone().or_else(|| args.is_bare().then(|| DEFAULT_REPORT.into()));
    let bar = ProgressBar::new(suite.runs(cases.len()) as u64).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg} {eta}").context("the progress bar's template")?,
    );
    let traces: Mutex<Vec<(Run, Trace)>> = Mutex::default();
    let results = suite.run(&cases, &|progress| {
        if let Progress::Run(run, trace) = progress {
            bar.set_message(format!("{} {}", run.result.log, run.result.planner));
            bar.inc(1);
            if report.is_some() {
                traces.lock().unwrap_or_else(PoisonError::into_inner).push((*run, *trace));
            }
        }
    })?;
    bar.finish_and_clear();
    if recorded.is_some_and(|sha256| sha256 != results.recording_sha256) {
        anyhow::bail!("the recorded run and the scored one differ");
    }
    if let Some(directory) = report {
        // They came in the order in which they were done.
        let mut traces = traces.into_inner().unwrap_or_else(PoisonError::into_inner);
        traces.sort_by_cached_key(|(run, _)| results.runs.iter().position(|row| row == run));
        let traces: Vec<_> = traces.into_iter().map(|(_, trace)| trace).collect();
        let page = report::write(&directory, &about(), &results, &traces).context("writing the report")?;
        eprintln!("report: {}", page.display());
    }
    Ok(results)
}

/// What the report says of itself.
fn about() -> About {
    let words = std::env::args().skip(1).map(|word| if word.contains(' ') { format!("'{word}'") } else { word });
    let command = std::iter::once("tandem".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    About { title: "Tandem drive".to_owned(), command }
}

fn cases(args: &Args) -> anyhow::Result<Vec<Case>> {
    let logs = log::find(&args.logs)?.into_iter().map(Case::from);
    let worlds = args.worlds().map(Case::world).chain(args.towns().map(Case::town));
    Ok(logs.chain(worlds).chain(args.hazards().map(Case::hazard)).collect())
}

/// Writes the suite's only run down; its digest.
fn record(cases: &[Case], suite: &Suite, path: &Path) -> anyhow::Result<String> {
    let runs = suite.runs(cases.len());
    let ([case], 1) = (cases, runs) else { anyhow::bail!(Usage::RecordOne { runs }) };
    let course = Arc::new(case.open()?.course()?);
    let Driver { planner, sight, slow } = suite.drivers[0].clone();
    let (traffic, faults) = (suite.traffic[0], suite.faults[0].clone());
    Ok(replay::record(&Setup { course, planner, traffic, sight, slow, faults }, path)?.sha256)
}

fn merge(parts: &[PathBuf]) -> anyhow::Result<Results> {
    let part = |path: &PathBuf| -> anyhow::Result<Results> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).map_err(|error| Usage::Part { path: path.clone(), error }.into())
    };
    Ok(Results::merge(parts.iter().map(part).collect::<anyhow::Result<_>>()?)?)
}
