//! Precision, confidence and errors over recall for one class and one matching distance.
//!
//! nuscenes-devkit `eval/detection/algo.py`, `accumulate`, `calc_ap` and `calc_tp`.

use std::f64::consts::{PI, TAU};

use tandem_datasets::DetectionClass;

use super::boxes::{DetectedBox, Sample, TruthBox, scale_error, yaw_error};

/// Recall is sampled at 0, 0.01, … 1.
const POINTS: usize = 101;
/// Below this recall and precision nothing counts.
const MIN_RECALL_PERCENT: usize = 10;
const MIN_PRECISION: f64 = 0.1;
/// Translation, scale, orientation, velocity, attribute.
pub(super) const ERRORS: usize = 5;

/// A class's results over recall.
pub(super) struct Curve {
    precision: [f64; POINTS],
    confidence: [f64; POINTS],
    errors: [[f64; POINTS]; ERRORS],
}

/// What is known of the matches so far, in order of falling confidence.
#[derive(Default)]
struct Matches {
    confidences: Vec<f64>,
    /// NaN where an error does not apply.
    errors: [Vec<f64>; ERRORS],
}

impl Curve {
    /// What a class without truth or without a match has.
    const NOTHING: Self = Self { precision: [0.0; POINTS], confidence: [0.0; POINTS], errors: [[1.0; POINTS]; ERRORS] };

    /// Matches the detections of a class to the truth, the surest first, each to the nearest box not yet taken.
    pub fn of(samples: &[Sample], class: DetectionClass, match_distance_m: f64) -> Self {
        let truths: Vec<Vec<&TruthBox>> =
            samples.iter().map(|sample| sample.truth.iter().filter(|truth| truth.class == class).collect()).collect();
        let truth_count: usize = truths.iter().map(Vec::len).sum();
        if truth_count == 0 {
            return Self::NOTHING;
        }
        let found = |(index, sample): (usize, &'_ Sample)| -> Vec<(usize, DetectedBox)> {
            sample.detections.iter().filter(|found| found.class == class).map(|found| (index, *found)).collect()
        };
        let mut detections: Vec<(usize, DetectedBox)> = samples.iter().enumerate().flat_map(found).collect();
        // The last of equally sure ones first, as the devkit's reversed sort has them.
        detections.reverse();
        detections.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));

        let mut taken: Vec<Vec<bool>> = truths.iter().map(|truths| vec![false; truths.len()]).collect();
        let mut matches = Matches::default();
        let (mut recalls, mut precisions, mut confidences) = (Vec::new(), Vec::new(), Vec::new());
        for (rank, (sample, found)) in detections.iter().enumerate() {
            let mut nearest = (f64::INFINITY, 0);
            for (index, truth) in truths[*sample].iter().enumerate() {
                let distance_m = center_distance_m(truth, found);
                if !taken[*sample][index] && distance_m < nearest.0 {
                    nearest = (distance_m, index);
                }
            }
            if nearest.0 < match_distance_m {
                taken[*sample][nearest.1] = true;
                matches.push(truths[*sample][nearest.1], found);
            }
            let hits = matches.confidences.len() as f64;
            precisions.push(hits / (rank + 1) as f64);
            recalls.push(hits / truth_count as f64);
            confidences.push(found.score);
        }
        if matches.confidences.is_empty() {
            return Self::NOTHING;
        }
        if recalls[0] != 0.0 {
            recalls.insert(0, 0.0);
            precisions.insert(0, precisions[0]);
            confidences.insert(0, 1.0);
        }
        let over_recall = |values: &[f64]| -> [f64; POINTS] {
            std::array::from_fn(|point| {
                let recall = if point + 1 == POINTS { 1.0 } else { point as f64 * 0.01 };
                if recall > recalls[recalls.len() - 1] { 0.0 } else { interpolate(recall, &recalls, values) }
            })
        };
        let confidence = over_recall(&confidences);
        Self { precision: over_recall(&precisions), confidence, errors: matches.errors_at(&confidence) }
    }

    /// The average precision above the least recall and precision, scaled to [0, 1].
    pub fn average_precision(&self) -> f64 {
        let counted = &self.precision[MIN_RECALL_PERCENT + 1..];
        let sum: f64 = counted.iter().map(|precision| (precision - MIN_PRECISION).max(0.0)).sum();
        sum / counted.len() as f64 / (1.0 - MIN_PRECISION)
    }

    /// Each error's mean from the least recall to the highest that was reached; one where that is no stretch.
    pub fn mean_errors(&self) -> [f64; ERRORS] {
        let first = MIN_RECALL_PERCENT + 1;
        let last = self.confidence.iter().rposition(|confidence| *confidence != 0.0).unwrap_or(0);
        if last < first {
            return [1.0; ERRORS];
        }
        self.errors.each_ref().map(|values| values[first..=last].iter().sum::<f64>() / (last + 1 - first) as f64)
    }
}

impl Matches {
    fn push(&mut self, truth: &TruthBox, found: &DetectedBox) {
        let period_rad = if truth.class == DetectionClass::Barrier { PI } else { TAU };
        let velocity_error = truth.velocity_mps.map_or(f64::NAN, |velocity| {
            (found.velocity_mps[0] - velocity[0]).hypot(found.velocity_mps[1] - velocity[1])
        });
        let attribute_error = match truth.attribute {
            None => f64::NAN,
            attribute => f64::from(u8::from(attribute != found.attribute)),
        };
        let errors = [
            center_distance_m(truth, found),
            scale_error(truth.size, found.size),
            yaw_error(truth.yaw_rad, found.yaw_rad, period_rad),
            velocity_error,
            attribute_error,
        ];
        self.confidences.push(found.score);
        for (values, error) in self.errors.iter_mut().zip(errors) {
            values.push(error);
        }
    }

    /// The mean of each error over all matches at least as sure as each confidence.
    fn errors_at(&self, confidences: &[f64; POINTS]) -> [[f64; POINTS]; ERRORS] {
        let rising: Vec<f64> = self.confidences.iter().rev().copied().collect();
        self.errors.each_ref().map(|errors| {
            let mut means = running_means(errors);
            means.reverse();
            confidences.map(|confidence| interpolate(confidence, &rising, &means))
        })
    }
}

fn center_distance_m(truth: &TruthBox, found: &DetectedBox) -> f64 {
    let [dx, dy] = [found.center[0] - truth.center[0], found.center[1] - truth.center[1]];
    (dx * dx + dy * dy).sqrt()
}

/// The mean up to each value, leaving NaN out; zero before the first number, and one where there are none at all.
fn running_means(values: &[f64]) -> Vec<f64> {
    if values.iter().all(|value| value.is_nan()) {
        return vec![1.0; values.len()];
    }
    let (mut sum, mut count) = (0.0, 0.0);
    values
        .iter()
        .map(|value| {
            if !value.is_nan() {
                sum += value;
                count += 1.0;
            }
            if count > 0.0 { sum / count } else { 0.0 }
        })
        .collect()
}

/// Linear interpolation over rising `xs`, the end values beyond them; of equal `xs` the last counts (numpy's `interp`).
pub(super) fn interpolate(x: f64, xs: &[f64], ys: &[f64]) -> f64 {
    let after = xs.partition_point(|known| *known <= x);
    if after == 0 {
        return ys[0];
    }
    let before = after - 1;
    if after == xs.len() || xs[before] == x {
        return ys[before];
    }
    (ys[after] - ys[before]) / (xs[after] - xs[before]) * (x - xs[before]) + ys[before]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_takes_the_last_of_equals_and_holds_the_ends() {
        let (xs, ys) = ([0.0, 0.5, 0.5, 1.0], [1.0, 2.0, 3.0, 5.0]);
        assert_eq!(interpolate(0.5, &xs, &ys), 3.0);
        assert_eq!(interpolate(0.25, &xs, &ys), 1.5);
        assert_eq!(interpolate(0.75, &xs, &ys), 4.0);
        assert_eq!(interpolate(-1.0, &xs, &ys), 1.0);
        assert_eq!(interpolate(2.0, &xs, &ys), 5.0);
    }

    #[test]
    fn means_leave_out_what_does_not_apply() {
        assert_eq!(running_means(&[f64::NAN, 2.0, f64::NAN, 4.0]), [0.0, 2.0, 2.0, 3.0]);
        assert_eq!(running_means(&[f64::NAN, f64::NAN]), [1.0, 1.0]);
    }
}
