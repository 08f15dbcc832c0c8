//! Networks as ONNX files, for onnxruntime and TensorRT: written by our own small builder, run behind the feature `ort`.

mod description;
#[cfg(feature = "ort")]
mod detector;
pub mod graph;
mod grid;
mod heads;
mod kernel;
mod layer;
mod network;
mod proto;
#[cfg(feature = "ort")]
mod runtime;
#[cfg(feature = "ort")]
mod session;
mod trunk;

pub use description::{Column, Description, Images, Layout, Matrices, MatrixKind, ModelFrame, Order, Outputs};
#[cfg(feature = "ort")]
pub use detector::Detector;
pub use network::{Batch, write};
#[cfg(feature = "ort")]
pub use runtime::{Options, Provider};
#[cfg(feature = "ort")]
pub use session::Session;
