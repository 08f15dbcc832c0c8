//! Products of plain weights with many inputs at once, and what follows them: what a vision tower is made of.
//!
//! A sum runs over the columns one by one, whatever else is computed with it: an input gets the same bits in any
//! company, on any number of threads and by any of the instruction sets.

#![allow(unsafe_code)]

use rayon::prelude::*;

use super::shared::Shared;
use super::simd::{Simd, Task, exp};
use super::{InstructionSet, ROWS};

/// Inputs that a thread takes at a time.
const INPUTS: usize = 96;

/// Panels that a thread takes at a time.
const PANELS: usize = 4;

/// Columns after which sums are put aside, so that the weights of [`PANELS`] panels are read from the nearest cache.
const COLUMNS: usize = 256;

/// What becomes of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// They replace what was there.
    Set,
    /// They are added to what was there.
    Add,
    /// Their GELU, by its approximation with the hyperbolic tangent (Hendrycks and Gimpel 2016), replaces what was there.
    Gelu,
}

/// A matrix of plain weights with a bias.
#[derive(Debug, Clone)]
pub struct Dense {
    columns: usize,
    /// `[rows / ROWS, columns, ROWS]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Dense {
    /// From `weights`, `[rows, columns]`, and the `rows` numbers of `bias`, a multiple of [`ROWS`].
    pub fn new(columns: usize, weights: &[f32], bias: Vec<f32>) -> Self {
        assert!(bias.len().is_multiple_of(ROWS) && weights.len() == bias.len() * columns);
        let mut packed = vec![0.0; weights.len()];
        for (row, weights) in weights.chunks_exact(columns).enumerate() {
            let (panel, lane) = (row / ROWS, row % ROWS);
            for (column, weight) in weights.iter().enumerate() {
                packed[(panel * columns + column) * ROWS + lane] = *weight;
            }
        }
        Self { columns, weights: packed, bias }
    }

    /// Results of an input.
    pub fn rows(&self) -> usize {
        self.bias.len()
    }

    /// Numbers of an input.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Every row times every one of `inputs`, `[inputs, columns]`, plus the bias, into `out`, `[inputs, rows]`.
    pub fn product(&self, set: InstructionSet, inputs: &[f32], then: Then, out: &mut [f32]) {
        let (rows, columns) = (self.rows(), self.columns);
        let count = inputs.len() / columns;
        assert!(InstructionSet::available().contains(&set), "this processor has no {set:?}");
        assert!(inputs.len() == count * columns && out.len() == count * rows, "inputs and results do not fit");
        let panels = rows / ROWS;
        let shares = panels.div_ceil(PANELS);
        let target = Shared(out.as_mut_ptr());
        (0..count.div_ceil(INPUTS) * shares).into_par_iter().for_each_init(Vec::new, |sums, item| {
            let target = &target;
            let (input, panel) = (item / shares * INPUTS, item % shares * PANELS);
            let part = Product {
                weights: &self.weights[panel * columns * ROWS..],
                panels: PANELS.min(panels - panel),
                columns,
                inputs: &inputs[input * columns..],
                stride: columns,
                count: INPUTS.min(count - input),
            };
            let (bias, first) = (&self.bias[panel * ROWS..], input * rows + panel * ROWS);
            // SAFETY: the set is there, the sizes fit, and every item has a part of `out` of its own.
            unsafe { set.run(Share { part, sums, bias, then, out: target.0.add(first), rows }) }
        });
    }
}

/// Products of some panels with some inputs. It is sound if there are as many.
pub(super) struct Product<'a> {
    /// `[panels, columns, ROWS]`, and what may follow.
    pub weights: &'a [f32],
    pub panels: usize,
    pub columns: usize,
    /// `columns` numbers each, `stride` from one to the next.
    pub inputs: &'a [f32],
    pub stride: usize,
    pub count: usize,
}

impl Product<'_> {
    /// The products, `[count, panels · ROWS]`.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(&self, sums: &mut Vec<f32>) {
        sums.clear();
        sums.resize(self.count * self.panels * ROWS, 0.0);
        for column in (0..self.columns).step_by(COLUMNS) {
            let mut panel = 0;
            while panel < self.panels {
                // SAFETY: as for this function.
                panel += unsafe {
                    match (self.panels - panel).min(S::PANELS) {
                        4.. => self.panels::<S, 4>(panel, column, sums),
                        2.. => self.panels::<S, 2>(panel, column, sums),
                        _ => self.panels::<S, 1>(panel, column, sums),
                    }
                };
            }
        }
    }

    /// Adds the products of `P` panels with some columns of all inputs.
    #[inline(always)]
    unsafe fn panels<S: Simd, const P: usize>(&self, panel: usize, column: usize, sums: &mut [f32]) -> usize {
        let mut input = 0;
        while input < self.count {
            // SAFETY: as for `run`.
            input += unsafe {
                match self.count - input {
                    6.. => self.tile::<S, 6, P>(input, panel, column, sums),
                    3.. => self.tile::<S, 3, P>(input, panel, column, sums),
                    _ => self.tile::<S, 1, P>(input, panel, column, sums),
                }
            };
        }
        P
    }

    /// The same for `N` inputs, whose sums the registers hold meanwhile.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize, const P: usize>(
        &self,
        input: usize,
        panel: usize,
        column: usize,
        sums: &mut [f32],
    ) -> usize {
        // SAFETY: as for `run`.
        unsafe {
            let width = self.panels * ROWS;
            let place = |number: usize, part: usize| (input + number) * width + (panel + part) * ROWS;
            let mut held = [[S::zero(); P]; N];
            for (number, held) in held.iter_mut().enumerate() {
                for (part, held) in held.iter_mut().enumerate() {
                    *held = S::load(sums.as_ptr().add(place(number, part)));
                }
            }
            let weights = self.weights.as_ptr().add((panel * self.columns + column) * ROWS);
            let inputs = self.inputs.as_ptr().add(input * self.stride + column);
            for at in 0..COLUMNS.min(self.columns - column) {
                let mut given = [S::zero(); P];
                for (part, given) in given.iter_mut().enumerate() {
                    *given = S::load(weights.add((part * self.columns + at) * ROWS));
                }
                for (number, held) in held.iter_mut().enumerate() {
                    let value = S::splat(*inputs.add(number * self.stride + at));
                    for (held, given) in held.iter_mut().zip(given) {
                        *held = S::add_product(given, value, *held);
                    }
                }
            }
            for (number, held) in held.into_iter().enumerate() {
                for (part, held) in held.into_iter().enumerate() {
                    S::store(held, sums.as_mut_ptr().add(place(number, part)));
                }
            }
        }
        N
    }
}

/// What a thread takes at a time.
struct Share<'a> {
    part: Product<'a>,
    sums: &'a mut Vec<f32>,
    bias: &'a [f32],
    then: Then,
    /// Where the results begin, `rows` from one input to the next.
    out: *mut f32,
    rows: usize,
}

impl Task for Share<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { part, sums, bias, then, out, rows } = self;
        // SAFETY: as for this function.
        unsafe {
            part.run::<S>(sums);
            for (number, sums) in sums.chunks_exact(part.panels * ROWS).enumerate() {
                for at in (0..sums.len()).step_by(ROWS) {
                    let out = out.add(number * rows + at);
                    let result = S::sum(S::load(sums.as_ptr().add(at)), S::load(bias.as_ptr().add(at)));
                    let result = match then {
                        Then::Set => result,
                        Then::Add => S::sum(S::load(out), result),
                        Then::Gelu => gelu::<S>(result),
                    };
                    S::store(result, out);
                }
            }
        }
    }
}

/// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, where `(1 + tanh(u)) / 2 = 1 / (1 + exp(−2 · u))`.
#[inline(always)]
unsafe fn gelu<S: Simd>(x: S::Floats) -> S::Floats {
    // SAFETY: as for this function.
    unsafe {
        let scale = -2.0 * (2.0 / std::f32::consts::PI).sqrt();
        let factor = S::add_product(S::product(x, x), S::splat(0.044_715 * scale), S::splat(scale));
        S::quotient(x, S::sum(S::splat(1.0), exp::<S>(S::product(x, factor))))
    }
}
