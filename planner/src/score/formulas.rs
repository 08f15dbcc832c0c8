//! Formulas of others that reports and planners use beside the driving score.

/// How two vehicles are assumed to react in [`rss_distance_m`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RssResponse {
    /// Time until the follower reacts, s.
    pub reaction_s: f64,
    /// The follower's largest acceleration until then, m/s².
    pub max_acceleration_mps2: f64,
    /// The least it brakes with after that, m/s².
    pub min_braking_mps2: f64,
    /// The most that the leader brakes with, m/s².
    pub max_braking_mps2: f64,
}

impl Default for RssResponse {
    fn default() -> Self {
        Self { reaction_s: 1.0, max_acceleration_mps2: 3.5, min_braking_mps2: 4.0, max_braking_mps2: 8.0 }
    }
}

/// The gap that a follower needs behind a leader so as never to hit it, m.
///
/// Shalev-Shwartz, Shammah and Shashua, "On a Formal Model of Safe and Scalable Self-driving Cars", 2017, definition 1.
pub fn rss_distance_m(follower_mps: f64, leader_mps: f64, response: &RssResponse) -> f64 {
    let RssResponse { reaction_s, max_acceleration_mps2, min_braking_mps2, max_braking_mps2 } = *response;
    let reached_mps = follower_mps + reaction_s * max_acceleration_mps2;
    let until_braking_m = (follower_mps + reached_mps) / 2.0 * reaction_s;
    let braking_m = reached_mps * reached_mps / (2.0 * min_braking_mps2);
    let leader_m = leader_mps * leader_mps / (2.0 * max_braking_mps2);
    (until_braking_m + braking_m - leader_m).max(0.0)
}

/// NeuroNCAP's score of a scenario: 5 without a collision, else 4 · max(0, 1 − impact speed / reference speed).
///
/// Ljungbergh et al., "NeuroNCAP: Photorealistic Closed-loop Safety Testing for Autonomous Driving", 2024. The
/// reference speed is that of the impact had nothing been done.
pub fn neuro_ncap(impact_mps: Option<f64>, reference_mps: f64) -> f64 {
    impact_mps.map_or(5.0, |impact| 4.0 * (1.0 - impact / reference_mps).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_safe_gap_is_what_two_braking_vehicles_need() {
        let response = RssResponse::default();
        // 10 m/s behind a wall: 11.75 m while accelerating to 13.5 m/s, then 13.5² / 8 m of braking.
        assert!((rss_distance_m(10.0, 0.0, &response) - (11.75 + 13.5 * 13.5 / 8.0)).abs() < 1e-12);
        assert_eq!(rss_distance_m(1.0, 30.0, &response), 0.0);
    }

    #[test]
    fn neuro_ncap_runs_from_five_to_zero() {
        assert_eq!(neuro_ncap(None, 10.0), 5.0);
        assert_eq!(neuro_ncap(Some(5.0), 10.0), 2.0);
        assert_eq!(neuro_ncap(Some(12.0), 10.0), 0.0);
    }
}
