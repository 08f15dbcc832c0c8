//! How far a rate of rare events can be trusted.

/// The exact 95 % interval of the mean of a Poisson count (Garwood 1936): those means under which a count as low, or as
/// high, as the one seen has a probability of at least 2.5 %.
pub(super) fn poisson_interval(count: u32) -> [f64; 2] {
    const TAIL: f64 = 0.025;
    let low = if count == 0 { 0.0 } else { solve(|mean| 1.0 - at_most(count - 1, mean) - TAIL, count) };
    [low, solve(|mean| TAIL - at_most(count, mean), count)]
}

/// The root of a function that rises with the mean.
fn solve(rising: impl Fn(f64) -> f64, count: u32) -> f64 {
    let spread = f64::from(count) + 1.0;
    let (mut low, mut high) = (0.0, spread + 10.0 * spread.sqrt());
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The probability of at most `count` events where `mean` are expected.
fn at_most(count: u32, mean: f64) -> f64 {
    let (mut log_term, mut sum) = (-mean, (-mean).exp());
    for k in 1..=count {
        log_term += (mean / f64::from(k)).ln();
        sum += log_term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_published_one() {
        // Garwood's limits as tabulated by Ulm (1990), Am. J. Epidemiol. 131, 373–375.
        for (count, low, high) in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)] {
            let [found_low, found_high] = poisson_interval(count);
            assert!((found_low - low).abs() < 1e-3 && (found_high - high).abs() < 1e-3, "{found_low} {found_high}");
        }
    }

    #[test]
    fn many_events_still_have_an_interval_around_them() {
        let [low, high] = poisson_interval(2000);
        assert!((1900.0..2000.0).contains(&low) && (2000.0..2100.0).contains(&high), "{low} {high}");
    }
}
