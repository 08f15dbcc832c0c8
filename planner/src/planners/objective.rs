//! What Tandem maximises: the driving score, and where that is equal, room, calm and agreement with the last plan.

use std::collections::VecDeque;

use tandem_datasets::{Class, EgoBody};
use tandem_graph::Stamp;

use crate::guidance::{Effects, LANE_BONUS};
use crate::predict::PREDICTED_STATES;
use crate::proposals::lateral::Line;
use crate::proposals::obstacles::Obstacle;
use crate::proposals::tandem::{CLEARANCE_M, NUDGES_M};
use crate::proposals::{Maneuver, Proposal};
use crate::score::{EC_STEPS, Scored};
use crate::state::{Agent, PLAN_STATES, Rollout, STEP_S, VehicleState};

/// Weight of room to the others.
const ROOM_WEIGHT: f64 = 0.08;

/// Weight of agreement with the plan of half a second ago.
const AGREEMENT_WEIGHT: f64 = 0.1;

/// Weight of agreement with the plan in force: what changes now will disagree for half a second.
const CHANGE_WEIGHT: f64 = 0.08;

/// Disagreement that costs nothing, as a share of what extended comfort allows.
const AGREEMENT_FROM: f64 = 0.5;

/// Weight of progress where EP does not speak.
const PROGRESS_WEIGHT: f64 = 0.04;

/// Weight of calm: little acceleration, jerk and swerving.
const CALM_WEIGHT: f64 = 0.02;

/// What coming close to a collision costs besides TTC, at full speed: progress shall not pay for it.
const NEAR_MISS_COST: f64 = 1.0;

/// What having no room costs besides, once the time to collision runs short.
const NO_ROOM_COST: f64 = 0.5;

/// The speed at which coming close to a collision costs that, m/s.
const FULL_SPEED_MPS: f64 = 12.0;

/// Steps after the time to collision runs short over which the speed counts.
const NEAR_MISS_STEPS: usize = 20;

/// What braking to a stop has to be better by than driving on.
const STOP_COST: f64 = 0.05;

/// What leaving the lane has to be better by than staying in it: whoever stands ahead may only wait in a queue.
const LEAVE_COST: f64 = 0.12;

/// What ending in the way of others who cross, with no way on or back, has to be better by than waiting.
const TRAP_COST: f64 = 0.4;

/// What a way that something blocks for good has to be better by than one that nothing blocks.
const BLOCKED_COST: f64 = 0.3;

/// What blocks a way is looked for so far ahead, m.
const BLOCKED_WITHIN_M: f64 = 50.0;

/// How hard the vehicle brakes, or drives on, after the end of a plan to keep clear of others, m/s².
const AFTERWARDS_MPS2: [f64; 2] = [-2.5, 1.0];

/// Steps between two looks at the others after the end of a plan.
const LOOK_STEPS: usize = 5;

/// Who moves less than this across the route from look to look does not cross it, m.
const CROSSING_M: f64 = 0.5;

/// Weight of being on the centreline in the end.
const CENTER_WEIGHT: f64 = 0.02;

/// The limits of extended comfort: RMS of acceleration, jerk, yaw rate and yaw acceleration (NAVSIM
/// `pdm_comfort_metrics.py`).
const AGREEMENT_LIMITS: [f64; 4] = [0.7, 0.5, 0.1, 0.1];

/// Steps over which jerk is taken, about what the score's filter does.
const JERK_STEPS: usize = 6;

/// The plans of the last half second.
#[derive(Debug, Default)]
pub(super) struct Recent {
    plans: VecDeque<(Stamp, Rollout)>,
}

impl Recent {
    /// Keeps a plan, and forgets those older than extended comfort looks back.
    pub fn push(&mut self, now: Stamp, plan: &Rollout) {
        while self.plans.len() > EC_STEPS {
            // Its buffer is used again.
            if let Some((_, mut oldest)) = self.plans.pop_front()
                && self.plans.len() == EC_STEPS
            {
                oldest.clone_from(plan);
                self.plans.push_back((now, oldest));
                return;
            }
        }
        self.plans.push_back((now, plan.clone()));
    }

    /// How much a plan differs from the oldest, as a share of what extended comfort allows: above 1 it is broken.
    fn disagreement(&self, now: Stamp, plan: &[VehicleState]) -> f64 {
        let oldest = self.plans.iter().find_map(|earlier| aged(now, earlier));
        oldest.map_or(0.0, |earlier| Self::difference(earlier, plan))
    }

    /// How much a plan differs from the one in force, in the same measure.
    fn change(&self, now: Stamp, plan: &[VehicleState]) -> f64 {
        let newest = self.plans.back().and_then(|earlier| aged(now, earlier));
        newest.map_or(0.0, |earlier| Self::difference(earlier, plan))
    }

    fn difference((age, earlier): (usize, &Rollout), plan: &[VehicleState]) -> f64 {
        let earlier = &earlier[age.min(earlier.len())..];
        let count = earlier.len().min(plan.len());
        if count < 2 * JERK_STEPS {
            return 0.0;
        }
        let mut sums = [0.0; 4];
        let difference = |k: usize| {
            let jerk = |states: &[VehicleState]| {
                let (from, to) = (k.saturating_sub(JERK_STEPS), (k + JERK_STEPS).min(count - 1));
                (states[to].acceleration_mps2 - states[from].acceleration_mps2) / ((to - from) as f64 * STEP_S)
            };
            let turn = |states: &[VehicleState]| {
                let (from, to) = (k.saturating_sub(2), (k + 2).min(count - 1));
                (states[to].yaw_rate_radps - states[from].yaw_rate_radps) / ((to - from) as f64 * STEP_S)
            };
            [
                plan[k].acceleration_mps2 - earlier[k].acceleration_mps2,
                jerk(plan) - jerk(earlier),
                plan[k].yaw_rate_radps - earlier[k].yaw_rate_radps,
                turn(plan) - turn(earlier),
            ]
        };
        for k in 0..count {
            for (sum, value) in sums.iter_mut().zip(difference(k)) {
                *sum += value * value;
            }
        }
        let share = |(sum, limit): (&f64, &f64)| (sum / count as f64).sqrt() / limit;
        sums.iter().zip(&AGREEMENT_LIMITS).map(share).fold(0.0, f64::max)
    }
}

/// How many steps ago a plan was made, with the plan; `None` if not within what extended comfort looks back.
fn aged(now: Stamp, (made, plan): &(Stamp, Rollout)) -> Option<(usize, &Rollout)> {
    let age = (now.seconds_since(*made) / STEP_S).round() as usize;
    (1..=EC_STEPS).contains(&age).then_some((age, plan))
}

/// What proposals of one cycle are judged by.
pub(super) struct Objective<'a> {
    pub now: Stamp,
    pub body: EgoBody,
    pub agents: &'a [Agent],
    pub obstacles: &'a [Obstacle],
    pub effects: &'a Effects,
    pub recent: &'a Recent,
    /// What the plan before does.
    pub before: Option<Maneuver>,
    /// Whether something stands on the lane for good.
    pub lane_is_blocked: bool,
    /// Progress that a free road would allow, m.
    pub free_progress_m: f64,
}

impl Objective<'_> {
    /// How good a proposal is; below zero if it must not be driven.
    pub fn value(&self, proposal: &Proposal, simulated: &[VehicleState], scored: &Scored) -> f64 {
        if self.effects.is_vetoed(proposal.maneuver) || self.enters_closed_region(simulated) {
            return -1.0;
        }
        let multipliers = scored.scores.multipliers();
        if multipliers == 0.0 {
            return 0.0;
        }
        let progress = (scored.progress_m / self.free_progress_m.max(5.0)).min(1.0);
        let disagreement = self.recent.disagreement(self.now, &proposal.rollout);
        let crowding = self.crowding(proposal);
        let change = self.recent.change(self.now, &proposal.rollout);
        let broken = |difference: f64| ((difference - AGREEMENT_FROM) / (1.0 - AGREEMENT_FROM)).clamp(0.0, 1.0);
        let extras = PROGRESS_WEIGHT * progress + self.bonus(proposal) * scored.scores.hc
            - ROOM_WEIGHT * crowding
            - AGREEMENT_WEIGHT * broken(disagreement)
            - CHANGE_WEIGHT * broken(change)
            - CALM_WEIGHT * unrest(&proposal.rollout)
            - CENTER_WEIGHT * off_center(proposal)
            - self.change_cost(proposal.maneuver)
            - if self.ends_trapped(proposal) { TRAP_COST } else { 0.0 }
            - if !self.effects.says_to_wait() && self.is_blocked(proposal) { BLOCKED_COST } else { 0.0 };
        let value = scored.scores.total() + multipliers * extras;
        if scored.scores.ttc == 1.0 {
            return value;
        }
        // Whoever comes close to a collision shall be slow, whatever that costs; still better than a collision.
        let progress_share = 5.0 / 16.0 * multipliers * scored.scores.ep;
        let worth = value - progress_share - NEAR_MISS_COST * near_miss(simulated, scored) - NO_ROOM_COST * crowding;
        let urgency = scored.ttc_step.map_or(1.0, urgency);
        urgency * 0.3 * (1.0 + worth.clamp(-0.9, 1.0)) + (1.0 - urgency) * value
    }

    /// What a judgment's wish for a proposal counts; whoever wishes for the lane beside may also be passed on that side.
    fn bonus(&self, proposal: &Proposal) -> f64 {
        let target_m = proposal.line.as_ref().map_or(0.0, Line::target_m);
        let beside = match proposal.maneuver {
            Maneuver::Overtake if target_m > 0.0 => self.effects.bonus(Maneuver::ChangeLaneLeft),
            Maneuver::Overtake => self.effects.bonus(Maneuver::ChangeLaneRight),
            // Room for somebody who moves is made in full.
            Maneuver::NudgeLeft | Maneuver::NudgeRight
                if self.effects.regions.is_empty() && self.effects.bonus(proposal.maneuver) > 0.0 =>
            {
                self.effects.strength * LANE_BONUS * (target_m.abs() / NUDGES_M[2]).min(1.0)
            }
            _ => 0.0,
        };
        self.effects.bonus(proposal.maneuver).max(beside)
    }

    /// What it costs to begin a manoeuvre that had better not be begun for little.
    fn change_cost(&self, maneuver: Maneuver) -> f64 {
        match maneuver {
            Maneuver::Stop => STOP_COST,
            Maneuver::Overtake | Maneuver::ChangeLaneLeft | Maneuver::ChangeLaneRight
                if self.before != Some(maneuver)
                    && self.effects.bonus(maneuver) == 0.0
                    && (!self.lane_is_blocked || self.effects.says_to_wait()) =>
            {
                LEAVE_COST
            }
            _ => 0.0,
        }
    }

    /// Whether what never moves on stands on the line of a proposal: a closed region, a thing, or who is said to matter.
    pub fn is_blocked(&self, proposal: &Proposal) -> bool {
        let (Some(line), Some(start)) = (&proposal.line, proposal.steps.first()) else { return false };
        let stays = |obstacle: &&Obstacle| {
            obstacle.stands
                && obstacle
                    .agent
                    .map(|index| &self.agents[index])
                    .is_none_or(|agent| !agent.class.is_agent() || self.effects.about.contains(&agent.id))
        };
        let front_m = start.along_m + self.body.rear_axle_to_center + self.body.length / 2.0;
        self.obstacles.iter().filter(stays).map(|obstacle| obstacle.at_step(0)).any(|extent| {
            let is_ahead = extent.to_m > front_m && extent.from_m < front_m + BLOCKED_WITHIN_M;
            let is_within = |at_m: f64| extent.is_within(line.at(at_m).left_m, self.body.width / 2.0 + CLEARANCE_M);
            is_ahead && (is_within(extent.from_m) || is_within(extent.to_m))
        })
    }

    /// Whether others who cross hit the vehicle after the end of a plan, whether it brakes then or drives on.
    fn ends_trapped(&self, proposal: &Proposal) -> bool {
        let (Some(line), Some(end)) = (&proposal.line, proposal.steps.last()) else { return false };
        AFTERWARDS_MPS2.iter().all(|acceleration_mps2| {
            (PLAN_STATES..PREDICTED_STATES).step_by(LOOK_STEPS).any(|step| {
                let elapsed_s = (step - PLAN_STATES + 1) as f64 * STEP_S;
                let until_s = if *acceleration_mps2 < 0.0 {
                    elapsed_s.min(-end.speed_mps / acceleration_mps2)
                } else {
                    elapsed_s
                };
                let moved_m = until_s * (end.speed_mps + 0.5 * acceleration_mps2 * until_s);
                let center_m = end.along_m + moved_m + self.body.rear_axle_to_center;
                let left_m = line.at(center_m).left_m;
                self.obstacles.iter().filter(|obstacle| !obstacle.stands).any(|obstacle| {
                    let (before, now) = (obstacle.at_step(step - LOOK_STEPS), obstacle.at_step(step));
                    (now.left_m - before.left_m).abs() > CROSSING_M
                        && (now.from_m - center_m).max(center_m - now.to_m) < self.body.length / 2.0
                        && now.is_within(left_m, self.body.width / 2.0)
                })
            })
        })
    }

    /// How bad a proposal is that can't be avoided: the later and the slower it hits, the better.
    pub fn rescue_value(&self, simulated: &[VehicleState], scored: &Scored) -> f64 {
        let first = [scored.collision_step, scored.off_road_step, scored.red_light_step].into_iter().flatten().min();
        match first {
            None => 1e3,
            Some(step) => {
                let speed_mps = simulated.get(step).map_or(0.0, |state| state.speed_mps);
                step as f64 - 3.0 * speed_mps
            }
        }
    }

    /// Whether the vehicle drives into a closed region that it is not in already.
    fn enters_closed_region(&self, states: &[VehicleState]) -> bool {
        self.effects.regions.iter().any(|ring| {
            let region = tandem_datasets::Polygon { exterior: ring.clone(), holes: Vec::new() };
            let inside = |state: &VehicleState| {
                let outline = self.body.outline(state.pose);
                outline.corners().iter().chain([&outline.pose.position()]).any(|point| region.contains(*point))
            };
            !inside(&states[0]) && states.iter().step_by(2).any(inside)
        })
    }

    /// How closely a proposal passes or follows others, from 0 for plenty of room to 1 for none.
    fn crowding(&self, proposal: &Proposal) -> f64 {
        let Some(line) = &proposal.line else { return 0.0 };
        let (half_length, half_width) = (self.body.length / 2.0, self.body.width / 2.0);
        let mut worst: f64 = 0.0;
        for step in (0..proposal.steps.len()).step_by(4) {
            let now = &proposal.steps[step];
            let center_m = now.along_m + self.body.rear_axle_to_center;
            let left_m = line.at(center_m).left_m;
            let doubt = 1.0 - 0.5 * step as f64 / proposal.steps.len() as f64;
            for obstacle in self.obstacles {
                let extent = obstacle.at_step(step);
                if extent.to_m < center_m {
                    // Whoever comes from behind keeps the distance.
                    continue;
                }
                let along_m = extent.from_m - (center_m + half_length);
                let across_m = (extent.right_m - (left_m + half_width)).max(left_m - half_width - extent.left_m);
                let shy = match obstacle.agent.map(|index| self.agents[index].class) {
                    Some(Class::Pedestrian | Class::Bicycle | Class::Animal) => 0.4,
                    _ => 0.0,
                };
                let side_m = 0.35 + shy + 0.03 * now.speed_mps;
                let front_m = 1.5 + shy + 0.4 * (now.speed_mps - obstacle.speed_along_mps.max(0.0)).max(0.0);
                let beside = 1.0 - across_m.max(0.0) / side_m;
                let ahead = 1.0 - along_m.max(0.0) / front_m;
                worst = worst.max(doubt * beside.min(ahead).clamp(0.0, 1.0));
            }
        }
        worst
    }
}

/// How much a time to collision that runs short at `step` is to be believed: predictions are, for a second; later there
/// is time to plan anew.
fn urgency(step: usize) -> f64 {
    (1.0 - (step as f64 - 10.0) / 30.0).clamp(0.3, 1.0)
}

/// How bad coming close to a collision is, from 0 to 1: by the speed in the two seconds after the time to it runs short.
fn near_miss(simulated: &[VehicleState], scored: &Scored) -> f64 {
    let Some(step) = scored.ttc_step else { return 0.0 };
    let second = simulated.iter().skip(step).take(NEAR_MISS_STEPS);
    let sum_mps: f64 = second.map(|state| state.speed_mps.abs()).sum();
    (sum_mps / NEAR_MISS_STEPS as f64 / FULL_SPEED_MPS).min(1.0)
}

/// Mean acceleration and turning of a plan as a share of the comfort limits.
fn unrest(plan: &[VehicleState]) -> f64 {
    let sum: f64 = plan
        .iter()
        .map(|state| state.acceleration_mps2.abs() / 4.0 + (state.speed_mps * state.yaw_rate_radps).abs() / 4.9)
        .sum();
    sum / plan.len().max(1) as f64
}

/// How far from the centreline a plan ends, m, up to 1; detours that come back do not count.
fn off_center(proposal: &Proposal) -> f64 {
    match &proposal.line {
        Some(line) if !line.comes_back() => line.target_m().abs().min(1.0),
        _ => 0.0,
    }
}
