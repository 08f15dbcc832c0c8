//! Whether an object stands: what was seen of it is weighed under two hypotheses, that it moves and that it does not.
//!
//! A filter that lets everything move gives what stands the speed of its detector's noise, and most things stand. The two
//! hypotheses are those of an interacting multiple model filter (Blom and Bar-Shalom 1988) whose states are not mixed:
//! where something stood says nothing of how fast it sets off.

use nalgebra::{Matrix2, Vector2};

use super::filter::Planar;

/// How a standing thing's place seems to wander with its detector's slow errors, m²/s.
const WANDER_DENSITY: f64 = 0.03;

/// How many standing things set off, and moving ones stop, in a second.
const STARTS: f64 = 0.05;
const STOPS: f64 = 0.1;

/// Errors of successive frames are much the same: a sighting is worth so much of an independent one.
const EVIDENCE: f64 = 0.5;

/// What a detector says of the speed of what stands: mostly within this, m/s, …
const STILL_MPS: f64 = 0.3;
/// … else something, with this deviation.
const WRONG_MPS: f64 = 2.5;
/// The share of things that stand whose speed is told wrong, and of things that move that are said to stand.
const WRONG_SHARE: f64 = 0.1;
const STILL_SHARE: f64 = 0.2;

/// Never quite sure.
const LEAST: f64 = 1e-3;

/// The hypothesis that an object stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// Where it stands if it does, m.
    place: Vector2<f64>,
    covariance: Matrix2<f64>,
    /// How likely it is that it stands.
    probability: f64,
}

impl Rest {
    pub fn new(position: [f64; 2], noise: Matrix2<f64>, probability: f64) -> Self {
        Self { place: Vector2::from(position), covariance: noise, probability }
    }

    /// Whether it rather stands than moves.
    pub fn is_likely(&self) -> bool {
        self.probability > 0.5
    }

    /// Its place if it stands, with a velocity of nothing.
    pub fn planar(&self) -> Planar {
        Planar::new(self.place.into(), self.covariance, [0.0; 2], 0.0)
    }

    pub fn predict(&mut self, elapsed_s: f64) {
        self.covariance += Matrix2::identity() * (elapsed_s * WANDER_DENSITY);
        let settled = STOPS / (STARTS + STOPS);
        self.probability = settled + (self.probability - settled) * (-(STARTS + STOPS) * elapsed_s).exp();
    }

    /// Takes in a sighting; `moving` is the other hypothesis, predicted to the same time.
    pub fn see(&mut self, position: [f64; 2], noise: Matrix2<f64>, velocity_mps: Option<[f64; 2]>, moving: &Planar) {
        let position = Vector2::from(position);
        let off = position - self.place;
        let covariance = self.covariance + noise;
        let mut stands = density(off, covariance);
        let mut moves = density(position - moving.state.fixed_rows::<2>(0), moving.seen_covariance(noise));
        if let Some(velocity_mps) = velocity_mps {
            let velocity = Vector2::from(velocity_mps);
            let round = |std_mps: f64| Matrix2::identity() * std_mps.powi(2);
            let still = density(velocity, round(STILL_MPS));
            stands *= (1.0 - WRONG_SHARE) * still + WRONG_SHARE * density(velocity, round(WRONG_MPS));
            let moving_mps = moving.state.fixed_rows::<2>(2);
            moves *= STILL_SHARE * still + (1.0 - STILL_SHARE) * density(velocity - moving_mps, round(WRONG_MPS));
        }
        let ratio = stands.max(f64::MIN_POSITIVE) / moves.max(f64::MIN_POSITIVE);
        let odds = self.probability / (1.0 - self.probability) * ratio.powf(EVIDENCE);
        self.probability = (odds / (1.0 + odds)).clamp(LEAST, 1.0 - LEAST);
        let gain = self.covariance * covariance.try_inverse().unwrap_or_default();
        self.place += gain * off;
        self.covariance -= gain * self.covariance;
    }
}

/// The density of a Gaussian, but for the factor that all have.
fn density(off: Vector2<f64>, covariance: Matrix2<f64>) -> f64 {
    let inverse = covariance.try_inverse().unwrap_or_default();
    (-0.5 * (off.transpose() * inverse * off)[0]).exp() / covariance.determinant().sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// What is believed after a second at five frames a second, seen with errors of 0.3 m on the mean square.
    fn after_a_second(speed_mps: f64, said: impl Fn(f64) -> Option<[f64; 2]>, seed: u64) -> (Rest, Planar) {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let noise = Matrix2::identity() * 0.09;
        let mut moving = Planar::new([0.0; 2], noise, [0.0; 2], 6.0);
        let mut rest = Rest::new([0.0; 2], noise, 0.5);
        for step in 1..=5 {
            rest.predict(0.2);
            moving.predict(0.2, 0.0, 2.0);
            // Uniform, of the same spread.
            let mut around = || random.random_range(-0.52..0.52);
            let place = [speed_mps * 0.2 * f64::from(step) + around(), around()];
            rest.see(place, noise, said(speed_mps), &moving);
            moving.see_position(place, noise);
        }
        (rest, moving)
    }

    #[test]
    fn what_stands_and_what_moves_are_told_apart_by_their_places() {
        for seed in 0..20 {
            let (stands, _) = after_a_second(0.0, |_| None, seed);
            assert!(stands.is_likely() && stands.place.norm() < 0.6, "{stands:?}");
            let (moves, planar) = after_a_second(4.0, |_| None, seed);
            assert!(!moves.is_likely() && planar.state[2] > 2.0, "{moves:?}");
        }
    }

    #[test]
    fn a_told_speed_decides_where_places_do_not_and_a_wrong_one_does_not_where_they_do() {
        let (told, _) = after_a_second(1.5, |speed_mps| Some([speed_mps, 0.0]), 3);
        let (untold, _) = after_a_second(1.5, |_| None, 3);
        assert!(told.probability < untold.probability && !told.is_likely(), "{told:?} {untold:?}");
        let (wrong, _) = after_a_second(8.0, |_| Some([0.0; 2]), 3);
        assert!(!wrong.is_likely(), "{wrong:?}");
    }

    #[test]
    fn one_sighting_is_weighed_as_by_hand() {
        let noise = Matrix2::identity() * 0.25;
        let moving = Planar::new([1.0, 0.0], noise, [0.0; 2], 1.0);
        let mut rest = Rest::new([0.0; 2], noise, 0.5);
        rest.see([0.5, 0.0], noise, None, &moving);
        // Both places are half a metre off and equally sure.
        assert!((rest.probability - 0.5).abs() < 1e-12 && (rest.place.x - 0.25).abs() < 1e-12);
        let mut rest = Rest::new([0.0; 2], noise, 0.8);
        rest.see([0.0; 2], noise, None, &moving);
        let odds = 4.0 * (0.5_f64 * 1.0 / 0.5).exp().powf(EVIDENCE);
        assert!((rest.probability - odds / (1.0 + odds)).abs() < 1e-12);
    }

    #[test]
    fn in_time_doubt_returns() {
        let mut rest = Rest::new([0.0; 2], Matrix2::identity(), 0.999);
        rest.predict(100.0);
        assert!((rest.probability - STOPS / (STARTS + STOPS)).abs() < 0.01, "{rest:?}");
    }
}
