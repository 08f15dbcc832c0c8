//! Products of weights with one scale a row: integers from one end of the row to the other.
//!
//! This is OdysseyLLM's FastGEMM (Li et al. 2023, arXiv 2311.09550): a weight of four bits is one of eight whose lower
//! half is zero, sixteen times as large, and the scale makes up for that. So rows of four and of eight bits differ in
//! how they are loaded and in nothing else, and what blocks pay for their scales is not paid.

#![allow(unsafe_code)]

use std::ops::Range;

use super::activations::Steps;
use super::pack::Line;
use super::panel::Target;
use super::simd::{Simd, Task};
use super::{Activations, ROWS};
use crate::format::Width;

/// The most columns of a row: sums of so many products of eight bits stay within 32 bits whatever their order.
pub(super) const MOST_COLUMNS: usize = 1 << 15;

/// How much a weight of four bits is enlarged.
const ENLARGED: f32 = 16.0;

/// Panels that take their inputs together, and lie together in memory, line by line in turn.
const PARTS: usize = 2;

/// Weights in panels of [`ROWS`] rows.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    width: Width,
    /// `[panels / PARTS, lines, PARTS]`. Of four bits, offset by 8: a line for every eight columns; byte `4 · row + i` of
    /// line `v` has column `8 · v + i` below and column `8 · v + 4 + i` above. Of eight bits, offset by 128: a line for
    /// every four.
    quants: Vec<Line>,
    /// What a quant stands for as the kernel sees it, `[panels, ROWS]`.
    scales: Vec<f32>,
}

impl Rows {
    /// Lays out rows as a file has them, of `columns` weights, a multiple of eight; missing rows of the last panels have
    /// a scale of zero.
    pub fn pack(width: Width, columns: usize, bytes: &[u8], row_scales: &[f32]) -> Self {
        let panels = row_scales.len().div_ceil(ROWS).next_multiple_of(PARTS);
        let lines = width.bytes(columns) / 4;
        let mut quants = vec![Line([0; 64]); panels * lines];
        let (mut scales, mut numbers) = (vec![0.0; panels * ROWS], vec![0; columns]);
        for (row, (bytes, scale)) in bytes.chunks_exact(width.bytes(columns)).zip(row_scales).enumerate() {
            let (panel, lane) = (row / ROWS, row % ROWS * 4);
            let first = panel / PARTS * lines * PARTS + panel % PARTS;
            let lines = quants[first..].iter_mut().step_by(PARTS);
            width.read(bytes, &mut numbers);
            match width {
                Width::Four => {
                    scales[row] = scale / ENLARGED;
                    for (line, columns) in lines.zip(numbers.as_chunks::<8>().0) {
                        let offset = |at: usize| (columns[at] + 8) as u8;
                        (0..4).for_each(|at| line.0[lane + at] = offset(at) | offset(at + 4) << 4);
                    }
                }
                Width::Eight => {
                    scales[row] = *scale;
                    for (line, columns) in lines.zip(numbers.as_chunks::<4>().0) {
                        (0..4).for_each(|at| line.0[lane + at] = columns[at].cast_unsigned() ^ 128);
                    }
                }
            }
        }
        Self { width, quants, scales }
    }
}

/// Neighbouring panels' results for all tokens. It is sound where `target`, which is the first panel's, has room for
/// [`ROWS`] results of every token and panel, and the activations have as many columns as the rows, and steps by token.
#[derive(Debug, Clone)]
pub(super) struct Products<'a> {
    pub rows: &'a Rows,
    /// Which panels.
    pub numbers: Range<usize>,
    pub activations: &'a Activations,
    pub target: Target,
}

impl Task for Products<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { rows, numbers, activations, target } = self;
        let given = Given { rows, numbers, columns: activations.columns(), steps: activations.rows(), target };
        for first in (given.numbers.start / PARTS * PARTS..given.numbers.end).step_by(PARTS) {
            let mut token = 0;
            while token < activations.tokens() {
                // SAFETY: as for this function.
                token += unsafe {
                    match activations.tokens() - token {
                        8.. => given.tile::<S, 8>(first, token),
                        4.. => given.tile::<S, 4>(first, token),
                        2.. => given.tile::<S, 2>(first, token),
                        _ => given.tile::<S, 1>(first, token),
                    }
                };
            }
        }
    }
}

/// What products are made of.
struct Given<'a> {
    rows: &'a Rows,
    numbers: Range<usize>,
    columns: usize,
    steps: &'a Steps,
    target: Target,
}

impl Given<'_> {
    /// The products of the panels from `first` on with `N` tokens from `token` on; says how many these are.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize>(&self, first: usize, token: usize) -> usize {
        // SAFETY: as for `Products`.
        unsafe {
            let totals = match self.rows.width {
                Width::Four => self.totals::<S, N, 2>(first, token, |line| S::fours(line)),
                Width::Eight => self.totals::<S, N, 1>(first, token, |line| [S::bytes(line)]),
            };
            for (panel, totals) in (first..).zip(totals).filter(|(panel, _)| self.numbers.contains(panel)) {
                let scales = S::load(self.rows.scales.as_ptr().add(panel * ROWS));
                let out = self.target.first.add((panel - self.numbers.start) * ROWS);
                for (token, total) in (token..).zip(totals) {
                    let scales = S::product(scales, S::splat(*self.steps.scales.get_unchecked(token)));
                    S::store(S::product(scales, S::float(total)), out.add(token * self.target.stride));
                }
            }
        }
        N
    }

    /// Sums of products of quants, by panels and tokens, with `Q` times four columns out of a line.
    #[inline(always)]
    unsafe fn totals<S: Simd, const N: usize, const Q: usize>(
        &self,
        first: usize,
        token: usize,
        load: impl Fn(*const u8) -> [S::Quads; Q],
    ) -> [[S::Integers; N]; PARTS] {
        let lines = self.columns / (4 * Q);
        // SAFETY: as for `Products`.
        unsafe {
            let mut totals = [[S::start(0); N]; PARTS];
            for totals in &mut totals {
                for (number, total) in totals.iter_mut().enumerate() {
                    *total = S::start(-S::OFFSET * self.steps.sums.get_unchecked(token + number));
                }
            }
            let weights = self.rows.quants.as_ptr().add(first * lines);
            let inputs = self.steps.quants.as_ptr().add(token * self.columns);
            for line in 0..lines {
                let weights = weights.add(line * PARTS);
                let quads = [load(weights.cast()), load(weights.add(1).cast())];
                for quad in 0..Q {
                    for number in 0..N {
                        let inputs = inputs.add(number * self.columns + (line * Q + quad) * 4);
                        for (totals, quads) in totals.iter_mut().zip(&quads) {
                            totals[number] = S::dot(totals[number], quads[quad], inputs);
                        }
                    }
                }
            }
            totals
        }
    }
}
