//! The Kalman filters of an object: its place and velocity, its yaw and turn rate, and slowly drifting numbers.
//!
//! Velocity and turn rate are driven by white noise of a spectral density, so that a step of any length is the same as
//! several that add up to it (Bar-Shalom, Li and Kirubarajan 2001, section 6.2.2).

use nalgebra::{Matrix2, Matrix4, Vector2, Vector4};
use tandem_datasets::geometry::wrap_angle;

/// Place and velocity on the ground: x, y, and the velocities along them, m and m/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Planar {
    pub state: Vector4<f64>,
    pub covariance: Matrix4<f64>,
}

impl Planar {
    /// At a place seen with a covariance, with a velocity known to another.
    pub fn new(position: [f64; 2], noise: Matrix2<f64>, velocity_mps: [f64; 2], velocity_std_mps: f64) -> Self {
        let v = velocity_std_mps.powi(2);
        let mut covariance = Matrix4::from_diagonal(&Vector4::new(0.0, 0.0, v, v));
        covariance.fixed_view_mut::<2, 2>(0, 0).copy_from(&noise);
        Self { state: Vector4::new(position[0], position[1], velocity_mps[0], velocity_mps[1]), covariance }
    }

    /// Moves on at constant speed, along a circle where the velocity turns (Bar-Shalom et al., section 11.7.1, with a
    /// known turn rate), and straight on where it does not.
    pub fn predict(&mut self, elapsed_s: f64, turn_rate_radps: f64, acceleration_density: f64) {
        let t = elapsed_s;
        let turn_rad = turn_rate_radps * t;
        let (sin, cos) = turn_rad.sin_cos();
        // sin θ/ω and (1 − cos θ)/ω, by their series where ω is too small to divide by.
        let (ahead, aside) = if turn_rad.abs() < 1e-6 {
            (t, t * turn_rad / 2.0)
        } else {
            (sin / turn_rate_radps, (1.0 - cos) / turn_rate_radps)
        };
        #[rustfmt::skip]
        let transition = Matrix4::new(
            1.0, 0.0, ahead, -aside,
            0.0, 1.0, aside, ahead,
            0.0, 0.0, cos, -sin,
            0.0, 0.0, sin, cos,
        );
        self.state = transition * self.state;
        let mut noise = Matrix4::zeros();
        for axis in 0..2 {
            noise[(axis, axis)] = t.powi(3) / 3.0;
            noise[(axis, axis + 2)] = t.powi(2) / 2.0;
            noise[(axis + 2, axis)] = t.powi(2) / 2.0;
            noise[(axis + 2, axis + 2)] = t;
        }
        self.covariance = transition * self.covariance * transition.transpose() + noise * acceleration_density;
    }

    /// The covariance of where it will be seen, m².
    pub fn seen_covariance(&self, noise: Matrix2<f64>) -> Matrix2<f64> {
        self.covariance.fixed_view::<2, 2>(0, 0) + noise
    }

    /// Takes in a place.
    pub fn see_position(&mut self, position: [f64; 2], noise: Matrix2<f64>) {
        self.see(0, Vector2::from(position), noise);
    }

    /// Takes in a velocity.
    pub fn see_velocity(&mut self, velocity_mps: [f64; 2], std_mps: f64) {
        self.see(2, Vector2::from(velocity_mps), Matrix2::identity() * std_mps.powi(2));
    }

    /// Takes in two neighbouring parts of the state, from `first` on.
    fn see(&mut self, first: usize, measured: Vector2<f64>, noise: Matrix2<f64>) {
        let innovation = measured - self.state.fixed_rows::<2>(first);
        let covariance = self.covariance.fixed_view::<2, 2>(first, first) + noise;
        let Some(inverse) = covariance.try_inverse() else { return };
        let cross = self.covariance.fixed_columns::<2>(first).into_owned();
        let gain = cross * inverse;
        self.state += gain * innovation;
        self.covariance -= gain * cross.transpose();
        self.covariance = (self.covariance + self.covariance.transpose()) * 0.5;
    }
}

/// Yaw and turn rate, rad and rad/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turning {
    pub yaw_rad: f64,
    pub rate_radps: f64,
    pub covariance: Matrix2<f64>,
    /// Sightings that look the way it does less those that look the other way, by confidence.
    facing: f64,
}

/// The turn rate of something never seen before is known to this, rad/s.
const UNKNOWN_RATE_RADPS: f64 = 0.3;

impl Turning {
    pub fn new(yaw_rad: f64, std_rad: f64, score: f64) -> Self {
        let covariance = Matrix2::from_diagonal(&Vector2::new(std_rad.powi(2), UNKNOWN_RATE_RADPS.powi(2)));
        Self { yaw_rad: wrap_angle(yaw_rad), rate_radps: 0.0, covariance, facing: score }
    }

    /// Turns on at a constant rate.
    pub fn predict(&mut self, elapsed_s: f64, turning_density: f64) {
        let t = elapsed_s;
        self.yaw_rad = wrap_angle(self.yaw_rad + t * self.rate_radps);
        let transition = Matrix2::new(1.0, t, 0.0, 1.0);
        let noise = Matrix2::new(t.powi(3) / 3.0, t.powi(2) / 2.0, t.powi(2) / 2.0, t);
        self.covariance = transition * self.covariance * transition.transpose() + noise * turning_density;
    }

    /// Takes in a yaw. Detectors confuse front and rear: a sighting that looks backwards counts as the same line, and
    /// turns the object about once such sightings outweigh the others.
    pub fn see(&mut self, yaw_rad: f64, std_rad: f64, score: f64) {
        let mut innovation = wrap_angle(yaw_rad - self.yaw_rad);
        if innovation.abs() > std::f64::consts::FRAC_PI_2 {
            innovation = wrap_angle(innovation + std::f64::consts::PI);
            self.facing -= score;
        } else {
            self.facing += score;
        }
        let gain = self.covariance.column(0) / (self.covariance[(0, 0)] + std_rad.powi(2));
        self.yaw_rad = wrap_angle(self.yaw_rad + gain[0] * innovation);
        self.rate_radps += gain[1] * innovation;
        self.covariance -= gain * self.covariance.row(0);
        self.covariance = (self.covariance + self.covariance.transpose()) * 0.5;
        if self.facing < 0.0 {
            self.yaw_rad = wrap_angle(self.yaw_rad + std::f64::consts::PI);
            self.facing = -self.facing;
        }
    }
}

/// A number that drifts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drifting {
    pub value: f64,
    variance: f64,
}

impl Drifting {
    pub fn new(value: f64, std: f64) -> Self {
        Self { value, variance: std.powi(2) }
    }

    pub fn predict(&mut self, elapsed_s: f64, density: f64) {
        self.variance += elapsed_s * density;
    }

    pub fn see(&mut self, value: f64, std: f64) {
        let gain = self.variance / (self.variance + std.powi(2));
        self.value += gain * (value - self.value);
        self.variance *= 1.0 - gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The covariance of a place seen equally well along all directions.
    fn round(std_m: f64) -> Matrix2<f64> {
        Matrix2::identity() * std_m.powi(2)
    }

    #[test]
    fn one_step_is_as_worked_out_by_hand() {
        let (r, v, q, t): (f64, f64, f64, f64) = (0.5, 4.0, 0.3, 0.2);
        let mut filter = Planar::new([1.0, -2.0], round(r), [3.0, 0.0], v);
        filter.predict(t, 0.0, q);
        // Along one axis: predicted variances, then the scalar Kalman gain.
        let p = r * r + t * t * v * v + q * t.powi(3) / 3.0;
        let pv = t * v * v + q * t * t / 2.0;
        let vv = v * v + q * t;
        let s = p + r * r;
        filter.see_position([2.0, -2.5], round(r));
        let expected = Vector4::new(
            1.6 + p / s * (2.0 - 1.6),
            -2.0 + p / s * (-2.5 + 2.0),
            3.0 + pv / s * (2.0 - 1.6),
            pv / s * (-2.5 + 2.0),
        );
        assert!((filter.state - expected).norm() < 1e-12);
        assert!((filter.covariance[(0, 0)] - (p - p * p / s)).abs() < 1e-12);
        assert!((filter.covariance[(1, 3)] - (pv - p * pv / s)).abs() < 1e-12);
        assert!((filter.covariance[(3, 3)] - (vv - pv * pv / s)).abs() < 1e-12);
        assert_eq!(filter.covariance[(0, 1)], 0.0);
    }

    #[test]
    fn the_steady_gains_solve_the_filters_algebraic_equations() {
        let (r, q, t): (f64, f64, f64) = (0.7, 1.3, 0.4);
        let mut filter = Planar::new([0.0, 0.0], round(r), [0.0, 0.0], 5.0);
        for _ in 0..200 {
            filter.predict(t, 0.0, q);
            filter.see_position([0.0, 0.0], round(r));
        }
        // In the steady state the updated covariance is r²·(α, β/t); equating the predicted covariance of one step with
        // that of the next leaves these two equations for the gains α and β/t.
        let alpha = filter.covariance[(0, 0)] / (r * r);
        let beta = filter.covariance[(0, 2)] * t / (r * r);
        assert!((alpha * alpha + alpha * beta + beta * beta / 6.0 - 2.0 * beta).abs() < 1e-9);
        assert!((beta * beta / (1.0 - alpha) - q * t.powi(3) / (r * r)).abs() < 1e-9);
    }

    #[test]
    fn two_short_steps_are_one_long_step() {
        for (turn_rate_radps, acceleration_density) in [(0.0, 2.0), (0.8, 0.0)] {
            let mut once = Planar::new([0.0, 0.0], round(0.5), [1.0, 2.0], 3.0);
            let mut twice = once;
            once.predict(0.5, turn_rate_radps, acceleration_density);
            twice.predict(0.2, turn_rate_radps, acceleration_density);
            twice.predict(0.3, turn_rate_radps, acceleration_density);
            assert!((once.covariance - twice.covariance).norm() < 1e-12);
            assert!((once.state - twice.state).norm() < 1e-12);
        }
    }

    #[test]
    fn a_quarter_turn_ends_where_the_circle_does() {
        // Radius v/ω = 4 m, anticlockwise from the origin eastward.
        let mut filter = Planar::new([0.0, 0.0], round(0.5), [2.0, 0.0], 1.0);
        filter.predict(std::f64::consts::PI, 0.5, 1.0);
        assert!((filter.state - Vector4::new(4.0, 4.0, 0.0, 2.0)).norm() < 1e-12);
    }

    #[test]
    fn a_seen_velocity_tells_the_velocity() {
        let mut filter = Planar::new([0.0, 0.0], round(0.5), [0.0, 0.0], 100.0);
        filter.see_velocity([4.0, -1.0], 0.1);
        assert!((filter.state[2] - 4.0).abs() < 1e-4 && (filter.state[3] + 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_turn_through_half_a_turn_is_followed() {
        let mut turning = Turning::new(3.0, 0.05, 1.0);
        for step in 1..200 {
            turning.predict(0.1, 1e-3);
            turning.see(wrap_angle(3.0 + 0.05 * f64::from(step)), 0.05, 1.0);
        }
        assert!((turning.rate_radps - 0.5).abs() < 1e-3, "{turning:?}");
        assert!(wrap_angle(turning.yaw_rad - 3.0 - 0.05 * 199.0).abs() < 1e-3);
    }

    #[test]
    fn one_backward_sighting_does_not_turn_an_object_about_and_many_do() {
        let mut turning = Turning::new(0.0, 0.1, 1.0);
        turning.see(3.1, 0.1, 0.6);
        assert!(turning.yaw_rad.abs() < 0.1);
        for _ in 0..5 {
            turning.see(3.1, 0.1, 0.6);
        }
        assert!(wrap_angle(turning.yaw_rad - 3.1).abs() < 0.1, "{turning:?}");
    }
}
