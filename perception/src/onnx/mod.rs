//! Networks as ONNX files, for onnxruntime and TensorRT: written by our own small builder, run behind the feature `ort`.

pub mod graph;
mod grid;
mod heads;
mod kernel;
mod layer;
mod network;
mod proto;
mod trunk;

pub use network::{Batch, write};
