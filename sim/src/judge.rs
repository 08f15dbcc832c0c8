//! Scores the runs of one log: against the reference's progress, through the human filter, with notes on the log.

use std::sync::Arc;

use tandem_datasets::{Class, DrivableSource, LaneId, SignalColor};
use tandem_planner::score::{
    Collision, Event, Obstacle, Part, Run as ScoredRun, RunScore, Traffic as Observed, score_run,
};
use tandem_planner::{Rollout, VehicleState};

use crate::course::{Course, step_seconds};
use crate::drive::{Driven, Setup};
use crate::overlap::depth_m;
use crate::traffic::{Traffic, TrafficMode, signals_at};
use crate::{FrameAgent, RunResult};

/// An ego track that reaches this deep into another's box, or this far off the road, can't be right, m.
const UNSOUND_M: f64 = 0.1;

/// Scores the runs of one log. Made once a log: it holds what all of them have in common.
#[derive(Debug)]
pub struct Judge {
    course: Arc<Course>,
    /// The lights at each step; empty if the log has none.
    signals: Vec<Vec<(LaneId, SignalColor)>>,
    /// How the human scores in the traffic as recorded.
    human: RunScore,
    notes: Vec<String>,
    is_sound: bool,
}

impl Judge {
    /// Scores the log's own driver, which the filter and the notes need.
    pub fn new(course: &Arc<Course>) -> Self {
        let log = &course.log;
        let steps = course.steps() + 1;
        let signals = match log.signals.is_empty() {
            true => Vec::new(),
            false => (0..steps).map(|step| signals_at(log, course.stamp(step))).collect(),
        };
        let agents = recorded(course);
        let human = raw_score(course, &signals, course.human_run(), &agents, &[]);
        let mut notes = ego_track_faults(course, &agents, &human);
        let is_sound = notes.is_empty();
        // What the reader measured of the ego track and repaired.
        notes.extend(course.log.notes.iter().filter(|note| note.starts_with("ego: ")).cloned());
        notes.extend(lacks(course));
        Self { course: Arc::clone(course), signals, human, notes, is_sound }
    }

    /// What it judges runs of.
    pub fn course(&self) -> &Arc<Course> {
        &self.course
    }

    /// How the human scores in the traffic as recorded, before any filter.
    pub fn human(&self) -> &RunScore {
        &self.human
    }

    /// What a reader of the figures must know of the log.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether the log's ego track agrees with its other tracks and its map.
    pub fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Whether the reference for progress is PDM-Closed; else it is the human, since nobody else knows of the lights.
    pub fn needs_pdm(&self) -> bool {
        !self.signals.is_empty()
    }

    /// Scores a run as it is: EP against itself, no filter.
    pub fn score(&self, driven: &Driven) -> RunScore {
        let plans: Vec<(usize, Rollout)> =
            driven.plans.iter().filter_map(|plan| Some((self.course.step(plan.start)?, plan.states.clone()))).collect();
        raw_score(&self.course, &self.signals, &driven.states, &driven.agents, &plans)
    }

    /// The table's row of a run: EP against the reference's progress, then the human filter.
    ///
    /// The filter goes by the human in the traffic as recorded, whatever the run's traffic.
    /// `pdm` is the score of PDM-Closed in the same traffic with the same faults, where [`Self::needs_pdm`]; it sees
    /// everything as it is, whatever the run's perception, so that bad sight lowers nobody's standard.
    pub fn row(&self, setup: &Setup, score: &mut RunScore, pdm: Option<&RunScore>) -> RunResult {
        let reference_m = match pdm {
            Some(pdm) if self.needs_pdm() => pdm.reference_progress_m(),
            _ => self.human.progress_m,
        };
        score.set_reference_progress_m(reference_m);
        let mut human = self.human.clone();
        human.set_reference_progress_m(reference_m);
        let scores = score.raw.human_filter(&human.raw);
        RunResult {
            log: self.course.log.id.clone(),
            planner: setup.planner.clone(),
            traffic: setup.traffic.to_string(),
            perception: setup.seen_by(),
            score: scores.total(),
            scores,
            distance_m: score.distance_m,
            at_fault_collisions: u32::try_from(score.at_fault_collisions()).unwrap_or(u32::MAX),
            duration_s: step_seconds(self.course.steps()),
            notes: self.notes.clone(),
        }
    }
}

/// The score of what was driven on a course under these lights: EP against itself, no filter.
fn raw_score(
    course: &Course,
    signals: &[Vec<(LaneId, SignalColor)>],
    states: &[VehicleState],
    agents: &[Vec<FrameAgent>],
    plans: &[(usize, Rollout)],
) -> RunScore {
    let mut score = score_run(&ScoredRun {
        body: *course.body(),
        map: &course.true_map,
        route: &course.route,
        states,
        history: course.history(),
        traffic: &Observed::observed(agents.iter().map(|step| step.iter().map(obstacle))),
        signals,
        plans,
        reference_progress_m: None,
    });
    let hazard = course.staging.as_ref().and_then(|staging| staging.hazard.as_ref());
    if let Some(first) = hazard.and_then(|hazard| hazard.goes_first) {
        blame_for(&mut score, first);
    }
    score
}

/// Makes a collision with an emergency vehicle on duty the ego's fault, however they met: everybody has to make way.
fn blame_for(score: &mut RunScore, first: u32) {
    let is_excused = |collision: &&mut Collision| collision.id == first && !collision.at_fault;
    let Some(collision) = score.collisions.iter_mut().find(is_excused) else { return };
    collision.at_fault = true;
    score.raw.nc = score.raw.nc.min(collision.score());
    let text = format!("at-fault collision with emergency vehicle {first}, which goes first");
    score.events.push(Event { step: collision.step, part: Part::Nc, text, track: Some(first) });
    score.events.sort_by_key(|event| event.step);
}

fn obstacle(agent: &FrameAgent) -> Obstacle {
    let FrameAgent { id, class, pose, length, width, speed_mps } = *agent;
    Obstacle { id, class, pose, length, width, speed_mps }
}

/// The others as recorded at every step of a course.
fn recorded(course: &Course) -> Vec<Vec<FrameAgent>> {
    let mut traffic = Traffic::new(&course.log, TrafficMode::Replay, course.start);
    let ego = course.body().outline(course.human_at(course.start).pose);
    let step = |step| {
        if step > 0 {
            traffic.advance(course.stamp(step), &ego, 0.0);
        }
        traffic.agents().to_vec()
    };
    (0..=course.steps()).map(step).collect()
}

/// What shows that the ego track can't be where the vehicle was: it passes through others, or leaves the road.
fn ego_track_faults(course: &Course, agents: &[Vec<FrameAgent>], human: &RunScore) -> Vec<String> {
    let mut faults = Vec::new();
    let mut deepest: Option<(f64, usize, &FrameAgent)> = None;
    for (step, (state, others)) in course.human_run().iter().zip(agents).enumerate() {
        let ego = course.body().outline(state.pose);
        for agent in others {
            let depth = depth_m(&ego, &agent.outline());
            if depth > deepest.map_or(UNSOUND_M, |(deepest, ..)| deepest) {
                deepest = Some((depth, step, agent));
            }
        }
    }
    if let Some((depth, step, agent)) = deepest {
        let (class, id) = (class_name(agent.class), agent.id);
        let at_s = step_seconds(step);
        faults.push(format!("ego track unsound: it overlaps {class} {id} by {depth:.1} m at {at_s:.1} s"));
    }
    let is_off = |state: &&VehicleState| {
        let corners = course.body().outline(state.pose).corners();
        corners.iter().any(|corner| !course.true_map.is_drivable(*corner))
    };
    let off = course.human_run().iter().filter(is_off).count();
    if off > 0 {
        let share = 100.0 * off as f64 / course.human_run().len() as f64;
        faults.push(format!("ego track unsound: a corner is off the drivable area in {share:.0} % of the steps"));
    }
    if human.raw.nc < 1.0 && faults.is_empty() {
        faults.push("ego track unsound: it collides at its own fault".to_owned());
    }
    faults
}

/// What the log lacks, and what is done about it.
fn lacks(course: &Course) -> Vec<String> {
    let mut notes = Vec::new();
    if course.log.signals.is_empty() {
        notes.push("no traffic lights in the log: TLC is 1, and EP is measured against the human".to_owned());
    }
    match course.map.drivable_source() {
        DrivableSource::Polygons => {}
        DrivableSource::RoadEdges => notes.push("no drivable area in the map: DAC goes by road edges".to_owned()),
        DrivableSource::Lanes => notes.push("no drivable area in the map: DAC goes by widened lanes".to_owned()),
        DrivableSource::None => notes.push("no drivable area in the map: DAC is 1".to_owned()),
    }
    notes.extend(course.route.notes().iter().cloned());
    notes
}

fn class_name(class: Class) -> String {
    format!("{class:?}").to_lowercase()
}
