//! Rows of whole numbers whose results are as near as can be to those of the weights, measured on inputs.
//!
//! GPTQ (Frantar et al. 2023, arXiv 2210.17323): columns are rounded one after the other, and each takes up what the
//! rounding of those before it did to the results. It is done here in the form of Babai's nearest plane (Chen et al. 2025,
//! arXiv 2507.18553, theorem 4), which needs no inverse: with the triangle G for which GᵀG is the inputs' Gram matrix, a
//! row's error is ‖G · (weights − scale · numbers)‖², one term for every column, which only the columns behind it enter.

use std::ops::RangeInclusive;

use half::f16;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::kernel::{InstructionSet, ROWS, weighted_sum};

/// Rows that are worked on at once, side by side.
const LANES: usize = ROWS;

/// How errors of weights become errors of results.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    /// Which column of the weights comes at which place: those whose inputs are largest come last, and are rounded first.
    order: Vec<usize>,
    /// The triangle's rows over their diagonal, what is behind it, one row after the other; none if all are zero.
    slopes: Vec<f32>,
    /// Squares of the diagonal.
    squares: Vec<f32>,
    /// The mean squares of columns' inputs, in the columns' order.
    sizes: Vec<f32>,
}

/// What numbers there are, and which of them share a scale.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub range: RangeInclusive<i8>,
    /// Neighbouring columns with the same scale; the last may be fewer.
    pub group: usize,
    /// Whether scales have 16 bits.
    pub half: bool,
}

/// A row as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// One a group.
    pub scales: Vec<f32>,
    pub numbers: Vec<i8>,
    /// The mean square of the results' errors.
    pub error: f64,
}

/// A way to round rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    /// The scales, as parts of those that cut off nothing.
    pub clip: f32,
    /// Whether they are parts of those instead that are best for every group by itself.
    pub search: bool,
    /// Whether columns take up what others left.
    pub feedback: bool,
}

/// Scales that are tried for a group, as parts of the one that cuts off nothing. Those of the other sign turn its numbers
/// around: of four bits, there is one more below zero than above.
const CLIPS: [f32; 16] =
    [1.0, -1.0, 0.93, -0.93, 0.86, -0.86, 0.79, -0.79, 0.72, -0.72, 0.65, -0.65, 0.58, -0.58, 0.51, -0.51];

impl Metric {
    /// All inputs are alike and independent: the error is that of the weights.
    pub fn plain(columns: usize) -> Self {
        Self {
            order: (0..columns).collect(),
            slopes: Vec::new(),
            squares: vec![1.0; columns],
            sizes: vec![1.0; columns],
        }
    }

    /// By the Gram matrix of inputs, `[columns, columns]`, of which `damping` times the mean of the diagonal is added to
    /// it. `None` if it still is not positive definite.
    pub fn of(gram: &[f64], columns: usize, damping: f64) -> Option<Self> {
        let diagonal = |column: usize| gram[column * columns + column];
        let mut order: Vec<usize> = (0..columns).collect();
        order.sort_by(|a, b| diagonal(*a).total_cmp(&diagonal(*b)));
        let added = damping * (0..columns).map(diagonal).sum::<f64>() / columns as f64;
        let damped = DMatrix::from_fn(columns, columns, |row, column| {
            gram[order[row] * columns + order[column]] + if row == column { added } else { 0.0 }
        });
        // Of the lower triangle, column by column, which are G's rows.
        let lower = damped.cholesky()?.unpack();
        let mut slopes = Vec::with_capacity(columns * columns.saturating_sub(1) / 2);
        for place in 0..columns {
            let row = lower.column(place);
            slopes.extend(row.iter().skip(place + 1).map(|value| (value / row[place]) as f32));
        }
        let squares = (0..columns).map(|place| lower[(place, place)].powi(2) as f32).collect();
        let sizes = (0..columns).map(|column| (diagonal(column) + added) as f32).collect();
        Some(Self { order, slopes, squares, sizes })
    }

    /// Rounds rows of weights, `[rows, columns]`, each in the best of some ways.
    pub fn round(&self, weights: &[f32], grid: &Grid, tries: &[Try]) -> Vec<Row> {
        weights.par_chunks(LANES * self.order.len()).flat_map_iter(|rows| self.round_lanes(rows, grid, tries)).collect()
    }

    fn round_lanes(&self, weights: &[f32], grid: &Grid, tries: &[Try]) -> Vec<Row> {
        let columns = self.order.len();
        let rows: Vec<&[f32]> = weights.chunks_exact(columns).collect();
        let lanes = |column: usize| std::array::from_fn(|row| rows.get(row).map_or(0.0, |row| row[column]));
        let values: Vec<[f32; LANES]> = (0..columns).map(lanes).collect();
        let widest = values.chunks(grid.group).map(|values| grid.widest(values)).collect::<Vec<_>>();
        let groups = values.chunks(grid.group).zip(self.sizes.chunks(grid.group)).zip(&widest);
        let searched = groups.map(|((values, sizes), widest)| grid.search(values, sizes, widest)).collect::<Vec<_>>();
        let none = Row { scales: Vec::new(), numbers: vec![0; columns], error: f64::INFINITY };
        let mut best = vec![none; rows.len()];
        let mut room = Room { numbers: vec![[0.0; LANES]; columns], errors: vec![[0.0; LANES]; columns] };
        for Try { clip, search, feedback } in tries {
            let scales = if *search { &searched } else { &widest };
            let scales: Vec<_> = scales.iter().map(|lanes| lanes.map(|scale| grid.scale(clip * scale))).collect();
            let sums = self.try_scales(&values, &scales, grid, *feedback, &mut room);
            for (row, best) in best.iter_mut().enumerate().filter(|(row, best)| f64::from(sums[*row]) < best.error) {
                best.error = sums[row].into();
                best.scales = scales.iter().map(|lanes| lanes[row]).collect();
                for (numbers, column) in room.numbers.iter().zip(&self.order) {
                    best.numbers[*column] = numbers[row] as i8;
                }
            }
        }
        best
    }

    /// Rounds lanes of weights with scales, and says how large the results' errors are.
    fn try_scales(
        &self,
        values: &[[f32; LANES]],
        scales: &[[f32; LANES]],
        grid: &Grid,
        feedback: bool,
        room: &mut Room,
    ) -> [f32; LANES] {
        let set = InstructionSet::best();
        let (mut sums, mut slopes) = ([0.0; LANES], self.slopes.as_slice());
        for place in (0..values.len()).rev() {
            let (values, scales) = (&values[self.order[place]], &scales[self.order[place] / grid.group]);
            let (rest, row) = slopes.split_at(slopes.len().saturating_sub(self.order.len() - place - 1));
            slopes = rest;
            let left = weighted_sum(set, row, &room.errors[place + 1..]);
            for lane in 0..LANES {
                let wanted = values[lane] + left[lane];
                let aim = if feedback { wanted } else { values[lane] };
                let number = grid.nearest(aim, scales[lane]);
                room.numbers[place][lane] = number;
                room.errors[place][lane] = values[lane] - scales[lane] * number;
                sums[lane] += self.squares[place] * (wanted - scales[lane] * number).powi(2);
            }
        }
        sums
    }
}

/// What a try fills, place by place.
struct Room {
    numbers: Vec<[f32; LANES]>,
    /// What weights are off by.
    errors: Vec<[f32; LANES]>,
}

impl Grid {
    /// A scale as it is kept.
    fn scale(&self, scale: f32) -> f32 {
        if self.half { f16::from_f32(scale).to_f32() } else { scale }
    }

    fn nearest(&self, value: f32, scale: f32) -> f32 {
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        (value * inverse).round_ties_even().clamp((*self.range.start()).into(), (*self.range.end()).into())
    }

    /// The scale that makes the weight of the largest magnitude the lowest number, whatever its sign, so that all
    /// numbers are of use.
    fn widest(&self, values: &[[f32; LANES]]) -> [f32; LANES] {
        let larger = |a: f32, b: f32| if a.abs() < b.abs() { b } else { a };
        let largest = |lane: usize| values.iter().fold(0.0, |largest, value| larger(largest, value[lane]));
        std::array::from_fn(|lane| largest(lane) / f32::from(*self.range.start()))
    }

    /// The scale by which a group's weights are off least, those with the larger inputs counting more.
    fn search(&self, values: &[[f32; LANES]], sizes: &[f32], widest: &[f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| {
            let error = |clip: f32| {
                let scale = self.scale(clip * widest[lane]);
                let errors = values
                    .iter()
                    .zip(sizes)
                    .map(|(value, size)| size * (value[lane] - scale * self.nearest(value[lane], scale)).powi(2));
                errors.sum::<f32>()
            };
            let tried = CLIPS.map(|clip| (error(clip), clip));
            let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            widest[lane] * best.map_or(1.0, |(_, clip)| clip)
        })
    }
}
