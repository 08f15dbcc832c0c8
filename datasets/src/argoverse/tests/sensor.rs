use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{DictionaryArray, Float32Array, StringViewArray, UInt64Array};
use arrow_ipc::CompressionType;
use nalgebra::Point2;

use super::fixture::{START_NS, SWEEPS, SensorFixture, column};
use crate::{Class, Format, LaneUse, LineKind, discover};

#[test]
fn boxes_come_from_the_ego_frame_into_the_map() {
    let log = SensorFixture::new().read().unwrap();
    assert_eq!((log.id.as_str(), log.format, log.location.as_str()), ("log-7", Format::Argoverse2Sensor, "PIT"));
    let [car, cone] = &log.tracks[..] else { panic!() };
    assert_eq!((car.class, cone.class), (Class::Car, Class::Cone));
    assert_eq!(car.size, [4.5, 1.9, 1.6]);
    for (sweep, state) in car.states.iter().enumerate() {
        let north = 20.0 + 0.5 * sweep as f64 + 15.0;
        assert!((state.pose.x - 10.0).abs() < 1e-9 && (state.pose.y - north).abs() < 1e-6, "{state:?}");
        assert!((state.pose.yaw - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
        assert!((state.z - 3.5).abs() < 1e-9);
        assert!((state.velocity_mps[1] - 5.0).abs() < 1e-6 && state.velocity_mps[0].abs() < 1e-6);
    }
    for state in &cone.states {
        assert!((state.pose.x - 12.0).abs() < 1e-6 && (state.pose.y - 60.0).abs() < 1e-6, "{state:?}");
        assert!(state.velocity_mps[1].abs() < 1e-6);
    }
}

#[test]
fn the_ego_has_all_poses_and_its_speed_from_them() {
    let log = SensorFixture::new().read().unwrap();
    assert_eq!(log.ego.states.len(), 2 * SWEEPS);
    assert!(log.ego.states.iter().all(|state| (state.speed_mps - 5.0).abs() < 1e-6));
}

#[test]
fn columns_of_any_width_and_compression_are_read() {
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        let mut fixture = SensorFixture::new();
        fixture.compression = compression;
        let annotations = fixture.annotations.as_mut().unwrap();
        let stamps = (0..2 * SWEEPS).map(|row| (START_NS + (row / 2) as i64 * 100_000_000) as u64);
        *column(annotations, "timestamp_ns") = Arc::new(UInt64Array::from_iter_values(stamps));
        *column(annotations, "length_m") = Arc::new(Float32Array::from(vec![4.5; 2 * SWEEPS]));
        let ids = || (0..2 * SWEEPS).map(|row| if row % 2 == 0 { "uuid-car" } else { "uuid-cone" });
        *column(annotations, "track_uuid") = Arc::new(StringViewArray::from_iter_values(ids()));
        *column(annotations, "category") = Arc::new(
            (0..2 * SWEEPS)
                .map(|row| if row % 2 == 0 { "BUS" } else { "STOP_SIGN" })
                .collect::<DictionaryArray<Int32Type>>(),
        );
        let log = fixture.read().unwrap();
        let seen: Vec<_> =
            log.tracks.iter().map(|track| (&*track.source_id, track.class, track.states.len())).collect();
        assert_eq!(seen, [("uuid-car", Class::Bus, SWEEPS), ("uuid-cone", Class::Other, SWEEPS)]);
    }
}

#[test]
fn cameras_and_images_are_found_with_the_pose_of_their_time() {
    let fixture = SensorFixture::new();
    for name in [format!("{}.jpg", START_NS + 7_000_000), format!("{}.jpg", START_NS + 50_000_000), "thumbs.db".into()]
    {
        fixture.write_bytes(&format!("sensors/cameras/ring_front_center/{name}"), b"");
    }
    let log = fixture.read().unwrap();
    assert_eq!(
        log.cameras.iter().map(|camera| &*camera.name).collect::<Vec<_>>(),
        ["ring_front_center", "stereo_front_left"]
    );
    assert_eq!((log.cameras[0].intrinsics[(0, 0)], log.cameras[0].image_size), (1_776.0, [1_550, 2_048]));
    assert_eq!(log.images.len(), 2);
    let recorded = log.images[0].map_from_ego.unwrap();
    assert!((recorded.translation.y - 20.035).abs() < 1e-9);
    let between = log.images[1].map_from_ego.unwrap();
    assert!((between.translation.y - 20.25).abs() < 1e-6);
}

#[test]
fn the_map_has_lanes_paint_crossings_and_drivable_area() {
    let log = SensorFixture::new().read().unwrap();
    let map = log.map.unwrap();
    let parts = map.parts();
    let [first, second, beside, oncoming] = &parts.lanes[..] else { panic!() };
    let ids = |ids: &[crate::LaneId]| ids.iter().map(|id| map.lane(*id).source_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first.successors), ["2"], "999 lies out of the archive");
    assert_eq!(ids(&second.predecessors), ["1"]);
    assert_eq!(first.left_neighbor, None, "the oncoming lane is no neighbour");
    assert_eq!(first.right_neighbor.map(|id| map.lane(id).source_id.clone()).as_deref(), Some("3"));
    assert_eq!(beside.usage, LaneUse::Bus);
    assert!(second.in_intersection && !first.in_intersection);
    assert!(oncoming.centerline[0].y > 39.0);
    assert_eq!(first.centerline.len(), 41);
    assert!(first.centerline.iter().all(|point| (point.x - 10.0).abs() < 1e-9 && (point.z - 3.0).abs() < 1e-9));
    assert!(first.surface.contains(Point2::new(9.0, 20.0)));
    let kinds: Vec<_> = parts.lines.iter().map(|line| line.kind).collect();
    assert_eq!(
        kinds,
        [LineKind::Solid, LineKind::Dashed, LineKind::Solid, LineKind::Unknown],
        "shared paint is drawn once"
    );
    assert_eq!(parts.drivable[0].exterior.len(), 4, "the ring is open");
    assert!(parts.crossings[0].contains(Point2::new(10.0, 39.0)));
}

#[test]
fn every_part_may_be_absent_and_is_noted() {
    let mut only_boxes = SensorFixture::new();
    (only_boxes.poses, only_boxes.intrinsics, only_boxes.map) = (None, None, None);
    let log = only_boxes.read().unwrap();
    assert!(log.ego.states.is_empty() && log.map.is_none() && log.cameras.is_empty());
    assert_eq!(log.tracks[0].states[3].pose.x, 15.0, "in the ego frame");
    assert_eq!(log.notes.len(), 3, "{:?}", log.notes);

    let mut unlabelled = SensorFixture::new();
    unlabelled.annotations = None;
    let log = unlabelled.read().unwrap();
    assert!(log.tracks.is_empty() && log.map.is_some());
    assert!(log.notes.iter().any(|note| note.contains("annotations.feather")));
}

#[test]
fn the_path_of_the_log_may_be_its_parent_or_end_in_a_slash() {
    let directory = SensorFixture::new();
    let path = directory.write();
    for path in [path.parent().unwrap().to_owned(), path.join("")] {
        let found = discover(path).unwrap();
        assert_eq!(found.iter().map(|log| &*log.id).collect::<Vec<_>>(), ["log-7"]);
    }
}
