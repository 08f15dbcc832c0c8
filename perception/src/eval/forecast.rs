//! Forecasts: how far the best of the k likeliest futures is from the one that came.
//!
//! minADE, minFDE and the miss rate by final distance as in Argoverse 2 (av2-api
//! `evaluation/forecasting/metrics.py`); the miss rate by largest distance as in nuScenes (nuscenes-devkit
//! `eval/prediction/metrics.py`, `MissRateTopK`).

use serde::Serialize;

/// A future that was forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Future {
    /// How likely it is said to be; need not sum to one.
    pub probability: f64,
    /// Positions at the same times as the truth, m.
    pub positions: Vec<[f64; 2]>,
}

/// Means over many forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ForecastMetrics {
    /// How many of the likeliest futures were taken.
    pub k: usize,
    /// Forecasts that were counted.
    pub count: usize,
    /// The least mean distance over time, m.
    pub min_ade_m: f64,
    /// The least distance at the end, m.
    pub min_fde_m: f64,
    /// The share of forecasts whose every future ends farther away than the limit.
    pub miss_rate: f64,
    /// The share of forecasts whose every future is at some time farther away than the limit.
    pub miss_rate_any_time: f64,
}

/// Within this distance a future hits, m.
const HIT_DISTANCE_M: f64 = 2.0;

/// Evaluates pairs of forecast futures and the positions that came; `None` if there are none.
///
/// A pair without a future or without a position is not counted. Of a future and a truth of different lengths, the
/// times that both have are taken.
pub fn evaluate<'a>(
    pairs: impl IntoIterator<Item = (&'a [Future], &'a [[f64; 2]])>,
    k: usize,
) -> Option<ForecastMetrics> {
    let mut sums = [0.0; 4];
    let mut count = 0;
    for (futures, truth) in pairs {
        let mut futures: Vec<&Future> = futures.iter().collect();
        futures.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let best = futures
            .into_iter()
            .take(k)
            .filter_map(|future| distances(future, truth))
            .reduce(|best: [f64; 3], next| std::array::from_fn(|index| best[index].min(next[index])));
        if let Some([ade_m, fde_m, largest_m]) = best {
            let misses = [fde_m, largest_m].map(|distance_m| f64::from(u8::from(distance_m > HIT_DISTANCE_M)));
            for (sum, value) in sums.iter_mut().zip([ade_m, fde_m, misses[0], misses[1]]) {
                *sum += value;
            }
            count += 1;
        }
    }
    let [min_ade_m, min_fde_m, miss_rate, miss_rate_any_time] = sums.map(|sum| sum / count as f64);
    (count > 0).then_some(ForecastMetrics { k, count, min_ade_m, min_fde_m, miss_rate, miss_rate_any_time })
}

/// The mean, final and largest distance between a future and the truth, m.
fn distances(future: &Future, truth: &[[f64; 2]]) -> Option<[f64; 3]> {
    let apart: Vec<f64> = future.positions.iter().zip(truth).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect();
    let last = *apart.last()?;
    let largest = apart.iter().copied().fold(0.0, f64::max);
    Some([apart.iter().sum::<f64>() / apart.len() as f64, last, largest])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future(probability: f64, offset_m: f64) -> Future {
        Future { probability, positions: (1..=4).map(|t| [f64::from(t), f64::from(t) * offset_m]).collect() }
    }

    #[test]
    fn the_best_of_the_likeliest_counts() {
        let truth: Vec<[f64; 2]> = (1..=4).map(|t| [f64::from(t), 0.0]).collect();
        let futures = [future(0.2, 0.0), future(0.5, 1.0), future(0.3, 0.5)];
        let at = |k| evaluate([(&futures[..], &truth[..])], k).unwrap();
        // Offsets grow as 1, 2, 3, 4 times that of the future.
        assert_eq!((at(1).min_ade_m, at(1).min_fde_m, at(1).miss_rate), (2.5, 4.0, 1.0));
        assert_eq!((at(2).min_ade_m, at(2).min_fde_m, at(2).miss_rate), (1.25, 2.0, 0.0));
        assert_eq!(at(3).min_ade_m, 0.0);
    }

    #[test]
    fn a_detour_misses_at_any_time_only() {
        let truth = [[0.0, 0.0]; 3];
        let detour = [Future { probability: 1.0, positions: vec![[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]] }];
        let metrics = evaluate([(&detour[..], &truth[..])], 1).unwrap();
        assert_eq!((metrics.miss_rate, metrics.miss_rate_any_time), (0.0, 1.0));
    }

    #[test]
    fn nothing_forecast_is_nothing_measured() {
        assert_eq!(evaluate([(&[][..], &[[0.0, 0.0]][..])], 1), None);
    }
}
