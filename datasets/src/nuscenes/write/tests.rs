use nalgebra::{Isometry3, Matrix3, Point2, Point3, Translation3, UnitQuaternion};

use super::boxes::MAX_GAP_NS;
use super::*;
use crate::discover;
use crate::geometry::{Polygon, Pose2};
use crate::log::{Camera, Class, Ego, EgoState, Format, Track, TrackState};
use crate::map::{Lane, LaneId, LaneUse, Line, LineKind, Map, MapParts};

/// Ten seconds of an ego that turns gently, with a car, a standing pedestrian and two cameras, on a road of two lanes.
fn log() -> Log {
    let pose = |s: f64| Pose2::new(100.0 + 5.0 * s, 60.0 + 0.2 * s * s, 0.08 * s);
    let state = |step: i64| {
        let (s, pose) = (step as f64 * 0.1, pose(step as f64 * 0.1));
        EgoState {
            stamp: Stamp::from_seconds(s),
            map_from_ego: Isometry3::from_parts(
                Translation3::new(pose.x, pose.y, 0.0),
                UnitQuaternion::from_euler_angles(0.0, 0.0, pose.yaw),
            ),
            speed_mps: 5.0,
            yaw_rate_radps: 0.08,
        }
    };
    let track = |class, source_class: &str, speed: f64, steps: std::ops::Range<i64>| Track {
        source_id: source_class.to_owned(),
        class,
        source_class: source_class.to_owned(),
        size: [4.5, 1.9, 1.6],
        states: steps
            .map(|step| TrackState {
                stamp: Stamp::from_seconds(step as f64 * 0.1),
                pose: Pose2::new(120.0 + speed * step as f64 * 0.1, 63.0, 0.3),
                z: 0.8,
                velocity_mps: [speed, 0.0],
            })
            .collect(),
    };
    let camera = |name: &str, yaw: f64| Camera {
        name: name.to_owned(),
        ego_from_camera: Isometry3::from_parts(
            Translation3::new(1.5, 0.1, 1.6),
            UnitQuaternion::from_euler_angles(-std::f64::consts::FRAC_PI_2, 0.0, yaw - std::f64::consts::FRAC_PI_2),
        ),
        intrinsics: Matrix3::new(800.0, 0.0, 400.0, 0.0, 800.0, 225.0, 0.0, 0.0, 1.0),
        image_size: [800, 450],
    };
    Log {
        id: "made".to_owned(),
        format: Format::World,
        source: "made".into(),
        location: "generated".to_owned(),
        description: "A made log".to_owned(),
        tags: Vec::new(),
        ego: Ego { states: (0..=100).map(state).collect(), ..Ego::default() },
        tracks: vec![
            track(Class::Car, "car", 4.0, 0..101),
            track(Class::Truck, "vehicle.construction", 0.0, 23..64),
            track(Class::Pedestrian, "human.pedestrian.construction_worker", 0.0, 0..101),
        ],
        map: Some(std::sync::Arc::new(Map::new(parts()).unwrap())),
        signals: Vec::new(),
        cameras: vec![camera("CAM_BACK", 3.1), camera("CAM_FRONT", 0.0)],
        images: Vec::new(),
        notes: Vec::new(),
    }
}

fn parts() -> MapParts {
    let ring = |x: [f64; 2], y: [f64; 2]| Polygon {
        exterior: [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])].map(|(x, y)| Point2::new(x, y)).to_vec(),
        holes: Vec::new(),
    };
    let lane = |id: u32, x: [f64; 2], in_intersection| Lane {
        source_id: id.to_string(),
        usage: LaneUse::Vehicle,
        centerline: vec![Point3::new(x[0], 60.0, 0.0), Point3::new(x[1], 60.0, 0.0)],
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: ring(x, [58.0, 62.0]),
        successors: if id == 0 { vec![LaneId(1)] } else { Vec::new() },
        predecessors: if id == 1 { vec![LaneId(0)] } else { Vec::new() },
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: None,
        in_intersection,
    };
    let line = |kind, x: f64| Line { kind, points: vec![Point2::new(x, 58.0), Point2::new(x, 62.0)] };
    MapParts {
        lanes: vec![lane(0, [80.0, 130.0], false), lane(1, [130.0, 170.0], true)],
        lines: vec![line(LineKind::Stop, 129.0), line(LineKind::Dashed, 90.0)],
        crossings: vec![ring([110.0, 114.0], [58.0, 62.0])],
        intersections: vec![ring([130.0, 170.0], [55.0, 65.0])],
        drivable: vec![ring([80.0, 170.0], [55.0, 65.0])],
        stop_signs: Vec::new(),
    }
}

/// Images that say which they are; the second track is hidden.
struct Fake;

impl Views for Fake {
    fn image(&mut self, camera: usize, stamp: Stamp) -> Option<Vec<u8>> {
        Some(format!("{camera} {}", stamp.ns()).into_bytes())
    }

    fn visible(&mut self, _: Stamp, track: usize) -> f64 {
        if track == 1 { 0.0 } else { 0.7 }
    }
}

fn written() -> (tempfile::TempDir, Log, Log) {
    let (directory, made) = (tempfile::tempdir().unwrap(), log());
    let mut writer = Writer::create(directory.path(), "v1.0-mini").unwrap();
    writer.scene(&made, "scene-0061", &mut Fake).unwrap();
    writer.finish().unwrap();
    let read = discover(directory.path()).unwrap()[0].read().unwrap();
    (directory, made, read)
}

#[test]
fn what_was_written_reads_back_the_same() {
    let (_directory, made, read) = written();
    assert_eq!(read.id, "scene-0061");
    let shift_ns = read.ego.states[0].stamp.ns_since(made.ego.states[0].stamp);
    assert_eq!(shift_ns, EPOCH_US * 1_000);
    assert_eq!(read.ego.states.len(), made.ego.states.len());
    for (here, there) in made.ego.states.iter().zip(&read.ego.states) {
        assert_eq!(here.stamp.offset_ns(shift_ns), there.stamp);
        assert!((here.map_from_ego.inverse() * there.map_from_ego).translation.vector.norm() < 1e-9);
        assert!(here.map_from_ego.rotation.angle_to(&there.map_from_ego.rotation) < 1e-9);
    }
    let classes: Vec<_> = read.tracks.iter().map(|track| (track.class, track.source_class.as_str())).collect();
    let worker = "human.pedestrian.construction_worker";
    let expected = [(Class::Car, "vehicle.car"), (Class::Truck, "vehicle.construction"), (Class::Pedestrian, worker)];
    assert_eq!(classes, expected);
    for (here, there) in made.tracks.iter().zip(&read.tracks) {
        assert_eq!(here.size, there.size);
        for state in &there.states {
            let before = here.at(state.stamp.offset_ns(-shift_ns), MAX_GAP_NS).unwrap();
            assert!(
                (before.pose.position() - state.pose.position()).norm() < 1e-9 && (before.z - state.z).abs() < 1e-9
            );
            assert!((before.pose.yaw - state.pose.yaw).abs() < 1e-9);
            assert!((before.velocity_mps[0] - state.velocity_mps[0]).abs() < 1e-6);
        }
    }
    assert_eq!(read.tracks.iter().map(|track| track.states.len()).collect::<Vec<_>>(), [21, 8, 21]);
}

#[test]
fn cameras_and_images_are_found_again() {
    let (_directory, made, read) = written();
    assert_eq!(read.cameras.len(), 2);
    for (here, there) in made.cameras.iter().zip(&read.cameras) {
        assert_eq!((&here.name, here.image_size, here.intrinsics), (&there.name, there.image_size, there.intrinsics));
        assert!((here.ego_from_camera.inverse() * there.ego_from_camera).translation.vector.norm() < 1e-9);
        assert!(here.ego_from_camera.rotation.angle_to(&there.ego_from_camera.rotation) < 1e-7);
    }
    assert_eq!(read.images.len(), 42);
    for image in &read.images {
        let text = fs::read_to_string(&image.path).unwrap();
        assert_eq!(text, format!("{} {}", image.camera, image.stamp.ns() - EPOCH_US * 1_000));
    }
}

#[test]
fn the_map_is_found_again() {
    let (_directory, made, read) = written();
    let (made, read) = (made.map.unwrap(), read.map.unwrap());
    let (here, there) = (made.parts(), read.parts());
    assert_eq!((here.crossings.clone(), here.drivable.clone()), (there.crossings.clone(), there.drivable.clone()));
    assert_eq!(here.intersections, there.intersections);
    assert_eq!(there.lanes.len(), 2);
    assert_eq!(there.lanes[0].successors, [LaneId(1)]);
    assert!(there.lanes[1].in_intersection && !there.lanes[0].in_intersection);
    assert_eq!(there.lines.iter().filter(|line| line.kind == LineKind::Dashed).count(), 1);
    assert_eq!(there.lines.iter().filter(|line| line.kind == LineKind::Stop).count(), 1);
    for point in [[100.0, 60.0], [150.0, 64.0], [100.0, 70.0]] {
        let point = Point2::from(point);
        assert_eq!(made.is_drivable(point), read.is_drivable(point), "{point}");
    }
}

#[test]
fn only_what_is_seen_has_points_and_the_rows_refer_to_each_other() {
    let (directory, ..) = written();
    let rows = |table: &str| -> Vec<Value> {
        serde_json::from_slice(&fs::read(directory.path().join(format!("v1.0-mini/{table}.json"))).unwrap()).unwrap()
    };
    let annotations = rows("sample_annotation");
    assert_eq!(annotations.len(), 50);
    for row in &annotations {
        let hidden = row["visibility_token"] == "1";
        assert_eq!(row["num_lidar_pts"].as_u64().unwrap() == 0, hidden, "{row}");
    }
    for row in rows("instance") {
        assert!(annotations.iter().any(|other| other["token"] == row["last_annotation_token"] && other["next"] == ""));
    }
    let data = rows("sample_data");
    assert_eq!(data.iter().filter(|row| row["is_key_frame"] == true).count(), 21 * 3);
    assert!(data.iter().all(|row| row["token"].as_str().unwrap().len() == 32));
}

#[test]
fn the_mask_is_white_where_one_may_drive() {
    let png = mask::png(Some(&parts()));
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let size = |from: usize| u32::from_be_bytes(png[from..from + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1700, 650));
    // Header 8 + 25, then the length and name of the data.
    let mut rows = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&png[41..]), &mut rows).unwrap();
    let stride = 1 + 1700_usize.div_ceil(4);
    let is_white = |x_m: f64, y_m: f64| {
        let (column, row) = ((x_m * 10.0) as usize, 649 - (y_m * 10.0) as usize);
        rows[row * stride + 1 + column / 4] & (0xC0 >> (2 * (column % 4))) != 0
    };
    assert!(is_white(100.0, 60.0) && is_white(169.9, 64.9) && is_white(80.05, 55.05));
    assert!(!is_white(79.9, 60.0) && !is_white(100.0, 54.9) && !is_white(3.0, 3.0));
}

#[test]
fn a_log_without_ego_is_no_scene() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(directory.path(), "v1.0-mini").unwrap();
    let empty = Log { ego: Ego::default(), ..log() };
    assert!(matches!(writer.scene(&empty, "scene-0061", &mut NoViews), Err(Error::ZeroLength { .. })));
}
