//! Who and what is seen: the moving part of a picture.

use nalgebra::Vector3;
use tandem_datasets::{Class, DetectionClass, Log, Pose2, messages};
use tandem_graph::Stamp;

use super::Guise;

/// One object to be drawn: a box in the map with what fills it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    /// Its number; it keeps its look with it.
    pub number: u32,
    /// Its common class.
    pub class: Class,
    /// Its class in the detection task, if it has one.
    pub detection: Option<DetectionClass>,
    /// Its look, if that is not the usual one of its class.
    pub guise: Option<Guise>,
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Centre and heading in the map.
    pub pose: Pose2,
    /// Height of the centre in the map, m.
    pub z: f64,
    /// Velocity in the map, m/s.
    pub velocity_mps: [f64; 2],
    /// Whether its brake lights are on.
    pub braking: bool,
}

impl Subject {
    /// The centre in the map, m.
    pub fn center(&self) -> Vector3<f64> {
        Vector3::new(self.pose.x, self.pose.y, self.z)
    }

    pub(super) fn is_finite(&self) -> bool {
        let figures = [self.pose.x, self.pose.y, self.pose.yaw, self.z, self.velocity_mps[0], self.velocity_mps[1]];
        figures.iter().all(|value| value.is_finite()) && self.size.iter().all(|side| side.is_finite() && *side > 0.0)
    }
}

impl From<&messages::Object> for Subject {
    fn from(object: &messages::Object) -> Self {
        Self {
            number: object.number,
            class: object.class,
            detection: DetectionClass::of_class(object.class),
            guise: None,
            size: object.size,
            pose: object.state.pose,
            z: object.state.z,
            velocity_mps: object.state.velocity_mps,
            braking: false,
        }
    }
}

/// Everything that a log has at `stamp`, between states no farther apart than `max_gap_ns`. The number is the track's.
/// Brake lights are on where a vehicle loses more than 0.7 m/s², or stands and has driven or will.
pub fn subjects(log: &Log, stamp: Stamp, max_gap_ns: i64) -> Vec<Subject> {
    let tracks = (0..).zip(&log.tracks);
    let seen = tracks.filter_map(|(number, track)| {
        let state = track.at(stamp, max_gap_ns)?;
        let speed = |velocity: [f64; 2]| velocity[0].hypot(velocity[1]);
        let now_mps = speed(state.velocity_mps);
        let before = track.at(stamp.offset_ns(-300_000_000), max_gap_ns);
        let lost_mps = before.map_or(0.0, |before| speed(before.velocity_mps) - now_mps);
        let driven = || track.states.iter().any(|state| speed(state.velocity_mps) > 1.0);
        let braking = track.class.is_vehicle() && (lost_mps > 0.21 || (now_mps < 0.2 && driven()));
        Some(Subject {
            number,
            class: track.class,
            detection: DetectionClass::of(track),
            guise: Guise::of(&track.source_class),
            size: track.size,
            pose: state.pose,
            z: state.z,
            velocity_mps: state.velocity_mps,
            braking,
        })
    });
    seen.collect()
}
