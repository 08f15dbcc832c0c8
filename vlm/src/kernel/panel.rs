//! The products of one panel, once for all instruction sets.

#![allow(unsafe_code)]

use super::pack::{Line, Panels, Scales};
use super::simd::{Number, Simd, Task};
use super::{Activations, BLOCK, ROWS};

/// Where a panel's results go: for token `t` to `first + t · stride`, [`ROWS`] of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub first: *mut f32,
    pub stride: usize,
}

/// A panel's results for all tokens. It is sound where `target` has room for [`ROWS`] results of every token, and the
/// activations have as many columns as the matrix, and steps by block unless it is of plain numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel<'a> {
    pub panels: &'a Panels,
    /// Which one.
    pub number: usize,
    pub activations: &'a Activations,
    pub target: Target,
}

impl Task for Panel<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { panels, number, activations, target } = self;
        let mut token = 0;
        while token < activations.tokens() {
            let left = activations.tokens() - token;
            // SAFETY: as for this function.
            token += unsafe {
                match left {
                    8.. => tile::<S, 8>(panels, number, activations, token, target),
                    4.. => tile::<S, 4>(panels, number, activations, token, target),
                    2.. => tile::<S, 2>(panels, number, activations, token, target),
                    _ => tile::<S, 1>(panels, number, activations, token, target),
                }
            };
        }
    }
}

/// Computes a panel for `N` tokens from `token` on, and says how many these are.
#[inline(always)]
unsafe fn tile<S: Simd, const N: usize>(
    panels: &Panels,
    panel: usize,
    activations: &Activations,
    token: usize,
    target: Target,
) -> usize {
    // SAFETY: as for `Panel`.
    unsafe {
        let sums: [S::Floats; N] = match panels {
            Panels::F32(weights) => floats::<S, N>(activations, token, |column| {
                S::load(weights.as_ptr().add((panel * activations.columns() + column) * ROWS))
            }),
            Panels::F16(weights) => floats::<S, N>(activations, token, |column| {
                S::load_half(weights.as_ptr().add((panel * activations.columns() + column) * ROWS))
            }),
            Panels::Nibbles { quants, offset, scales } => {
                let given = Given { quants, panel, activations, token };
                match scales {
                    Scales::Half { scales, mins } if mins.is_empty() => given.nibbles::<S, _, N>(*offset, scales, None),
                    Scales::Half { scales, mins } => given.nibbles::<S, _, N>(*offset, scales, Some(mins)),
                    Scales::Full { scales, mins } => given.nibbles::<S, _, N>(*offset, scales, Some(mins)),
                }
            }
            Panels::Bytes { quants, block, scales } => {
                let given = Given { quants, panel, activations, token };
                match (scales, block) {
                    (Scales::Half { scales, .. }, 32) => given.bytes::<S, _, N, 32>(scales),
                    (Scales::Half { scales, .. }, _) => given.bytes::<S, _, N, 16>(scales),
                    (Scales::Full { scales, .. }, _) => given.bytes::<S, _, N, 16>(scales),
                }
            }
        };
        for (number, sum) in sums.into_iter().enumerate() {
            S::store(sum, target.first.add((token + number) * target.stride));
        }
    }
    N
}

/// What a product of integers is made of.
struct Given<'a> {
    quants: &'a [Line],
    panel: usize,
    activations: &'a Activations,
    token: usize,
}

impl Given<'_> {
    #[inline(always)]
    unsafe fn nibbles<S: Simd, T: Number, const N: usize>(
        &self,
        offset: i32,
        scales: &[T],
        mins: Option<&Vec<T>>,
    ) -> [S::Floats; N] {
        let (blocks, steps) = (self.activations.columns() / BLOCK, self.activations.blocks());
        // SAFETY: as for `Panel`.
        unsafe {
            let mut sums = [S::zero(); N];
            for block in 0..blocks {
                let place = self.panel * blocks + block;
                let quads = S::nibbles(self.quants.as_ptr().add(place * 4).cast());
                let scale = T::load::<S>(scales.as_ptr().add(place * ROWS));
                let min = mins.map(|mins| T::load::<S>(mins.as_ptr().add(place * ROWS)));
                for (number, sum) in sums.iter_mut().enumerate() {
                    let at = (self.token + number) * blocks + block;
                    let step = *steps.scales.get_unchecked(at);
                    let [low, high] = *steps.sums.as_ptr().add(2 * at).cast::<[i32; 2]>();
                    let inputs = steps.quants.as_ptr().add(at * BLOCK);
                    let mut total = S::start(-offset * (low + high));
                    for (quad, quads) in quads.into_iter().enumerate() {
                        total = S::dot_small(total, quads, inputs.add(4 * quad));
                    }
                    *sum = S::add_product(S::product(scale, S::splat(step)), S::float(total), *sum);
                    if let Some(min) = min {
                        *sum = S::add_product(min, S::splat(step * (low + high) as f32), *sum);
                    }
                }
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn bytes<S: Simd, T: Number, const N: usize, const COLUMNS: usize>(&self, scales: &[T]) -> [S::Floats; N] {
        let (blocks, steps) = (self.activations.columns() / COLUMNS, self.activations.blocks());
        // SAFETY: as for `Panel`.
        unsafe {
            let mut sums = [S::zero(); N];
            for block in 0..blocks {
                let place = self.panel * blocks + block;
                let lines = self.quants.as_ptr().add(place * COLUMNS / 4);
                let scale = T::load::<S>(scales.as_ptr().add(place * ROWS));
                let mut quads = [S::bytes(lines.cast()); 8];
                for (quad, quads) in quads.iter_mut().enumerate().take(COLUMNS / 4) {
                    *quads = S::bytes(lines.add(quad).cast());
                }
                for (number, sum) in sums.iter_mut().enumerate() {
                    let at = (self.token + number) * blocks + block;
                    let step = *steps.scales.get_unchecked(at * COLUMNS / BLOCK);
                    let halves = steps.sums.as_ptr().add(at * COLUMNS * 2 / BLOCK);
                    let all = if COLUMNS == BLOCK { *halves + *halves.add(1) } else { *halves };
                    let inputs = steps.quants.as_ptr().add(at * COLUMNS);
                    let mut total = S::start(-S::OFFSET * all);
                    for (quad, quads) in quads.into_iter().take(COLUMNS / 4).enumerate() {
                        total = S::dot(total, quads, inputs.add(4 * quad));
                    }
                    *sum = S::add_product(S::product(scale, S::splat(step)), S::float(total), *sum);
                }
            }
            sums
        }
    }
}

#[inline(always)]
unsafe fn floats<S: Simd, const N: usize>(
    activations: &Activations,
    token: usize,
    weights: impl Fn(usize) -> S::Floats,
) -> [S::Floats; N] {
    let columns = activations.columns();
    // SAFETY: as for `Panel`.
    unsafe {
        let mut sums = [S::zero(); N];
        for column in 0..columns {
            let weights = weights(column);
            for (number, sum) in sums.iter_mut().enumerate() {
                let input = *activations.values().get_unchecked((token + number) * columns + column);
                *sum = S::add_product(weights, S::splat(input), *sum);
            }
        }
        sums
    }
}
