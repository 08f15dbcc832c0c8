//! Activations as products read them: plain, and in blocks of eight-bit integers with a scale each.

use super::BLOCK;

/// The inputs of products for some tokens.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    tokens: usize,
    columns: usize,
    values: Vec<f32>,
    /// `[tokens, columns]`: each block's values in steps of its scale, −127 to 127.
    quants: Vec<i8>,
    /// `[tokens, columns / 32]`.
    scales: Vec<f32>,
    /// Sums of the steps of each half of a block, `[tokens, columns / 16]`.
    sums: Vec<i32>,
}

impl Activations {
    /// Becomes the values `[tokens, columns]`; `columns` must be a multiple of [`BLOCK`].
    pub fn set(&mut self, tokens: usize, columns: usize, values: &[f32]) {
        assert!(
            columns.is_multiple_of(BLOCK) && values.len() == tokens * columns,
            "{} is not {tokens} × {columns}",
            values.len()
        );
        (self.tokens, self.columns) = (tokens, columns);
        self.values.clear();
        self.values.extend_from_slice(values);
        self.quants.resize(values.len(), 0);
        self.scales.resize(values.len() / BLOCK, 0.0);
        self.sums.resize(values.len() / (BLOCK / 2), 0);
        let blocks = values.as_chunks::<BLOCK>().0.iter().zip(self.quants.as_chunks_mut::<BLOCK>().0);
        for ((values, quants), (scale, sums)) in
            blocks.zip(self.scales.iter_mut().zip(self.sums.as_chunks_mut::<2>().0))
        {
            let largest = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            *scale = largest / 127.0;
            let steps = if *scale > 0.0 { 1.0 / *scale } else { 0.0 };
            for (quant, value) in quants.iter_mut().zip(values) {
                *quant = (value * steps).round_ties_even() as i8;
            }
            let (low, high) = quants.split_at(BLOCK / 2);
            *sums = [low, high].map(|half| half.iter().map(|quant| i32::from(*quant)).sum());
        }
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Values of a token.
    pub fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn quants(&self) -> &[i8] {
        &self.quants
    }

    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    pub(super) fn sums(&self) -> &[i32] {
        &self.sums
    }
}
