//! Speed and curvature along a sequence of poses: two regularised least-squares fits.
//!
//! Source: nuplan-devkit `tracker/tracker_utils.py`. The devkit solves them densely for the derivatives; written in
//! the speeds and curvatures themselves the same problems are banded, so both cost O(n) here:
//! - speed `v`: minimise Σ (sₖ − dt vₖ)² + λ Σ (Δ²vₖ / dt)², s the displacement along the heading (pentadiagonal);
//! - curvature `κ`: minimise Σ (Δθₖ − dt vₖ κₖ)² + μ Σ (Δκₖ / dt)² + ε κ₀² (tridiagonal).

use std::sync::LazyLock;

use nalgebra::Vector2;
use tandem_datasets::geometry::wrap_angle;

use super::tracker::HORIZON_STEPS;
use crate::state::{PLAN_STATES, STEP_S, VehicleState};

/// λ, on differences of acceleration.
const JERK_PENALTY: f64 = 1e-4;

/// μ, on rates of curvature.
const CURVATURE_RATE_PENALTY: f64 = 1e-2;

/// ε, so that a standing plan has a curvature.
const INITIAL_CURVATURE_PENALTY: f64 = 1e-10;

/// Speed (m/s) and curvature (1/m) at each pose but the last; empty for fewer than two poses. `headings` are the unit
/// vectors in which the poses look.
pub(super) fn fit(poses: &[VehicleState], headings: &[Vector2<f64>]) -> (Vec<f64>, Vec<f64>) {
    let mut speed_mps = Vec::with_capacity(poses.len() + HORIZON_STEPS);
    let mut curvature_pm = Vec::with_capacity(poses.len() + HORIZON_STEPS);
    for (pair, heading) in poses.windows(2).zip(headings) {
        let (from, to) = (&pair[0].pose, &pair[1].pose);
        speed_mps.push((to.x - from.x) * heading.x + (to.y - from.y) * heading.y);
        curvature_pm.push(wrap_angle(to.yaw - from.yaw));
    }
    fit_speed(&mut speed_mps);
    fit_curvature(&mut curvature_pm, &speed_mps);
    (speed_mps, curvature_pm)
}

/// One row of L and the inverse of D in the LDLᵀ of dt² I + λ/dt² D₂ᵀD₂: L two and one to the left of the diagonal.
#[derive(Debug, Clone, Copy)]
struct Row {
    far: f64,
    near: f64,
    inverse: f64,
}

/// The factors for a whole plan, which is what nearly everyone asks for.
static PLAN_FACTORS: LazyLock<Vec<Row>> = LazyLock::new(|| factors(PLAN_STATES - 1));

fn factors(n: usize) -> Vec<Row> {
    let weight = JERK_PENALTY / (STEP_S * STEP_S);
    // The stencil 1, −2, 1 that starts at `first`, if the row has room for it.
    let stencil = |first: usize, offset: usize| if first + 2 < n { [1.0, -2.0, 1.0][offset] } else { 0.0 };
    let entry = |k: usize, back: usize| -> f64 {
        (back..=k.min(2)).map(|offset| weight * stencil(k - offset, offset) * stencil(k - offset, offset - back)).sum()
    };
    let mut rows: Vec<Row> = Vec::with_capacity(n);
    for k in 0..n {
        let main = STEP_S * STEP_S + entry(k, 0);
        let one = k.checked_sub(1).map_or(Row { far: 0.0, near: 0.0, inverse: 1.0 }, |i| rows[i]);
        let two = k.checked_sub(2).map_or(1.0, |i| rows[i].inverse);
        let far = if k >= 2 { entry(k, 2) * two } else { 0.0 };
        let near = if k >= 1 { (entry(k, 1) - far / two * one.near) * one.inverse } else { 0.0 };
        rows.push(Row { far, near, inverse: 1.0 / (main - far * far / two - near * near / one.inverse) });
    }
    rows
}

/// Turns displacements along the heading, m, into speeds, m/s.
fn fit_speed(values: &mut [f64]) {
    let n = values.len();
    let own;
    let rows = if n == PLAN_FACTORS.len() {
        &*PLAN_FACTORS
    } else {
        own = factors(n);
        &own
    };
    let (mut one, mut two) = (0.0, 0.0);
    for (value, row) in values.iter_mut().zip(rows) {
        *value = STEP_S * *value - row.near * one - row.far * two;
        (one, two) = (*value, one);
    }
    for k in (0..n).rev() {
        let one = if k + 1 < n { rows[k + 1].near * values[k + 1] } else { 0.0 };
        let two = if k + 2 < n { rows[k + 2].far * values[k + 2] } else { 0.0 };
        values[k] = values[k] * rows[k].inverse - one - two;
    }
}

/// Turns changes of yaw, rad, into curvatures, 1/m.
fn fit_curvature(values: &mut [f64], speed_mps: &[f64]) {
    const WEIGHT: f64 = CURVATURE_RATE_PENALTY / (STEP_S * STEP_S);
    let n = values.len();
    let mut ratios = Vec::with_capacity(n);
    let (mut ratio, mut above) = (0.0, 0.0);
    for (k, (value, speed)) in values.iter_mut().zip(speed_mps).enumerate() {
        let moved_m = STEP_S * speed;
        let neighbors = f64::from(u8::from(k > 0)) + f64::from(u8::from(k + 1 < n));
        let first = if k == 0 { INITIAL_CURVATURE_PENALTY } else { 0.0 };
        let inverse = 1.0 / (moved_m * moved_m + WEIGHT * neighbors + first - WEIGHT * ratio);
        above = (moved_m * *value + WEIGHT * above) * inverse;
        ratio = WEIGHT * inverse;
        *value = above;
        ratios.push(ratio);
    }
    let mut below = 0.0;
    for (value, ratio) in values.iter_mut().zip(&ratios).rev() {
        below = *value + ratio * below;
        *value = below;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use tandem_datasets::Pose2;

    use super::*;

    fn fitted(poses: &[VehicleState]) -> (Vec<f64>, Vec<f64>) {
        let headings: Vec<_> = poses.iter().map(|state| state.pose.heading()).collect();
        fit(poses, &headings)
    }

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
            let (speed, curvature) = fitted(&poses);

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
        for (k, speed) in fitted(&poses).0.iter().enumerate() {
            assert!((speed - (5.0 + 0.12 * k as f64)).abs() < 1e-9, "speed {k} is {speed}");
        }
    }

    #[test]
    fn standing_and_short_plans_have_finite_profiles() {
        let standing = vec![VehicleState::default(); 41];
        let (speed, curvature) = fitted(&standing);
        assert!(speed.iter().chain(&curvature).all(|value| value.abs() < 1e-12));
        assert!(fitted(&standing[..1]).0.is_empty());
        assert!(fitted(&[]).0.is_empty());
    }
}
