//! Tandem's planner: predict, propose, simulate, score, check; and stop well when nothing passes.

use tandem_graph::Stamp;

use super::objective::{Objective, Recent};
use super::setting;
use crate::fallback;
use crate::guidance::Effects;
use crate::margin::{add_margins, keep_apart};
use crate::plan::{Fallback, Plan, Planner};
use crate::predict::Predictor;
use crate::proposals::tandem::{Before, Generator, waypoint_poses};
use crate::proposals::{Maneuver, Proposal, set_turning};
use crate::score::{Scored, Scorer, Setting};
use crate::signals::SignalMemory;
use crate::state::{Agent, Rollout, STEP_S, Scene, VehicleState};
use crate::trust::Trust;
use crate::validate::validate;
use crate::vehicle::simulate;

/// A plan older than this is not gone on from, s.
const MEMORY_S: f64 = 0.55;

/// What is remembered of the plan before.
#[derive(Debug)]
struct Previous {
    made: Stamp,
    proposal: Proposal,
}

/// Tandem's own planner.
#[derive(Debug, Default)]
pub struct Tandem {
    predictor: Predictor,
    lights: SignalMemory,
    trust: Trust,
    generator: Generator,
    agents: Vec<Agent>,
    simulated: Vec<Rollout>,
    previous: Option<Previous>,
    recent: Recent,
    waypoints: Option<Proposal>,
}

impl Planner for Tandem {
    fn name(&self) -> &'static str {
        "tandem"
    }

    fn plan(&mut self, scene: &Scene) -> Plan {
        let effects = self.trust.effects(scene);
        self.predictor.predict(scene, &mut self.agents);
        keep_apart(&mut self.agents, &scene.ego, &scene.body);
        add_margins(&mut self.agents, &scene.ego, &scene.body);
        self.lights.update(scene.now, &scene.signals);
        let before = self.before(scene.now);
        self.propose(scene, &effects, &before);
        let plan = self.choose(scene, &effects);
        self.recent.push(scene.now, &plan.rollout);
        plan
    }
}

impl Tandem {
    /// How many proposals the last cycle weighed.
    pub fn proposal_count(&self) -> usize {
        self.simulated.len()
    }

    /// The plan before, where it is not too old to be gone on from.
    fn before(&self, now: Stamp) -> Before {
        let Some(previous) = &self.previous else { return Before::default() };
        let age_s = now.seconds_since(previous.made);
        if !(0.0..=MEMORY_S).contains(&age_s) {
            return Before::default();
        }
        Before {
            line: previous.proposal.line,
            maneuver: Some(previous.proposal.maneuver),
            steps: previous.proposal.line.map(|_| (previous.proposal.steps, age_s / STEP_S)),
        }
    }

    fn propose(&mut self, scene: &Scene, effects: &Effects, before: &Before) {
        let proposals = self.generator.generate(scene, &self.agents, self.lights.signals(), effects, before);
        self.simulated.clear();
        self.simulated.extend(proposals.iter().map(|proposal| simulate(&scene.ego, &proposal.rollout, &scene.body)));
        self.waypoints = (!effects.waypoints.is_empty()).then(|| follow_waypoints(scene, effects));
        self.simulated
            .extend(self.waypoints.iter().map(|proposal| simulate(&scene.ego, &proposal.rollout, &scene.body)));
    }

    /// The best proposal that is fit to be driven; a stop if there is none.
    fn choose(&mut self, scene: &Scene, effects: &Effects) -> Plan {
        let proposals: Vec<&Proposal> = self.generator.proposals().iter().chain(&self.waypoints).collect();
        let mut objective = Objective {
            now: scene.now,
            body: scene.body,
            agents: &self.agents,
            obstacles: self.generator.obstacles(),
            effects,
            recent: &self.recent,
            before: self.previous.as_ref().map(|previous| previous.proposal.maneuver),
            lane_is_blocked: false,
            free_progress_m: 4.0 * self.generator.target_mps(),
        };
        // The first proposal keeps to the lane.
        objective.lane_is_blocked = proposals.first().is_some_and(|proposal| objective.is_blocked(proposal));
        let score = |agents: &[Agent]| {
            let setting = Setting { signals: self.lights.signals(), ..setting(scene, agents) };
            Scorer::new(setting).score(&self.simulated)
        };
        let value =
            |(index, scored): (usize, &Scored)| objective.value(proposals[index], &self.simulated[index], scored);
        let mut scored = score(&self.agents);
        let mut values: Vec<f64> = scored.iter().enumerate().map(value).collect();
        if values.iter().zip(&scored).all(|(value, scored)| *value <= 0.0 || scored.scores.ttc < 1.0) {
            // No plan leaves room for doubt. What counts now is whether it works out if all is as it seems.
            let mut exact = self.agents.clone();
            for (agent, seen) in exact.iter_mut().zip(&scene.agents) {
                (agent.length, agent.width) = (seen.length, seen.width);
            }
            scored = score(&exact);
            for (doubted, value) in values.iter_mut().zip(scored.iter().enumerate().map(value)) {
                *doubted = if value > 0.0 { value + doubted.max(0.0) } else { value };
            }
        }
        let mut order: Vec<usize> = (0..proposals.len()).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let is_fit = |index: usize, map| validate(&proposals[index].rollout, &scene.ego, &scene.body, map).is_ok();
        let best = order.iter().copied().find(|&index| values[index] > 0.0 && is_fit(index, Some(&*scene.map)));
        if let Some(best) = best {
            let plan = Plan {
                rollout: proposals[best].rollout.clone(),
                proposal: proposals[best].label.clone(),
                scores: Some(scored[best].scores),
                fallback: None,
            };
            self.previous = Some(Previous { made: scene.now, proposal: proposals[best].clone() });
            return plan;
        }
        // Nothing is good. Of the ways to brake, the one that ends least badly.
        let rescue = |index: &usize| objective.rescue_value(&self.simulated[*index], &scored[*index]);
        let stops = (0..proposals.len()).filter(|index| proposals[*index].maneuver == Maneuver::Stop);
        let stop = stops.filter(|index| is_fit(*index, None)).max_by(|a, b| rescue(a).total_cmp(&rescue(b)));
        let plan = match stop {
            Some(stop) => Plan {
                rollout: proposals[stop].rollout.clone(),
                proposal: proposals[stop].label.clone(),
                scores: Some(scored[stop].scores),
                fallback: Some(Fallback::EmergencyStop),
            },
            None => {
                let path = self.previous.as_ref().map_or(&[][..], |previous| &previous.proposal.rollout);
                fallback::stop(Fallback::EmergencyStop, &scene.ego, path, &scene.body)
            }
        };
        self.previous = stop.map(|stop| Previous { made: scene.now, proposal: proposals[stop].clone() });
        plan
    }
}

/// The proposal that follows a judgment's waypoints.
fn follow_waypoints(scene: &Scene, effects: &Effects) -> Proposal {
    let poses = waypoint_poses(scene.ego.pose, &effects.waypoints);
    let mut rollout: Rollout =
        poses.iter().map(|pose| VehicleState { pose: *pose, ..VehicleState::default() }).collect();
    let last = rollout.len() - 1;
    for (index, state) in rollout.iter_mut().enumerate() {
        let (from, to) = (index.saturating_sub(1), (index + 1).min(last));
        let moved_m = (poses[to].position() - poses[from].position()).norm();
        state.speed_mps = moved_m / ((to - from) as f64 * STEP_S);
    }
    // What is driven is the simulation of it: straight pieces are no path for a vehicle.
    rollout = simulate(&scene.ego, &rollout, &scene.body);
    set_turning(&mut rollout, &scene.body);
    Proposal { label: "waypoints".to_owned(), maneuver: Maneuver::Waypoints, rollout, ..Proposal::blank() }
}
