use std::path::PathBuf;
use std::sync::LazyLock;

use nalgebra::{Isometry3, Matrix3, Point2, Point3, Vector3};
use proptest::prelude::*;
use tandem_graph::Stamp;

use super::*;
use crate::geometry::{Polygon, Pose2};
use crate::log::{Camera, Class, Ego, EgoBody, EgoState, ImageRef, SignalColor, SignalTrack, Track, TrackState};
use crate::map::{Lane, LaneId, LaneUse, Map, MapParts};

const START_NS: i64 = 1_532_402_927_647_951_000;

fn stamp(row: i64) -> Stamp {
    Stamp::from_ns(START_NS + row * 100_000_000)
}

/// A log with something of everything: gaps, things, lights, cameras, numbers that decimals don't hold.
fn log() -> Log {
    let state = |row: i64| EgoState {
        stamp: stamp(row),
        map_from_ego: Isometry3::new(Vector3::new(0.1 + row as f64, 1.0 / 3.0, -0.2), Vector3::new(0.01, 0.0, 1.9)),
        speed_mps: 10.0 / 3.0,
        yaw_rate_radps: -0.031,
    };
    let seen = |row: i64| TrackState {
        stamp: stamp(row),
        pose: Pose2::new(0.3 * row as f64, 2.0, -1.1),
        z: 0.7,
        velocity_mps: [0.1, -2.9],
    };
    let track = |id: &str, class, rows: &[i64]| Track {
        source_id: id.into(),
        class,
        source_class: "the data set's".into(),
        size: [1.0 / 3.0, 0.5, 1.7],
        states: rows.iter().copied().map(seen).collect(),
    };
    let lane = Lane {
        source_id: "token".into(),
        usage: LaneUse::Vehicle,
        centerline: vec![Point3::new(0.1, 0.2, 0.3), Point3::new(10.1, 0.2, 0.3)],
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: Polygon { exterior: [[0.0, -1.0], [9.0, -1.0], [9.0, 1.0]].map(Point2::from).to_vec(), holes: vec![] },
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: None,
        in_intersection: false,
    };
    let camera = Camera {
        name: "CAM_FRONT".into(),
        ego_from_camera: Isometry3::new(Vector3::new(1.7, 0.0, 1.5), Vector3::new(-1.2, 1.2, -1.2)),
        intrinsics: Matrix3::new(1266.417, 0.0, 816.267, 0.0, 1266.417, 491.507, 0.0, 0.0, 1.0),
        image_size: [1600, 900],
    };
    let pose = camera.ego_from_camera;
    let image =
        |row, map_from_ego| ImageRef { camera: 0, stamp: stamp(row), path: PathBuf::from("a.jpg"), map_from_ego };
    Log {
        id: "scene-0001".into(),
        format: Format::NuScenes,
        source: PathBuf::from("/somewhere"),
        location: "boston".into(),
        description: "Wait, \"turn\" left".into(),
        tags: vec!["rain".into()],
        ego: Ego { body: EgoBody::of_size(4.084, 1.73, 1.562), states: (0..4).map(state).collect() },
        tracks: vec![
            track("a", Class::Car, &[0, 1, 3]),
            track("b", Class::Cone, &[2]),
            track("c", Class::Bicycle, &[]),
        ],
        map: Some(std::sync::Arc::new(Map::new(MapParts { lanes: vec![lane], ..MapParts::default() }).unwrap())),
        signals: vec![SignalTrack {
            lane: LaneId(0),
            stop_point: Some([0.1, 0.2]),
            states: vec![(stamp(1), SignalColor::Red), (stamp(3), SignalColor::Green)],
        }],
        cameras: vec![camera],
        images: vec![image(0, Some(pose)), image(1, None)],
        notes: vec!["something was repaired".into()],
    }
}

/// What must come back; headings and velocities go through a quaternion, and come back to 1e-12.
fn assert_same(back: &Log, told: &Log) {
    assert_eq!((&back.id, &back.location, &back.description), (&told.id, &told.location, &told.description));
    assert_eq!((&back.tags, &back.notes), (&told.tags, &told.notes));
    assert_eq!((&back.ego.body, &back.ego.states), (&told.ego.body, &told.ego.states));
    assert_eq!((&back.cameras, &back.images), (&told.cameras, &told.images));
    assert_eq!(back.map.as_ref().map(|map| map.parts()), told.map.as_ref().map(|map| map.parts()));
    assert_eq!(back.signals.len(), told.signals.len());
    for (back, told) in back.signals.iter().zip(&told.signals) {
        assert_eq!((back.lane, back.stop_point, &back.states), (told.lane, told.stop_point, &told.states));
    }
    assert_eq!(back.tracks.len(), told.tracks.len());
    for (back, told) in back.tracks.iter().zip(&told.tracks) {
        assert_eq!(
            (&back.source_id, back.class, &back.source_class),
            (&told.source_id, told.class, &told.source_class)
        );
        assert_eq!((back.size, back.states.len()), (told.size, told.states.len()));
        for (back, told) in back.states.iter().zip(&told.states) {
            assert_eq!((back.stamp, back.pose.position(), back.z), (told.stamp, told.pose.position(), told.z));
            let turned = crate::geometry::wrap_angle(back.pose.yaw - told.pose.yaw);
            assert!(turned.abs() < 1e-12, "{} {}", back.pose.yaw, told.pose.yaw);
            for axis in 0..2 {
                assert!((back.velocity_mps[axis] - told.velocity_mps[axis]).abs() < 1e-11);
            }
        }
    }
}

#[test]
fn a_log_comes_back_from_its_recording() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.mcap");
    let told = log();
    write(&told, &path).unwrap();
    let found = crate::discover(&path).unwrap();
    assert_eq!((found.len(), found[0].id.as_str()), (1, "scene-0001"));
    let back = found[0].read().unwrap();
    assert_same(&back, &told);
    assert_eq!((back.format, back.source), (Format::Mcap, path.clone()));

    let first = std::fs::read(&path).unwrap();
    write(&told, &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first, "the same log gives the same bytes");
}

/// A recorder without our metadata, as another program's recording would be.
#[test]
fn a_recording_without_metadata_is_a_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("drive.mcap");
    let told = log();
    let mut recorder = Recorder::create(&path).unwrap();
    publish(&told, &mut recorder).unwrap();
    recorder.finish().unwrap();
    let back = crate::discover(&path).unwrap()[0].read().unwrap();
    assert_eq!((back.id.as_str(), &back.ego.states), ("drive", &told.ego.states));
    assert_eq!(back.tracks.iter().map(|track| track.class).collect::<Vec<_>>(), [Class::Car, Class::Other]);
    assert_eq!(back.tracks[0].size, told.tracks[0].size);
    assert!(back.notes.iter().any(|note| note.contains("does not tell its size")), "{:?}", back.notes);
}

#[test]
fn damage_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.mcap");
    write(&log(), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for keep in [0, 5, 40, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..keep]).unwrap();
        let error = crate::discover(&path).and_then(|found| found[0].read()).unwrap_err().to_string();
        assert!(error.contains("cut.mcap") && error.contains("byte"), "{keep}: {error}");
    }
}

#[test]
fn wrong_metadata_is_told_with_its_field() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.mcap");
    let cases = [
        ("tracks", "[{}]", "`tracks` missing field `source_id`"),
        ("ego_body", "\"1 2\"", "`ego_body` has numbers of the wrong count"),
        ("cameras", "7", "`cameras` invalid type"),
        ("images", "[{\"camera\":5,\"stamp\":0,\"path\":\"\",\"map_from_ego\":null}]", "`images` refers to a camera"),
        ("signals", "[{\"lane\":0,\"stop_point\":\"x y\"}]", "`stop_point` is not two numbers"),
        ("signals", "[{\"lane\":9,\"stop_point\":null}]", "light of lane 9: `lane` does not exist"),
    ];
    for (key, value, expected) in cases {
        let mut values = head(&log());
        values.insert(key.into(), value.into());
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.metadata(HEAD, values).unwrap();
        publish(&log(), &mut recorder).unwrap();
        recorder.finish().unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("wrong.mcap") && error.contains(expected), "{error} should tell {expected}");
    }
}

/// A sound recording.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sound.mcap");
    write(&log(), &path).unwrap();
    std::fs::read(path).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_damaged_recording_never_panics(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..9),
        cut in prop::bool::weighted(0.1),
    ) {
        let mut damaged = SOUND.clone();
        let at = at.index(damaged.len());
        if cut {
            damaged.truncate(at);
        } else {
            damaged.iter_mut().skip(at).zip(bytes).for_each(|(old, new)| *old = new);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("damaged.mcap");
        std::fs::write(&path, damaged).unwrap();
        if let Ok(found) = crate::discover(&path) {
            found.iter().for_each(|log| drop(log.read()));
        }
    }
}
