//! How good the fast system is, in the field's own measures, equal to what the field's own tools say.
//!
//! The measures work on boxes in memory ([`boxes`]), wherever these come from: a nuScenes directory and a results file
//! ([`nuscenes`], [`results`]), or a log, a generated world's too ([`truth`]).

pub mod argoverse;
pub mod boxes;
mod breakdown;
mod curve;
pub mod detection;
pub mod forecast;
pub mod map;
pub mod nuscenes;
pub mod results;
pub mod scenes;
pub mod tracking;
pub mod truth;

pub use boxes::{Attribute, DetectedBox, Sample, TruthBox};
pub use detection::DetectionMetrics;
