//! What a pass costs by how many tokens it reads, and so how many drafted tokens are worth reading.

use std::time::Instant;

use crate::cache::{Cache, Precision};
use crate::kernel::{Ancestors, PAGE};
use crate::model::{Model, Span, Workspace};

/// Tokens of a pass for which the cost is measured.
const MEASURED: [usize; 8] = [1, 2, 4, 8, 16, 32, 48, 64];

/// Tokens before those of a measured pass, as many as a prompt has.
const BEFORE: usize = 512;

/// Passes of a size, of which the fastest counts: whatever else the machine does only makes them slower.
const TIMES: usize = 5;

/// The cost of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Tokens, rising, and what a pass of so many costs, never falling.
    points: Vec<(usize, f64)>,
}

impl Curve {
    /// Out of points: tokens, and what a pass of so many takes in any unit.
    pub fn new(points: impl IntoIterator<Item = (usize, f64)>) -> Self {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_by_key(|(tokens, _)| *tokens);
        let mut least = 0.0_f64;
        for (_, cost) in &mut points {
            least = least.max(*cost);
            *cost = least;
        }
        Self { points }
    }

    /// Measures a model on this machine.
    pub fn measure(model: &Model) -> Self {
        let pages: Vec<u32> = (0..((BEFORE + 64) / PAGE) as u32).collect();
        let mut cache = Cache::new(model.shape(), Precision::Half, pages.len());
        let mut room = Workspace::default();
        let mut milliseconds = |count: usize| {
            let tokens = vec![0; count];
            let mut pass = || {
                let start = Instant::now();
                let span =
                    Span { pages: &pages, before: BEFORE, tokens: &tokens, ancestors: Ancestors::All, wanted_from: 0 };
                model.forward(&mut cache, &[span], &mut room);
                start.elapsed().as_secs_f64() * 1e3
            };
            (0..TIMES).map(|_| pass()).fold(f64::INFINITY, f64::min)
        };
        Self::new(MEASURED.map(|count| (count, milliseconds(count))))
    }

    /// What a pass of so many tokens costs: between the points, and beyond them as between the last two.
    pub fn cost(&self, tokens: usize) -> f64 {
        let after = self.points.partition_point(|(known, _)| *known < tokens);
        let pair = after.clamp(1, self.points.len().saturating_sub(1).max(1));
        match self.points.get(pair - 1..=pair) {
            Some([(a, cost_a), (b, cost_b)]) => {
                let slope = (cost_b - cost_a) / (b - a).max(1) as f64;
                cost_a + slope * (tokens as f64 - *a as f64)
            }
            _ => self.points.first().map_or(1.0, |(_, cost)| *cost),
        }
    }

    /// How many drafted tokens to read beside `needed` ones, of which `said` bring a token each: as many as bring the
    /// most tokens for their cost. `probabilities` of the drafted tokens fall.
    pub fn worth_reading(&self, needed: usize, said: usize, probabilities: &[f64]) -> usize {
        let mut tokens = said as f64;
        let mut best = (0, tokens / self.cost(needed));
        for (number, probability) in probabilities.iter().enumerate() {
            tokens += probability;
            let rate = tokens / self.cost(needed + number + 1);
            if rate > best.1 {
                best = (number + 1, rate);
            }
        }
        best.0
    }

    /// The probability below which no drafted token is worth reading beside `needed` ones, of which `said` bring a token
    /// each, if at most so many are drafted: it would bring less for the least that a token costs than is had without.
    pub fn least_probability(&self, needed: usize, said: usize, most: usize) -> f64 {
        let is_reached = |pair: &&[(usize, f64)]| pair[1].0 > needed && pair[0].0 < needed + most;
        let slope = |pair: &[(usize, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0).max(1) as f64;
        let pairs = self.points.windows(2);
        let beyond = self.points.windows(2).last().filter(|pair| pair[1].0 < needed + most);
        let least = pairs.filter(is_reached).chain(beyond).map(slope).fold(f64::INFINITY, f64::min);
        if least.is_finite() { said as f64 * least / self.cost(needed) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_that_is_worth_reading_is_less_probable_than_it_says(
            mut points in prop::collection::vec((1_usize..80, 0.1_f64..9.0), 1..6), needed in 1_usize..90,
            said in 1_usize..4, mut probabilities in prop::collection::vec(0.0_f64..1.0, 0..64),
        ) {
            points[0].0 = 1;
            let curve = Curve::new(points);
            probabilities.sort_by(|a, b| b.total_cmp(a));
            let worth = curve.worth_reading(needed, said, &probabilities);
            let least = curve.least_probability(needed, said, probabilities.len());
            prop_assert!(probabilities[..worth].iter().all(|probability| *probability >= least * (1.0 - 1e-9)));
        }
    }

    #[test]
    fn what_costs_half_a_step_must_be_right_half_the_time() {
        let curve = Curve::new([(1, 1.0), (3, 2.0), (9, 11.0)]);
        assert_eq!(curve.least_probability(1, 1, 8), 0.5);
        assert_eq!(curve.least_probability(3, 2, 8), 1.5);
        assert_eq!(Curve::new([(1, 1.0)]).least_probability(1, 1, 8), 0.0);
    }

    #[test]
    fn the_cost_is_on_the_line_through_the_points_and_never_falls() {
        let curve = Curve::new([(8, 5.0), (1, 2.0), (4, 5.5)]);
        let costs = [1, 2, 4, 6, 8, 16].map(|tokens| curve.cost(tokens));
        for (found, wanted) in costs.into_iter().zip([2.0, 2.0 + 3.5 / 3.0, 5.5, 5.5, 5.5, 5.5]) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        assert_eq!(Curve::new([(1, 3.0)]).cost(40), 3.0);
    }

    #[test]
    fn drafts_are_read_where_they_pay() {
        // Half a step more for every token more.
        let steep = Curve::new([(1, 1.0), (3, 2.0)]);
        assert_eq!(steep.worth_reading(1, 1, &[0.9, 0.8, 0.3]), 2);
        assert_eq!(steep.worth_reading(1, 1, &[0.4, 0.3]), 0);
        // More tokens for nothing are always worth it.
        let flat = Curve::new([(1, 1.0), (64, 1.0)]);
        assert_eq!(flat.worth_reading(1, 1, &[0.9, 0.5, 0.01]), 3);
        // Beside others that are read anyway, a token costs relatively less.
        assert_eq!(steep.worth_reading(8, 1, &[0.4, 0.3]), 2);
    }
}
