//! Whose brake lights are on, from how the others' speeds change.

use std::collections::{BTreeMap, VecDeque};

use tandem_datasets::messages::Object;
use tandem_datasets::{Log, TrackState};

/// Steps over which a loss of speed is looked for: 0.3 s.
const STEPS: usize = 3;

/// Lights are on where a vehicle loses more than this within [`STEPS`], m/s, as in [`crate::camera::subjects`].
const LOST_MPS: f64 = 0.21;

/// Below this a vehicle stands, m/s.
const STANDING_MPS: f64 = 0.2;

/// Above this it drives, m/s.
const DRIVING_MPS: f64 = 1.0;

/// The speeds of the last steps.
#[derive(Debug, Default)]
pub(super) struct Brakes {
    /// Speeds by the object's number, the oldest step first.
    past: VecDeque<BTreeMap<u32, f64>>,
}

impl Brakes {
    /// Takes in where all are one step later.
    pub fn step(&mut self, objects: &[Object]) {
        if self.past.len() > STEPS {
            self.past.pop_front();
        }
        self.past.push_back(objects.iter().map(|object| (object.number, speed_mps(&object.state))).collect());
    }

    /// Whether a vehicle's brake lights are on: it loses speed, or it stands and drives at some time.
    pub fn are_on(&self, object: &Object, log: &Log) -> bool {
        let now_mps = speed_mps(&object.state);
        let before_mps = self.past.front().and_then(|step| step.get(&object.number));
        let loses_speed = before_mps.is_some_and(|before_mps| before_mps - now_mps > LOST_MPS);
        let drives = || {
            let track = log.tracks.get(object.number as usize);
            track.is_some_and(|track| track.states.iter().any(|state| speed_mps(state) > DRIVING_MPS))
        };
        object.class.is_vehicle() && (loses_speed || (now_mps < STANDING_MPS && drives()))
    }
}

fn speed_mps(state: &TrackState) -> f64 {
    state.velocity_mps[0].hypot(state.velocity_mps[1])
}

#[cfg(test)]
mod tests {
    use tandem_datasets::{Class, Pose2};
    use tandem_graph::Stamp;

    use super::*;

    fn car(number: u32, speed_mps: f64) -> Object {
        let pose = Pose2::new(0.0, 0.0, 0.0);
        let state = TrackState { stamp: Stamp::ZERO, pose, z: 0.0, velocity_mps: [speed_mps, 0.0] };
        Object { number, class: Class::Car, size: [4.5, 1.9, 1.6], state }
    }

    #[test]
    fn who_loses_speed_shows_it_and_who_is_parked_does_not() {
        let log = crate::world::generate(0).unwrap();
        let mut brakes = Brakes::default();
        let unknown = log.tracks.len() as u32;
        for step in 0..6 {
            brakes.step(&[car(unknown, 8.0 - 0.1 * f64::from(step)), car(unknown + 1, 8.0), car(unknown + 2, 0.0)]);
        }
        let on = [car(unknown, 7.5), car(unknown + 1, 8.0), car(unknown + 2, 0.0)].map(|car| brakes.are_on(&car, &log));
        assert_eq!(on, [true, false, false]);
    }
}
