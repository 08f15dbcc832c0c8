//! A weight matrix, laid out for the processor.

#![allow(unsafe_code)]

use rayon::prelude::*;

use super::pack::{Panels, pack};
use super::panel::{Panel, Target};
use super::shared::Shared;
use super::{Activations, BLOCK, InstructionSet, ROWS};
use crate::format::Format;

/// Panels that a thread takes at a time.
const SHARE: usize = 4;

/// A weight matrix.
#[derive(Debug, Clone)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    panels: Panels,
}

impl Matrix {
    /// From `rows` rows of `columns` weights as a file has them. `None` if the bytes are not as many, or `columns` is no
    /// multiple of [`BLOCK`] and of the format's block.
    pub fn new(format: Format, rows: usize, columns: usize, bytes: &[u8]) -> Option<Self> {
        let is_whole = columns > 0 && columns.is_multiple_of(BLOCK) && columns.is_multiple_of(format.block());
        let wanted = (columns / format.block()).checked_mul(format.bytes())?.checked_mul(rows)?;
        (is_whole && bytes.len() == wanted).then(|| Self { rows, columns, panels: pack(format, rows, columns, bytes) })
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
        assert!(first + self.rows <= stride && out.len() == tokens * stride, "the results have no room");
        let whole = self.rows / ROWS;
        let target = Shared(out.as_mut_ptr());
        (0..whole.div_ceil(SHARE)).into_par_iter().for_each(|share| {
            let target = &target;
            for number in share * SHARE..((share + 1) * SHARE).min(whole) {
                // SAFETY: the rows of different panels lie apart in `out`, which has room for all tokens.
                let target = Target { first: unsafe { target.0.add(first + number * ROWS) }, stride };
                self.panel(set, number, activations, target);
            }
        });
        if whole * ROWS < self.rows {
            let mut last = vec![0.0; tokens * ROWS];
            self.panel(set, whole, activations, Target { first: last.as_mut_ptr(), stride: ROWS });
            for (out, last) in out.chunks_exact_mut(stride).zip(last.chunks_exact(ROWS)) {
                let out = &mut out[first + whole * ROWS..first + self.rows];
                out.copy_from_slice(&last[..out.len()]);
            }
        }
    }

    fn panel(&self, set: InstructionSet, number: usize, activations: &Activations, target: Target) {
        // SAFETY: `product` has checked that the set is there, and all sizes.
        unsafe { set.run(Panel { panels: &self.panels, number, activations, target }) }
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
