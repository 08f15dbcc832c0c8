//! Scores a whole driven run, and says step by step what went wrong.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use tandem_datasets::{Class, EgoBody, LaneId, Map, SignalColor};

use super::collision::{Collision, collisions};
use super::comfort::{EC_STEPS, Limit, Ride, is_consistent};
use super::motion::{Motion, Place};
use super::scorer::flag;
use super::signal::{RedLane, red_lanes};
use super::traffic::Traffic;
use super::{SubScores, direction, lane, ttc};
use crate::route::Route;
use crate::state::{Rollout, VehicleState};

/// A driven run: what the ego and the others really did.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The ego's dimensions.
    pub body: EgoBody,
    /// The map.
    pub map: &'a Map,
    /// Where to go.
    pub route: &'a Route,
    /// The ego at each step.
    pub states: &'a [VehicleState],
    /// Ego states before the run, oldest first, for HC; may be empty.
    pub history: &'a [VehicleState],
    /// The others at each step.
    pub traffic: &'a Traffic,
    /// The lights at each step; empty if the log has none.
    pub signals: &'a [Vec<(LaneId, SignalColor)>],
    /// The plans that were made and the steps they start at, by rising step, for EC.
    pub plans: &'a [(usize, Rollout)],
    /// The reference's progress (× its multipliers where it is a planner's), m, for EP; `None`: the run's own.
    pub reference_progress_m: Option<f64>,
}

/// The sub-score that an event is about; EP has no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// No at-fault collision.
    Nc,
    /// Drivable-area compliance.
    Dac,
    /// Driving-direction compliance.
    Ddc,
    /// Traffic-light compliance.
    Tlc,
    /// Time to collision.
    Ttc,
    /// Lane keeping.
    Lk,
    /// History comfort.
    Hc,
    /// Extended comfort.
    Ec,
}

/// Something that went wrong in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub step: usize,
    /// Which sub-score it lowers.
    pub part: Part,
    /// What happened, for people.
    pub text: String,
    /// The number of the agent it happened with.
    pub track: Option<u32>,
}

/// What the score says of a run, before the human filter.
#[derive(Debug, Clone, PartialEq)]
pub struct RunScore {
    /// The sub-scores.
    pub raw: SubScores,
    /// C of PDMS: comfort without the history.
    pub comfort: f64,
    /// Progress along the route's centreline, m.
    pub progress_m: f64,
    /// How far the rear axle drove, m.
    pub distance_m: f64,
    /// The first overlap with each agent that did not appear upon the ego, at fault or not.
    pub collisions: Vec<Collision>,
    /// What went wrong, by rising step.
    pub events: Vec<Event>,
    /// Time to collision at each step, s; `None` beyond 5 s.
    pub ttc_s: Vec<Option<f64>>,
}

impl RunScore {
    /// How many collisions were the ego's fault.
    pub fn at_fault_collisions(&self) -> usize {
        self.collisions.iter().filter(|collision| collision.at_fault).count()
    }

    /// Progress × multipliers: what this run is worth as the reference of others, m.
    pub fn reference_progress_m(&self) -> f64 {
        self.progress_m * self.raw.multipliers()
    }

    /// Takes EP anew against a reference that became known later.
    pub fn set_reference_progress_m(&mut self, reference_m: f64) {
        self.raw.ep = lane::ego_progress(self.progress_m, self.reference_progress_m().max(reference_m));
    }
}

/// Scores a driven run with the definitions for plans, over all its steps. A run without a step is perfect.
pub fn score_run(run: &Run) -> RunScore {
    let motion = Motion::new(run.states, Place { body: run.body, map: run.map, route: run.route });
    let mut events = Vec::new();
    let collisions = find_collisions(&motion, run.traffic, &mut events);
    let way = lane::Way::new(&motion);
    let progress_m = way.progress_m();
    let mut ride = Ride::default();
    ride.load(&[], run.states);
    let comfort = flag(ride.is_comfortable());
    let raw = SubScores {
        nc: collisions.iter().map(Collision::score).fold(1.0, f64::min),
        dac: drivable_area(&motion, &mut events),
        ddc: driving_direction(&motion, &mut events),
        tlc: traffic_lights(&motion, run.signals, &mut events),
        ep: 1.0,
        ttc: time_to_collision(&motion, run.traffic, &mut events),
        lk: lane_keeping(&way, &mut events),
        hc: history_comfort(run, &mut ride, &mut events),
        ec: extended_comfort(run.plans, &mut ride, &mut events),
    };
    events.sort_by_key(|event| event.step);
    let moved = run.states.windows(2).map(|pair| (pair[1].pose.position() - pair[0].pose.position()).norm());
    let ttc_s = (0..run.states.len()).map(|step| ttc::time_to_collision_s(&motion, run.traffic, step)).collect();
    let mut score = RunScore { raw, comfort, progress_m, distance_m: moved.sum(), collisions, events, ttc_s };
    score.set_reference_progress_m(run.reference_progress_m.unwrap_or(0.0));
    score
}

fn find_collisions(motion: &Motion, traffic: &Traffic, events: &mut Vec<Event>) -> Vec<Collision> {
    let mut found = Vec::new();
    collisions(motion, traffic, |collision| found.push(collision));
    found.sort_by_key(|collision| (collision.step, collision.id));
    for Collision { step, id, class, kind, impact_mps, .. } in found.iter().filter(|collision| collision.at_fault) {
        let kind = format!("{kind:?}").to_lowercase();
        let kind = if kind == "stoppedtrack" { "it stood" } else { &kind };
        let text = format!("at-fault collision with {} {id} at {impact_mps:.1} m/s ({kind})", name(*class));
        events.push(Event { step: *step, part: Part::Nc, text, track: Some(*id) });
    }
    found
}

fn drivable_area(motion: &Motion, events: &mut Vec<Event>) -> f64 {
    let steps = motion.states.len();
    let starts = beginnings(steps, |step| motion.is_off_road(step));
    let ok = starts.is_empty();
    events.extend(starts.into_iter().map(|step| event(step, Part::Dac, "left the drivable area")));
    flag(ok)
}

fn driving_direction(motion: &Motion, events: &mut Vec<Event>) -> f64 {
    let off_route_m = direction::off_route_m(motion);
    for step in beginnings(off_route_m.len(), |step| direction::score(off_route_m[step]) < 1.0) {
        events.push(event(step, Part::Ddc, "drove off the route's lanes"));
    }
    direction::score(off_route_m.into_iter().fold(0.0, f64::max))
}

fn traffic_lights(motion: &Motion, signals: &[Vec<(LaneId, SignalColor)>], events: &mut Vec<Event>) -> f64 {
    let mut red: Vec<RedLane> = Vec::new();
    let mut inside: Vec<LaneId> = Vec::new();
    let mut clean = true;
    for (step, lights) in signals.iter().enumerate().take(motion.states.len()) {
        if step == 0 || signals[step - 1] != *lights {
            red = red_lanes(&motion.place, lights);
        }
        let now: Vec<LaneId> = red.iter().filter(|lane| lane.is_entered(motion, step)).map(|red| red.lane).collect();
        if now.iter().any(|lane| !inside.contains(lane)) {
            events.push(event(step, Part::Tlc, "in a lane with a red light"));
        }
        clean &= now.is_empty();
        inside = now;
    }
    flag(clean)
}

fn time_to_collision(motion: &Motion, traffic: &Traffic, events: &mut Vec<Event>) -> f64 {
    let mut last: Option<(usize, usize)> = None;
    ttc::breaches(motion, traffic, |step, agent| {
        if last.is_none_or(|(last_step, last_agent)| last_agent != agent || last_step + 1 < step) {
            let body = &traffic.bodies[agent];
            let text = format!("within a second of hitting {} {}", name(body.class), body.id);
            events.push(Event { step, part: Part::Ttc, text, track: Some(body.id) });
        }
        last = Some((step, agent));
        true
    });
    flag(last.is_none())
}

fn lane_keeping(way: &lane::Way, events: &mut Vec<Event>) -> f64 {
    let departure = way.first_departure();
    if let Some((step, left_m)) = departure {
        let text = format!("{:.1} m beside the centreline for 2 s", left_m.abs());
        events.push(Event { step, part: Part::Lk, text, track: None });
    }
    flag(departure.is_none())
}

fn history_comfort(run: &Run, ride: &mut Ride, events: &mut Vec<Event>) -> f64 {
    ride.load(run.history, run.states);
    let before = run.history.len();
    for (limit, values) in ride.series() {
        let breach = |step: usize| !limit.holds(values[step]);
        for start in beginnings(values.len(), breach) {
            let stretch = (start..values.len()).take_while(|step| breach(*step));
            let Some(worst) = stretch.max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs())) else { continue };
            events.push(event(worst.saturating_sub(before), Part::Hc, &discomfort(limit, values[worst])));
        }
    }
    flag(ride.is_comfortable())
}

fn discomfort(limit: &Limit, value: f64) -> String {
    let bound = if value > 0.0 { limit.high } else { limit.low };
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = write!(text, "{} {value:.2} {} (limit {bound:.2})", limit.name, limit.unit);
    text
}

/// The share of plan pairs 0.5 s apart that feel alike; 1 without a pair.
fn extended_comfort(plans: &[(usize, Rollout)], ride: &mut Ride, events: &mut Vec<Event>) -> f64 {
    let (mut pairs, mut alike, mut was_alike) = (0u32, 0u32, true);
    let mut earlier = plans.iter().peekable();
    for (step, next) in plans {
        while earlier.next_if(|(start, _)| start + EC_STEPS < *step).is_some() {}
        let Some((_, previous)) = earlier.peek().filter(|(start, _)| start + EC_STEPS == *step) else { continue };
        let is_alike = is_consistent(previous, EC_STEPS, next, ride);
        if was_alike && !is_alike {
            events.push(event(*step, Part::Ec, "the plan changed abruptly"));
        }
        (pairs, alike, was_alike) = (pairs + 1, alike + u32::from(is_alike), is_alike);
    }
    if pairs == 0 { 1.0 } else { f64::from(alike) / f64::from(pairs) }
}

/// The steps at which a condition begins to hold.
fn beginnings(steps: usize, holds: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut held = false;
    let mut starts = Vec::new();
    for step in 0..steps {
        let holds = holds(step);
        if holds && !held {
            starts.push(step);
        }
        held = holds;
    }
    starts
}

fn event(step: usize, part: Part, text: &str) -> Event {
    Event { step, part, text: text.to_owned(), track: None }
}

fn name(class: Class) -> String {
    format!("{class:?}").to_lowercase()
}
