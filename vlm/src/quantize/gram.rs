//! The Gram matrix of a matrix's inputs: how large they are, and how they go together.

use crate::kernel::{Dense, InstructionSet, Then};

/// Sums of products of inputs, while they are gathered.
pub(super) struct Gram {
    columns: usize,
    tokens: usize,
    sums: Vec<f32>,
    /// Inputs of a sequence, `[columns, tokens]`.
    turned: Vec<f32>,
}

impl Gram {
    /// Of `columns` columns, a multiple of [`ROWS`](crate::kernel::ROWS).
    pub fn new(columns: usize) -> Self {
        Self { columns, tokens: 0, sums: vec![0.0; columns * columns], turned: Vec::new() }
    }

    /// Adds those of a sequence, `[tokens, columns]`.
    pub fn add(&mut self, inputs: &[f32]) {
        let tokens = inputs.len() / self.columns;
        self.turned.resize(inputs.len(), 0.0);
        for (column, turned) in self.turned.chunks_exact_mut(tokens).enumerate() {
            turned.iter_mut().zip(inputs[column..].iter().step_by(self.columns)).for_each(|(to, from)| *to = *from);
        }
        let dense = Dense::new(tokens, &self.turned, vec![0.0; self.columns]);
        dense.product(InstructionSet::best(), &self.turned, Then::Add, &mut self.sums);
        self.tokens += tokens;
    }

    /// The mean over all tokens, `[columns, columns]`.
    pub fn mean(self) -> Vec<f64> {
        let count = self.tokens.max(1) as f64;
        self.sums.into_iter().map(|sum| f64::from(sum) / count).collect()
    }
}
