//! The nuScenes detection benchmark: mAP by centre distance, five errors of true positives, and the score NDS.
//!
//! nuscenes-devkit `eval/detection/evaluate.py` and `data_classes.py`, configuration `detection_cvpr_2019`. Equal to
//! the devkit's output (`perception/tests/nuscenes_eval.rs`).

use serde::Serialize;
use serde_json::{Map, Value, json};
use tandem_datasets::DetectionClass;

use super::boxes::Sample;
use super::curve::{Curve, ERRORS};

pub use super::breakdown::{Breakdown, Part};

/// Distances between centres up to which a detection matches, m.
pub const MATCH_DISTANCES_M: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// The distance of [`MATCH_DISTANCES_M`] at which the errors are taken.
const ERROR_DISTANCE: usize = 2;
/// How many times an error's weight mAP has in NDS.
const MEAN_AP_WEIGHT: f64 = 5.0;
/// The most detections a sample may have.
pub const MAX_DETECTIONS: usize = 500;
/// The errors' names in the devkit's files: m, 1 − IoU, rad, m/s, 1 − accuracy.
pub const ERROR_NAMES: [&str; ERRORS] = ["trans_err", "scale_err", "orient_err", "vel_err", "attr_err"];

/// One class's results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The class.
    pub class: DetectionClass,
    /// True boxes that count.
    pub truths: usize,
    /// Detected boxes that count.
    pub detections: usize,
    /// Average precision at each of [`MATCH_DISTANCES_M`].
    pub average_precisions: [f64; 4],
    /// In the order of [`ERROR_NAMES`]; `None` where an error does not apply to the class.
    pub errors: [Option<f64>; ERRORS],
}

impl ClassMetrics {
    /// The mean over the distances.
    pub fn average_precision(&self) -> f64 {
        self.average_precisions.iter().sum::<f64>() / self.average_precisions.len() as f64
    }
}

/// Means over classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The mean average precision.
    pub mean_ap: f64,
    /// Each error's mean over the classes that have it, in the order of [`ERROR_NAMES`].
    pub errors: [f64; ERRORS],
    /// The nuScenes detection score.
    pub nds: f64,
}

/// The benchmark's results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectionMetrics {
    /// All ten classes, in the order of [`DetectionClass::ALL`].
    pub classes: Vec<ClassMetrics>,
    /// The official means: over all ten classes, where one without truth has precision 0 and errors 1.
    pub official: Summary,
    /// Means over the classes that have truth only. Not official; for data that does not show all classes.
    pub present_classes: Summary,
}

impl DetectionMetrics {
    /// Evaluates samples, of whose boxes only those count that [`Sample::counted`] leaves.
    ///
    /// Where detections are equally sure, those of the last sample come first, as in the devkit.
    pub fn of(samples: &[Sample]) -> Self {
        let counted: Vec<Sample> = samples.iter().map(Sample::counted).collect();
        Self::of_counted(&counted)
    }

    /// Evaluates boxes that all count.
    pub(super) fn of_counted(samples: &[Sample]) -> Self {
        let classes: Vec<ClassMetrics> =
            DetectionClass::ALL.into_iter().map(|class| class_metrics(samples, class)).collect();
        let all: Vec<&ClassMetrics> = classes.iter().collect();
        let present: Vec<&ClassMetrics> = classes.iter().filter(|class| class.truths > 0).collect();
        let (official, present_classes) = (summary(&all), summary(&present));
        Self { classes, official, present_classes }
    }

    /// The devkit's `metrics_summary.json` in its names, without its configuration.
    pub fn devkit_json(&self) -> Value {
        let by_class = |value: &dyn Fn(&ClassMetrics) -> Value| -> Map<String, Value> {
            self.classes.iter().map(|metrics| (metrics.class.name().to_owned(), value(metrics))).collect()
        };
        let label_aps = by_class(&|metrics| {
            let at = MATCH_DISTANCES_M.iter().zip(metrics.average_precisions);
            at.map(|(distance_m, ap)| (format!("{distance_m:?}"), json!(ap))).collect::<Map<_, _>>().into()
        });
        let errors_json = |values: &[Option<f64>]| -> Value {
            ERROR_NAMES.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
        };
        let errors = self.official.errors;
        json!({
            "label_aps": label_aps,
            "mean_dist_aps": by_class(&|metrics| json!(metrics.average_precision())),
            "mean_ap": self.official.mean_ap,
            "label_tp_errors": by_class(&|metrics| errors_json(&metrics.errors)),
            "tp_errors": errors_json(&errors.map(Some)),
            "tp_scores": errors_json(&errors.map(|error| Some(score(error)))),
            "nd_score": self.official.nds,
        })
    }
}

fn class_metrics(samples: &[Sample], class: DetectionClass) -> ClassMetrics {
    let curves = MATCH_DISTANCES_M.map(|distance_m| Curve::of(samples, class, distance_m));
    let errors = curves[ERROR_DISTANCE].mean_errors();
    // Cones look the same from all sides; neither they nor barriers move or do anything.
    let applying = match class {
        DetectionClass::TrafficCone => 2,
        DetectionClass::Barrier => 3,
        _ => ERRORS,
    };
    ClassMetrics {
        class,
        truths: samples.iter().flat_map(|sample| &sample.truth).filter(|truth| truth.class == class).count(),
        detections: samples.iter().flat_map(|sample| &sample.detections).filter(|found| found.class == class).count(),
        average_precisions: curves.each_ref().map(Curve::average_precision),
        errors: std::array::from_fn(|index| (index < applying).then_some(errors[index])),
    }
}

/// The means over some classes; precision 0 and errors 1 where there are none.
fn summary(classes: &[&ClassMetrics]) -> Summary {
    let mean = |values: Vec<f64>, of_none: f64| {
        if values.is_empty() { of_none } else { values.iter().sum::<f64>() / values.len() as f64 }
    };
    let mean_ap = mean(classes.iter().map(|class| class.average_precision()).collect(), 0.0);
    let errors: [f64; ERRORS] =
        std::array::from_fn(|index| mean(classes.iter().filter_map(|class| class.errors[index]).collect(), 1.0));
    let scores: f64 = errors.iter().map(|error| score(*error)).sum();
    Summary { mean_ap, errors, nds: (MEAN_AP_WEIGHT * mean_ap + scores) / (MEAN_AP_WEIGHT + ERRORS as f64) }
}

/// What an error counts in NDS: one where there is none, zero from one on.
fn score(error: f64) -> f64 {
    (1.0 - error).max(0.0)
}

#[cfg(test)]
mod tests {
    use tandem_datasets::DetectionClass;

    use super::super::boxes::{Attribute, DetectedBox, TruthBox};
    use super::*;

    fn truth(class: DetectionClass, x: f64) -> TruthBox {
        TruthBox {
            class,
            center: [x, 0.0, 0.0],
            size: [4.0, 2.0, 1.5],
            yaw_rad: 0.3,
            velocity_mps: Some([1.0, 0.0]),
            attribute: Some(Attribute::VehicleMoving),
            is_seen: true,
        }
    }

    fn found(truth: &TruthBox, score: f64) -> DetectedBox {
        DetectedBox {
            class: truth.class,
            center: truth.center,
            size: truth.size,
            yaw_rad: truth.yaw_rad,
            velocity_mps: [1.0, 0.0],
            attribute: truth.attribute,
            score,
        }
    }

    #[test]
    fn perfect_detections_of_the_present_classes_score_one_there_and_not_officially() {
        let truth: Vec<_> = [DetectionClass::Car, DetectionClass::Bus].map(|class| truth(class, 10.0)).into();
        let detections = truth.iter().map(|truth| found(truth, 0.9)).collect();
        let metrics = DetectionMetrics::of(&[Sample { truth, detections, ..Sample::default() }]);
        assert!((metrics.present_classes.nds - 1.0).abs() < 1e-12, "{:?}", metrics.present_classes);
        assert!((metrics.official.mean_ap - 0.2).abs() < 1e-12);
    }

    #[test]
    fn boxes_beyond_the_range_or_unseen_do_not_count() {
        let mut truth = vec![truth(DetectionClass::Car, 60.0), truth(DetectionClass::Car, 10.0)];
        truth[1].is_seen = false;
        let metrics = DetectionMetrics::of(&[Sample { truth, ..Sample::default() }]);
        assert_eq!(metrics.classes[0].truths, 0);
    }

    #[test]
    fn nothing_at_all_scores_nothing() {
        let metrics = DetectionMetrics::of(&[]);
        assert_eq!((metrics.official.nds, metrics.present_classes.nds), (0.0, 0.0));
    }

    #[test]
    fn the_order_of_samples_and_boxes_does_not_matter_where_scores_differ() {
        let boxes = [5.0, 12.0, 20.0].map(|x| truth(DetectionClass::Car, x));
        let sample = |order: [usize; 3]| Sample {
            truth: order.map(|index| boxes[index]).into(),
            detections: order.map(|index| found(&boxes[index], 0.5 + 0.1 * index as f64)).into(),
            ..Sample::default()
        };
        assert_eq!(DetectionMetrics::of(&[sample([0, 1, 2])]), DetectionMetrics::of(&[sample([2, 0, 1])]));
    }
}
