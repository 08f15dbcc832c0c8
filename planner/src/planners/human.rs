//! The recorded driver: follows the logged ego track exactly.

use tandem_datasets::geometry::wrap_angle;
use tandem_graph::Stamp;

use crate::Error;
use crate::plan::{Plan, Planner};
use crate::state::{PLAN_STATES, STEP_S, Scene, VehicleState};

/// Replays a track. Where it ends, its last motion goes on straight.
#[derive(Debug, Clone)]
pub struct Human {
    track: Vec<(Stamp, VehicleState)>,
}

impl Human {
    /// Follows `track`, states by rising stamp.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no state.
    pub fn new(mut track: Vec<(Stamp, VehicleState)>) -> Result<Self, Error> {
        if track.is_empty() {
            return Err(Error::Empty { field: "human track" });
        }
        track.sort_by_key(|(stamp, _)| *stamp);
        Ok(Self { track })
    }

    /// The state at `stamp`: interpolated, held before the start, going on straight after the end.
    fn at(&self, stamp: Stamp) -> VehicleState {
        let after = self.track.partition_point(|(known, _)| *known < stamp);
        match (after.checked_sub(1).map(|index| self.track[index]), self.track.get(after)) {
            (_, Some((known, next))) if *known == stamp => *next,
            (Some((from, before)), Some((to, next))) => {
                let t = stamp.seconds_since(from) / to.seconds_since(from);
                before.lerp(next, t)
            }
            (None, Some((_, first))) => *first,
            (Some((end, last)), None) => VehicleState {
                pose: last.pose.ahead(last.speed_mps * stamp.seconds_since(end)),
                speed_mps: last.speed_mps,
                ..VehicleState::default()
            },
            // A track is never empty.
            (None, None) => VehicleState::default(),
        }
    }
}

impl Planner for Human {
    fn name(&self) -> &'static str {
        "human"
    }

    fn is_checked(&self) -> bool {
        false
    }

    fn plan(&mut self, scene: &Scene) -> Plan {
        let step_ns = (STEP_S * 1e9) as i64;
        let at = |step: usize| self.at(scene.now.offset_ns(step as i64 * step_ns));
        let mut rollout: Vec<VehicleState> = (0..PLAN_STATES).map(at).collect();
        for state in &mut rollout {
            state.pose.yaw = wrap_angle(state.pose.yaw);
        }
        Plan { rollout, proposal: "log replay".to_owned(), scores: None, fallback: None }
    }
}
