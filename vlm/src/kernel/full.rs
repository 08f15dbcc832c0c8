//! Attention of all tokens of an image to each other.

#![allow(unsafe_code)]

use rayon::prelude::*;

use super::dense::Product;
use super::shared::Shared;
use super::simd::{Simd, Task, exp};
use super::{InstructionSet, ROWS};

/// Queries that are answered together.
const QUERIES: usize = 48;

/// The tokens of an image, which attend to each other.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// `[tokens, 3 · heads · head_size]`: for every token the queries of its heads, their keys, their values.
    pub values: &'a [f32],
    /// Heads.
    pub heads: usize,
    /// The tokens that are attended to, one at least.
    pub seen: &'a [usize],
}

/// Attends; `out` is `[tokens, heads · head_size]`.
pub fn attend_within(set: InstructionSet, within: &Within<'_>, tokens: usize, out: &mut [f32]) {
    let Within { values, heads, seen } = *within;
    assert!(InstructionSet::available().contains(&set), "this processor has no {set:?}");
    let hidden = out.len() / tokens.max(1);
    assert!(out.len() == tokens * hidden && values.len() == 3 * out.len(), "values and results do not fit");
    assert!(hidden.is_multiple_of(heads), "{heads} heads do not share {hidden} numbers evenly");
    assert!(!seen.is_empty() && seen.iter().all(|token| *token < tokens), "what is seen is not there");
    let target = Shared(out.as_mut_ptr());
    (0..heads).into_par_iter().for_each_init(Room::default, |room, head| {
        let target = &target;
        let head = Head { values, tokens, hidden, size: hidden / heads, head, seen, room, out: target.0 };
        // SAFETY: the set is there, the sizes fit, and every head writes its own columns of `out`.
        unsafe { set.run(head) }
    });
}

/// Room that a thread uses again.
#[derive(Default)]
struct Room {
    /// `[keys / ROWS, size, ROWS]`, already scaled.
    keys: Vec<f32>,
    /// `[size / ROWS, keys, ROWS]`.
    values: Vec<f32>,
    /// `[QUERIES, size]`, side by side: those of other heads would stand between them.
    queries: Vec<f32>,
    /// `[QUERIES, keys]`.
    scores: Vec<f32>,
    /// `[QUERIES, size]`.
    means: Vec<f32>,
}

/// One head.
struct Head<'a> {
    values: &'a [f32],
    tokens: usize,
    hidden: usize,
    size: usize,
    head: usize,
    seen: &'a [usize],
    room: &'a mut Room,
    out: *mut f32,
}

impl Task for Head<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, tokens, hidden, size, head, seen, room, out } = self;
        let Room { keys, values: packed, queries, scores, means } = room;
        let of = |token: usize, part: usize| &values[(token * 3 + part) * hidden + head * size..][..size];
        let (key_panels, size_panels) = (seen.len().div_ceil(ROWS), size.div_ceil(ROWS));
        let scale = 1.0 / (size as f32).sqrt();
        keys.clear();
        keys.resize(key_panels * size * ROWS, 0.0);
        packed.clear();
        packed.resize(size_panels * seen.len() * ROWS, 0.0);
        for (number, token) in seen.iter().enumerate() {
            for (at, key) in of(*token, 1).iter().enumerate() {
                keys[(number / ROWS * size + at) * ROWS + number % ROWS] = key * scale;
            }
            for (panel, values) in of(*token, 2).chunks(ROWS).enumerate() {
                packed[(panel * seen.len() + number) * ROWS..][..values.len()].copy_from_slice(values);
            }
        }
        for first in (0..tokens).step_by(QUERIES) {
            let count = QUERIES.min(tokens - first);
            queries.clear();
            (first..first + count).for_each(|token| queries.extend_from_slice(of(token, 0)));
            let product =
                Product { weights: keys, panels: key_panels, columns: size, inputs: queries, stride: size, count };
            // SAFETY: as for this function.
            unsafe { product.run::<S>(scores) };
            let width = key_panels * ROWS;
            let mut sums = [0.0; QUERIES];
            for (scores, sum) in scores.chunks_exact_mut(width).zip(&mut sums) {
                // SAFETY: as for this function.
                *sum = unsafe { weigh::<S>(scores, seen.len()) };
            }
            let product = Product {
                weights: packed,
                panels: size_panels,
                columns: seen.len(),
                inputs: scores,
                stride: width,
                count,
            };
            // SAFETY: as for this function.
            unsafe { product.run::<S>(means) };
            for ((means, sum), token) in means.chunks_exact(size_panels * ROWS).zip(sums).zip(first..) {
                for (at, mean) in means[..size].iter().enumerate() {
                    // SAFETY: as for this function.
                    unsafe { *out.add(token * hidden + head * size + at) = mean / sum };
                }
            }
        }
    }
}

/// Makes the scores of the first `count` keys their weights, not yet divided by their sum, which comes back.
#[inline(always)]
unsafe fn weigh<S: Simd>(scores: &mut [f32], count: usize) -> f32 {
    scores[count..].fill(f32::MIN);
    // SAFETY: as for the caller; the scores are whole vectors.
    unsafe {
        let mut largest = S::splat(f32::MIN);
        for at in (0..scores.len()).step_by(ROWS) {
            largest = S::larger(S::load(scores.as_ptr().add(at)), largest);
        }
        let mut lanes = [0.0; ROWS];
        S::store(largest, lanes.as_mut_ptr());
        let largest = S::splat(-lanes.into_iter().fold(f32::MIN, f32::max));
        let mut sum = S::zero();
        for at in (0..scores.len()).step_by(ROWS) {
            let weight = exp::<S>(S::sum(S::load(scores.as_ptr().add(at)), largest));
            S::store(weight, scores.as_mut_ptr().add(at));
            sum = S::sum(sum, weight);
        }
        // Behind the last key e to the power of −87 is left, which changes no sum.
        S::store(sum, lanes.as_mut_ptr());
        lanes.iter().sum()
    }
}
