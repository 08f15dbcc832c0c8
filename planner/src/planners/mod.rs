//! The planners by name: Tandem's own and the baselines it is compared with.

mod constant_velocity;
mod human;
mod idm;
mod objective;
mod pdm;
mod tandem;

pub use constant_velocity::ConstantVelocity;
pub use human::Human;
pub use idm::IdmPlanner;
pub use pdm::PdmClosed;
pub use tandem::Tandem;

use tandem_graph::Stamp;

use crate::Error;
use crate::plan::Planner;
use crate::predict::SCORED_STATES;
use crate::score::{Setting, Traffic};
use crate::state::{Agent, Scene, VehicleState};

/// The names that [`by_name`] knows, in the order of tables.
pub const NAMES: [&str; 5] = ["tandem", "pdm", "idm", "constant-velocity", "human"];

/// A new planner: `tandem`, `pdm`, `idm`, `constant-velocity` or `human`, the last of which follows `human_track`
/// (states by rising stamp).
///
/// # Errors
/// [`Error::NoSuchPlanner`] for another name, [`Error::Empty`] for `human` without a track.
pub fn by_name(name: &str, human_track: &[(Stamp, VehicleState)]) -> Result<Box<dyn Planner>, Error> {
    match name {
        "tandem" => Ok(Box::new(Tandem::default())),
        "pdm" => Ok(Box::new(PdmClosed::default())),
        "idm" => Ok(Box::new(IdmPlanner::default())),
        "constant-velocity" => Ok(Box::new(ConstantVelocity)),
        "human" => Ok(Box::new(Human::new(human_track.to_vec())?)),
        other => Err(Error::NoSuchPlanner { name: other.to_owned() }),
    }
}

/// The setting in which a scene's proposals are scored, with its agents on the paths predicted for them.
fn setting<'a>(scene: &'a Scene, agents: &[Agent]) -> Setting<'a> {
    Setting {
        body: scene.body,
        map: &scene.map,
        route: &scene.route,
        traffic: Traffic::predicted(agents, SCORED_STATES),
        signals: &scene.signals,
        // The history ends with the plan's own first state.
        history: scene.history.split_last().map_or(&[], |(_, before)| before),
        previous: None,
        reference_progress_m: None,
    }
}
