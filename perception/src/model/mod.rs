//! The network, in plain tensor operations, so that it runs on every burn backend and exports to ONNX.

pub mod backbone;
pub mod bev;
pub mod config;
pub mod heads;
pub mod layer;
pub mod lift;
pub mod neck;
pub mod network;
pub mod path;

pub use config::{Backbone, DepthBins, Grid, NetworkConfig};
pub use network::{Features, Input, Lifted, Network, Output};

#[cfg(test)]
mod tests;
