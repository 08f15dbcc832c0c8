//! What every planner is: a scene in, a plan out.

use serde::{Deserialize, Serialize};

use crate::score::SubScores;
use crate::state::{Rollout, Scene};

/// Why a plan is not one of the scored proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// Braking gently to a stop (Autoware's comfortable stop: −1.0 m/s²).
    ComfortableStop,
    /// Braking hard to a stop.
    EmergencyStop,
}

/// The answer of one planning cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the vehicle shall do: [`crate::state::PLAN_STATES`] states, the first one now.
    pub rollout: Rollout,
    /// Which proposal won, for people: `idm 0.8 left 1.0`, `stop`, `judgment`.
    pub proposal: String,
    /// Its predicted sub-scores, where it was scored.
    pub scores: Option<SubScores>,
    /// Set when no proposal was good enough.
    pub fallback: Option<Fallback>,
}

/// A planner: one cycle a call, with whatever state it keeps between cycles in itself.
pub trait Planner: Send {
    /// Its name on the command line and in tables: `tandem`, `pdm`, `idm`, `constant-velocity`, `human`.
    fn name(&self) -> &'static str;

    /// Plans from `scene.now` on.
    fn plan(&mut self, scene: &Scene) -> Plan;

    /// Whether its plans have to pass [`crate::validate::validate`] before they are published. Baselines are driven as
    /// they are, as long as their plans are whole and finite: the table compares them, not our checks.
    fn is_checked(&self) -> bool {
        true
    }
}
