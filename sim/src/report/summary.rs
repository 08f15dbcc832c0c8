//! The rows of the summary: a suite's own, each with the interval of its mean score.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::suite::Summary;
use crate::trace::{RunResult, Trace};

/// Resamples of the bootstrap.
const RESAMPLES: usize = 4000;

/// The probability left out on each side of the interval.
const TAIL: f64 = 0.025;

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// At-fault collisions.
    at_fault: u32,
    /// The 95 % interval of the mean score, by bootstrap over the logs; `None` for fewer than two.
    score_interval: Option<[f64; 2]>,
}

/// The rows, in the order of the suite's.
pub fn rows<'a>(summaries: &'a [Summary], traces: &[Trace]) -> Vec<Row<'a>> {
    let row = |summary: &'a Summary| {
        let is_in = |trace: &&Trace| {
            let RunResult { planner, traffic, perception, .. } = &trace.result;
            let key = (planner, traffic, perception, &trace.injection);
            key == (&summary.planner, &summary.traffic, &summary.perception, &summary.injection)
        };
        let scores: Vec<f64> = traces.iter().filter(is_in).map(|trace| trace.result.score).collect();
        let at_fault = traces.iter().filter(is_in).map(|trace| trace.result.at_fault_collisions).sum();
        Row { summary, at_fault, score_interval: bootstrap(&scores) }
    };
    summaries.iter().map(row).collect()
}

/// Percentile bootstrap of the mean (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, §13.3), seeded.
fn bootstrap(values: &[f64]) -> Option<[f64; 2]> {
    if values.len() < 2 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let total: f64 = (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum();
            total / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    Some([at(TAIL), at(1.0 - TAIL)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_interval_comes_close_to_the_normal_one() {
        // 400 scores, half 0 and half 1: the standard error of the mean is 0.5 / 20.
        let scores: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let [low, high] = bootstrap(&scores).unwrap();
        assert!((low - (0.5 - 1.96 * 0.025)).abs() < 0.006 && (high - (0.5 + 1.96 * 0.025)).abs() < 0.006);
    }

    #[test]
    fn one_score_has_no_interval() {
        assert_eq!(bootstrap(&[0.7]), None);
    }
}
