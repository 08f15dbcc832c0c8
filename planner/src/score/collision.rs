//! NC, no at-fault collision: who hit whom, and whose fault it was.
//!
//! Source: NAVSIM `pdm_scorer.py` (`_calculate_no_at_fault_collision`), `pdm_scorer_utils.py`, nuplan-devkit
//! `collision_utils.py` and `observation/idm/utils.py`.

use serde::{Deserialize, Serialize};
use tandem_datasets::Class;

use super::motion::Motion;
use super::traffic::Traffic;

/// At or below this speed the ego stands, m/s.
const EGO_STANDS_MPS: f64 = 0.05;

/// At or below this speed an agent stands, m/s.
const AGENT_STANDS_MPS: f64 = 0.005;

/// cos 150°: agents at a larger angle, seen from the rear axle, are behind.
const COS_BEHIND: f64 = -0.866_025_403_784_438_6;

/// cos 20°: agents at a smaller angle, seen from the rear axle, are ahead.
const COS_AHEAD: f64 = 0.939_692_620_785_908_4;

/// What kind of collision it was (nuPlan's `CollisionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollisionKind {
    /// The ego stood.
    StoppedEgo,
    /// The other stood, or is a thing that cannot move.
    StoppedTrack,
    /// The other came from behind.
    Rear,
    /// The ego's front bumper touched it.
    Front,
    /// Any other.
    Lateral,
}

/// The first overlap with one agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collision {
    /// The step at which the two first overlap.
    pub step: usize,
    /// The agent's number.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// How they met.
    pub kind: CollisionKind,
    /// Whether the ego is at fault.
    pub at_fault: bool,
    /// Relative speed, m/s.
    pub impact_mps: f64,
}

impl Collision {
    /// What it makes of NC: 0 for an agent, 0.5 for a static object, 1 if the ego is not at fault.
    pub fn score(&self) -> f64 {
        match (self.at_fault, self.class.is_agent()) {
            (false, _) => 1.0,
            (true, true) => 0.0,
            (true, false) => 0.5,
        }
    }
}

/// Calls `report` with the first overlap of each agent that did not appear upon the ego.
pub(super) fn collisions(motion: &Motion, traffic: &Traffic, mut report: impl FnMut(Collision)) {
    motion.near(traffic, |agent, steps| {
        for step in steps {
            if motion.overlaps(traffic, agent, step) {
                report(classify(motion, traffic, agent, step));
                return false;
            }
        }
        true
    });
}

fn classify(motion: &Motion, traffic: &Traffic, agent: usize, step: usize) -> Collision {
    let (ego, state) = (&motion.outlines[step], &motion.states[step]);
    let (body, at) = (&traffic.bodies[agent], &traffic.movements(agent)[step]);
    let corners = ego.corners();
    let kind = if state.speed_mps.abs() <= EGO_STANDS_MPS {
        CollisionKind::StoppedEgo
    } else if !body.class.is_agent() || at.speed_mps.abs() <= AGENT_STANDS_MPS {
        CollisionKind::StoppedTrack
    } else if is_behind(motion, traffic, step, agent, step) {
        CollisionKind::Rear
    } else if traffic.rectangle(agent, step).meets_segment(corners[0], corners[3]) {
        CollisionKind::Front
    } else {
        CollisionKind::Lateral
    };
    let at_fault = match kind {
        CollisionKind::StoppedTrack | CollisionKind::Front => true,
        CollisionKind::Lateral => motion.answers_for_sides(step),
        CollisionKind::StoppedEgo | CollisionKind::Rear => false,
    };
    let (vx, vy) =
        (state.speed_mps * ego.cos - at.speed_mps * at.cos, state.speed_mps * ego.sin - at.speed_mps * at.sin);
    Collision { step, id: body.id, class: body.class, kind, at_fault, impact_mps: vx.hypot(vy) }
}

/// Whether the agent's centre at `agent_step` is ahead of the rear axle at `step`.
pub(super) fn is_ahead(motion: &Motion, traffic: &Traffic, step: usize, agent: usize, agent_step: usize) -> bool {
    let (along, distance) = along_and_distance(motion, traffic, step, agent, agent_step);
    along > COS_AHEAD * distance
}

/// Whether the agent's centre at `agent_step` is behind the rear axle at `step`.
pub(super) fn is_behind(motion: &Motion, traffic: &Traffic, step: usize, agent: usize, agent_step: usize) -> bool {
    let (along, distance) = along_and_distance(motion, traffic, step, agent, agent_step);
    along < COS_BEHIND * distance
}

fn along_and_distance(motion: &Motion, traffic: &Traffic, step: usize, agent: usize, agent_step: usize) -> (f64, f64) {
    let (ego, pose, other) = (&motion.outlines[step], &motion.states[step].pose, &traffic.poses(agent)[agent_step]);
    let (dx, dy) = (other.x - pose.x, other.y - pose.y);
    (dx * ego.cos + dy * ego.sin, dx.hypot(dy))
}
