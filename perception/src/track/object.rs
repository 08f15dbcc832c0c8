//! One object being followed.

use tandem_datasets::DetectionClass;
use tandem_graph::Stamp;

use super::config::TrackerConfig;
use super::filter::{Drifting, Planar, Turning};
use super::rest::Rest;
use super::{Detection, ObjectId, TrackedObject};

/// Standard deviation of a detected height above the map's zero, m, and how it drifts with the ground, m²/s.
const HEIGHT_STD_M: f64 = 0.2;
const HEIGHT_DENSITY: f64 = 0.05;

#[derive(Debug, Clone)]
pub(super) struct Track {
    pub id: ObjectId,
    pub planar: Planar,
    rest: Rest,
    turning: Turning,
    height: Drifting,
    /// Sums over sightings, weighted by confidence.
    sizes: [f64; 3],
    votes: [f64; DetectionClass::ALL.len()],
    scores: f64,
    hits: u32,
    existence: f64,
    first_seen: Stamp,
    pub last_seen: Stamp,
    /// Which detection of the latest update it was seen as.
    pub seen_as: Option<usize>,
}

/// A sighting's weight in means and votes, above zero.
fn weight(detection: &Detection) -> f64 {
    detection.score.clamp(1e-3, 1.0)
}

impl Track {
    pub fn new(id: ObjectId, stamp: Stamp, detection: &Detection, config: &TrackerConfig) -> Self {
        let motion = config.motion(detection.class);
        let [x, y, z] = detection.center;
        let velocity_std_mps = match detection.velocity_mps {
            Some(_) => motion.velocity_std_mps.min(motion.unknown_speed_mps),
            None => motion.unknown_speed_mps,
        };
        let velocity_mps = detection.velocity_mps.unwrap_or_default();
        let mut track = Self {
            id,
            rest: Rest::new([x, y], detection.noise(config), motion.standing_share),
            planar: Planar::new([x, y], detection.noise(config), velocity_mps, velocity_std_mps),
            turning: Turning::new(detection.yaw_rad, motion.yaw_std_rad, weight(detection)),
            height: Drifting::new(z, HEIGHT_STD_M),
            sizes: [0.0; 3],
            votes: [0.0; DetectionClass::ALL.len()],
            scores: 0.0,
            hits: 0,
            existence: 0.0,
            first_seen: stamp,
            last_seen: stamp,
            seen_as: None,
        };
        track.count(detection);
        track
    }

    pub fn predict(&mut self, elapsed_s: f64, config: &TrackerConfig) {
        let motion = config.motion(self.class());
        let turn_rate_radps = if motion.velocity_turns { self.turning.rate_radps } else { 0.0 };
        self.planar.predict(elapsed_s, turn_rate_radps, motion.acceleration_density);
        self.rest.predict(elapsed_s);
        self.turning.predict(elapsed_s, motion.turning_density);
        self.height.predict(elapsed_s, HEIGHT_DENSITY);
    }

    /// Takes in its sighting at the time that it was predicted to.
    pub fn see(&mut self, stamp: Stamp, detection: &Detection, config: &TrackerConfig) {
        let motion = config.motion(detection.class);
        let [x, y, z] = detection.center;
        let noise = detection.noise(config);
        self.rest.see([x, y], noise, detection.velocity_mps, &self.planar);
        self.planar.see_position([x, y], noise);
        if let Some(velocity_mps) = detection.velocity_mps {
            self.planar.see_velocity(velocity_mps, motion.velocity_std_mps);
        }
        self.turning.see(detection.yaw_rad, motion.yaw_std_rad, weight(detection));
        self.height.see(z, HEIGHT_STD_M);
        self.last_seen = stamp;
        self.count(detection);
    }

    /// Takes in that it was not seen: Bayes' rule for a detector of known probability.
    pub fn miss(&mut self, config: &TrackerConfig) {
        let missed = self.existence * (1.0 - config.detection_probability);
        self.existence = missed / (1.0 - self.existence * config.detection_probability);
    }

    fn count(&mut self, detection: &Detection) {
        let weight = weight(detection);
        for (sum, size) in self.sizes.iter_mut().zip(detection.size) {
            *sum += weight * size;
        }
        self.votes[detection.class.index()] += weight;
        self.scores += detection.score;
        self.hits += 1;
        // It is not there only if every sighting was false; never quite sure, so that misses still count.
        self.existence = (1.0 - (1.0 - self.existence) * (1.0 - weight)).min(0.999);
    }

    pub fn is_confirmed(&self, config: &TrackerConfig) -> bool {
        self.hits >= config.confirm_hits
    }

    pub fn is_certain(&self, config: &TrackerConfig) -> bool {
        self.score() >= config.confirm_score
    }

    /// The mean confidence of its sightings.
    fn score(&self) -> f64 {
        self.scores / f64::from(self.hits)
    }

    /// The class with the most votes, the first of equals.
    pub fn class(&self) -> DetectionClass {
        let mut best = DetectionClass::ALL[0];
        for class in DetectionClass::ALL {
            if self.votes[class.index()] > self.votes[best.index()] {
                best = class;
            }
        }
        best
    }

    pub fn object(&self, stamp: Stamp) -> TrackedObject {
        let weights: f64 = self.votes.iter().sum();
        let Planar { state, covariance } = if self.rest.is_likely() { self.rest.planar() } else { self.planar };
        TrackedObject {
            id: self.id,
            class: self.class(),
            center: [state[0], state[1], self.height.value],
            size: self.sizes.map(|sum| sum / weights),
            yaw_rad: self.turning.yaw_rad,
            yaw_rate_radps: self.turning.rate_radps,
            velocity_mps: [state[2], state[3]],
            covariance,
            yaw_variance: self.turning.covariance[(0, 0)],
            age_ns: stamp.ns_since(self.first_seen),
            unseen_ns: stamp.ns_since(self.last_seen),
            seen_as: self.seen_as,
            hits: self.hits,
            existence: self.existence,
            score: self.score(),
        }
    }
}
