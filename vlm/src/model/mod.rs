//! Decoders of the Llama family (Touvron et al. 2023): from tokens and what went before them to the logits of the next.

mod adapter;
mod config;
mod forward;
mod load;
mod part;
mod plain;
mod soft;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

pub use adapter::{About, Adapter, Projection, Projector, Thin};
pub use config::Config;
pub use forward::{Span, Workspace};
pub(crate) use load::Tensors;
pub use part::Part;
pub use plain::{Plain, PlainLayer};
pub use soft::Soft;
pub(crate) use walk::Walk;

use crate::cache::Shape;
use crate::format::Format;
use crate::kernel::{Activations, InstructionSet, Matrix, Pairs, Place};

/// A decoder with its weights.
#[derive(Debug, Clone)]
pub struct Model {
    config: Config,
    pairs: Pairs,
    embeddings: Table,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    head: Matrix,
    set: InstructionSet,
}

/// A layer's weights.
#[derive(Debug, Clone)]
struct Layer {
    attention_norm: Vec<f32>,
    /// Queries, keys and values.
    attention: Stack,
    attention_out: Stack,
    inner_norm: Vec<f32>,
    /// Gates, and what they gate.
    gated: Stack,
    out: Stack,
}

/// Rows that are read one by one, as the file has them.
#[derive(Debug, Clone)]
struct Table {
    format: Format,
    columns: usize,
    bytes: Vec<u8>,
}

impl Table {
    fn row(&self, row: usize, values: &mut [f32]) {
        let size = self.columns / self.format.block() * self.format.bytes();
        self.format.decode(&self.bytes[row * size..][..size], values);
    }
}

/// Matrices that take the same inputs, with their results side by side.
#[derive(Debug, Clone)]
struct Stack(Vec<Matrix>);

impl Stack {
    fn rows(&self) -> usize {
        self.0.iter().map(Matrix::rows).sum()
    }

    fn product(&self, set: InstructionSet, activations: &Activations, out: &mut [f32]) {
        let (stride, mut first) = (self.rows(), 0);
        for matrix in &self.0 {
            matrix.product(set, activations, out, Place { stride, first });
            first += matrix.rows();
        }
    }
}

impl Model {
    /// What it is like.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What a cache for it holds.
    pub fn shape(&self) -> Shape {
        let Config { layers, kv_heads, head_size, .. } = self.config;
        Shape { layers, kv_heads, head_size }
    }

    /// With other instructions than the fastest.
    pub fn with_instructions(mut self, set: InstructionSet) -> Self {
        self.set = set;
        self
    }
}
