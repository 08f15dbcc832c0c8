//! Samples for the measures from a log of any format, a generated world's too.

use tandem_datasets::{DetectionClass, Log};
use tandem_graph::Stamp;

use super::boxes::{Sample, TruthBox};

/// The longest time between two states of a track across which it is interpolated, ns: keyframes are half a second
/// apart.
const MAX_GAP_NS: i64 = 700_000_000;

/// What a log has at a stamp, as the truth of a sample without detections; `None` before it begins, after it ends, and
/// without an ego.
///
/// Logs tell no attributes and no points, so that no attribute error counts and every box does. The tag is the log's
/// tags, with commas between them.
pub fn sample_of_log(log: &Log, stamp: Stamp) -> Option<Sample> {
    let (from, to) = log.span()?;
    if !(from..=to).contains(&stamp) {
        return None;
    }
    let ego = log.ego_at(stamp)?.pose();
    let truth = |track: &tandem_datasets::Track| {
        let state = track.at(stamp, MAX_GAP_NS)?;
        Some(TruthBox {
            class: DetectionClass::of(track)?,
            center: [state.pose.x, state.pose.y, state.z],
            size: track.size,
            yaw_rad: state.pose.yaw,
            velocity_mps: Some(state.velocity_mps),
            attribute: None,
            is_seen: true,
        })
    };
    Some(Sample {
        token: format!("{}@{}", log.id, stamp.ns()),
        tag: log.tags.join(", "),
        ego: [ego.x, ego.y],
        truth: log.tracks.iter().filter_map(truth).collect(),
        detections: Vec::new(),
        bicycle_racks: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::boxes::DetectedBox;
    use super::super::detection::DetectionMetrics;
    use super::*;

    #[test]
    fn a_generated_world_detected_as_it_is_scores_one_but_for_attributes() {
        let log = tandem_sim::world::generate(3).unwrap();
        let (from, to) = log.span().unwrap();
        let middle = from.offset_ns(to.ns_since(from) / 2);
        let mut sample = sample_of_log(&log, middle).unwrap();
        assert!(!sample.truth.is_empty());
        let found = sample.truth.iter().map(|truth| DetectedBox {
            class: truth.class,
            center: truth.center,
            size: truth.size,
            yaw_rad: truth.yaw_rad,
            velocity_mps: truth.velocity_mps.unwrap(),
            attribute: None,
            score: 0.9,
        });
        sample.detections = found.collect();
        let present = DetectionMetrics::of(&[sample]).present_classes;
        assert!((present.mean_ap - 1.0).abs() < 1e-12, "{present:?}");
        // Without a single attribute in the truth, its error is one, as in the devkit.
        assert_eq!(present.errors[..4], [0.0; 4]);
        assert!((present.nds - 0.9).abs() < 1e-12, "{present:?}");
    }

    #[test]
    fn there_is_no_sample_before_the_log_begins() {
        let log = tandem_sim::world::generate(3).unwrap();
        let (from, to) = log.span().unwrap();
        assert_eq!(sample_of_log(&log, from.offset_ns(-1)), None);
        assert!(sample_of_log(&log, from).is_some() && sample_of_log(&log, to).is_some());
    }
}
