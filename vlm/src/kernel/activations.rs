//! Activations as products read them: plain, and in blocks of eight-bit integers with a scale each.

#![allow(unsafe_code)]

use super::simd::{ROUND, Simd, Task};
use super::{BLOCK, InstructionSet, ROWS};

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
        // SAFETY: the set is there; all have room for as many whole blocks.
        unsafe { InstructionSet::best().run(Quantize { values, into: self }) }
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

/// Makes values steps of their block's scale.
struct Quantize<'a> {
    values: &'a [f32],
    into: &'a mut Activations,
}

impl Task for Quantize<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, into } = self;
        for (block, scale) in into.scales.iter_mut().enumerate() {
            // SAFETY: as for this function.
            unsafe {
                let at = values.as_ptr().add(block * BLOCK);
                let halves = [S::load(at), S::load(at.add(ROWS))];
                let size = |half| S::larger(half, S::product(half, S::splat(-1.0)));
                let mut sizes = [0.0; ROWS];
                S::store(S::larger(size(halves[0]), size(halves[1])), sizes.as_mut_ptr());
                let largest = sizes.into_iter().fold(0.0_f32, f32::max);
                *scale = largest / 127.0;
                let steps = S::splat(if *scale > 0.0 { 1.0 / *scale } else { 0.0 });
                for (number, half) in halves.into_iter().enumerate() {
                    let quants = into.quants.as_mut_ptr().add(block * BLOCK + number * ROWS);
                    S::store_low_bytes(S::add_product(half, steps, S::splat(ROUND)), quants);
                    let sum = (0..ROWS).map(|at| i32::from(*quants.add(at))).sum();
                    *into.sums.get_unchecked_mut(2 * block + number) = sum;
                }
            }
        }
    }
}
