//! PDM-Closed as published: 15 proposals, simulated and scored, the best of them unless it hits somebody soon.
//!
//! Source: tuplan_garage `abstract_pdm_closed_planner.py`, `pdm_scorer.py`, `pdm_emergency_brake.py`.

use crate::plan::{Fallback, Plan, Planner};
use crate::planners::setting;
use crate::predict::constant_velocity;
use crate::proposals::pdm::{Generator, OFFSETS_M, SHARES};
use crate::score::{Scored, Scorer};
use crate::state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
use crate::vehicle::simulate;

/// Weights of progress, time to collision and comfort.
const WEIGHTS: [f64; 3] = [5.0, 5.0, 2.0];

/// Progress is compared where the best makes more than this, m.
const MIN_PROGRESS_M: f64 = 0.1;

/// An at-fault collision this soon makes it brake, s.
const BRAKE_WITHIN_S: f64 = 2.0;

/// It only brakes so at this speed or less, m/s.
const BRAKE_BELOW_MPS: f64 = 5.0;

/// Bounds of the emergency brake's command, m/s².
const BRAKE_COMMAND_MPS2: std::ops::RangeInclusive<f64> = -4.05..=2.40;

/// The planner that won nuPlan's challenge of 2023.
#[derive(Debug, Default)]
pub struct PdmClosed {
    generator: Generator,
    agents: Vec<Agent>,
}

impl PdmClosed {
    /// The planner's own score of each proposal, which is not quite the driving score: no traffic lights, lane
    /// keeping or history, and progress compared after the multipliers.
    fn totals(scored: &[Scored], comfort: &[f64]) -> Vec<f64> {
        let multipliers = |one: &Scored| one.scores.nc * one.scores.ddc * one.scores.dac;
        let best_m = scored.iter().map(|one| one.progress_m * multipliers(one)).fold(0.0, f64::max);
        let total = |(one, comfort): (&Scored, &f64)| {
            let progress = if best_m > MIN_PROGRESS_M {
                one.progress_m * multipliers(one) / best_m
            } else {
                f64::from(u8::from(multipliers(one) > 0.0))
            };
            let weighted = WEIGHTS[0] * progress + WEIGHTS[1] * one.scores.ttc + WEIGHTS[2] * comfort;
            multipliers(one) * weighted / WEIGHTS.iter().sum::<f64>()
        };
        scored.iter().zip(comfort).map(total).collect()
    }
}

impl Planner for PdmClosed {
    fn name(&self) -> &'static str {
        "pdm"
    }

    fn is_checked(&self) -> bool {
        false
    }

    fn plan(&mut self, scene: &Scene) -> Plan {
        self.agents.clone_from(&scene.agents);
        self.agents.iter_mut().for_each(constant_velocity);
        let proposals = self.generator.generate(scene, &self.agents, &SHARES, &OFFSETS_M);
        let simulated: Vec<Rollout> =
            proposals.iter().map(|proposal| simulate(&scene.ego, &proposal.rollout, &scene.body)).collect();
        let scorer = Scorer::new(setting(scene, &self.agents));
        let scored = scorer.score(&simulated);
        let comfort: Vec<f64> = simulated.iter().map(|rollout| scorer.comfort(rollout)).collect();
        let totals = Self::totals(&scored, &comfort);
        // The first of equals, as numpy's argmax.
        let best = (0..totals.len()).rev().max_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
        let soon = |step: usize| step as f64 * STEP_S <= BRAKE_WITHIN_S;
        if scored[best].collision_step.is_some_and(soon) && scene.ego.speed_mps <= BRAKE_BELOW_MPS {
            return Plan {
                rollout: emergency_brake(&scene.ego),
                proposal: "emergency brake".to_owned(),
                scores: None,
                fallback: Some(Fallback::EmergencyStop),
            };
        }
        Plan {
            rollout: proposals[best].rollout.clone(),
            proposal: proposals[best].label.clone(),
            scores: Some(scored[best].scores),
            fallback: None,
        }
    }
}

/// Straight on at a speed that a proportional controller has corrected, which may be backwards: the tracker brakes.
fn emergency_brake(ego: &VehicleState) -> Rollout {
    let (speed, acceleration) = (ego.speed_mps, ego.acceleration_mps2);
    let clamp = |command: f64| command.clamp(*BRAKE_COMMAND_MPS2.start(), *BRAKE_COMMAND_MPS2.end());
    let corrected_mps =
        if speed > 0.2 { 1.1 * (speed + clamp(-10.0 * speed)) } else { clamp(-4.0 * speed - acceleration) };
    let at = |step: usize| VehicleState {
        pose: ego.pose.ahead(corrected_mps * step as f64 * STEP_S),
        ..VehicleState::default()
    };
    (0..PLAN_STATES).map(at).collect()
}
