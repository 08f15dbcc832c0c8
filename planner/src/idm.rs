//! The Intelligent Driver Model: how hard to accelerate or brake behind a leader.

/// Parameters of the model. Treiber, Hennecke & Helbing, "Congested traffic states in empirical observations and
/// microscopic simulations", Phys. Rev. E 62, 2000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Idm {
    /// Bumper-to-bumper gap kept at standstill, m.
    pub min_gap_m: f64,
    /// Time gap kept at speed, s.
    pub headway_s: f64,
    /// Strongest acceleration, m/s².
    pub acceleration_mps2: f64,
    /// Comfortable deceleration, m/s², positive.
    pub deceleration_mps2: f64,
    /// How sharply acceleration ends near the target speed.
    pub exponent: i32,
}

/// What is followed: gap between bumpers and speed along the own path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leader {
    /// From the own front bumper to the leader's rear, m.
    pub gap_m: f64,
    /// Its speed along the own path, m/s.
    pub speed_mps: f64,
}

impl Idm {
    /// The parameters of PDM-Closed (tuplan_garage `pdm_closed_planner.yaml` and `batch_idm_policy.py`).
    pub const PDM: Self =
        Self { min_gap_m: 1.0, headway_s: 1.5, acceleration_mps2: 1.5, deceleration_mps2: 3.0, exponent: 10 };

    /// The gap that the model wants at `speed_mps`: s* = s₀ + v T + v Δv / (2 √(a b)), m.
    pub fn desired_gap_m(&self, speed_mps: f64, leader_speed_mps: f64) -> f64 {
        let approach = speed_mps * (speed_mps - leader_speed_mps)
            / (2.0 * (self.acceleration_mps2 * self.deceleration_mps2).sqrt());
        self.min_gap_m + speed_mps * self.headway_s + approach
    }

    /// The original model as PDM-Closed uses it: a (1 − (v / v₀)^δ − (s* / s)²), the gap held at or above s₀ and the
    /// result within [−b, a], m/s². `leader_gap_m` may be infinite.
    pub fn acceleration(&self, speed_mps: f64, target_mps: f64, leader: Leader) -> f64 {
        let gap_m = leader.gap_m.max(self.min_gap_m);
        let interaction = self.desired_gap_m(speed_mps, leader.speed_mps) / gap_m;
        let free = 1.0 - (speed_mps / target_mps.max(1e-3)).powi(self.exponent);
        (self.acceleration_mps2 * (free - interaction * interaction))
            .clamp(-self.deceleration_mps2, self.acceleration_mps2)
    }

    /// The acceleration on a free road, m/s²: the original model up to the target speed; above it the speed falls
    /// towards the target with a time constant of 1 s, no harder than comfortable.
    pub fn free_acceleration(&self, speed_mps: f64, target_mps: f64) -> f64 {
        let target_mps = target_mps.max(0.1);
        if speed_mps <= target_mps {
            self.acceleration_mps2 * (1.0 - (speed_mps / target_mps).powi(self.exponent))
        } else {
            (target_mps - speed_mps).max(-self.deceleration_mps2)
        }
    }

    /// The acceleration that `leader` allows, a (1 − (s* / s)²), m/s²; not bounded below when a collision is near.
    ///
    /// Taking the smaller of this and [`Self::free_acceleration`], instead of adding both up as the original does, lets
    /// the follower rest at the desired gap itself (as the improved model of Treiber & Kesting, "Traffic Flow
    /// Dynamics", 2013, section 11.3.7, does).
    pub fn following_acceleration(&self, speed_mps: f64, leader: Leader) -> f64 {
        let desired_m = self.desired_gap_m(speed_mps, leader.speed_mps).max(self.min_gap_m);
        let share = desired_m / leader.gap_m.max(0.1);
        self.acceleration_mps2 * (1.0 - share * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Leader = Leader { gap_m: f64::INFINITY, speed_mps: 0.0 };

    #[test]
    fn on_a_free_road_the_target_speed_is_the_fixed_point() {
        let idm = Idm::PDM;
        assert_eq!(idm.acceleration(0.0, 10.0, FAR), 1.5);
        assert!(idm.acceleration(10.0, 10.0, FAR).abs() < 1e-12);
        assert_eq!(idm.acceleration(20.0, 10.0, FAR), -3.0);
        assert!(idm.free_acceleration(10.0, 10.0).abs() < 1e-12);
        assert_eq!((idm.free_acceleration(20.0, 10.0), idm.free_acceleration(10.5, 10.0)), (-3.0, -0.5));
    }

    #[test]
    fn the_equilibrium_gap_is_the_closed_form() {
        // v̇ = 0 at Δv = 0: s = (s₀ + v T) / √(1 − (v / v₀)^δ).
        let idm = Idm::PDM;
        let gap_m = (1.0 + 8.0 * 1.5) / (1.0 - 0.8f64.powi(10)).sqrt();
        assert!(idm.acceleration(8.0, 10.0, Leader { gap_m, speed_mps: 8.0 }).abs() < 1e-12);
        // With the smaller of both terms it rests at the desired gap itself.
        let gap_m = 1.0 + 8.0 * 1.5;
        assert!(idm.following_acceleration(8.0, Leader { gap_m, speed_mps: 8.0 }).abs() < 1e-9);
    }

    #[test]
    fn a_follower_stops_behind_a_standing_car_without_touching_it() {
        for added in [true, false] {
            let idm = Idm::PDM;
            let (mut gap_m, mut speed_mps) = (60.0, 13.0_f64);
            for _ in 0..600 {
                let leader = Leader { gap_m, speed_mps: 0.0 };
                let acceleration = if added {
                    idm.acceleration(speed_mps, 13.0, leader)
                } else {
                    idm.free_acceleration(speed_mps, 13.0).min(idm.following_acceleration(speed_mps, leader))
                };
                assert!(acceleration > -4.0, "brakes by {acceleration}");
                speed_mps = (speed_mps + 0.1 * acceleration).max(0.0);
                gap_m -= 0.1 * speed_mps;
                assert!(gap_m > 0.5);
            }
            assert!(speed_mps < 0.05 && gap_m < 2.5, "{speed_mps} m/s at {gap_m} m");
        }
    }
}
