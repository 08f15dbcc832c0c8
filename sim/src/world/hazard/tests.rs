use std::collections::BTreeMap;

use tandem_datasets::{DetectionClass, Track};

use super::*;

/// Ten worlds of each kind, made once for all tests.
static WORLDS: std::sync::LazyLock<Vec<Staged>> =
    std::sync::LazyLock::new(|| (0..130).map(|seed| generate(Kind::of(seed), seed).unwrap()).collect());

fn fails(what: impl Fn(&Staged) -> Option<String>) {
    let failures: Vec<_> =
        WORLDS.iter().filter_map(|world| Some(format!("{}: {}", world.log.id, what(world)?))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_seed_makes_the_same_world_twice_and_each_kind_another_one() {
    for seed in 0..13 {
        let (first, again) = (&WORLDS[seed as usize], generate(Kind::of(seed), seed).unwrap());
        assert_eq!(format!("{:?}", first.log.tracks), format!("{:?}", again.log.tracks));
        assert_eq!(format!("{:?}", first.log.ego), format!("{:?}", again.log.ego));
        assert_eq!(first.staging, again.staging);
    }
    let other = generate(Kind::Flood, 7).unwrap();
    assert_eq!(other.log.id, "hazard-0007-flood");
}

#[test]
fn no_world_is_the_last_resort() {
    for seed in 0..130 {
        let made = (0..DRAFTS - 1).any(|draft| draw(Kind::of(seed), seed, draft).unwrap().is_some());
        assert!(made, "{}", id(Kind::of(seed), seed));
    }
}

#[test]
fn nobody_overlaps_at_the_start_and_the_reference_driver_hits_nobody_and_stays_on_the_road() {
    let outlines = |world: &Staged, stamp| -> Vec<_> {
        let there = |track: &'_ Track| track.at(stamp, 200_000_000).map(|state| track.outline(&state));
        world.log.tracks.iter().map(there).collect()
    };
    fails(|world| {
        let start = world.log.ego.states[0].stamp;
        let all: Vec<_> = outlines(world, start).into_iter().flatten().collect();
        let hit = |(index, one): (usize, &tandem_datasets::Box2)| all[index + 1..].iter().any(|o| o.intersects(one));
        all.iter().enumerate().any(hit).then(|| "two overlap at the start".to_owned())
    });
    fails(|world| {
        let map = world.staging.true_map(world.log.map.as_ref().unwrap()).unwrap();
        world.log.ego.states.iter().find_map(|state| {
            let (at_s, outline) = (state.stamp.seconds(), world.log.ego.body.outline(state.pose()));
            let off = outline.corners().iter().any(|corner| !map.is_drivable(*corner));
            let hit = outlines(world, state.stamp).iter().flatten().any(|other| other.intersects(&outline));
            (off || hit).then(|| format!("off the road {off}, hits somebody {hit} at {at_s:.1} s"))
        })
    });
}

#[test]
fn what_was_staged_is_told_in_full() {
    fails(|Staged { log, staging }| {
        let Some(hazard) = &staging.hazard else {
            return (staging.kind != Kind::Calm).then(|| "no hazard".to_owned());
        };
        let Hazard { tracks, closed, visible_from_s, over_s, reaction, .. } = hazard;
        let is_whole = (!tracks.is_empty() || !closed.is_empty())
            && tracks.iter().all(|track| (*track as usize) < log.tracks.len())
            && visible_from_s < over_s
            && *over_s <= 20.0
            && !reaction.actions.is_empty()
            && reaction.speed_cap_mps < staging.environment.limit_mps
            && closed.iter().all(|ring| reaction.avoid.contains(ring))
            && staging.environment.lane < staging.environment.lanes;
        (!is_whole).then(|| format!("{hazard:?}"))
    });
}

#[test]
fn closed_stretches_are_closed_in_the_true_map_only() {
    fails(|Staged { log, staging }| {
        let published = log.map.as_ref().unwrap();
        let truth = staging.true_map(published).unwrap();
        let is_shut = |point: &nalgebra::Point2<f64>| published.is_drivable(*point) && !truth.is_drivable(*point);
        // Its sides are told one after the other, the second one backwards; it may reach beyond the road's end.
        let along = |ring: &Ring| {
            let middle = |at: usize| ring[at] + (ring[ring.len() - 1 - at] - ring[at]) * 0.5;
            let road: Vec<_> = (0..ring.len() / 2).map(middle).filter(|point| published.is_drivable(*point)).collect();
            !road.is_empty() && road.iter().skip(1).rev().skip(1).all(is_shut)
        };
        let is_right = staging.closed().iter().all(along);
        let lanes = &published.parts().lanes;
        let mut points = lanes.iter().flat_map(|lane| &lane.centerline).map(|point| point.xy());
        let is_calm = staging.closed().is_empty() && points.any(|point| is_shut(&point));
        (!is_right || is_calm).then(|| "a stretch is open, or what is no stretch is shut".to_owned())
    });
}

#[test]
fn the_fast_system_has_no_class_for_what_lies_runs_or_warns_and_one_for_all_road_users() {
    let mut unclassed: BTreeMap<&str, Kind> = BTreeMap::new();
    for world in WORLDS.iter() {
        for track in &world.log.tracks {
            let has_class = DetectionClass::of(track).is_some();
            let is_thing = ["object.", "animal.", "sign.", "movable_object.debris"];
            assert_eq!(has_class, !is_thing.iter().any(|name| track.source_class.starts_with(name)), "{track:?}");
            if !has_class {
                unclassed.insert(&track.source_class, world.staging.kind);
            }
        }
    }
    for category in ["animal.deer", "animal.dog", "object.ball", "object.tyre", "object.closure", "sign.closed"] {
        assert!(unclassed.contains_key(category), "{category} not in {unclassed:?}");
    }
}

#[test]
fn roads_lanes_light_and_weather_vary() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for Staged { staging, .. } in WORLDS.iter() {
        let Environment { weather, light, road, lanes, .. } = staging.environment;
        for value in [weather.name(), light.name(), road.name(), ["1", "2", "3"][lanes - 1]] {
            *seen.entry(value.to_owned()).or_default() += 1;
        }
    }
    assert!(seen.len() == 13 && seen.values().all(|count| *count >= 6), "{seen:?}");
}
