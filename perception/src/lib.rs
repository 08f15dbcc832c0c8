//! The fast system: camera images become objects, map, forecasts and an ego path in bird's-eye view.

pub mod assign;
pub mod error;
pub mod eval;
pub mod optim;
pub mod track;

pub use error::Error;
