//! One recorded drive, whatever format it came in: ego, tracks, map, signals, cameras.

use std::path::PathBuf;
use std::sync::Arc;

use nalgebra::{Isometry3, Matrix3};
use serde::{Deserialize, Serialize};
use tandem_graph::Stamp;

use crate::geometry::{Box2, Pose2};
use crate::map::{LaneId, Map};

/// The data set (or program) that a log comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A nuScenes devkit directory.
    NuScenes,
    /// An Argoverse 2 sensor log.
    Argoverse2Sensor,
    /// An Argoverse 2 motion-forecasting scenario.
    Argoverse2Motion,
    /// Waymo motion as JSON, as GPUDrive and Nocturne write it.
    WaymoJson,
    /// Waymo motion as TFRecord of `Scenario` or `tf.Example` protobufs.
    WaymoRecord,
    /// A ScenarioNet record exported to JSON.
    ScenarioNet,
    /// A recording or a converted log of our own.
    Mcap,
    /// A generated world.
    World,
}

/// One recorded drive.
#[derive(Debug, Clone)]
pub struct Log {
    /// The log's name, unique among the logs of its source (a scene name, a log id).
    pub id: String,
    /// What it was read from.
    pub format: Format,
    /// The file or directory it was read from.
    pub source: PathBuf,
    /// The place, as the data set names it; empty if unknown.
    pub location: String,
    /// A person's description; empty if there is none.
    pub description: String,
    /// Tags of the data set or of ours, sorted.
    pub tags: Vec<String>,
    /// The recording vehicle.
    pub ego: Ego,
    /// All other agents and objects, in the source's order.
    pub tracks: Vec<Track>,
    /// The vector map, if the log has one.
    pub map: Option<Arc<Map>>,
    /// Recorded traffic-light states, one entry per controlled lane.
    pub signals: Vec<SignalTrack>,
    /// The camera rig.
    pub cameras: Vec<Camera>,
    /// References to the images, ordered by stamp.
    pub images: Vec<ImageRef>,
    /// What a reader had to assume, repair or leave out, one plain sentence each, for people and tables.
    pub notes: Vec<String>,
}

/// The recording vehicle: its body and its path.
#[derive(Debug, Clone, Default)]
pub struct Ego {
    /// Its body.
    pub body: EgoBody,
    /// Its states, by rising stamp; empty if the log has no ego.
    pub states: Vec<EgoState>,
}

/// The dimensions of a vehicle whose reference point is the rear axle's centre on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EgoBody {
    /// Bumper to bumper, m.
    pub length: f64,
    /// Without mirrors, m.
    pub width: f64,
    /// Ground to roof, m.
    pub height: f64,
    /// Front axle to rear axle, m.
    pub wheelbase: f64,
    /// From the rear axle forward to the body's centre, m.
    pub rear_axle_to_center: f64,
}

impl Default for EgoBody {
    /// nuPlan's vehicle, a Chrysler Pacifica (nuplan-devkit `get_pacifica_parameters`).
    fn default() -> Self {
        Self { length: 5.176, width: 2.297, height: 1.777, wheelbase: 3.089, rear_axle_to_center: 1.461 }
    }
}

/// Vehicles whose axles are known: length, wheelbase, rear axle to centre, m.
const KNOWN_BODIES: [[f64; 3]; 2] = [
    // Renault Zoe, nuScenes' vehicle (4,084 mm = 839 + 2,588 + 657, manufacturer's sheet).
    [4.084, 2.588, 1.385],
    // Chrysler Pacifica, nuPlan's vehicle and that of the Waymo logs (nuplan-devkit `get_pacifica_parameters`).
    [5.176, 3.089, 1.461],
];

impl EgoBody {
    /// A body of the given extents, m. Its axles are those of the known vehicle of that length (within 3 %), or placed
    /// in proportion to the default vehicle's.
    pub fn of_size(length: f64, width: f64, height: f64) -> Self {
        let known = KNOWN_BODIES.iter().find(|[known, ..]| (length / known - 1.0).abs() < 0.03);
        let default = Self::default();
        let scale = length / default.length;
        let [_, wheelbase, rear_axle_to_center] =
            known.copied().unwrap_or([length, default.wheelbase * scale, default.rear_axle_to_center * scale]);
        Self { length, width, height, wheelbase, rear_axle_to_center }
    }

    /// The body's outline for a rear-axle pose.
    pub fn outline(&self, map_from_ego: Pose2) -> Box2 {
        Box2 { pose: map_from_ego.ahead(self.rear_axle_to_center), length: self.length, width: self.width }
    }
}

/// The ego vehicle at one time. Reference point: rear axle, on the ground; x forward, y left, z up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EgoState {
    /// When.
    pub stamp: Stamp,
    /// The full pose, m.
    pub map_from_ego: Isometry3<f64>,
    /// Speed along the vehicle's x axis, m/s, as recorded or by differences of pose.
    pub speed_mps: f64,
    /// Yaw rate, rad/s, counter-clockwise.
    pub yaw_rate_radps: f64,
}

impl EgoState {
    /// The pose on the ground plane.
    pub fn pose(&self) -> Pose2 {
        planar(&self.map_from_ego)
    }
}

/// The planar part of a spatial pose.
pub fn planar(map_from_body: &Isometry3<f64>) -> Pose2 {
    let forward = map_from_body.rotation * nalgebra::Vector3::x();
    Pose2::new(map_from_body.translation.x, map_from_body.translation.y, forward.y.atan2(forward.x))
}

/// A pose on the ground plane as one in space.
pub fn upright(map_from_body: Pose2) -> Isometry3<f64> {
    let Pose2 { x, y, yaw } = map_from_body;
    let turn = nalgebra::UnitQuaternion::from_euler_angles(0.0, 0.0, yaw);
    Isometry3::from_parts(nalgebra::Translation3::new(x, y, 0.0), turn)
}

/// A track's number within its log: the index in [`Log::tracks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u32);

/// What a track is, coarse enough to be common to all data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A passenger car, van or pick-up.
    Car,
    /// A lorry or construction vehicle.
    Truck,
    /// A bus.
    Bus,
    /// A trailer.
    Trailer,
    /// A motorcycle or scooter.
    Motorcycle,
    /// A bicycle, with or without its rider.
    Bicycle,
    /// A person, on foot, in a wheelchair or with a stroller.
    Pedestrian,
    /// An animal.
    Animal,
    /// A traffic cone.
    Cone,
    /// A temporary barrier.
    Barrier,
    /// Any other thing: bollard, sign, debris, bicycle rack.
    Other,
}

impl Class {
    /// Whether it moves by itself (an agent of the driving score); the rest are static objects.
    pub fn is_agent(self) -> bool {
        !matches!(self, Self::Cone | Self::Barrier | Self::Other)
    }

    /// Whether it is a motor vehicle.
    pub fn is_vehicle(self) -> bool {
        matches!(self, Self::Car | Self::Truck | Self::Bus | Self::Trailer | Self::Motorcycle)
    }
}

/// One agent or object over time.
#[derive(Debug, Clone)]
pub struct Track {
    /// The data set's own name for it (instance token, track uuid).
    pub source_id: String,
    /// The common class.
    pub class: Class,
    /// The data set's own class name.
    pub source_class: String,
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Its valid states, by rising stamp; gaps are stretches in which it was not seen.
    pub states: Vec<TrackState>,
}

/// A track at one time, reference point: the box's centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackState {
    /// When.
    pub stamp: Stamp,
    /// Box centre and heading in the map.
    pub pose: Pose2,
    /// Height of the box's centre in the map, m.
    pub z: f64,
    /// Velocity in the map, m/s, as recorded or by differences of position.
    pub velocity_mps: [f64; 2],
}

impl Track {
    /// The state at `stamp`, interpolated; `None` before the first state, after the last, and in gaps over `max_gap_ns`.
    pub fn at(&self, stamp: Stamp, max_gap_ns: i64) -> Option<TrackState> {
        let after = self.states.partition_point(|state| state.stamp < stamp);
        let next = self.states.get(after)?;
        if next.stamp == stamp {
            return Some(*next);
        }
        let previous = self.states.get(after.checked_sub(1)?)?;
        let gap_ns = next.stamp.ns_since(previous.stamp);
        if gap_ns > max_gap_ns {
            return None;
        }
        let t = stamp.ns_since(previous.stamp) as f64 / gap_ns as f64;
        let mix = |a: f64, b: f64| a + (b - a) * t;
        Some(TrackState {
            stamp,
            pose: previous.pose.lerp(&next.pose, t),
            z: mix(previous.z, next.z),
            velocity_mps: [
                mix(previous.velocity_mps[0], next.velocity_mps[0]),
                mix(previous.velocity_mps[1], next.velocity_mps[1]),
            ],
        })
    }

    /// Its outline on the ground for one of its states.
    pub fn outline(&self, state: &TrackState) -> Box2 {
        Box2 { pose: state.pose, length: self.size[0], width: self.size[1] }
    }
}

/// What a traffic light says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalColor {
    /// Not seen or off.
    Unknown,
    /// Stop.
    Red,
    /// About to change; stop if possible.
    Yellow,
    /// Go.
    Green,
}

/// The light of one lane over time.
#[derive(Debug, Clone)]
pub struct SignalTrack {
    /// The lane it controls.
    pub lane: LaneId,
    /// Where to stop, if the log says, in the map, m.
    pub stop_point: Option<[f64; 2]>,
    /// States by rising stamp; each holds until the next.
    pub states: Vec<(Stamp, SignalColor)>,
}

impl SignalTrack {
    /// The colour at `stamp`.
    pub fn at(&self, stamp: Stamp) -> SignalColor {
        match self.states.partition_point(|(since, _)| *since <= stamp).checked_sub(1) {
            Some(index) => self.states[index].1,
            None => SignalColor::Unknown,
        }
    }
}

/// One calibrated camera. Optical frame: x right, y down, z forward.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// The data set's name for it, such as `CAM_FRONT`.
    pub name: String,
    /// Where it sits on the vehicle.
    pub ego_from_camera: Isometry3<f64>,
    /// The pinhole matrix, px.
    pub intrinsics: Matrix3<f64>,
    /// Image width and height, px; zero if the log does not say.
    pub image_size: [u32; 2],
}

/// One image of a log, by reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRef {
    /// Index in [`Log::cameras`].
    pub camera: usize,
    /// When it was taken.
    pub stamp: Stamp,
    /// Where the file should be; it may be absent.
    pub path: PathBuf,
    /// The ego pose at that very stamp, where the data set has it.
    pub map_from_ego: Option<Isometry3<f64>>,
}

impl Log {
    /// First and last ego stamp; of all tracks where there is no ego; `None` for a log without states.
    pub fn span(&self) -> Option<(Stamp, Stamp)> {
        if let (Some(first), Some(last)) = (self.ego.states.first(), self.ego.states.last()) {
            return Some((first.stamp, last.stamp));
        }
        let first = self.tracks.iter().filter_map(|track| track.states.first()).map(|state| state.stamp).min()?;
        let last = self.tracks.iter().filter_map(|track| track.states.last()).map(|state| state.stamp).max()?;
        Some((first, last))
    }

    /// The ego state at `stamp`, interpolated between its neighbours and held at the ends; `None` without ego.
    pub fn ego_at(&self, stamp: Stamp) -> Option<EgoState> {
        let states = &self.ego.states;
        let after = states.partition_point(|state| state.stamp < stamp);
        let (Some(next), Some(previous)) = (states.get(after), after.checked_sub(1).and_then(|i| states.get(i))) else {
            return states.get(after.min(states.len().checked_sub(1)?)).map(|state| EgoState { stamp, ..*state });
        };
        let t = stamp.ns_since(previous.stamp) as f64 / next.stamp.ns_since(previous.stamp) as f64;
        let mix = |a: f64, b: f64| a + (b - a) * t;
        Some(EgoState {
            stamp,
            map_from_ego: previous.map_from_ego.lerp_slerp(&next.map_from_ego, t),
            speed_mps: mix(previous.speed_mps, next.speed_mps),
            yaw_rate_radps: mix(previous.yaw_rate_radps, next.yaw_rate_radps),
        })
    }
}
