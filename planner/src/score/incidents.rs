//! Incidents per kilometre with the interval that so few of them allow.

use serde::{Deserialize, Serialize};

/// A rate of incidents and its 95 % confidence interval, per km.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IncidentRate {
    /// Incidents over distance.
    pub per_km: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval; infinite without distance.
    pub high: f64,
}

/// The rate of `incidents` over `distance_km`, with the exact Poisson interval (Garwood, "Fiducial Limits for the
/// Poisson Distribution", 1936).
pub fn incidents_per_km(incidents: u32, distance_km: f64) -> IncidentRate {
    if distance_km <= 0.0 || distance_km.is_nan() {
        return IncidentRate { per_km: 0.0, low: 0.0, high: f64::INFINITY };
    }
    let (low, high) = poisson_interval(incidents);
    IncidentRate { per_km: f64::from(incidents) / distance_km, low: low / distance_km, high: high / distance_km }
}

/// The means at which seeing `count` or more, and `count` or fewer, have probability 2.5 %.
fn poisson_interval(count: u32) -> (f64, f64) {
    const TAIL: f64 = 0.025;
    let bracket = f64::from(count) + 10.0 * f64::from(count).sqrt() + 10.0;
    let low = match count.checked_sub(1) {
        Some(below) => bisect(0.0, bracket, |mean| poisson_at_most(below, mean) > 1.0 - TAIL),
        None => 0.0,
    };
    (low, bisect(0.0, bracket, |mean| poisson_at_most(count, mean) > TAIL))
}

/// The probability of `count` or fewer under a Poisson distribution, summed from the largest term's own scale.
fn poisson_at_most(count: u32, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    let mut log_term = -mean;
    let mut sum = log_term.exp();
    for k in 1..=count {
        log_term += (mean / f64::from(k)).ln();
        sum += log_term.exp();
    }
    sum
}

/// Where `holds`, true at `low`, turns false.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `chi2.ppf(0.025, 2*k)/2` and `chi2.ppf(0.975, 2*k+2)/2`.
    #[test]
    fn the_interval_is_that_of_the_chi_square_quantiles() {
        let table = [
            (0, 0.0, 3.688879454),
            (1, 0.02531780798, 5.571643391),
            (2, 0.2422092785, 7.224687668),
            (3, 0.6186721229, 8.76727307),
            (5, 1.62348639, 11.66833208),
            (10, 4.795388696, 18.39035604),
            (30, 20.24087402, 42.82686539),
            (100, 81.36399125, 121.6267938),
        ];
        for (count, low, high) in table {
            let found = poisson_interval(count);
            assert!((found.0 - low).abs() < 1e-7 && (found.1 - high).abs() < 1e-6, "{count}: {found:?}");
        }
    }

    #[test]
    fn a_rate_scales_with_distance_and_needs_one() {
        let rate = incidents_per_km(2, 4.0);
        assert_eq!(rate.per_km, 0.5);
        assert!(rate.low < 0.5 && rate.high > 0.5);
        assert_eq!(incidents_per_km(0, 0.0).high, f64::INFINITY);
    }
}
