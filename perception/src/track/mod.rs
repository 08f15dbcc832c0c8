//! Detected boxes of successive times become objects with an identity, a velocity and a doubt.
//!
//! Everything is in the map, so that the ego's motion plays no part. Detections may come at any rate, from several
//! sources; see [`Tracker::update`].
//!
//! ```
//! use tandem_datasets::DetectionClass;
//! use tandem_graph::Stamp;
//! use tandem_perception::track::{Detection, Tracker, TrackerConfig};
//!
//! let mut tracker = Tracker::new(TrackerConfig::default());
//! for step in 0..10 {
//!     let seconds = 0.1 * f64::from(step);
//!     let car = Detection {
//!         class: DetectionClass::Car,
//!         center: [5.0 * seconds, 0.0, 0.8],
//!         size: [4.5, 1.9, 1.6],
//!         yaw_rad: 0.0,
//!         velocity_mps: None,
//!         score: 0.8,
//!         covariance: None,
//!     };
//!     tracker.update(Stamp::from_seconds(seconds), &[car]);
//! }
//! let car = &tracker.objects()[0];
//! assert!((car.velocity_mps[0] - 5.0).abs() < 0.5);
//! ```

mod associate;
mod config;
mod filter;
mod object;
mod rest;

use nalgebra::{Matrix2, Matrix4};
use tandem_datasets::DetectionClass;
use tandem_graph::Stamp;

use self::associate::Associator;
use self::object::Track;

pub use self::config::{Kind, Motion, TrackerConfig};

/// A box that was detected, in the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// What it is taken for.
    pub class: DetectionClass,
    /// Its centre, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Radians from the map's x axis, counter-clockwise.
    pub yaw_rad: f64,
    /// Along the map's axes, m/s; `None` where the detector gives none.
    pub velocity_mps: Option<[f64; 2]>,
    /// The confidence in [0, 1].
    pub score: f64,
    /// The covariance of the place, along the map's axes, m²; `None` where the detector gives none, and the class's
    /// [`Motion::position_std_m`] counts.
    pub covariance: Option<Matrix2<f64>>,
}

/// An object's number within its tracker; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u64);

/// A thing that was seen often enough, at the tracker's latest stamp.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedObject {
    /// The same from update to update.
    pub id: ObjectId,
    /// What it was taken for most often, weighted by confidence.
    pub class: DetectionClass,
    /// Its centre in the map, m.
    pub center: [f64; 3],
    /// Length, width, height, m: the mean, weighted by confidence.
    pub size: [f64; 3],
    /// Radians from the map's x axis, counter-clockwise.
    pub yaw_rad: f64,
    /// How fast it turns, rad/s.
    pub yaw_rate_radps: f64,
    /// Along the map's axes, m/s.
    pub velocity_mps: [f64; 2],
    /// The covariance of x, y and the velocities along them, m and m/s.
    pub covariance: Matrix4<f64>,
    /// The variance of the yaw, rad².
    pub yaw_variance: f64,
    /// Time since it was first seen, ns.
    pub age_ns: i64,
    /// Time since it was last seen, ns; zero if at the latest stamp.
    pub unseen_ns: i64,
    /// Which detection of the latest update it was seen as, by its place in the list.
    pub seen_as: Option<usize>,
    /// How often it was seen.
    pub hits: u32,
    /// The probability that it is there: rises with each sighting by its confidence, falls with each miss.
    pub existence: f64,
    /// The mean confidence of its sightings.
    pub score: f64,
}

/// Follows objects; see the module.
#[derive(Debug, Clone)]
pub struct Tracker {
    config: TrackerConfig,
    tracks: Vec<Track>,
    objects: Vec<TrackedObject>,
    /// The detections of the latest update that could be used, and their places in its list.
    sound: Vec<Detection>,
    places: Vec<usize>,
    /// Whether they belong to a track.
    is_matched: Vec<bool>,
    associator: Associator,
    latest: Option<Stamp>,
    next_id: u64,
    late_updates: u64,
    invalid_detections: u64,
}

impl Tracker {
    /// Follows nothing yet.
    pub fn new(config: TrackerConfig) -> Self {
        Self {
            config,
            tracks: Vec::new(),
            objects: Vec::new(),
            sound: Vec::new(),
            places: Vec::new(),
            is_matched: Vec::new(),
            associator: Associator::default(),
            latest: None,
            next_id: 0,
            late_updates: 0,
            invalid_detections: 0,
        }
    }

    /// Takes in the detections of one time, and gives the objects at that time in order of their ids.
    ///
    /// Stamps may be any time apart, or equal. A stamp before the latest is not taken in, but counted
    /// ([`Self::late_updates`]); so is a detection with a number that is not finite or a size that is not positive
    /// ([`Self::invalid_detections`]). The order of detections does not matter.
    pub fn update(&mut self, stamp: Stamp, detections: &[Detection]) -> &[TrackedObject] {
        if self.latest.is_some_and(|latest| stamp < latest) {
            self.late_updates += 1;
            return &self.objects;
        }
        let elapsed_s = self.latest.map_or(0.0, |latest| stamp.seconds_since(latest));
        self.latest = Some(stamp);
        for track in &mut self.tracks {
            track.predict(elapsed_s, &self.config);
        }
        self.tracks.retain(|track| stamp.seconds_since(track.last_seen) <= self.config.forget_after_s);

        self.choose(detections);
        let partners = self.associator.associate(&self.tracks, &self.sound, &self.config);
        self.is_matched.clear();
        self.is_matched.resize(self.sound.len(), false);
        for (track, partner) in self.tracks.iter_mut().zip(partners) {
            match partner {
                Some(index) => {
                    self.is_matched[*index] = true;
                    track.see(stamp, &self.sound[*index], &self.config);
                }
                None => track.miss(&self.config),
            }
            track.seen_as = partner.map(|index| self.places[index]);
        }
        self.tracks.retain(|track| track.seen_as.is_some() || track.is_confirmed(&self.config));
        for ((detection, place), is_matched) in self.sound.iter().zip(&self.places).zip(&self.is_matched) {
            if !is_matched && detection.score >= self.config.birth_score {
                let mut track = Track::new(ObjectId(self.next_id), stamp, detection, &self.config);
                track.seen_as = Some(*place);
                self.tracks.push(track);
                self.next_id += 1;
            }
        }
        let certain =
            self.tracks.iter().filter(|track| track.is_confirmed(&self.config) && track.is_certain(&self.config));
        self.objects.clear();
        self.objects.extend(certain.map(|track| track.object(stamp)));
        &self.objects
    }

    /// The objects as of the latest update, in order of their ids.
    pub fn objects(&self) -> &[TrackedObject] {
        &self.objects
    }

    /// How many updates came after a later one and were not taken in.
    pub fn late_updates(&self) -> u64 {
        self.late_updates
    }

    /// How many detections were not taken in because of their numbers.
    pub fn invalid_detections(&self) -> u64 {
        self.invalid_detections
    }

    /// Finds the detections that can be used, in an order that depends on their values only.
    fn choose(&mut self, detections: &[Detection]) {
        let Self { places, sound, config, .. } = self;
        places.clear();
        places.extend((0..detections.len()).filter(|index| detections[*index].is_sound()));
        self.invalid_detections += (detections.len() - places.len()) as u64;
        places.retain(|index| detections[*index].score >= config.min_score);
        places.sort_unstable_by(|a, b| {
            let (a, b) = (&detections[*a], &detections[*b]);
            let by_numbers = || a.numbers().zip(b.numbers()).map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
            let by_class = || a.class.cmp(&b.class);
            b.score
                .total_cmp(&a.score)
                .then_with(by_class)
                .then_with(|| by_numbers().unwrap_or(std::cmp::Ordering::Equal))
        });
        sound.clear();
        places.retain(|place| {
            let detection = detections[*place];
            let surer = sound.iter_mut().find(|surer| surer.is_also(&detection));
            let is_new = surer.is_none();
            match surer {
                // It is there if either class is right.
                Some(surer) => surer.score = 1.0 - (1.0 - surer.score) * (1.0 - detection.score),
                None => sound.push(detection),
            }
            is_new
        });
    }
}

/// Boxes of different classes of a kind this close are one thing that the detector is in two minds about, m.
const SAME_M: f64 = 1.0;

impl Detection {
    /// The covariance of its place, m².
    fn noise(&self, config: &TrackerConfig) -> Matrix2<f64> {
        self.covariance.unwrap_or_else(|| Matrix2::identity() * config.motion(self.class).position_std_m.powi(2))
    }

    /// Whether another detection is the same thing taken for another class.
    fn is_also(&self, other: &Self) -> bool {
        let apart_m = (self.center[0] - other.center[0]).hypot(self.center[1] - other.center[1]);
        self.class != other.class && Kind::of(self.class) == Kind::of(other.class) && apart_m < SAME_M
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let velocity = self.velocity_mps.unwrap_or_default();
        let covariance = self.covariance.iter().flatten().copied();
        self.center.into_iter().chain(self.size).chain(velocity).chain([self.yaw_rad, self.score]).chain(covariance)
    }

    fn is_sound(&self) -> bool {
        self.numbers().all(f64::is_finite) && self.size.iter().all(|size| *size > 0.0)
    }
}

#[cfg(test)]
mod tests;
