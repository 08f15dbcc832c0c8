//! The fast system: camera images become objects, map, forecasts and an ego path in bird's-eye view.

pub mod assign;
pub mod decode;
pub mod engine;
pub mod error;
pub mod eval;
pub mod follow;
pub mod frame;
pub mod kernel;
pub mod lanes;
pub mod model;
pub mod node;
pub mod onnx;
pub mod optim;
pub mod path;
pub mod perceiver;
pub mod picture;
pub mod rig;
pub mod roads;
pub mod track;
pub mod train;
pub mod truth;
pub mod weights;

pub use error::Error;
