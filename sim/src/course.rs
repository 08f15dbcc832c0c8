//! A log made ready to be driven: when the run starts and ends, what the human did, where the route leads.

use std::sync::Arc;

use tandem_datasets::{EgoBody, Log, Map, MapError, Pose2};
use tandem_graph::Stamp;
use tandem_planner::route::Route;
use tandem_planner::{STEP_S, VehicleState};

use crate::Error;
use crate::known::Known;
use crate::world::hazard::{Staged, Staging};

/// Steps of [`STEP_S`] that the log's beginning serves as history: one and a half seconds, as in NAVSIM. (nuPlan and
/// NAVSIM take it from before the scene; these logs have no before.)
pub const HISTORY_STEPS: usize = 15;

/// The shortest run after the history, in steps; shorter logs are driven from their first state.
const SHORTEST_STEPS: usize = 30;

/// One step, ns.
pub const STEP_NS: i64 = 100_000_000;

/// A log with all that its runs have in common. Made once, shared by `Arc`.
#[derive(Debug)]
pub struct Course {
    /// The log.
    pub log: Arc<Log>,
    /// Its map, as published.
    pub map: Arc<Map>,
    /// The map as it is, which runs are judged by: without what was staged to be closed or flooded.
    pub true_map: Arc<Map>,
    /// What was staged in the log, if anything.
    pub staging: Option<Arc<Staging>>,
    /// What a perception without fault can know.
    pub known: Known,
    /// The way that the human took; where something was staged, the way he would have taken without it.
    pub route: Arc<Route>,
    /// When the run starts.
    pub start: Stamp,
    /// The human's states at steps of [`STEP_S`]: [`Course::history_steps`] before the start, then to the end.
    pub human: Vec<VehicleState>,
    /// How many of the human's states lie before the start.
    pub history_steps: usize,
}

impl Course {
    /// Makes a log ready.
    ///
    /// # Errors
    /// [`Error::Undrivable`] where the log has no map, no ego, no way along the map, or is shorter than a step.
    pub fn new(log: &Arc<Log>) -> Result<Self, Error> {
        let undrivable = |reason: String| Error::Undrivable { log: log.id.clone(), reason };
        let map = log.map.clone().ok_or_else(|| undrivable("it has no map".into()))?;
        let (Some(first), Some(last)) = (log.ego.states.first(), log.ego.states.last()) else {
            return Err(undrivable("it has no ego track".into()));
        };
        let steps = usize::try_from(last.stamp.ns_since(first.stamp) / STEP_NS).unwrap_or(0);
        if steps == 0 {
            return Err(undrivable("it is shorter than one step of 0.1 s".into()));
        }
        let history_steps = if steps >= HISTORY_STEPS + SHORTEST_STEPS { HISTORY_STEPS } else { 0 };
        let human = human_states(log, first.stamp, steps + 1);
        let path: Vec<Pose2> = log.ego.states.iter().map(|state| state.pose()).collect();
        let route = Route::from_path(&map, &path).map_err(|error| undrivable(error.to_string()))?;
        let start = first.stamp.offset_ns(history_steps as i64 * STEP_NS);
        let true_map = Arc::clone(&map);
        let (staging, known) = (None, Known::default());
        Ok(Self {
            log: Arc::clone(log),
            true_map,
            staging,
            known,
            map,
            route: Arc::new(route),
            start,
            human,
            history_steps,
        })
    }

    /// Makes a world with a staged corner case ready.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn staged(staged: Staged) -> Result<Self, Error> {
        let Staged { log, staging } = staged;
        let course = Self::new(&Arc::new(log))?;
        let wrong = |reason: MapError| Error::Undrivable { log: course.log.id.clone(), reason: reason.to_string() };
        let true_map = staging.true_map(&course.map).map_err(wrong)?;
        let known = Known::staged(&course.log);
        let route = Route::from_path(&course.map, &staging.plain_drive);
        let route =
            route.map_err(|error| Error::Undrivable { log: course.log.id.clone(), reason: error.to_string() })?;
        Ok(Self { true_map, known, route: Arc::new(route), staging: Some(Arc::new(staging)), ..course })
    }

    /// The ego's dimensions.
    pub fn body(&self) -> &EgoBody {
        &self.log.ego.body
    }

    /// Steps of the run; it has one state more.
    pub fn steps(&self) -> usize {
        self.human.len() - 1 - self.history_steps
    }

    /// When the log starts: the run's history is driven as logged, for everyone to see where things are going.
    pub fn first(&self) -> Stamp {
        self.start.offset_ns(-(self.history_steps as i64) * STEP_NS)
    }

    /// When the run ends.
    pub fn end(&self) -> Stamp {
        self.stamp(self.steps())
    }

    /// The time of a step.
    pub fn stamp(&self, step: usize) -> Stamp {
        self.start.offset_ns(step as i64 * STEP_NS)
    }

    /// The human's states with their times.
    pub fn human_track(&self) -> Vec<(Stamp, VehicleState)> {
        let stamp = |index: i64| self.first().offset_ns(index * STEP_NS);
        (0..).zip(&self.human).map(|(index, state)| (stamp(index), *state)).collect()
    }

    /// The step that a time belongs to; `None` before the start and after the end.
    pub fn step(&self, stamp: Stamp) -> Option<usize> {
        let step = usize::try_from((stamp.ns_since(self.start) + STEP_NS / 2).div_euclid(STEP_NS)).ok()?;
        (step <= self.steps()).then_some(step)
    }

    /// The human's states before the run, oldest first.
    pub fn history(&self) -> &[VehicleState] {
        &self.human[..self.history_steps]
    }

    /// The human's states from the start on.
    pub fn human_run(&self) -> &[VehicleState] {
        &self.human[self.history_steps..]
    }

    /// The human's state at a stamp, the nearest step within the log.
    pub fn human_at(&self, stamp: Stamp) -> VehicleState {
        let step = (stamp.ns_since(self.start) + STEP_NS / 2).div_euclid(STEP_NS) + self.history_steps as i64;
        self.human[usize::try_from(step).unwrap_or(0).min(self.human.len() - 1)]
    }
}

/// The ego track as vehicle states at steps of [`STEP_S`] from `start` on: poses and speeds as logged, accelerations by
/// central differences of speed, the wheel angle that the yaw rate demands of a bicycle.
fn human_states(log: &Log, start: Stamp, count: usize) -> Vec<VehicleState> {
    let states: Vec<_> = (0..count).filter_map(|step| log.ego_at(start.offset_ns(step as i64 * STEP_NS))).collect();
    let state = |index: usize| {
        let (before, here) = (&states[index.saturating_sub(1)], &states[index]);
        let after = &states[(index + 1).min(states.len() - 1)];
        let span_s = after.stamp.seconds_since(before.stamp);
        let speed_mps = here.speed_mps;
        // Below walking pace the yaw rate says nothing of the wheels.
        let turns = speed_mps.abs() > 0.5;
        let steering_rad = if turns { (log.ego.body.wheelbase * here.yaw_rate_radps / speed_mps).atan() } else { 0.0 };
        VehicleState {
            pose: here.pose(),
            speed_mps,
            acceleration_mps2: if span_s > 0.0 { (after.speed_mps - before.speed_mps) / span_s } else { 0.0 },
            steering_rad,
            yaw_rate_radps: here.yaw_rate_radps,
        }
    };
    (0..states.len()).map(state).collect()
}

/// Seconds since the start of the run at a step.
pub fn step_seconds(step: usize) -> f64 {
    step as f64 * STEP_S
}
