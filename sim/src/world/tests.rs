use super::*;

/// Ten worlds of each kind, made once for all tests.
static WORLDS: std::sync::LazyLock<Vec<Log>> =
    std::sync::LazyLock::new(|| (0..90).map(|seed| generate(seed).unwrap()).collect());

#[test]
fn a_seed_makes_the_same_world_twice() {
    for seed in 0..9 {
        let (a, b) = (generate(seed).unwrap(), generate(seed).unwrap());
        assert_eq!(format!("{:?}", a.tracks), format!("{:?}", b.tracks));
        assert_eq!(format!("{:?}", a.ego), format!("{:?}", b.ego));
    }
}

#[test]
fn the_reference_driver_hits_nobody_and_gets_somewhere() {
    let mut failures = Vec::new();
    for log in WORLDS.iter() {
        let (first, last) = (log.ego.states[0], log.ego.states[log.ego.states.len() - 1]);
        let way_m = (last.pose().position() - first.pose().position()).norm();
        if way_m < 25.0 {
            failures.push(format!("{}: {way_m:.0} m ({})", log.id, log.description));
        }
        let hit = log.ego.states.iter().find_map(|state| {
            let outline = log.ego.body.outline(state.pose());
            let hits = |track: &&tandem_datasets::Track| {
                track.at(state.stamp, 200_000_000).is_some_and(|other| track.outline(&other).intersects(&outline))
            };
            log.tracks
                .iter()
                .find(hits)
                .map(|track| format!("{:.1} s: {} {}", state.stamp.seconds(), track.source_class, track.source_id))
        });
        if let Some(hit) = hit {
            failures.push(format!("{}: hit at {hit} ({})", log.id, log.description));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_reference_driver_stays_on_the_road_and_is_smooth() {
    let mut failures = Vec::new();
    for log in WORLDS.iter() {
        let map = log.map.as_ref().unwrap();
        let off =
            log.ego.states.iter().find(|state| {
                log.ego.body.outline(state.pose()).corners().iter().any(|corner| !map.is_drivable(*corner))
            });
        if let Some(state) = off {
            failures.push(format!("{}: off the road at {:.1} s", log.id, state.stamp.seconds()));
        }
        let hardest =
            log.ego.states.windows(2).map(|pair| (pair[1].speed_mps - pair[0].speed_mps) / 0.1).fold(0.0, f64::min);
        if hardest < -5.0 {
            failures.push(format!("{}: braked at {hardest:.1} m/s² ({})", log.id, log.description));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn nobody_drives_through_anybody() {
    let mut failures = Vec::new();
    for log in WORLDS.iter() {
        let moving = |track: &tandem_datasets::Track| track.class.is_vehicle();
        for (i, a) in log.tracks.iter().enumerate().filter(|(_, track)| moving(track)) {
            for b in log.tracks[i + 1..].iter().filter(|track| moving(track)) {
                let hit = a.states.iter().find(|state| {
                    b.at(state.stamp, 200_000_000).is_some_and(|other| b.outline(&other).intersects(&a.outline(state)))
                });
                if let Some(state) = hit {
                    failures.push(format!(
                        "{}: {} and {} at {:.1} s ({})",
                        log.id,
                        a.source_id,
                        b.source_id,
                        state.stamp.seconds(),
                        log.description
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
