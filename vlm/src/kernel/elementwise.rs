//! What is done to numbers one by one or in rows of sixteen: norms, gates, rotations and weighted sums.

#![allow(unsafe_code)]

use super::simd::{Simd, Task, exp};
use super::{InstructionSet, ROWS};

/// Root-mean-square norm (Zhang and Sennrich 2019): every token's values over the root of their mean square, times
/// `weight`. `values` and `out` are `[tokens, columns]`, with as many columns as there are weights, a multiple of
/// [`ROWS`].
pub fn normalize(set: InstructionSet, values: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    assert!(
        weight.len().is_multiple_of(ROWS) && values.len().is_multiple_of(weight.len()) && out.len() == values.len()
    );
    for (values, out) in values.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
        // SAFETY: the lengths are those of the weights, whole vectors.
        unsafe { set.run(Normalize { values, weight, epsilon, out }) }
    }
}

struct Normalize<'a> {
    values: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl Task for Normalize<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, weight, epsilon, out } = self;
        // SAFETY: as for this function.
        unsafe {
            let mut squares = S::zero();
            for at in (0..values.len()).step_by(ROWS) {
                let value = S::load(values.as_ptr().add(at));
                squares = S::add_product(value, value, squares);
            }
            let mut lanes = [0.0; ROWS];
            S::store(squares, lanes.as_mut_ptr());
            let mean = lanes.iter().sum::<f32>() / values.len() as f32;
            let factor = S::splat(1.0 / (mean + epsilon).sqrt());
            for at in (0..values.len()).step_by(ROWS) {
                let value = S::product(S::load(values.as_ptr().add(at)), factor);
                S::store(S::product(value, S::load(weight.as_ptr().add(at))), out.as_mut_ptr().add(at));
            }
        }
    }
}

/// The gated linear unit with SiLU (Shazeer 2020): `gated` is `[tokens, 2 · columns]`, for every token the gates, then
/// what they gate; `out` is `[tokens, columns]`, of a multiple of [`ROWS`] columns.
pub fn swiglu(set: InstructionSet, gated: &[f32], columns: usize, out: &mut [f32]) {
    assert!(columns.is_multiple_of(ROWS) && gated.len() == 2 * out.len() && out.len().is_multiple_of(columns));
    for (gated, out) in gated.chunks_exact(2 * columns).zip(out.chunks_exact_mut(columns)) {
        // SAFETY: the lengths fit, whole vectors.
        unsafe { set.run(Swiglu { gated, out }) }
    }
}

struct Swiglu<'a> {
    gated: &'a [f32],
    out: &'a mut [f32],
}

impl Task for Swiglu<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { gated, out } = self;
        // SAFETY: as for this function.
        unsafe {
            let one = S::splat(1.0);
            for at in (0..out.len()).step_by(ROWS) {
                let gate = S::load(gated.as_ptr().add(at));
                let through = S::load(gated.as_ptr().add(out.len() + at));
                let silu = S::quotient(gate, S::sum(one, exp::<S>(S::product(gate, S::splat(-1.0)))));
                S::store(S::product(silu, through), out.as_mut_ptr().add(at));
            }
        }
    }
}

/// The sum of rows of sixteen numbers, each times its weight.
pub fn weighted_sum(set: InstructionSet, weights: &[f32], rows: &[[f32; ROWS]]) -> [f32; ROWS] {
    // SAFETY: no more weights and rows are read than there are of both.
    unsafe { set.run(WeightedSum { weights, rows }) }
}

struct WeightedSum<'a> {
    weights: &'a [f32],
    rows: &'a [[f32; ROWS]],
}

impl Task for WeightedSum<'_> {
    type Result = [f32; ROWS];

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> [f32; ROWS] {
        // SAFETY: as for this function.
        unsafe {
            // Four sums, so that one need not wait for the one before it.
            let mut sums = [S::zero(); 4];
            for (place, (weight, row)) in self.weights.iter().zip(self.rows).enumerate() {
                sums[place % 4] = S::add_product(S::splat(*weight), S::load(row.as_ptr()), sums[place % 4]);
            }
            let mut out = [0.0; ROWS];
            S::store(S::sum(S::sum(sums[0], sums[1]), S::sum(sums[2], sums[3])), out.as_mut_ptr());
            out
        }
    }
}

/// Which two numbers of a head a rotation turns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Neighbours, as GGUF files of the Llama family have them.
    Neighbours,
    /// One of the first half and its like of the second, as transformers has them.
    Halves,
}

impl Pairs {
    /// The pairs of a head of so many numbers.
    pub fn of(self, head_size: usize) -> impl Iterator<Item = [usize; 2]> {
        (0..head_size / 2).map(move |pair| match self {
            Self::Neighbours => [2 * pair, 2 * pair + 1],
            Self::Halves => [pair, head_size / 2 + pair],
        })
    }
}

/// Rotary position embedding (Su et al. 2021): turns every pair of every head of one token, by angles whose cosines and
/// sines are `turns`, as many as a head has pairs.
pub fn rotate(pairs: Pairs, turns: &[[f32; 2]], heads: &mut [f32]) {
    for head in heads.chunks_exact_mut(2 * turns.len()) {
        for ([first, second], [cos, sin]) in pairs.of(2 * turns.len()).zip(turns) {
            let [a, b] = [head[first], head[second]];
            head[first] = a * cos - b * sin;
            head[second] = a * sin + b * cos;
        }
    }
}
