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
