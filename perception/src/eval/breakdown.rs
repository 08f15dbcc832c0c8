//! Detection results by distance from the ego and by the samples' tags.

use serde::Serialize;

use super::boxes::Sample;
use super::detection::DetectionMetrics;

/// Edges of the rings around the ego, m.
const RINGS_M: [(f64, f64); 3] = [(0.0, 15.0), (15.0, 30.0), (30.0, 50.0)];

/// The results of a part of the boxes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Which part: `15-30 m`, or a tag.
    pub name: String,
    /// Its results.
    pub metrics: DetectionMetrics,
}

/// The results of parts of the boxes; those by class are in [`DetectionMetrics::classes`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breakdown {
    /// By distance from the ego. A detection whose truth lies in another ring counts as false, so that the rings' sums
    /// are a little below the whole.
    pub by_distance: Vec<Part>,
    /// By the samples' tags, in alphabetical order; samples without one are in no part.
    pub by_tag: Vec<Part>,
}

impl Breakdown {
    /// Evaluates each part by itself.
    pub fn of(samples: &[Sample]) -> Self {
        let counted: Vec<Sample> = samples.iter().map(Sample::counted).collect();
        let ring = |(from_m, to_m): (f64, f64)| {
            let within = |sample: &Sample, center| (from_m..to_m).contains(&sample.ego_distance_m(center));
            let samples: Vec<Sample> = counted
                .iter()
                .map(|sample| sample.kept(|truth| within(sample, truth.center), |found| within(sample, found.center)))
                .collect();
            Part { name: format!("{from_m}-{to_m} m"), metrics: DetectionMetrics::of_counted(&samples) }
        };
        let mut tags: Vec<&str> = counted.iter().map(|sample| &*sample.tag).filter(|tag| !tag.is_empty()).collect();
        tags.sort_unstable();
        tags.dedup();
        let tagged = |tag: &str| {
            let samples: Vec<Sample> = counted.iter().filter(|sample| sample.tag == tag).cloned().collect();
            Part { name: tag.to_owned(), metrics: DetectionMetrics::of_counted(&samples) }
        };
        Self { by_distance: RINGS_M.map(ring).into(), by_tag: tags.into_iter().map(tagged).collect() }
    }
}

#[cfg(test)]
mod tests {
    use tandem_datasets::DetectionClass;

    use super::super::boxes::TruthBox;
    use super::*;

    #[test]
    fn every_box_is_in_one_ring_and_in_its_samples_tag() {
        let truth = |x: f64| TruthBox {
            class: DetectionClass::Car,
            center: [x, 0.0, 0.0],
            size: [4.0, 2.0, 1.5],
            yaw_rad: 0.0,
            velocity_mps: None,
            attribute: None,
            is_seen: true,
        };
        let sample = |tag: &str, xs: &[f64]| Sample {
            tag: tag.into(),
            truth: xs.iter().map(|x| truth(*x)).collect(),
            ..Sample::default()
        };
        let parts = Breakdown::of(&[sample("rain", &[1.0, 15.0, 49.0]), sample("", &[29.0, 51.0])]);
        let truths = |part: &Part| part.metrics.classes[0].truths;
        assert_eq!(parts.by_distance.iter().map(truths).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(parts.by_tag.iter().map(truths).collect::<Vec<_>>(), [3]);
        assert_eq!(parts.by_distance[1].name, "15-30 m");
    }
}
