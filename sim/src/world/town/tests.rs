use std::collections::BTreeMap;

use tandem_datasets::{Class, DetectionClass, Track};

use super::*;

/// Some towns, made once for all tests.
static TOWNS: std::sync::LazyLock<Vec<Log>> =
    std::sync::LazyLock::new(|| (0..14).map(|seed| town(seed).unwrap()).collect());

#[test]
fn a_seed_makes_the_same_town_twice() {
    for seed in 0..2 {
        let again = town(seed).unwrap();
        let first = &TOWNS[seed as usize];
        assert_eq!(format!("{:?}", again.tracks), format!("{:?}", first.tracks));
        assert_eq!(format!("{:?}", again.ego), format!("{:?}", first.ego));
    }
}

#[test]
fn a_dozen_towns_have_all_detection_classes() {
    let mut seen = BTreeMap::new();
    for track in TOWNS[..12].iter().flat_map(|log| &log.tracks) {
        *seen.entry(DetectionClass::of(track)).or_insert(0) += 1;
    }
    assert!(DetectionClass::ALL.into_iter().all(|class| seen.contains_key(&Some(class))), "{seen:?}");
}

#[test]
fn nobody_overlaps_at_the_start_and_the_ego_hits_nobody() {
    let mut failures = Vec::new();
    for log in TOWNS.iter() {
        let start = log.ego.states[0].stamp;
        let boxes: Vec<_> = log
            .tracks
            .iter()
            .filter_map(|track| {
                track.states.first().filter(|state| state.stamp == start).map(|s| (track, track.outline(s)))
            })
            .collect();
        for (index, (a, box_a)) in boxes.iter().enumerate() {
            // A trailer may touch what tows it.
            let tows =
                |a: &Track, b: &Track| a.source_class == "vehicle.trailer" || b.source_class == "vehicle.trailer";
            let people = |a: &Track, b: &Track| a.class == Class::Pedestrian || b.class == Class::Pedestrian;
            let meets = |(b, box_b): &&(&Track, Box2)| box_a.intersects(box_b) && !tows(a, b) && !people(a, b);
            let hit = boxes[index + 1..].iter().find(meets);
            if let Some((b, _)) = hit {
                failures.push(format!(
                    "{}: {} {} and {} {}",
                    log.id, a.source_class, a.source_id, b.source_class, b.source_id
                ));
            }
        }
        for state in &log.ego.states {
            let outline = log.ego.body.outline(state.pose());
            for track in &log.tracks {
                if track.at(state.stamp, 200_000_000).is_some_and(|other| track.outline(&other).intersects(&outline)) {
                    failures.push(format!(
                        "{}: the ego hits {} at {}",
                        log.id,
                        track.source_class,
                        state.stamp.seconds()
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn everybody_is_as_fast_as_it_moves() {
    for log in TOWNS.iter() {
        for track in log.tracks.iter().filter(|track| track.states.len() > 2) {
            let off_mps = |three: &[tandem_datasets::TrackState]| {
                let moved = |axis: fn(&tandem_datasets::Pose2) -> f64| axis(&three[2].pose) - axis(&three[0].pose);
                let [vx, vy] = three[1].velocity_mps;
                (moved(|pose| pose.x) / 0.2 - vx).hypot(moved(|pose| pose.y) / 0.2 - vy)
            };
            let all: Vec<f64> = track.states.windows(3).map(off_mps).collect();
            let mean_mps = all.iter().sum::<f64>() / all.len() as f64;
            assert!(mean_mps < 0.4, "{}: {} is {mean_mps:.2} m/s off", log.id, track.source_id);
        }
    }
}

#[test]
fn the_ego_stays_on_the_road_and_gets_somewhere() {
    let mut failures = Vec::new();
    for log in TOWNS.iter() {
        let map = log.map.as_ref().unwrap();
        let is_off = |state: &&tandem_datasets::EgoState| {
            log.ego.body.outline(state.pose()).corners().iter().any(|corner| !map.is_drivable(*corner))
        };
        if let Some(state) = log.ego.states.iter().find(is_off) {
            failures.push(format!("{}: off the road at {:.1} s", log.id, state.stamp.seconds()));
        }
        let way_m: f64 = log.ego.states.iter().map(|state| state.speed_mps * 0.1).sum();
        if way_m < 30.0 {
            failures.push(format!("{}: {way_m:.0} m", log.id));
        }
        let hardest =
            log.ego.states.windows(2).map(|pair| (pair[1].speed_mps - pair[0].speed_mps) / 0.1).fold(0.0, f64::min);
        if hardest < -5.0 {
            failures.push(format!("{}: braked at {hardest:.1} m/s²", log.id));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn some_routes_turn_left_and_some_right() {
    let turned = |log: &Log| -> f64 {
        let yaws = log.ego.states.windows(2);
        yaws.map(|pair| tandem_datasets::geometry::wrap_angle(pair[1].pose().yaw - pair[0].pose().yaw)).sum()
    };
    let turns: Vec<_> = TOWNS.iter().map(turned).collect();
    assert!(turns.iter().filter(|turn| **turn > 0.8).count() >= 2, "{turns:?}");
    assert!(turns.iter().filter(|turn| **turn < -0.8).count() >= 2, "{turns:?}");
}

/// How full the towns are; run by hand: `cargo test --release -- --ignored --nocapture town::tests::density`.
#[test]
#[ignore = "prints a table"]
fn density() {
    let started = std::time::Instant::now();
    let logs: Vec<_> = (0..30).map(|seed| town(seed).unwrap()).collect();
    println!("{:.1} ms a town", started.elapsed().as_secs_f64() * 1e3 / 30.0);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut frames = 0;
    for log in &logs {
        let mut of_log = [0; 3];
        for state in log.ego.states.iter().step_by(5) {
            frames += 1;
            for track in &log.tracks {
                let Some(other) = track.at(state.stamp, 200_000_000) else { continue };
                if (other.pose.position() - state.pose().position()).norm() > 50.0 {
                    continue;
                }
                let class = DetectionClass::of(track);
                *counts.entry(class.map_or("none", DetectionClass::name).to_owned()).or_default() += 1;
                match class.map(DetectionClass::index) {
                    Some(0..=4) => of_log[0] += 1,
                    Some(5) => of_log[1] += 1,
                    Some(6 | 7) => of_log[2] += 1,
                    _ => {}
                }
            }
        }
        let per = log.ego.states.iter().step_by(5).count() as f64;
        let way_m: f64 = log.ego.states.iter().map(|state| state.speed_mps * 0.1).sum();
        let [vehicles, people, two_wheelers] = of_log.map(|count| count as f64 / per);
        println!(
            "{} {way_m:4.0} m, {:3} tracks, {vehicles:5.1} vehicles {people:5.1} people {two_wheelers:4.1} two-wheelers, {:?}",
            log.id,
            log.tracks.len(),
            log.tags
        );
    }
    for (class, count) in counts {
        println!("{class:22} {:6.2} a frame", count as f64 / f64::from(frames));
    }
}
