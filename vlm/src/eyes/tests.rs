//! What the eyes see of staged worlds.

#![allow(clippy::unwrap_used)]

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use tandem_datasets::log::planar;
use tandem_sim::camera::{Shot, rig};

use super::*;

/// Eyes that have learnt nothing yet.
fn fresh() -> Eyes<Flex> {
    Eyes::new((Network::begun(&FlexDevice).unwrap(), String::new()), &FlexDevice)
}

/// A staged world, seen shortly after what was staged began to show.
struct Scene {
    stamp: Stamp,
    map_from_ego: nalgebra::Isometry3<f64>,
    cameras: Vec<Camera>,
    shots: Vec<Shot>,
}

impl Scene {
    fn new(seed: u64, cameras: Vec<Camera>) -> Self {
        let place = Place::new(seed).unwrap();
        let hazard = place.staging.hazard.as_ref().unwrap();
        let stamp = place.stamp(hazard.visible_from_s + 1.0);
        let map_from_ego = place.map_from_ego(stamp);
        let shots = place.shots(&cameras, &map_from_ego, stamp);
        Self { stamp, map_from_ego, cameras, shots }
    }

    fn images(&self) -> Vec<(&Camera, Pixels<'_>)> {
        self.cameras.iter().zip(self.shots.iter().map(|shot| Pixels::from(&shot.image))).collect()
    }

    fn pose(&self) -> Pose2 {
        planar(&self.map_from_ego)
    }
}

/// A seed in whose world something is staged.
const STAGED: u64 = 10;

#[test]
fn rows_tell_what_the_eyes_saw() {
    let scene = Scene::new(STAGED, cameras());
    let mut eyes = fresh();
    let Sight { rows, glances, .. } = eyes.look(scene.stamp, scene.pose(), &scene.images(), None).unwrap();
    assert_eq!(rows.surroundings(), Some(glances[0].surroundings()));
    let told = rows.told();
    for glance in &glances {
        let of_view: Vec<&Told> = told.iter().filter(|told| told.view == glance.view && told.ago_s == 0.0).collect();
        assert!(of_view.len() == 4 * if glance.view == View::Front { 3 } else { 1 });
        for (told, sighting) in of_view.into_iter().zip(&glance.sightings) {
            let word = WORDS.iter().position(|word| *word == told.word).unwrap();
            assert!(told.score == sighting.scores[word] && !is_ordinary(word));
            assert_eq!(told.bounds, sighting.bounds);
            assert!((0..2).all(|axis| (told.place_m[axis] - sighting.place_m[axis]).abs() < 1e-3));
        }
    }
    let later = scene.stamp.offset_ns(2_000_000_000);
    let rows = eyes.look(later, scene.pose(), &scene.images()[..1], None).unwrap().rows;
    assert_eq!(rows.told().iter().filter(|told| told.ago_s == 2.0).count(), 4);
    assert_eq!(Rows { width: WIDTH, values: Vec::new() }.surroundings(), None);
}

#[test]
fn a_moment_has_the_same_rows_whenever_it_is_looked_at() {
    let scene = Scene::new(STAGED, cameras());
    let mut eyes = fresh();
    let embedding = vec![0.5; EMBEDDING];
    let mut look = || {
        eyes.forget();
        eyes.look(scene.stamp, scene.pose(), &scene.images(), Some(&embedding)).unwrap().rows
    };
    let rows = look();
    assert_eq!((rows.width, rows.values.len()), (WIDTH, ROWS * WIDTH));
    assert!(rows.values.iter().all(|value| value.is_finite()));
    let last = rows.values.chunks(WIDTH).next_back().unwrap();
    assert_eq!(last.iter().filter(|value| **value == 0.5).count(), EMBEDDING);
    assert_eq!(look(), rows);
}

#[test]
fn what_is_not_there_leaves_its_rows_empty() {
    let scene = Scene::new(STAGED, cameras());
    let is_empty =
        |rows: &Rows| rows.values.chunks(WIDTH).map(|row| row.iter().all(|value| *value == 0.0)).collect::<Vec<bool>>();
    let mut eyes = fresh();
    let nothing = eyes.look(scene.stamp, scene.pose(), &[], None).unwrap().rows;
    assert!(is_empty(&nothing).into_iter().all(|is_empty| is_empty));
    let front = eyes.look(scene.stamp, scene.pose(), &scene.images()[..1], None).unwrap().rows;
    let empty = is_empty(&front).iter().filter(|is_empty| **is_empty).count();
    // Neither side, nothing earlier, no embedding.
    assert_eq!(empty, 4 + 4 + 12 + 1);
    let later = eyes.look(scene.stamp.offset_ns(1_000_000_000), scene.pose(), &scene.images()[..1], None).unwrap().rows;
    assert_eq!(is_empty(&later).iter().filter(|is_empty| **is_empty).count(), empty - 4);
    // Cameras that the eyes do not look through change nothing.
    let back = rig::nuscenes(256, 96).into_iter().find(|camera| camera.name == "CAM_BACK").unwrap();
    assert!(eyes.glance(&back, scene.images()[0].1).unwrap().is_none());
}

#[test]
fn what_was_ahead_of_a_vehicle_that_drove_on_is_nearer() {
    let scene = Scene::new(STAGED, cameras());
    let mut eyes = fresh();
    let (images, pose) = (scene.images(), scene.pose());
    eyes.watch(scene.stamp, pose, images[0].0, images[0].1).unwrap();
    let drove_m = 12.0;
    let on = pose.transform(nalgebra::Point2::new(drove_m, 0.0));
    let moved = Pose2 { x: on.x, y: on.y, ..pose };
    let rows = eyes.look(scene.stamp.offset_ns(1_000_000_000), moved, &images[..1], None).unwrap().rows;
    // The first thing ahead, now and a second before, of the same image.
    let row = |number: usize| &rows.values[number * WIDTH..][..WIDTH];
    let (now, before) = (row(0), row(12 + 4 + 4));
    let changed: Vec<usize> = (0..WIDTH).filter(|column| (now[*column] - before[*column]).abs() > 1e-6).collect();
    let ahead = changed[0];
    assert!((now[ahead] - before[ahead] - drove_m as f32 / 50.0).abs() < 1e-4, "{changed:?}");
    // Its place ahead with two waves, and how long ago.
    assert_eq!(changed.len(), 5 + 1, "{changed:?}");
}

#[test]
fn a_drive_through_a_place_is_remembered_as_its_images_are() {
    let place = Place::new(STAGED).unwrap();
    let moment = |at_s: f64| (place.stamp(at_s), place.map_from_ego(place.stamp(at_s)));
    let drive = [1.0, 2.0, 3.0, 4.0].map(moment);
    let mut eyes = fresh();
    let rows = place.look(&mut eyes, &drive, None).unwrap();
    let rig = cameras();
    eyes.forget();
    let mut seen = Rows { width: 0, values: Vec::new() };
    for (stamp, map_from_ego) in drive {
        let shots = place.shots(&rig, &map_from_ego, stamp);
        let images: Vec<_> = rig.iter().zip(shots.iter().map(|shot| Pixels::from(&shot.image))).collect();
        seen = eyes.look(stamp, planar(&map_from_ego), &images, None).unwrap().rows;
    }
    assert!(rows == seen);
    assert!(place.look(&mut eyes, &[], None).is_err());
}

#[test]
fn files_that_hold_no_eyes_are_refused_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("eyes.safetensors");
    let eyes = fresh();
    weights::save(&eyes.network, &path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let read: Eyes<Flex> = Eyes::open(&path, &FlexDevice).unwrap();
    // Sixteen bits are kept of every weight.
    let scene = Scene::new(STAGED, cameras());
    let [a, b] = [&eyes, &read].map(|eyes| eyes.glance(scene.images()[0].0, scene.images()[0].1).unwrap().unwrap());
    let most = a.pooled.iter().zip(&b.pooled).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 0.02, "{most}");
    let refused = |bytes: &[u8], said: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = Eyes::<Flex>::open(&path, &FlexDevice).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("eyes.safetensors") && error.lines().count() == 1, "{error}");
    };
    refused(&whole[..whole.len() / 2], "");
    refused(&whole[..4], "");
    refused(b"", "");
    refused(include_bytes!("../../../weights/tiny.safetensors"), "no eyes");
    // As long as before, but a tensor that has another name.
    let text = b"numbers.weight";
    let at = whole.windows(text.len()).position(|window| window == text).unwrap();
    let mut renamed = whole.clone();
    renamed[at] = b'm';
    refused(&renamed, "");
}

#[test]
fn the_eyes_that_come_with_the_program_see_closed_roads_of_worlds_that_they_have_not_learnt_from() {
    let eyes: Eyes<Flex> = Eyes::own(&FlexDevice).unwrap();
    let closure = WORDS.iter().position(|word| *word == "closure").unwrap();
    let (mut shown, mut seen) = (0, 0);
    for seed in [9, 22, 35] {
        let place = Place::new(seed).unwrap();
        let front = &cameras()[..1];
        for second in 0..8 {
            let stamp = place.stamp(f64::from(second));
            let map_from_ego = place.map_from_ego(stamp);
            let shot = place.shots(front, &map_from_ego, stamp).remove(0);
            let there = place.shown(&front[0], &map_from_ego, stamp, &shot);
            if !there.iter().any(|thing| thing.word == closure && thing.is_clear) {
                continue;
            }
            shown += 1;
            let glance = eyes.glance(&front[0], Pixels::from(&shot.image)).unwrap().unwrap();
            let is_closure =
                |sighting: &Sighting| matches!(sighting.word(), (word, score) if word == closure && score > 0.3);
            seen += usize::from(glance.sightings.iter().any(is_closure));
        }
    }
    assert!(shown > 5 && seen * 10 >= shown * 8, "{seen} of {shown}");
}
