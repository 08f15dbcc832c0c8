//! Speed and curvature along a sequence of poses: two regularised least-squares fits.
//!
//! Source: nuplan-devkit `tracker/tracker_utils.py`. The devkit solves them densely for the derivatives; written in
//! the speeds and curvatures themselves the same problems are banded, so both cost O(n) here:
//! - speed `v`: minimise Σ (sₖ − dt vₖ)² + λ Σ (Δ²vₖ / dt)², s the displacement along the heading (pentadiagonal);
//! - curvature `κ`: minimise Σ (Δθₖ − dt vₖ κₖ)² + μ Σ (Δκₖ / dt)² + ε κ₀² (tridiagonal).

use tandem_datasets::geometry::wrap_angle;

use crate::state::{STEP_S, VehicleState};

/// λ, on differences of acceleration.
const JERK_PENALTY: f64 = 1e-4;

/// μ, on rates of curvature.
const CURVATURE_RATE_PENALTY: f64 = 1e-2;

/// ε, so that a standing plan has a curvature.
const INITIAL_CURVATURE_PENALTY: f64 = 1e-10;

/// Speed (m/s) and curvature (1/m) at each pose but the last; empty for fewer than two poses.
pub(super) fn fit(poses: &[VehicleState]) -> (Vec<f64>, Vec<f64>) {
    let mut distance_m = Vec::with_capacity(poses.len());
    let mut turned_rad = Vec::with_capacity(poses.len());
    for pair in poses.windows(2) {
        let (from, to) = (pair[0].pose, pair[1].pose);
        distance_m.push((to.position() - from.position()).dot(&from.heading()));
        turned_rad.push(wrap_angle(to.yaw - from.yaw));
    }
    let speed_mps = fit_speed(&distance_m);
    let curvature_pm = fit_curvature(&turned_rad, &speed_mps);
    (speed_mps, curvature_pm)
}

fn fit_speed(distance_m: &[f64]) -> Vec<f64> {
    let n = distance_m.len();
    let mut right: Vec<f64> = distance_m.iter().map(|distance| STEP_S * distance).collect();
    let weight = JERK_PENALTY / (STEP_S * STEP_S);
    // Row k of dt² I + λ/dt² D₂ᵀD₂: [far, near, main] are its entries at k−2, k−1 and k.
    let row = |k: usize| {
        let stencil = |first: usize, offset: usize| [1.0, -2.0, 1.0][offset] * f64::from(u8::from(first + 2 < n));
        let (mut far, mut near, mut main) = (0.0, 0.0, STEP_S * STEP_S);
        for offset in 0..=k.min(2) {
            let here = stencil(k - offset, offset);
            main += weight * here * here;
            if offset >= 1 {
                near += weight * here * stencil(k - offset, offset - 1);
            }
            if offset >= 2 {
                far += weight * here * stencil(k - offset, offset - 2);
            }
        }
        [far, near, main]
    };
    // LDLᵀ, forward substitution on the way.
    let mut factors: Vec<[f64; 3]> = Vec::with_capacity(n);
    for k in 0..n {
        let [far, near, main] = row(k);
        let [_, one_near, one_main] = k.checked_sub(1).map_or([0.0, 0.0, 1.0], |i| factors[i]);
        let two_main = k.checked_sub(2).map_or(1.0, |i| factors[i][2]);
        let l_far = far / two_main;
        let l_near = (near - l_far * two_main * one_near) / one_main;
        factors.push([l_far, l_near, main - l_far * l_far * two_main - l_near * l_near * one_main]);
        if k >= 1 {
            right[k] -= l_near * right[k - 1];
        }
        if k >= 2 {
            right[k] -= l_far * right[k - 2];
        }
    }
    for k in (0..n).rev() {
        right[k] /= factors[k][2];
        if k + 1 < n {
            right[k] -= factors[k + 1][1] * right[k + 1];
        }
        if k + 2 < n {
            right[k] -= factors[k + 2][0] * right[k + 2];
        }
    }
    right
}

fn fit_curvature(turned_rad: &[f64], speed_mps: &[f64]) -> Vec<f64> {
    let n = turned_rad.len();
    let weight = CURVATURE_RATE_PENALTY / (STEP_S * STEP_S);
    let mut pivots = Vec::with_capacity(n);
    let mut right: Vec<f64> = Vec::with_capacity(n);
    for k in 0..n {
        let moved = STEP_S * speed_mps[k];
        let neighbors = f64::from(u8::from(k > 0)) + f64::from(u8::from(k + 1 < n));
        let mut pivot = moved * moved + weight * neighbors;
        let mut value = moved * turned_rad[k];
        if k == 0 {
            pivot += INITIAL_CURVATURE_PENALTY;
        } else {
            pivot -= weight * weight / pivots[k - 1];
            value += weight / pivots[k - 1] * right[k - 1];
        }
        pivots.push(pivot);
        right.push(value);
    }
    for k in (0..n).rev() {
        if k + 1 < n {
            right[k] += weight * right[k + 1];
        }
        right[k] /= pivots[k];
    }
    right
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use tandem_datasets::Pose2;

    use super::*;

    fn wavy(count: usize) -> Vec<VehicleState> {
        let pose = |k: usize| {
            let t = k as f64 * STEP_S;
            Pose2::new(6.0 * t + 0.4 * t * t, (0.9 * t).sin(), 0.2 * (1.3 * t).cos() + 3.1)
        };
        (0..count).map(|k| VehicleState { pose: pose(k), ..Default::default() }).collect()
    }

    /// The devkit's own formulation: unknowns are the first value and all rates, solved densely.
    fn dense(design: &DMatrix<f64>, penalty: &DMatrix<f64>, seen: &DVector<f64>) -> Vec<f64> {
        let normal = design.transpose() * design + penalty;
        let solution = normal.lu().solve(&(design.transpose() * seen)).unwrap();
        let mut value = 0.0;
        (0..solution.len())
            .map(|k| {
                value += if k == 0 { solution[0] } else { solution[k] * STEP_S };
                value
            })
            .collect()
    }

    #[test]
    fn banded_fits_equal_the_devkits_dense_formulation() {
        for count in [2, 3, 4, 5, 12, 41] {
            let poses = wavy(count);
            let n = count - 1;
            let (speed, curvature) = fit(&poses);

            let design = DMatrix::from_fn(2 * n, n, |row, column| {
                let heading = poses[row / 2].pose.heading();
                let step = if column == 0 { STEP_S } else { STEP_S * STEP_S };
                if column <= row / 2 { heading[row % 2] * step } else { 0.0 }
            });
            let seen = DVector::from_fn(2 * n, |row, _| {
                (poses[row / 2 + 1].pose.position() - poses[row / 2].pose.position())[row % 2]
            });
            let difference = DMatrix::from_fn(n.saturating_sub(2), n, |row, column| match column {
                c if c == row + 1 => -1.0,
                c if c == row + 2 => 1.0,
                _ => 0.0,
            });
            let expected = dense(&design, &(difference.transpose() * &difference * JERK_PENALTY), &seen);
            for (a, b) in speed.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-8, "{count} poses: speed {a} is not {b}");
            }

            let design = DMatrix::from_fn(n, n, |row, column| match column {
                0 => speed[row] * STEP_S,
                c if c <= row => speed[row] * STEP_S * STEP_S,
                _ => 0.0,
            });
            let penalty = DMatrix::from_fn(n, n, |row, column| match (row, column) {
                (0, 0) => INITIAL_CURVATURE_PENALTY,
                (r, c) if r == c => CURVATURE_RATE_PENALTY,
                _ => 0.0,
            });
            let seen = DVector::from_fn(n, |row, _| wrap_angle(poses[row + 1].pose.yaw - poses[row].pose.yaw));
            for (a, b) in curvature.iter().zip(&dense(&design, &penalty, &seen)) {
                assert!((a - b).abs() < 1e-8, "{count} poses: curvature {a} is not {b}");
            }
        }
    }

    #[test]
    fn constant_acceleration_is_recovered_exactly() {
        // Displacement over a step is dt · v at its start in this model, so build the poses that way.
        let (mut x, mut speed) = (0.0, 5.0);
        let mut poses = Vec::new();
        for _ in 0..41 {
            poses.push(VehicleState { pose: Pose2::new(x, 0.0, 0.0), ..Default::default() });
            x += STEP_S * speed;
            speed += STEP_S * 1.2;
        }
        for (k, fitted) in fit(&poses).0.iter().enumerate() {
            assert!((fitted - (5.0 + 0.12 * k as f64)).abs() < 1e-9, "speed {k} is {fitted}");
        }
    }

    #[test]
    fn standing_and_short_plans_have_finite_profiles() {
        let standing = vec![VehicleState::default(); 41];
        let (speed, curvature) = fit(&standing);
        assert!(speed.iter().chain(&curvature).all(|value| value.abs() < 1e-12));
        assert!(fit(&standing[..1]).0.is_empty());
        assert!(fit(&[]).0.is_empty());
    }
}
