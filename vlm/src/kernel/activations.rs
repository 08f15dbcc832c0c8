//! Activations as products read them: plain, and as eight-bit integers with a scale a block or a token.

#![allow(unsafe_code)]

use super::simd::{ROUND, Simd, Task};
use super::{BLOCK, InstructionSet, Matrix, ROWS};

/// Which of a matrix's inputs share a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// None: they are taken as they are.
    Values,
    /// Every [`BLOCK`] of a token.
    Blocks,
    /// All of a token.
    Tokens,
}

/// The inputs of products for some tokens.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    tokens: usize,
    columns: usize,
    values: Vec<f32>,
    blocks: Steps,
    rows: Steps,
}

/// Values in steps of their scale.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    /// `[tokens, columns]`, −127 to 127.
    pub quants: Vec<i8>,
    /// `[tokens, columns / 32]`, or `[tokens]`.
    pub scales: Vec<f32>,
    /// Sums of the steps of each half of a block, `[tokens, columns / 16]`, or of each token.
    pub sums: Vec<i32>,
}

impl Activations {
    /// Becomes the values `[tokens, columns]`, in the ways that `matrices` take them; `columns` must be a multiple of
    /// [`BLOCK`].
    pub fn set(&mut self, tokens: usize, columns: usize, values: &[f32], matrices: &[Matrix]) {
        assert!(
            columns.is_multiple_of(BLOCK) && values.len() == tokens * columns,
            "{} is not {tokens} × {columns}",
            values.len()
        );
        (self.tokens, self.columns) = (tokens, columns);
        self.values.clear();
        self.values.extend_from_slice(values);
        let is_taken = |grain| matrices.iter().any(|matrix| matrix.grain() == grain);
        self.blocks.resize(values.len(), if is_taken(Grain::Blocks) { values.len() / BLOCK } else { 0 }, 2);
        self.rows.resize(values.len(), if is_taken(Grain::Tokens) { tokens } else { 0 }, 1);
        let set = InstructionSet::best();
        // SAFETY: the set is there; all have room for as many whole blocks.
        unsafe {
            set.run(QuantizeBlocks { values, into: &mut self.blocks });
            set.run(QuantizeRows { values, columns, into: &mut self.rows });
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

    /// Whether they are there in such a way.
    pub(super) fn are(&self, grain: Grain) -> bool {
        match grain {
            Grain::Values => true,
            Grain::Blocks => self.blocks.scales.len() == self.values.len() / BLOCK,
            Grain::Tokens => self.rows.scales.len() == self.tokens,
        }
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// With a scale a block.
    pub(super) fn blocks(&self) -> &Steps {
        &self.blocks
    }

    /// With a scale a token.
    pub(super) fn rows(&self) -> &Steps {
        &self.rows
    }
}

impl Steps {
    fn resize(&mut self, values: usize, scales: usize, sums_a_scale: usize) {
        self.quants.resize(if scales == 0 { 0 } else { values }, 0);
        self.scales.resize(scales, 0.0);
        self.sums.resize(scales * sums_a_scale, 0);
    }
}

/// Makes values steps of their block's scale.
struct QuantizeBlocks<'a> {
    values: &'a [f32],
    into: &'a mut Steps,
}

impl Task for QuantizeBlocks<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, into } = self;
        for (block, scale) in into.scales.iter_mut().enumerate() {
            // SAFETY: as for this function.
            unsafe {
                let at = values.as_ptr().add(block * BLOCK);
                let halves = [S::load(at), S::load(at.add(ROWS))];
                let (found, steps) = scale_of::<S>(S::larger(size::<S>(halves[0]), size::<S>(halves[1])));
                *scale = found;
                for (number, half) in halves.into_iter().enumerate() {
                    let quants = into.quants.as_mut_ptr().add(block * BLOCK + number * ROWS);
                    *into.sums.get_unchecked_mut(2 * block + number) = store_steps::<S>(half, steps, quants);
                }
            }
        }
    }
}

/// Makes values steps of their token's scale.
struct QuantizeRows<'a> {
    values: &'a [f32],
    columns: usize,
    into: &'a mut Steps,
}

impl Task for QuantizeRows<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, columns, into } = self;
        for (token, (scale, sum)) in into.scales.iter_mut().zip(&mut into.sums).enumerate() {
            // SAFETY: as for this function.
            unsafe {
                let (values, quants) =
                    (values.as_ptr().add(token * columns), into.quants.as_mut_ptr().add(token * columns));
                let mut sizes = S::zero();
                for at in (0..columns).step_by(ROWS) {
                    sizes = S::larger(size::<S>(S::load(values.add(at))), sizes);
                }
                let (found, steps) = scale_of::<S>(sizes);
                (*scale, *sum) = (found, 0);
                for at in (0..columns).step_by(ROWS) {
                    *sum += store_steps::<S>(S::load(values.add(at)), steps, quants.add(at));
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn size<S: Simd>(values: S::Floats) -> S::Floats {
    // SAFETY: as for `Simd`.
    unsafe { S::larger(values, S::product(values, S::splat(-1.0))) }
}

/// The scale by which the largest of some sizes is 127, and its inverse in every lane.
#[inline(always)]
unsafe fn scale_of<S: Simd>(sizes: S::Floats) -> (f32, S::Floats) {
    let mut lanes = [0.0; ROWS];
    // SAFETY: as for `Simd`.
    unsafe {
        S::store(sizes, lanes.as_mut_ptr());
        let scale = lanes.into_iter().fold(0.0_f32, f32::max) / 127.0;
        (scale, S::splat(if scale > 0.0 { 1.0 / scale } else { 0.0 }))
    }
}

/// Stores the nearest steps of some values, and says what their sum is.
#[inline(always)]
unsafe fn store_steps<S: Simd>(values: S::Floats, steps: S::Floats, at: *mut i8) -> i32 {
    // SAFETY: as for `Simd`.
    unsafe {
        S::store_low_bytes(S::add_product(values, steps, S::splat(ROUND)), at);
        (0..ROWS).map(|lane| i32::from(*at.add(lane))).sum()
    }
}
