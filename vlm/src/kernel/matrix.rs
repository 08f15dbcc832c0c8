//! A weight matrix, laid out for the processor.

#![allow(unsafe_code)]

use std::ops::Range;

use rayon::prelude::*;

use super::activations::Grain;
use super::pack::{Panels, pack};
use super::panel::{Panel, Target};
use super::rows::{MOST_COLUMNS, Products, Rows};
use super::shared::Shared;
use super::{Activations, BLOCK, InstructionSet, ROWS};
use crate::format::{Format, Width};

/// Panels that a thread takes at a time.
const SHARE: usize = 4;

/// A weight matrix.
#[derive(Debug, Clone)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    weights: Weights,
}

#[derive(Debug, Clone)]
enum Weights {
    /// Plain, or with scales of their own for every block.
    Blocks(Panels),
    /// With one scale a row.
    Rows(Rows),
}

impl Matrix {
    /// From `rows` rows of `columns` weights as a file has them. `None` if the bytes are not as many, or `columns` is no
    /// multiple of [`BLOCK`] and of the format's block.
    pub fn new(format: Format, rows: usize, columns: usize, bytes: &[u8]) -> Option<Self> {
        let is_whole = columns > 0 && columns.is_multiple_of(BLOCK) && columns.is_multiple_of(format.block());
        let wanted = (columns / format.block()).checked_mul(format.bytes())?.checked_mul(rows)?;
        let weights = || Weights::Blocks(pack(format, rows, columns, bytes));
        (is_whole && bytes.len() == wanted).then(|| Self { rows, columns, weights: weights() })
    }

    /// From rows of `columns` weights with one scale each, as a file has them. `None` if the bytes are not as many, or
    /// `columns` is no multiple of [`BLOCK`] or more than 32,768.
    pub fn of_rows(width: Width, columns: usize, bytes: &[u8], scales: &[f32]) -> Option<Self> {
        let is_whole = (1..=MOST_COLUMNS).contains(&columns) && columns.is_multiple_of(BLOCK);
        let wanted = width.bytes(columns).checked_mul(scales.len())?;
        let weights = || Weights::Rows(Rows::pack(width, columns, bytes, scales));
        (is_whole && bytes.len() == wanted).then(|| Self { rows: scales.len(), columns, weights: weights() })
    }

    /// How it takes its inputs.
    pub(super) fn grain(&self) -> Grain {
        match &self.weights {
            Weights::Blocks(Panels::F32(_) | Panels::F16(_)) => Grain::Values,
            Weights::Blocks(Panels::Nibbles { .. } | Panels::Bytes { .. }) => Grain::Blocks,
            Weights::Rows(_) => Grain::Tokens,
        }
    }

    /// How many results a token has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many inputs a token has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Every row times every token: for token `t` into `out[t · stride + first..]`.
    pub fn product(
        &self,
        set: InstructionSet,
        activations: &Activations,
        out: &mut [f32],
        Place { stride, first }: Place,
    ) {
        let tokens = activations.tokens();
        assert!(InstructionSet::available().contains(&set), "this processor has no {set:?}");
        assert_eq!(activations.columns(), self.columns, "the activations are of another width");
        assert!(activations.are(self.grain()), "the activations were set for other matrices");
        assert!(first + self.rows <= stride && out.len() == tokens * stride, "the results have no room");
        let whole = self.rows / ROWS;
        let target = Shared(out.as_mut_ptr());
        (0..whole.div_ceil(SHARE)).into_par_iter().for_each(|share| {
            let target = &target;
            let numbers = share * SHARE..((share + 1) * SHARE).min(whole);
            // SAFETY: the rows of different panels lie apart in `out`, which has room for all tokens.
            let target = Target { first: unsafe { target.0.add(first + numbers.start * ROWS) }, stride };
            self.panels(set, numbers, activations, target);
        });
        if whole * ROWS < self.rows {
            let mut last = vec![0.0; tokens * ROWS];
            self.panels(set, whole..whole + 1, activations, Target { first: last.as_mut_ptr(), stride: ROWS });
            for (out, last) in out.chunks_exact_mut(stride).zip(last.chunks_exact(ROWS)) {
                let out = &mut out[first + whole * ROWS..first + self.rows];
                out.copy_from_slice(&last[..out.len()]);
            }
        }
    }

    /// Neighbouring panels' results; `target` is that of the first.
    fn panels(&self, set: InstructionSet, numbers: Range<usize>, activations: &Activations, target: Target) {
        // SAFETY: `product` has checked that the set is there, and all sizes; the next panel's results are behind.
        unsafe {
            match &self.weights {
                Weights::Blocks(panels) => {
                    for (place, number) in numbers.enumerate() {
                        let target = Target { first: target.first.add(place * ROWS), ..target };
                        set.run(Panel { panels, number, activations, target });
                    }
                }
                Weights::Rows(rows) => set.run(Products { rows, numbers, activations, target }),
            }
        }
    }
}

/// Where a matrix's results are among those of others.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Results from token to token.
    pub stride: usize,
    /// The first of a token's.
    pub first: usize,
}
