//! What the plots show: quantities over the time of a run.

use tandem_datasets::Pose2;
use tandem_planner::score::comfort_series;

use crate::trace::Trace;

/// Quantities of one run, one value a frame; `NaN` where there is none.
#[derive(Debug, Clone)]
pub struct Signals {
    /// What comfort is judged by, as smoothed for the score: one series for each of [`tandem_planner::score::LIMITS`].
    pub comfort: [Vec<f64>; 6],
    /// The human's speed along the heading, m/s.
    pub human_speed_mps: Vec<f64>,
    /// Time to collision, s; infinite beyond the horizon.
    pub ttc_s: Vec<f64>,
}

impl Signals {
    /// Works them out from a run.
    pub fn of(trace: &Trace) -> Self {
        let frames = &trace.frames;
        let states: Vec<_> = frames.iter().map(|frame| frame.ego).collect();
        let time_s: Vec<f64> = frames.iter().map(|frame| frame.time_s).collect();
        let coordinate = |of: fn(Pose2) -> f64| -> Vec<f64> {
            frames.iter().map(|frame| frame.human.map_or(f64::NAN, of)).collect()
        };
        let (vx, vy) = (slopes(&time_s, &coordinate(|pose| pose.x)), slopes(&time_s, &coordinate(|pose| pose.y)));
        let yaw = coordinate(|pose| pose.yaw);
        Self {
            comfort: comfort_series(&states),
            human_speed_mps: (0..frames.len()).map(|i| vx[i] * yaw[i].cos() + vy[i] * yaw[i].sin()).collect(),
            ttc_s: frames.iter().map(|frame| frame.ttc_s.unwrap_or(f64::INFINITY)).collect(),
        }
    }
}

/// The slope at each point: of the straight line fitted to it and up to two neighbours on either side, leaving out
/// what is not finite.
fn slopes(time_s: &[f64], values: &[f64]) -> Vec<f64> {
    let slope = |i: usize| {
        let near = i.saturating_sub(2)..(i + 3).min(values.len());
        let finite: Vec<usize> = near.filter(|&j| values[j].is_finite()).collect();
        let count = finite.len() as f64;
        let middle_s = finite.iter().map(|&j| time_s[j]).sum::<f64>() / count;
        let spread: f64 = finite.iter().map(|&j| (time_s[j] - middle_s).powi(2)).sum();
        finite.iter().map(|&j| (time_s[j] - middle_s) * values[j]).sum::<f64>() / spread
    };
    (0..values.len()).map(|i| if values[i].is_finite() { slope(i) } else { f64::NAN }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_a_parabola_are_exact_inside_and_gaps_stay_gaps() {
        let time_s: Vec<f64> = (0..20).map(|i| f64::from(i) * 0.1).collect();
        let mut values: Vec<f64> = time_s.iter().map(|t| 3.0 * t * t).collect();
        let slope = slopes(&time_s, &values);
        assert!((2..18).all(|i| (slope[i] - 6.0 * time_s[i]).abs() < 1e-9));
        values[10] = f64::NAN;
        let slope = slopes(&time_s, &values);
        assert!(slope[10].is_nan() && slope[9].is_finite() && slope[12].is_finite());
    }
}
