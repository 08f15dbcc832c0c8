//! The planner sees by cameras: images come as they should, the loop stays reproducible, and cameras fail visibly.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/lookout.rs"]
mod lookout;

use std::sync::{Arc, OnceLock};

use lookout::{Finds, Found, Lookout};
use tandem_datasets::messages;
use tandem_graph::msgs::sensor_msgs::CompressedImage;
use tandem_graph::{cdr, recording};
use tandem_sim::camera::rig;
use tandem_sim::faults::{CameraFault, CameraFaultKind, Faults, Window};
use tandem_sim::nodes::Oracle;
use tandem_sim::replay::{record, replay};
use tandem_sim::suite::{Case, Driver, Suite};
use tandem_sim::{CameraSight, Course, Driven, Setup, Sight, TrafficMode, drive, world};

/// Small, so that the tests are quick.
const SIZE: [u32; 2] = [64, 24];

const PERIOD_NS: i64 = 200_000_000;

fn course(seed: u64) -> Arc<Course> {
    Arc::new(Course::new(&Arc::new(world::generate(seed).unwrap())).unwrap())
}

fn looking(finds: &Finds) -> CameraSight {
    let finds = Arc::clone(finds);
    let sight = CameraSight::new("cameras", move |_, sight| Box::new(Lookout::new(&sight.rig, &finds)));
    CameraSight { rig: rig::nuscenes(SIZE[0], SIZE[1]), ..sight }
}

fn setup(course: &Arc<Course>, sight: CameraSight, faults: Faults) -> Setup {
    let (course, planner, sight) = (Arc::clone(course), "tandem".to_owned(), Sight::Cameras(Arc::new(sight)));
    Setup { course, planner, traffic: TrafficMode::Reactive, sight, slow: None, faults }
}

fn run(course: &Arc<Course>, faults: Faults) -> (Driven, Vec<Found>) {
    let finds = Finds::default();
    let driven = drive(&setup(course, looking(&finds), faults), &mut []).unwrap();
    let found = finds.lock().unwrap().clone();
    (driven, found)
}

/// A run without faults, driven once for all tests.
fn whole() -> &'static (Driven, Vec<Found>) {
    static WHOLE: OnceLock<(Driven, Vec<Found>)> = OnceLock::new();
    WHOLE.get_or_init(|| run(&course(1), Faults::default()))
}

fn failing(camera: &str, kind: CameraFaultKind) -> Faults {
    let during = Window { from_s: 2.0, to_s: 4.0 };
    Faults { cameras: vec![CameraFault { camera: camera.to_owned(), kind, during }], ..Faults::default() }
}

#[test]
fn every_camera_gives_its_images_at_the_rate_with_the_stamp_of_exposure_from_the_start_of_the_log() {
    let course = course(1);
    let (driven, found) = whole();
    assert!(driven.complete, "{:?}", driven.summary);
    let rig = rig::nuscenes(SIZE[0], SIZE[1]);
    let count = course.end().ns_since(course.first()) / PERIOD_NS + 1;
    for (number, camera) in rig.iter().enumerate() {
        let of_camera: Vec<_> = found.iter().filter(|found| found.camera == number).collect();
        assert_eq!(of_camera.len() as i64, count);
        for (index, image) in (0..).zip(&of_camera) {
            assert_eq!(image.capture, course.first().offset_ns(index * PERIOD_NS));
            assert_eq!((image.receive, image.size), (image.capture, Some((SIZE[0], SIZE[1]))));
            assert_eq!(image.calibration.as_ref(), Some(camera));
        }
    }
    // Before the run starts, perception has answered already; each answer is as late as it takes to compute.
    assert_eq!(driven.perceived[0].capture, course.first());
    assert!(driven.perceived.iter().all(|answer| answer.publish.ns_since(answer.capture) == 150_000_000));
    assert!(driven.perceived.len() as i64 >= count - 1);
    assert!(driven.pictures.iter().all(|picture| picture.jpegs.iter().all(Option::is_some)));
    assert_eq!(driven.pictures.len(), course.steps() / 10 + 1);
}

#[test]
fn the_images_show_the_others_where_they_are_in_this_run_and_not_where_the_log_has_them() {
    let course = course(1);
    let (driven, _) = whole();
    let last = driven.pictures.last().unwrap();
    let step = course.step(last.stamp).unwrap();
    assert_eq!(last.subjects.len(), driven.agents[step].len());
    for ((subject, _), agent) in last.subjects.iter().zip(&driven.agents[step]) {
        assert_eq!(subject.number, agent.id);
        assert!((subject.pose.position() - agent.pose.position()).norm() < 1e-9);
    }
    assert!(last.subjects.iter().any(|(_, seen)| seen.is_some_and(|seen| seen.pixels > 5.0)));
    let ego = driven.states[step].pose;
    assert!((last.map_from_ego.translation.vector.xy() - ego.position().coords).norm() < 1e-9);
}

#[test]
fn two_runs_by_cameras_are_the_same_to_the_last_byte() {
    let course = course(2);
    let faults =
        Faults { delay_ms: 40.0, jitter_ms: 80.0, drop: 0.1, seed: 5, ..failing("back", CameraFaultKind::Late) };
    let [a, b] = [(); 2].map(|()| run(&course, faults.clone()).0);
    assert_eq!((&a.sha256, a.states), (&b.sha256, b.states));
    let on_time = Faults { cameras: Vec::new(), ..faults };
    assert_ne!(a.sha256, run(&course, on_time).0.sha256);
}

#[test]
fn a_recording_holds_the_images_and_its_planner_answers_the_same_again() {
    let course = course(3);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.mcap");
    let finds = Finds::default();
    let faults = Faults { delay_ms: 30.0, jitter_ms: 60.0, drop: 0.15, seed: 3, ..Faults::default() };
    let driven = record(&setup(&course, looking(&finds), faults), &path).unwrap();
    let comparison = replay(&path).unwrap();
    assert!(comparison.is_identical(), "{comparison:?}");
    assert_eq!(comparison.replayed_sha256, driven.sha256);
    let mut images = 0;
    for message in recording::read(&path).unwrap() {
        let message = message.unwrap();
        if message.channel.topic == "/camera/back_left/image" {
            let image: CompressedImage = cdr::decode(&message.bytes).unwrap();
            assert_eq!(image.header.frame_id, messages::camera_frame("CAM_BACK_LEFT"));
            assert!(image::load_from_memory(&image.data).is_ok());
            images += 1;
        }
    }
    assert_eq!(images, finds.lock().unwrap().iter().filter(|found| found.camera == 4).count());
}

#[test]
fn a_camera_that_fails_is_seen_to_fail_and_the_others_go_on() {
    let course = course(1);
    let (whole, all) = whole();
    let at = |seconds: f64| course.start.offset_ns((seconds * 1e9) as i64);
    let is_hit = |found: &&Found| found.camera == 1 && (at(2.0)..at(4.0)).contains(&found.capture);
    let hit = all.iter().filter(is_hit).count();
    assert_eq!(hit, 10);

    let (driven, found) = run(&course, failing("front_right", CameraFaultKind::Missing));
    assert_eq!(found.len(), all.len() - hit);
    assert_eq!(found.iter().filter(is_hit).count(), 0);
    assert!(driven.pictures.iter().any(|picture| picture.jpegs[1].is_none()));
    assert!(driven.complete && driven.sha256 != whole.sha256);

    let (_, found) = run(&course, failing("front_right", CameraFaultKind::Late));
    assert!(found.iter().filter(is_hit).all(|image| image.receive.ns_since(image.capture) >= 500_000_000));
    assert_eq!(found.iter().filter(is_hit).count(), hit);
    assert!(found.iter().filter(|image| !is_hit(image)).all(|image| image.receive == image.capture));

    // What the planner is told does not hang on the images here, so that all else stays as it was.
    let (_, found) = run(&course, failing("front_right", CameraFaultKind::Corrupt));
    assert_eq!(found.len(), all.len());
    assert!(found.iter().zip(all).all(|(found, whole)| (found.data != whole.data) == is_hit(&found)));
}

#[test]
fn what_cannot_see_is_refused_in_one_line() {
    let course = course(0);
    let refused = |setup: Setup| drive(&setup, &mut []).unwrap_err().to_string();
    let finds = Finds::default();
    let error = refused(setup(&course, looking(&finds), failing("rear", CameraFaultKind::Late)));
    assert!(error.starts_with("camera: \"rear\": cameras has front, front_right, "), "{error}");
    let faults = failing("front", CameraFaultKind::Late);
    let error = refused(Setup { sight: Sight::Truth, ..setup(&course, looking(&finds), faults) });
    assert_eq!(error, "camera: \"front\": truth has no cameras");
    let twice = CameraSight {
        rig: [rig::nuscenes(SIZE[0], SIZE[1]), rig::nuscenes(SIZE[0], SIZE[1])].concat(),
        ..looking(&finds)
    };
    let error = refused(setup(&course, twice, Faults::default()));
    assert_eq!(error, "perception cameras: two cameras have the same name");
    let period = std::time::Duration::from_millis(150);
    let error = refused(setup(&course, CameraSight { period, ..looking(&finds) }, Faults::default()));
    assert_eq!(error, "perception cameras: images 150ms apart: no multiple of 100ms");
}

#[test]
fn a_suite_drives_by_truth_and_by_cameras_and_holds_both_against_the_same_reference() {
    let oracle = CameraSight::new("oracle", |course, sight| Box::new(Oracle::new(course, sight.period)));
    let oracle = CameraSight { rig: rig::nuscenes(64, 24), ..oracle };
    let oracle = Sight::Cameras(Arc::new(oracle));
    let by_both = |planner: &str| [Driver::alone(planner, Sight::Truth), Driver::alone(planner, oracle.clone())];
    let suite = Suite {
        traffic: vec![TrafficMode::Reactive],
        drivers: ["tandem", "human"].into_iter().flat_map(by_both).collect(),
        faults: vec![Faults::default()],
    };
    let results = suite.run(&[Case::world(1)], &|_| {}).unwrap();
    assert_eq!(results.runs.len(), suite.runs(1));
    let by = |perception: &str, planner: &str| {
        let is_it = |run: &&tandem_sim::suite::Run| {
            (run.result.perception.as_str(), run.result.planner.as_str()) == (perception, planner)
        };
        results.runs.iter().find(is_it).unwrap().result.clone()
    };
    assert_eq!(by("oracle", "human").scores, by("truth", "human").scores);
    // What comes a third of a second late costs little where all that is seen is true.
    assert!((by("oracle", "tandem").score - by("truth", "tandem").score).abs() < 0.3);
    assert_eq!(results.summary.len(), 4);
}
