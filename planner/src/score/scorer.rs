//! Scores many proposals for one planning cycle.

use rayon::prelude::*;
use tandem_datasets::{EgoBody, LaneId, Map, SignalColor};

use super::comfort::{HISTORY_STATES, Ride, is_consistent};
use super::motion::{Motion, Place};
use super::traffic::Traffic;
use super::{SubScores, collision, direction, lane, signal, ttc};
use crate::route::Route;
use crate::state::{PLAN_STATES, Rollout, Scene, VehicleState};

/// What proposals are scored against.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The ego's dimensions.
    pub body: EgoBody,
    /// The map.
    pub map: &'a Map,
    /// Where to go.
    pub route: &'a Route,
    /// The others from now on.
    pub traffic: Traffic,
    /// The lights, taken to stay as they are.
    pub signals: &'a [(LaneId, SignalColor)],
    /// Ego states before now, oldest first; the last 1.5 s count for HC.
    pub history: &'a [VehicleState],
    /// An earlier plan and how many steps ago it was made, for EC (the score takes 5); `None` makes EC 1.
    pub previous: Option<(&'a [VehicleState], usize)>,
    /// A progress × multipliers besides those of the proposals, m, for EP.
    pub reference_progress_m: Option<f64>,
}

impl<'a> Setting<'a> {
    /// The setting of a planning scene, with its agents on their predicted paths.
    pub fn of(scene: &'a Scene) -> Self {
        Self {
            body: scene.body,
            map: &scene.map,
            route: &scene.route,
            traffic: Traffic::predicted(&scene.agents, PLAN_STATES),
            signals: &scene.signals,
            // The history ends with the plan's own first state.
            history: scene.history.split_last().map_or(&[], |(_, before)| before),
            previous: None,
            reference_progress_m: None,
        }
    }
}

/// What the score says of one proposal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The sub-scores.
    pub scores: SubScores,
    /// Progress along the route's centreline, m.
    pub progress_m: f64,
    /// The step of the first at-fault collision.
    pub collision_step: Option<usize>,
    /// The step of the first time-to-collision breach.
    pub ttc_step: Option<usize>,
    /// The first step off the drivable area.
    pub off_road_step: Option<usize>,
    /// The first step in a lane with a red light.
    pub red_light_step: Option<usize>,
}

/// Scores proposals of one planning cycle; each proposal's figures do not depend on threads or order.
#[derive(Debug)]
pub struct Scorer<'a> {
    setting: Setting<'a>,
    red: Vec<signal::RedLane<'a>>,
}

impl<'a> Scorer<'a> {
    /// A scorer for one planning cycle.
    pub fn new(setting: Setting<'a>) -> Self {
        let red = signal::red_lanes(&place(&setting), setting.signals);
        Self { setting, red }
    }

    /// What it scores against.
    pub fn setting(&self) -> &Setting<'a> {
        &self.setting
    }

    /// Scores proposals, simulated already, on this thread. EP compares them with each other.
    pub fn score(&self, proposals: &[Rollout]) -> Vec<Scored> {
        let mut ride = Ride::default();
        self.with_progress(proposals.iter().map(|proposal| self.score_one(proposal, &mut ride)).collect())
    }

    /// The same on all threads of the current rayon pool.
    pub fn score_parallel(&self, proposals: &[Rollout]) -> Vec<Scored> {
        let scored = proposals.par_iter().map_init(Ride::default, |ride, proposal| self.score_one(proposal, ride));
        self.with_progress(scored.collect())
    }

    /// C of PDMS: the comfort of a proposal alone, without what came before it.
    pub fn comfort(&self, proposal: &[VehicleState]) -> f64 {
        let mut ride = Ride::default();
        ride.load(&[], proposal);
        flag(ride.is_comfortable())
    }

    /// Everything but EP, which is left at 1.
    fn score_one(&self, states: &[VehicleState], ride: &mut Ride) -> Scored {
        let setting = &self.setting;
        let motion = Motion::new(states, place(setting));

        let (mut nc, mut collision_step) = (1.0f64, None);
        collision::collisions(&motion, &setting.traffic, |collision| {
            nc = nc.min(collision.score());
            if collision.at_fault {
                collision_step = earlier(collision_step, collision.step);
            }
        });
        let mut ttc_step = None;
        ttc::breaches(&motion, &setting.traffic, |step, _| {
            ttc_step = earlier(ttc_step, step);
            false
        });
        let off_road_step = (0..states.len()).find(|step| motion.is_off_road(*step));
        let red_light_step = signal::first_entry(&motion, &self.red);
        let off_route_m = direction::off_route_m(&motion).into_iter().fold(0.0, f64::max);
        let way = lane::Way::new(&motion);

        ride.load(&setting.history[setting.history.len().saturating_sub(HISTORY_STATES)..], states);
        let hc = flag(ride.is_comfortable());
        let ec = setting.previous.is_none_or(|(previous, age)| is_consistent(previous, age, states, ride));

        Scored {
            scores: SubScores {
                nc,
                dac: flag(off_road_step.is_none()),
                ddc: direction::score(off_route_m),
                tlc: flag(red_light_step.is_none()),
                ep: 1.0,
                ttc: flag(ttc_step.is_none()),
                lk: flag(way.first_departure().is_none()),
                hc,
                ec: flag(ec),
            },
            progress_m: way.progress_m(),
            collision_step,
            ttc_step,
            off_road_step,
            red_light_step,
        }
    }

    fn with_progress(&self, mut scored: Vec<Scored>) -> Vec<Scored> {
        let reached = scored.iter().map(|one| one.progress_m * one.scores.multipliers());
        let best_m = reached.fold(self.setting.reference_progress_m.unwrap_or(0.0), f64::max);
        for one in &mut scored {
            one.scores.ep = lane::ego_progress(one.progress_m, best_m);
        }
        scored
    }
}

fn place<'a>(setting: &Setting<'a>) -> Place<'a> {
    Place { body: setting.body, map: setting.map, route: setting.route }
}

fn earlier(known: Option<usize>, step: usize) -> Option<usize> {
    Some(known.map_or(step, |known| known.min(step)))
}

/// A condition as a sub-score.
pub(super) fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
