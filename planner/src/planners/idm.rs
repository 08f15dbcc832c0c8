//! The centreline at the speed limit behind whoever is ahead: IDM and nothing else.

use crate::plan::{Plan, Planner};
use crate::predict::constant_velocity;
use crate::proposals::pdm::Generator;
use crate::state::{Agent, Rollout, Scene};

/// Follows the route's centreline with PDM-Closed's IDM, without choosing.
#[derive(Debug, Default)]
pub struct IdmPlanner {
    generator: Generator,
    agents: Vec<Agent>,
}

impl Planner for IdmPlanner {
    fn name(&self) -> &'static str {
        "idm"
    }

    fn is_checked(&self) -> bool {
        false
    }

    fn plan(&mut self, scene: &Scene) -> Plan {
        self.agents.clone_from(&scene.agents);
        self.agents.iter_mut().for_each(constant_velocity);
        let proposals = self.generator.generate(scene, &self.agents, &[1.0], &[0.0]);
        let (label, rollout) = proposals
            .first()
            .map_or((String::new(), Rollout::new()), |only| (only.label.clone(), only.rollout.clone()));
        Plan { rollout, proposal: label, scores: None, fallback: None }
    }
}
