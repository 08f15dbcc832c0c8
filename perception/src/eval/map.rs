//! Map grids: the intersection over union of what is painted and what is there, for each class.

use serde::Serialize;

/// Counts cells over many grids; each class by itself, for a cell may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapIou {
    /// Cells in both, and in either, by class.
    counts: Vec<(u64, u64)>,
}

/// The results of a [`MapIou`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapMetrics {
    /// By class; `None` where a class was neither painted nor there.
    pub iou: Vec<Option<f64>>,
    /// The mean over classes that have one; `None` if none has.
    pub mean_iou: Option<f64>,
}

impl MapIou {
    /// Nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { counts: vec![(0, 0); classes] }
    }

    /// Counts a grid of one class: `probabilities` and `truth` by cell, painted from `threshold` on. Cells beyond the
    /// shorter of the two, and classes beyond those it was made for, are not counted.
    pub fn add(&mut self, class: usize, probabilities: &[f32], truth: &[bool], threshold: f32) {
        let Some((both, either)) = self.counts.get_mut(class) else { return };
        for (probability, there) in probabilities.iter().zip(truth) {
            let painted = *probability >= threshold;
            *both += u64::from(painted && *there);
            *either += u64::from(painted || *there);
        }
    }

    /// The results so far.
    pub fn metrics(&self) -> MapMetrics {
        let ratio = |(both, either): &(u64, u64)| (*either > 0).then(|| *both as f64 / *either as f64);
        let iou: Vec<Option<f64>> = self.counts.iter().map(ratio).collect();
        let known: Vec<f64> = iou.iter().flatten().copied().collect();
        let mean_iou = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        MapMetrics { iou, mean_iou }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_over_all_grids() {
        let mut iou = MapIou::new(3);
        iou.add(0, &[0.9, 0.1, 0.6, 0.5], &[true, true, false, true], 0.5);
        iou.add(0, &[0.0; 2], &[false, true], 0.5);
        iou.add(1, &[0.7], &[true], 0.5);
        let metrics = iou.metrics();
        assert_eq!(metrics.iou, [Some(2.0 / 5.0), Some(1.0), None]);
        assert_eq!(metrics.mean_iou, Some(0.7));
    }
}
