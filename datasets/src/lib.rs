//! Logs on disk become one [`Log`]: nuScenes, Argoverse 2, Waymo motion, ScenarioNet, MCAP; and back.

pub mod argoverse;
mod columns;
pub mod detection;
mod draft;
pub mod error;
pub mod geometry;
mod json;
mod kinematics;
pub mod log;
pub mod map;
pub mod messages;
mod motion;
pub mod nuscenes;
pub mod projection;
pub mod recording;
pub mod scenarionet;
pub mod source;
mod validate;
pub mod waymo;

pub use detection::DetectionClass;
pub use error::Error;
pub use geometry::{Box2, Polygon, Pose2};
pub use log::{
    Camera, Class, Ego, EgoBody, EgoState, Format, ImageRef, Log, SignalColor, SignalTrack, Track, TrackId, TrackState,
};
pub use map::{DrivableSource, Lane, LaneHit, LaneId, LaneUse, Line, LineKind, Map, MapError, MapParts};
pub use projection::Box3;
pub use source::{LogRef, discover};
