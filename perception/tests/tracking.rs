//! The tracker on real detections of a real scene, by the tracking measures.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::collections::HashMap;

use tandem_datasets::DetectionClass;
use tandem_datasets::nuscenes::Keyframe;
use tandem_perception::eval::tracking::{TrackBox, TrackFrame, TrackingMetrics};
use tandem_perception::eval::{Sample, nuscenes, results::Results};
use tandem_perception::track::{Detection, Tracker, TrackerConfig};

/// The true boxes of a keyframe that count, with the instances' numbers.
fn truth(keyframe: &Keyframe, ids: &mut HashMap<String, u64>) -> Vec<TrackBox> {
    let all = nuscenes::truth(keyframe);
    let counted = all.counted();
    let mut boxes = Vec::new();
    for label in &keyframe.labels {
        let Some(class) = DetectionClass::of_category(&label.category) else { continue };
        let next = ids.len() as u64;
        let id = *ids.entry(label.instance.clone()).or_insert(next);
        if counted.truth.iter().any(|truth| truth.center == label.center && truth.class == class) {
            boxes.push(TrackBox { id, class, center: [label.center[0], label.center[1]], score: 1.0 });
        }
    }
    boxes
}

/// The tracked boxes of a sample that count.
fn tracked(tracker: &Tracker, sample: &Sample) -> Vec<TrackBox> {
    let seen = tracker.objects().iter().filter(|object| object.unseen_ns == 0);
    let in_range = seen.filter(|object| {
        let [x, y, _] = object.center;
        (x - sample.ego[0]).hypot(y - sample.ego[1]) < object.class.range_m()
    });
    in_range
        .map(|object| TrackBox {
            id: object.id.0,
            class: object.class,
            center: [object.center[0], object.center[1]],
            score: object.score,
        })
        .collect()
}

#[test]
fn real_detections_of_a_real_scene_are_tracked_this_well_at_least() {
    let Some(data) = data::data() else { return };
    let path = data.join("golden/nuscenes_eval/scene-0103_centerpoint/results.json");
    let results = Results::read(&path).unwrap();
    let keyframes = nuscenes::keyframes_of(&data.join("nuscenes"), None, "scene-0103").unwrap();
    let samples = nuscenes::samples(&keyframes, &results, &path).unwrap();
    let by_token: HashMap<&str, &Sample> = samples.iter().map(|sample| (&*sample.token, sample)).collect();

    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut ids = HashMap::new();
    let mut scene = Vec::new();
    for keyframe in &keyframes {
        let sample = by_token[&*keyframe.token];
        // These detections tell no velocity; the zeros stand for that.
        let detections: Vec<Detection> = sample
            .detections
            .iter()
            .map(|found| Detection {
                class: found.class,
                center: found.center,
                size: found.size,
                yaw_rad: found.yaw_rad,
                velocity_mps: None,
                score: found.score,
                covariance: None,
            })
            .collect();
        tracker.update(keyframe.stamp, &detections);
        scene.push(TrackFrame { truth: truth(keyframe, &mut ids), tracks: tracked(&tracker, sample) });
    }
    let metrics = TrackingMetrics::of(&[scene]);
    println!("AMOTA {:.3}, AMOTP {:.3} m, {} switches", metrics.amota, metrics.amotp_m, metrics.id_switches);
    for class in &metrics.classes {
        println!("{class:?}");
    }
    assert_eq!(tracker.late_updates() + tracker.invalid_detections(), 0);
    let of = |class| metrics.classes.iter().find(|metrics| metrics.class == class).unwrap();
    assert!(metrics.amota > 0.5, "{}", metrics.amota);
    assert!(of(DetectionClass::Car).amota > 0.75);
    assert!(of(DetectionClass::Pedestrian).amota > 0.75);
    assert!(metrics.id_switches < 30);
}
