//! The Savitzky–Golay filter: a polynomial fitted over a sliding window, its value or a derivative at each sample.
//!
//! Savitzky and Golay, "Smoothing and Differentiation of Data by Simplified Least Squares Procedures", 1964. Edges and
//! even windows follow scipy's `savgol_filter` with its default `mode='interp'`, because the comfort limits of nuPlan
//! were set with it: the first and last samples are read off the polynomials of the first and last whole window, and
//! an even window looks one sample further ahead than back and is read off in its middle.

use nalgebra::{DMatrix, DVector};

/// A filter for one window, order and derivative.
#[derive(Debug, Clone)]
pub struct SavitzkyGolay {
    order: usize,
    derivative: usize,
    step: f64,
    /// Weights of the window's samples for the value in its middle.
    middle: Vec<f64>,
    /// Weights for each of the window's own samples.
    samples: Vec<Vec<f64>>,
}

impl SavitzkyGolay {
    /// A filter over `window` samples `step` apart with polynomials of `order`, giving the `derivative`-th derivative.
    pub fn new(window: usize, order: usize, derivative: usize, step: f64) -> Self {
        let center = (window as f64 - 1.0) / 2.0;
        let powers = DMatrix::from_fn(window, order + 1, |sample, power| (sample as f64 - center).powi(power as i32));
        let normal = powers.transpose() * &powers;
        // Least squares: coefficients = (PᵀP)⁻¹ Pᵀ y, so the weights for a linear functional f are P (PᵀP)⁻¹ f.
        // A window no longer than the order has no unique fit; `apply` never uses the empty weights then.
        let Some(factors) = normal.cholesky() else {
            return Self { order, derivative, step, middle: Vec::new(), samples: Vec::new() };
        };
        let weights = |at: f64| {
            let functional = DVector::from_fn(order + 1, |power, _| {
                if power < derivative {
                    return 0.0;
                }
                let factor: f64 = ((power - derivative + 1)..=power).map(|k| k as f64).product();
                factor * at.powi((power - derivative) as i32) / step.powi(derivative as i32)
            });
            (&powers * factors.solve(&functional)).as_slice().to_vec()
        };
        let middle = weights(0.0);
        let samples = (0..window).map(|sample| weights(sample as f64 - center)).collect();
        Self { order, derivative, step, middle, samples }
    }

    /// Writes the filtered `values` to `out`. Fewer values than the window shrink it to their number, as nuPlan does;
    /// no more values than the order are copied, and their derivatives are zero.
    pub fn apply(&self, values: &[f64], out: &mut Vec<f64>) {
        out.clear();
        let (count, window) = (values.len(), self.samples.len());
        if count <= self.order {
            out.extend(values.iter().map(|value| if self.derivative == 0 { *value } else { 0.0 }));
            return;
        }
        if count < window {
            return Self::new(count, self.order, self.derivative, self.step).apply(values, out);
        }
        let half = window / 2;
        let back = (window - 1) / 2;
        out.resize(count, 0.0);
        let interior = half..count - half;
        // Sample by sample over the whole row, so that the compiler can use vector instructions.
        for (offset, weight) in self.middle.iter().enumerate() {
            let from = interior.start - back + offset;
            for (sum, value) in out[interior.clone()].iter_mut().zip(&values[from..]) {
                *sum += weight * value;
            }
        }
        let dot = |weights: &[f64], from: usize| weights.iter().zip(&values[from..]).map(|(w, v)| w * v).sum();
        for sample in 0..half {
            out[sample] = dot(&self.samples[sample], 0);
            out[count - 1 - sample] = dot(&self.samples[window - 1 - sample], count - window);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(window: usize, order: usize, derivative: usize, values: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        SavitzkyGolay::new(window, order, derivative, 0.1).apply(values, &mut out);
        out
    }

    #[test]
    fn polynomials_up_to_the_order_are_kept_and_differentiated_exactly() {
        let time = |k: usize| k as f64 * 0.1;
        let cubic = |t: f64| 2.0 - 3.0 * t + 0.5 * t * t + 0.25 * t * t * t;
        let values: Vec<f64> = (0..30).map(|k| cubic(time(k))).collect();
        let derivatives: [fn(f64) -> f64; 3] =
            [|t| 2.0 - 3.0 * t + 0.5 * t * t + 0.25 * t * t * t, |t| -3.0 + t + 0.75 * t * t, |t| 1.0 + 1.5 * t];
        for (derivative, truth) in derivatives.iter().enumerate() {
            for (k, value) in filtered(7, 3, derivative, &values).iter().enumerate() {
                assert!((value - truth(time(k))).abs() < 1e-9, "derivative {derivative} at {k}: {value}");
            }
        }
    }

    /// Golden values of scipy 1.17.1, `savgol_filter(x, window_length, polyorder, deriv=…, delta=0.1)` on
    /// `x = [math.sin(0.7*k) + 0.05*k*k - 0.3*k for k in range(20)]`.
    #[test]
    fn equals_scipy_inside_and_at_both_edges() {
        let values: Vec<f64> = (0..20).map(f64::from).map(|k: f64| (0.7 * k).sin() + 0.05 * k * k - 0.3 * k).collect();
        let golden: [(usize, usize, usize, usize, &[f64]); 7] = [
            (
                20,
                8,
                2,
                0,
                &[
                    0.244279257317,
                    0.303868361093,
                    0.284891828388,
                    0.187349659202,
                    -0.344705697943,
                    -0.695138904478,
                    -0.683305820889,
                    -0.173677043656,
                    0.782187300293,
                    1.96988708692,
                    3.11301792351,
                    4.00316845351,
                    4.59793947402,
                    5.04088494342,
                    5.59399631168,
                    6.51448384767,
                    7.16532011584,
                    8.74976156532,
                    10.7112282323,
                    13.0497201168,
                ],
            ),
            (
                20,
                15,
                2,
                1,
                &[
                    -4.87900366957,
                    -3.62449799105,
                    -2.36999231253,
                    -1.11548663401,
                    0.13901904451,
                    1.39352472303,
                    2.64803040155,
                    3.90253608007,
                    4.5947202273,
                    5.4775137843,
                    6.60604077262,
                    7.91985294136,
                    9.27135952411,
                    10.0499745207,
                    10.8285895174,
                    11.607204514,
                    12.3858195106,
                    13.1644345072,
                    13.9430495038,
                    14.7216645005,
                ],
            ),
            (
                20,
                5,
                2,
                1,
                &[
                    5.91282573273,
                    2.90089685623,
                    -0.111032020277,
                    -2.64046340969,
                    -3.92804359914,
                    -2.89788788112,
                    0.435821039009,
                    4.97550339089,
                    9.05639125537,
                    11.2294949296,
                    10.9430854253,
                    8.8021812331,
                    6.28399867253,
                    5.04319397496,
                    6.1336526032,
                    9.51283045093,
                    14.0617630007,
                    18.1113318207,
                    21.6278702648,
                    25.1444087089,
                ],
            ),
            (
                20,
                5,
                3,
                2,
                &[
                    -19.8197678984,
                    -24.9695283317,
                    -30.119288765,
                    -25.1426813478,
                    -3.63792177316,
                    24.2809655098,
                    45.4832915673,
                    49.9972711589,
                    35.6999091499,
                    9.31547829557,
                    -16.7470113052,
                    -30.2299635556,
                    -24.7921353353,
                    -2.99102222463,
                    24.9199716286,
                    45.8138696939,
                    49.863945235,
                    35.1653844408,
                    11.3485829119,
                    -12.4682186169,
                ],
            ),
            (
                20,
                5,
                2,
                2,
                &[
                    -30.119288765,
                    -30.119288765,
                    -30.119288765,
                    -25.1426813478,
                    -3.63792177316,
                    24.2809655098,
                    45.4832915673,
                    49.9972711589,
                    35.6999091499,
                    9.31547829557,
                    -16.7470113052,
                    -30.2299635556,
                    -24.7921353353,
                    -2.99102222463,
                    24.9199716286,
                    45.8138696939,
                    49.863945235,
                    35.1653844408,
                    35.1653844408,
                    35.1653844408,
                ],
            ),
            (
                6,
                6,
                2,
                0,
                &[0.0102788423217, 0.403580293549, 0.535176088976, 0.405066228604, 0.0132507124316, -0.64027045954],
            ),
            (4, 4, 2, 0, &[-0.00802433808017, 0.418290701478, 0.561376715748, 0.421233704729]),
        ];
        for (count, window, order, derivative, expected) in golden {
            let found = filtered(window, order, derivative, &values[..count]);
            assert_eq!(found.len(), expected.len());
            for (k, (a, b)) in found.iter().zip(expected).enumerate() {
                assert!((a - b).abs() < 1e-9, "window {window}, derivative {derivative}, sample {k}: {a} is not {b}");
            }
        }
    }

    #[test]
    fn short_series_shrink_the_window_and_too_short_ones_pass_through() {
        let values = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        assert_eq!(filtered(15, 2, 1, &values), filtered(6, 2, 1, &values));
        assert_eq!(filtered(8, 2, 0, &values[..2]), [1.0, 4.0]);
        assert_eq!(filtered(15, 2, 1, &values[..2]), [0.0, 0.0]);
        assert!(filtered(8, 2, 0, &[]).is_empty());
    }
}
