//! The tracker on motions whose outcome is known.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::*;

fn detection(class: DetectionClass, x: f64, y: f64) -> Detection {
    Detection {
        class,
        center: [x, y, 0.5],
        size: [0.7, 0.7, 1.7],
        yaw_rad: 0.0,
        velocity_mps: None,
        score: 0.8,
        covariance: None,
    }
}

fn walker(x: f64, y: f64) -> Detection {
    detection(DetectionClass::Pedestrian, x, y)
}

fn at(seconds: f64) -> Stamp {
    Stamp::from_seconds(seconds)
}

#[test]
fn a_noiseless_target_at_constant_velocity_is_followed_exactly() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut seconds = 0.0;
    for step in 0..400 {
        // Uneven steps.
        seconds += if step % 3 == 0 { 0.1 } else { 0.17 };
        tracker.update(at(seconds), &[detection(DetectionClass::Car, 3.0 + 8.0 * seconds, -2.0 * seconds)]);
    }
    let [car] = tracker.objects() else { panic!("one car") };
    assert!((car.center[0] - 3.0 - 8.0 * seconds).abs() < 1e-6 && (car.center[1] + 2.0 * seconds).abs() < 1e-6);
    assert!((car.velocity_mps[0] - 8.0).abs() < 1e-6 && (car.velocity_mps[1] + 2.0).abs() < 1e-6);
    assert_eq!((car.id, car.hits, car.unseen_ns), (ObjectId(0), 400, 0));
}

/// How far off the predicted place of a car in a bend is on average, m; it is seen with noise, ten times a second.
fn mean_error_in_a_bend(velocity_turns: bool) -> f64 {
    let mut config = TrackerConfig::default();
    config.vehicle.velocity_turns = velocity_turns;
    let mut tracker = Tracker::new(config);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(2);
    let mut errors_m = Vec::new();
    for step in 0..300 {
        let seconds = 0.1 * f64::from(step);
        // 8 m/s along a circle of 16 m.
        let (sin, cos) = (0.5 * seconds).sin_cos();
        let mut noise = |size: f64| random.random_range(-size..size);
        let mut seen = detection(DetectionClass::Car, 16.0 * sin + noise(0.3), -16.0 * cos + noise(0.3));
        seen.yaw_rad = 0.5 * seconds + noise(0.1);
        let seen: &[Detection] = if step % 5 == 4 { &[] } else { &[seen] };
        if let [car] = tracker.update(at(seconds), seen)
            && step > 50
        {
            errors_m.push((car.center[0] - 16.0 * sin).hypot(car.center[1] + 16.0 * cos));
        }
    }
    assert!(errors_m.len() > 240);
    errors_m.iter().sum::<f64>() / errors_m.len() as f64
}

#[test]
fn a_car_in_a_bend_is_followed_better_when_its_velocity_turns_with_it() {
    let (turning_m, straight_m) = (mean_error_in_a_bend(true), mean_error_in_a_bend(false));
    assert!(turning_m < 0.8 * straight_m, "{turning_m} m, and {straight_m} m at constant velocity");
}

#[test]
fn two_walkers_that_cross_keep_their_identities() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for step in 0..40 {
        let seconds = 0.25 * f64::from(step);
        let mut noise = || random.random_range(-0.05..0.05);
        let along = -7.0 + 1.4 * seconds;
        // They pass 0.3 m beside each other at five seconds.
        let detections = [walker(along + noise(), noise()), walker(0.3 + noise(), along + noise())];
        tracker.update(at(seconds), &detections);
    }
    let [a, b] = tracker.objects() else { panic!("two walkers: {:?}", tracker.objects()) };
    assert_eq!((a.id, b.id), (ObjectId(0), ObjectId(1)));
    let [eastward, northward] = if a.velocity_mps[0] > 1.0 { [a, b] } else { [b, a] };
    assert!(eastward.velocity_mps[0] > 1.2 && northward.velocity_mps[1] > 1.2);
    // Which of the two got which id at birth is which id it has now.
    let mut first = Tracker::new(TrackerConfig { confirm_hits: 1, ..TrackerConfig::default() });
    let born = first.update(at(0.0), &[walker(-7.0, 0.0), walker(0.3, -7.0)]);
    assert_eq!(born[0].center[0] < -5.0, eastward.id == ObjectId(0));
}

#[test]
fn an_object_counts_from_its_second_sighting_and_is_forgotten_after_a_time() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    assert!(tracker.update(at(0.0), &[walker(0.0, 0.0)]).is_empty());
    assert_eq!(tracker.update(at(0.5), &[walker(0.0, 0.0)]).len(), 1);
    let sure = tracker.objects()[0].existence;
    assert!(tracker.update(at(1.0), &[])[0].existence < sure);
    assert_eq!(tracker.objects()[0].unseen_ns, 500_000_000);
    assert_eq!(tracker.update(at(1.6), &[]).len(), 1);
    assert!(tracker.update(at(1.8), &[]).is_empty());
    // Seen again it is another one.
    tracker.update(at(2.0), &[walker(0.0, 0.0)]);
    assert_eq!(tracker.update(at(2.1), &[walker(0.0, 0.0)])[0].id, ObjectId(1));
}

#[test]
fn what_was_seen_once_and_missed_never_counts() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    for seconds in [0.0, 0.2, 0.4, 0.6] {
        let here = if seconds == 0.2 || seconds == 0.6 { 0.0 } else { 50.0 };
        assert!(tracker.update(at(seconds), &[walker(here, 0.0)]).is_empty());
    }
}

#[test]
fn existence_follows_bayes_rule_for_a_miss() {
    let mut tracker = Tracker::new(TrackerConfig { detection_probability: 0.6, ..TrackerConfig::default() });
    tracker.update(at(0.0), &[walker(0.0, 0.0)]);
    let seen = tracker.update(at(0.1), &[walker(0.0, 0.0)])[0].existence;
    assert!((seen - (1.0 - 0.2 * 0.2)).abs() < 1e-12);
    let missed = tracker.update(at(0.2), &[])[0].existence;
    assert!((missed - seen * 0.4 / (1.0 - seen * 0.6)).abs() < 1e-12);
}

#[test]
fn late_and_unsound_input_is_counted_and_changes_nothing() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    tracker.update(at(1.0), &[walker(0.0, 0.0)]);
    let before = tracker.update(at(1.1), &[walker(0.0, 0.0)]).to_vec();
    assert_eq!(tracker.update(at(1.05), &[walker(9.0, 0.0)]), before);
    assert_eq!(tracker.late_updates(), 1);
    let unsound = [walker(f64::NAN, 0.0), Detection { size: [0.0, 1.0, 1.0], ..walker(0.0, 0.0) }];
    tracker.update(at(1.2), &unsound);
    assert_eq!(tracker.invalid_detections(), 2);
    assert_eq!(tracker.objects()[0].unseen_ns, 100_000_000);
}

#[test]
fn the_class_is_that_of_most_confidence() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    for (step, class) in [DetectionClass::Truck, DetectionClass::Car, DetectionClass::Car].into_iter().enumerate() {
        tracker.update(at(0.1 * step as f64), &[detection(class, 0.0, 0.0)]);
    }
    let [car] = tracker.objects() else { panic!("one car") };
    assert_eq!((car.class, car.hits), (DetectionClass::Car, 3));
}

/// Twenty things on random paths, with misses, clutter and noise, as detections by time.
fn traffic(seed: u64) -> Vec<(Stamp, Vec<Detection>)> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let things: Vec<(Detection, [f64; 2])> = (0..20)
        .map(|_| {
            let class = DetectionClass::ALL[random.random_range(0..10)];
            let start = detection(class, random.random_range(-30.0..30.0), random.random_range(-30.0..30.0));
            (start, [random.random_range(-2.0..2.0), random.random_range(-2.0..2.0)])
        })
        .collect();
    (0..30)
        .map(|step| {
            let seconds = 0.2 * f64::from(step);
            let mut seen = Vec::new();
            for (start, [vx, vy]) in &things {
                if random.random_range(0.0..1.0) < 0.9 {
                    let mut noise = || random.random_range(-0.1..0.1);
                    let [x, y, z] = start.center;
                    let center = [x + vx * seconds + noise(), y + vy * seconds + noise(), z];
                    seen.push(Detection { center, score: 0.5 + noise(), ..*start });
                }
            }
            // Two that are alike in all but their place along one axis.
            let clutter = random.random_range(-30.0..30.0);
            seen.extend([walker(clutter, 0.0), walker(clutter, 1.0)]);
            (at(seconds), seen)
        })
        .collect()
}

#[test]
fn the_order_of_detections_does_not_matter() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let (mut sorted, mut shuffled) = (Tracker::new(TrackerConfig::default()), Tracker::new(TrackerConfig::default()));
    for (stamp, detections) in traffic(5) {
        let expected = sorted.update(stamp, &detections).to_vec();
        let mut order: Vec<usize> = (0..detections.len()).collect();
        order.shuffle(&mut random);
        let others: Vec<Detection> = order.iter().map(|index| detections[*index]).collect();
        let mut found = shuffled.update(stamp, &others).to_vec();
        found.iter_mut().for_each(|object| object.seen_as = object.seen_as.map(|index| order[index]));
        assert_eq!(found, expected);
    }
    assert!(sorted.objects().len() >= 15, "{}", sorted.objects().len());
}

#[test]
fn two_runs_give_the_same_objects() {
    let run = || {
        let mut tracker = Tracker::new(TrackerConfig::default());
        traffic(8).into_iter().map(|(stamp, seen)| tracker.update(stamp, &seen).to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn what_is_taken_for_two_classes_of_a_kind_is_one_thing_that_is_there_if_either_is_right() {
    let seen = |class, score| Detection { score, ..detection(class, 5.0, 5.0) };
    let (bicycle, motorcycle) = (seen(DetectionClass::Bicycle, 0.35), seen(DetectionClass::Motorcycle, 0.3));
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut lone = Tracker::new(TrackerConfig::default());
    for step in 0..3 {
        tracker.update(at(0.1 * f64::from(step)), &[motorcycle, bicycle]);
        lone.update(at(0.1 * f64::from(step)), &[bicycle]);
    }
    let [cycle] = tracker.objects() else { panic!("one cycle: {:?}", tracker.objects()) };
    assert_eq!((cycle.class, cycle.seen_as), (DetectionClass::Bicycle, Some(1)));
    assert!((cycle.score - (1.0 - 0.65 * 0.7)).abs() < 1e-12);
    assert!(lone.objects().is_empty());
    // A pedestrian there is another thing.
    tracker.update(at(0.3), &[motorcycle, bicycle, seen(DetectionClass::Pedestrian, 0.9)]);
    assert_eq!(tracker.update(at(0.4), &[motorcycle, bicycle, seen(DetectionClass::Pedestrian, 0.9)]).len(), 2);
}
