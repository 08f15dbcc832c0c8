//! The slow system: a vision-language model that judges a driving scene, with lossless lookahead decoding.

pub mod cache;
pub mod draft;
pub mod engine;
pub mod error;
pub mod eyes;
pub mod format;
pub mod gguf;
pub mod grammar;
pub mod judge;
pub mod kernel;
pub mod model;
pub mod perplexity;
pub mod quantize;
pub mod server;
pub mod text;
pub mod train;
pub mod vision;

pub use error::Error;
