//! Attention of new tokens to a paged cache and to each other, the same for every token however many come with it.
//!
//! A query's scores come first, then their largest, then its sums over keys, one by one in the order of the tokens. What
//! a token does not see adds nothing to any sum. So a token of a tree of drafts gets what it would get alone, bit by
//! bit, wherever in the cache the tokens before it stand (Tree attention: Miao et al. 2023; pages: Kwon et al. 2023).

#![allow(unsafe_code)]

use rayon::prelude::*;

use super::shared::Shared;
use super::simd::{Number, Simd, Task, exp};
use super::{InstructionSet, PAGE, ROWS};

/// Queries that are answered together.
const TILE: usize = 8;

/// Which of the new tokens each of them sees.
#[derive(Debug, Clone, Copy)]
pub enum Ancestors<'a> {
    /// Those before it, and itself.
    All,
    /// For each token a bit for every one that it sees, itself among them; 64 tokens at most.
    Of(&'a [u64]),
}

impl Ancestors<'_> {
    fn sees(&self, token: usize, other: usize) -> bool {
        match self {
            Self::All => other <= token,
            Self::Of(bits) => other <= token && bits[token] >> other & 1 == 1,
        }
    }
}

/// A layer's part of the cache: for every page and head keys `[head_size, PAGE]`, then values `[PAGE, head_size]`.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// In 16 bits.
    Half(&'a [u16]),
    /// In 32 bits.
    Full(&'a [f32]),
}

/// The new tokens of one sequence.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Queries `[tokens, heads · head_size]`.
    pub queries: &'a [f32],
    /// Query heads.
    pub heads: usize,
    /// Heads of keys and values; each serves as many query heads in a row.
    pub kv_heads: usize,
    /// Numbers of a head, a multiple of [`ROWS`].
    pub head_size: usize,
    /// The pages of the sequence, in order.
    pub pages: &'a [u32],
    /// Tokens of the sequence before the new ones; these stand right behind them in the pages.
    pub before: usize,
    /// Which of each other they see.
    pub ancestors: Ancestors<'a>,
}

/// Attends; `out` is `[tokens, heads · head_size]`.
pub fn attend(set: InstructionSet, keys: Keys<'_>, attention: &Attention<'_>, out: &mut [f32]) {
    match keys {
        Keys::Half(keys) => attend_to(set, keys, attention, out),
        Keys::Full(keys) => attend_to(set, keys, attention, out),
    }
}

fn attend_to<T: Number>(set: InstructionSet, keys: &[T], attention: &Attention<'_>, out: &mut [f32]) {
    let Attention { queries, heads, kv_heads, head_size, pages, before, ancestors } = *attention;
    let tokens = queries.len() / (heads * head_size);
    assert!(head_size.is_multiple_of(ROWS) && heads.is_multiple_of(kv_heads) && out.len() == queries.len());
    assert!(matches!(ancestors, Ancestors::All) || tokens <= 64, "{tokens} tokens are more than a tree's 64");
    assert!(pages.len() * PAGE >= before + tokens, "{} pages are too few", pages.len());
    let page_size = kv_heads * 2 * PAGE * head_size;
    let largest = pages.iter().max().map_or(0, |page| *page as usize + 1);
    assert!(keys.len() >= largest * page_size, "page {largest} is not there");
    let target = Shared(out.as_mut_ptr());
    let tiles = tokens.div_ceil(TILE);
    (0..heads * tiles).into_par_iter().for_each_init(Vec::new, |scores, item| {
        let target = &target;
        let (head, first) = (item % heads, item / heads * TILE);
        let head = Head { keys, attention, head, first, count: TILE.min(tokens - first), scores, out: target.0 };
        // SAFETY: sizes are checked above; every head and tile writes its own part of `out`.
        unsafe { set.run(head) }
    });
}

/// One query head for a tile of queries.
struct Head<'a, T> {
    keys: &'a [T],
    attention: &'a Attention<'a>,
    head: usize,
    /// The tile's first query, and how many there are.
    first: usize,
    count: usize,
    /// Room for `[count, keys]`.
    scores: &'a mut Vec<f32>,
    out: *mut f32,
}

impl<T: Number> Task for Head<'_, T> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { attention, first, count, .. } = self;
        // Keys up to the last query of the tile: none sees any behind it.
        let seen = attention.before + first + count;
        let stride = seen.next_multiple_of(PAGE);
        self.scores.clear();
        self.scores.resize(count * stride, 0.0);
        // SAFETY: as for this function.
        unsafe {
            let mut query = 0;
            while query < count {
                query += match count - query {
                    4.. => self.score::<S, 4>(query, stride),
                    2.. => self.score::<S, 2>(query, stride),
                    _ => self.score::<S, 1>(query, stride),
                };
            }
            let mut sums = [0.0; TILE];
            for (query, sum) in sums.iter_mut().enumerate().take(count) {
                let scores = &mut self.scores[query * stride..][..stride];
                *sum = weigh::<S>(scores, attention, first + query);
            }
            let mut query = 0;
            while query < count {
                query += match count - query {
                    4.. => self.gather::<S, 4>(query, stride, seen, &sums),
                    2.. => self.gather::<S, 2>(query, stride, seen, &sums),
                    _ => self.gather::<S, 1>(query, stride, seen, &sums),
                };
            }
        }
    }
}

impl<T: Number> Head<'_, T> {
    /// Where the keys of a page begin, or (`PAGE · head_size` on) its values.
    #[inline(always)]
    unsafe fn page(&self, number: usize) -> *const T {
        let Attention { heads, kv_heads, head_size, pages, .. } = *self.attention;
        let head = self.head / (heads / kv_heads);
        // SAFETY: as for the caller.
        unsafe {
            let page = *pages.get_unchecked(number) as usize;
            self.keys.as_ptr().add((page * kv_heads + head) * 2 * PAGE * head_size)
        }
    }

    /// The scores of `N` queries from `query` of the tile on, for all keys.
    #[inline(always)]
    unsafe fn score<S: Simd, const N: usize>(&self, query: usize, stride: usize) -> usize {
        let Attention { queries, heads, head_size, .. } = *self.attention;
        let scale = 1.0 / (head_size as f32).sqrt();
        // SAFETY: as for the caller.
        unsafe {
            let token = self.first + query;
            let given = queries.as_ptr().add((token * heads + self.head) * head_size);
            for page in 0..stride / PAGE {
                let keys = self.page(page);
                let mut sums = [S::zero(); N];
                for at in 0..head_size {
                    let keys = T::load::<S>(keys.add(at * PAGE));
                    for (number, sum) in sums.iter_mut().enumerate() {
                        *sum = S::add_product(S::splat(*given.add(number * heads * head_size + at)), keys, *sum);
                    }
                }
                for (number, sum) in sums.into_iter().enumerate() {
                    let place = self.scores.as_ptr().cast_mut().add((query + number) * stride + page * PAGE);
                    S::store(S::product(sum, S::splat(scale)), place);
                }
            }
        }
        N
    }

    /// The means of values for `N` queries.
    #[inline(always)]
    unsafe fn gather<S: Simd, const N: usize>(
        &self,
        query: usize,
        stride: usize,
        seen: usize,
        sums: &[f32; TILE],
    ) -> usize {
        let Attention { heads, head_size, .. } = *self.attention;
        let mut column = 0;
        while column < head_size {
            // SAFETY: as for the caller.
            column += unsafe {
                let out = self.out.add(((self.first + query) * heads + self.head) * head_size + column);
                let weights = self.scores.as_ptr().add(query * stride);
                match head_size - column {
                    64.. => self.columns::<S, N, 4>(column, weights, stride, seen, &sums[query..], out),
                    _ => self.columns::<S, N, 1>(column, weights, stride, seen, &sums[query..], out),
                }
            };
        }
        N
    }

    /// `16 · V` columns of the means for `N` queries.
    #[inline(always)]
    unsafe fn columns<S: Simd, const N: usize, const V: usize>(
        &self,
        column: usize,
        weights: *const f32,
        stride: usize,
        seen: usize,
        sums: &[f32],
        out: *mut f32,
    ) -> usize {
        let Attention { heads, head_size, .. } = *self.attention;
        // SAFETY: as for the caller.
        unsafe {
            let mut means = [[S::zero(); V]; N];
            for page in 0..stride / PAGE {
                let values = self.page(page).add(PAGE * head_size + column);
                for slot in 0..PAGE.min(seen - page * PAGE) {
                    let mut parts = [S::zero(); V];
                    for (number, part) in parts.iter_mut().enumerate() {
                        *part = T::load::<S>(values.add(slot * head_size + number * ROWS));
                    }
                    for (number, means) in means.iter_mut().enumerate() {
                        let weight = S::splat(*weights.add(number * stride + page * PAGE + slot));
                        for (mean, part) in means.iter_mut().zip(parts) {
                            *mean = S::add_product(weight, part, *mean);
                        }
                    }
                }
            }
            for (number, means) in means.into_iter().enumerate() {
                let share = S::splat(1.0 / *sums.get_unchecked(number));
                for (part, mean) in means.into_iter().enumerate() {
                    S::store(S::product(mean, share), out.add(number * heads * head_size + part * ROWS));
                }
            }
        }
        ROWS * V
    }
}

/// Makes a query's scores its weights, not yet divided by their sum, which comes back. What `token` does not see weighs
/// nothing.
#[inline(always)]
unsafe fn weigh<S: Simd>(scores: &mut [f32], attention: &Attention<'_>, token: usize) -> f32 {
    let Attention { before, ancestors, .. } = *attention;
    let hide = |scores: &mut [f32], value: f32| {
        let hidden = scores[before..].iter_mut().enumerate().filter(|(other, _)| !ancestors.sees(token, *other));
        hidden.for_each(|(_, score)| *score = value);
    };
    hide(scores, f32::MIN);
    // SAFETY: as for the caller.
    unsafe {
        let mut largest = S::splat(f32::MIN);
        for at in (0..scores.len()).step_by(ROWS) {
            largest = S::larger(S::load(scores.as_ptr().add(at)), largest);
        }
        let mut lanes = [0.0; ROWS];
        S::store(largest, lanes.as_mut_ptr());
        let largest = S::splat(-lanes.into_iter().fold(f32::MIN, f32::max));
        for at in (0..scores.len()).step_by(ROWS) {
            let above = S::sum(S::load(scores.as_ptr().add(at)), largest);
            S::store(exp::<S>(above), scores.as_mut_ptr().add(at));
        }
    }
    hide(scores, 0.0);
    scores.iter().sum()
}
