//! Drives every log with every planner, traffic mode and fault of a suite, in parallel.

use std::sync::Arc;

use rayon::prelude::*;
use tandem_datasets::{Log, LogRef};
use tandem_planner::planners;
use tandem_planner::score::RunScore;

use super::{Results, Run, Skipped};
use crate::course::Course;
use crate::drive::{self, Companion, Driven, Setup};
use crate::judge::Judge;
use crate::narrate;
use crate::world::hazard::{self, Staged};
use crate::{Error, Faults, Sight, Trace, TrafficMode, world};

/// The planner whose progress is the reference for others.
const REFERENCE: &str = "pdm";

/// A log of a suite, read when its turn comes.
pub struct Case {
    /// The log's id.
    pub log: String,
    /// The file or directory that it is from.
    pub source: String,
    open: Box<dyn Fn() -> Result<Opened, tandem_datasets::Error> + Send + Sync>,
}

/// What a case holds.
#[derive(Debug)]
pub enum Opened {
    /// A log, or a world that is nothing else.
    Log(Box<Log>),
    /// A world with a staged corner case.
    Staged(Box<Staged>),
}

impl Opened {
    /// The log.
    pub fn log(&self) -> &Log {
        match self {
            Self::Log(log) => log,
            Self::Staged(staged) => &staged.log,
        }
    }

    /// Makes it ready to be driven.
    ///
    /// # Errors
    /// As [`Course::new`].
    pub fn course(self) -> Result<Course, Error> {
        match self {
            Self::Log(log) => Course::new(&Arc::new(*log)),
            Self::Staged(staged) => Course::staged(*staged),
        }
    }
}

impl Case {
    /// A case that opens its log by calling `open`.
    pub fn new(
        log: impl Into<String>,
        source: impl Into<String>,
        open: impl Fn() -> Result<Log, tandem_datasets::Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            log: log.into(),
            source: source.into(),
            open: Box::new(move || open().map(|log| Opened::Log(Box::new(log)))),
        }
    }

    /// The generated world of a seed.
    pub fn world(seed: u64) -> Self {
        Self::new(world::id(seed), "generated", move || world::generate(seed))
    }

    /// The generated town of a seed.
    pub fn town(seed: u64) -> Self {
        Self::new(world::town_id(seed), "generated", move || world::town(seed))
    }

    /// The generated world of a seed with a staged corner case.
    pub fn hazard(seed: u64) -> Self {
        let kind = hazard::Kind::of(seed);
        let open = move || hazard::generate(kind, seed).map(|staged| Opened::Staged(Box::new(staged)));
        Self { log: hazard::id(kind, seed), source: "generated".to_owned(), open: Box::new(open) }
    }

    /// Reads the log.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(&self) -> Result<Opened, tandem_datasets::Error> {
        (self.open)()
    }
}

impl From<LogRef> for Case {
    fn from(log: LogRef) -> Self {
        Self::new(log.id.clone(), log.path.display().to_string(), move || log.read())
    }
}

/// Who drives: a planner with that by which it sees, and who judges for it.
#[derive(Debug, Clone)]
pub struct Driver {
    /// The planner's name.
    pub planner: String,
    /// By what it sees.
    pub sight: Sight,
    /// Who judges for it, if anybody.
    pub slow: Option<Companion>,
}

impl Driver {
    /// A planner on its own.
    pub fn alone(planner: impl Into<String>, sight: Sight) -> Self {
        Self { planner: planner.into(), sight, slow: None }
    }

    /// Whether its progress is the reference for others.
    fn is_reference(&self) -> bool {
        self.planner == REFERENCE && matches!(self.sight, Sight::Truth) && self.slow.is_none()
    }
}

/// What is done with every log.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Who drives.
    pub drivers: Vec<Driver>,
    /// The traffic modes.
    pub traffic: Vec<TrafficMode>,
    /// The faults to inject: one set a run, of which one may be none.
    pub faults: Vec<Faults>,
}

/// What [`Suite::run`] tells as it goes, from any thread and in any order.
#[derive(Debug)]
pub enum Progress {
    /// A run is done.
    Run(Box<Run>, Box<Trace>),
    /// A log was not driven.
    Skipped(Skipped),
}

impl Suite {
    /// How many runs there are for so many logs.
    pub fn runs(&self, logs: usize) -> usize {
        logs * self.drivers.len() * self.traffic.len() * self.faults.len()
    }

    /// Drives the cases in parallel. The results are those of driving one after the other.
    ///
    /// # Errors
    /// What is wrong with the suite itself, such as an unknown planner. A log that can't be driven is in
    /// [`Results::skipped`].
    pub fn run(&self, cases: &[Case], on_progress: &(dyn Fn(Progress) + Sync)) -> Result<Results, Error> {
        self.faults.iter().try_for_each(Faults::check)?;
        self.drivers
            .iter()
            .try_for_each(|driver| self.faults.iter().try_for_each(|faults| driver.sight.check(faults)))?;
        let unknown = self.drivers.iter().find(|driver| !planners::NAMES.contains(&driver.planner.as_str()));
        if let Some(Driver { planner, .. }) = unknown {
            return Err(tandem_planner::Error::NoSuchPlanner { name: planner.clone() }.into());
        }
        let outcomes: Vec<_> = cases.par_iter().map(|case| self.run_log(case, on_progress)).collect();
        let (mut runs, mut skipped) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(of_log) => runs.extend(of_log),
                Err(log) => skipped.push(log),
            }
        }
        Ok(Results::new(runs, skipped))
    }

    fn run_log(&self, case: &Case, on_progress: &(dyn Fn(Progress) + Sync)) -> Result<Vec<Run>, Skipped> {
        let skip = |error: String, is_damaged| {
            let (log, source) = (case.log.clone(), case.source.clone());
            let skipped = Skipped { log, source, reason: error, is_damaged };
            on_progress(Progress::Skipped(skipped.clone()));
            skipped
        };
        let opened = case.open().map_err(|error| skip(error.to_string(), true))?;
        let course = Arc::new(opened.course().map_err(|error| skip(error.to_string(), false))?);
        let judge = Judge::new(&course);
        let conditions: Vec<_> =
            self.faults.iter().flat_map(|faults| self.traffic.iter().map(move |traffic| (*traffic, faults))).collect();
        let runs: Result<Vec<_>, Error> = conditions
            .par_iter()
            .map(|(traffic, faults)| self.run_under(case, &judge, *traffic, faults, on_progress))
            .collect();
        Ok(runs.map_err(|error| skip(error.to_string(), false))?.concat())
    }

    /// All drivers in the same traffic with the same faults, which share their reference.
    fn run_under(
        &self,
        case: &Case,
        judge: &Judge,
        traffic: TrafficMode,
        faults: &Faults,
        on_progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<Run>, Error> {
        let drive = |driver: &Driver| {
            let Driver { planner, sight, slow } = driver.clone();
            let course = Arc::clone(judge.course());
            // Without cameras none can fail.
            let cameras = if matches!(sight, Sight::Truth) { Vec::new() } else { faults.cameras.clone() };
            let setup = Setup { course, planner, traffic, sight, slow, faults: Faults { cameras, ..faults.clone() } };
            let driven = drive::drive(&setup, &mut [])?;
            let score = judge.score(&driven);
            Ok((setup, driven, score))
        };
        let mut drivers: Vec<_> = self.drivers.iter().collect();
        let asked = drivers.len();
        let reference = Driver::alone(REFERENCE, Sight::Truth);
        if judge.needs_pdm() && !drivers.iter().any(|driver| driver.is_reference()) {
            drivers.push(&reference);
        }
        let at = drivers.iter().position(|driver| driver.is_reference());
        let mut driven = drivers.into_par_iter().map(drive).collect::<Result<Vec<_>, Error>>()?;
        let reference = at.map(|at| driven[at].2.clone());
        driven.truncate(asked);
        let finish = |(setup, driven, score): (Setup, Driven, RunScore)| {
            let (run, trace) = finish(case, judge, &setup, driven, score, reference.as_ref());
            on_progress(Progress::Run(Box::new(run.clone()), Box::new(trace)));
            run
        };
        Ok(driven.into_par_iter().map(finish).collect())
    }
}

fn finish(
    case: &Case,
    judge: &Judge,
    setup: &Setup,
    driven: Driven,
    mut score: RunScore,
    reference: Option<&RunScore>,
) -> (Run, Trace) {
    let result = judge.row(setup, &mut score, reference);
    let run = Run {
        result: result.clone(),
        tags: judge.course().log.tags.clone(),
        source: case.source.clone(),
        injection: setup.faults.to_string(),
        lost_injected: driven.lost_injected,
        lost_unintended: driven.lost_unintended,
        ego_track_sound: judge.is_sound(),
        complete: driven.complete,
        recording_sha256: driven.sha256.clone(),
    };
    (run, narrate::trace(setup, driven, &score, result))
}
