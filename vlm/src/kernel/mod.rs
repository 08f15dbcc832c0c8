//! Products of weights and activations on the processor.
//!
//! Weights are laid out once, when a model is loaded, in panels of [`ROWS`] rows, so that one vector instruction takes
//! four columns of all rows of a panel. Activations meet weights of few bits as eight-bit integers: sums within a block
//! or, where rows have one scale, within a row are exact, and blocks are added in their order. So a token's result is the
//! same, bit by bit, with whatever other tokens it is computed, on however many threads, and by whichever of the
//! instruction sets.

mod activations;
mod attention;
mod dense;
mod elementwise;
mod full;
mod layer_norm;
mod matrix;
mod pack;
mod panel;
mod rows;
mod shared;
mod simd;

pub use activations::Activations;
pub use attention::{Ancestors, Attention, Keys, attend};
pub use dense::{Dense, Then};
pub use elementwise::{Pairs, normalize, rotate, swiglu, weighted_sum};
pub use full::{Within, attend_within};
pub use layer_norm::layer_norm;
pub use matrix::{Matrix, Place};
pub use simd::InstructionSet;

/// Rows of a panel.
pub const ROWS: usize = 16;

/// Tokens of a page of the cache.
pub const PAGE: usize = 16;

/// Columns that share the scale of an activation.
pub const BLOCK: usize = 32;

#[cfg(test)]
mod tests;
