//! Pictures agree with projection, with each other, and with what they are said to show.

#![allow(clippy::unwrap_used)]

use nalgebra::{Isometry3, Matrix3, Point3, Translation3, UnitQuaternion, Vector3};
use tandem_datasets::{Box3, Camera, Class, DetectionClass, Log, Pose2};
use tandem_graph::Stamp;
use tandem_sim::camera::{
    Light, Look, NO_INSTANCE, Scenery, Shot, Subject, Weather, rig, semantics, subjects, visibility,
};

fn place(light: Light) -> (Log, Scenery) {
    let log = tandem_sim::world::generate(0).unwrap();
    let scenery = Scenery::new(&log, &Look::with(3, light, Weather::Clear));
    (log, scenery)
}

/// Something `ahead_m` in front of the ego and `left_m` to its left, turned by `yaw` against it.
fn subject(
    map_from_ego: &Isometry3<f64>,
    class: Class,
    size: [f64; 3],
    [ahead_m, left_m]: [f64; 2],
    yaw: f64,
) -> Subject {
    let center = map_from_ego * Point3::new(ahead_m, left_m, size[2] / 2.0);
    let forward = map_from_ego * Vector3::x();
    Subject {
        number: 5,
        class,
        detection: DetectionClass::of_class(class),
        guise: None,
        size,
        pose: Pose2::new(center.x, center.y, forward.y.atan2(forward.x) + yaw),
        z: center.z,
        velocity_mps: [0.0; 2],
        braking: false,
    }
}

fn front(scenery: &Scenery, map_from_ego: &Isometry3<f64>, subjects: &[Subject]) -> (Camera, Shot) {
    let camera = rig::nuscenes(704, 256).swap_remove(0);
    let shot = scenery.render(&camera, map_from_ego, subjects, Stamp::ZERO, true);
    (camera, shot)
}

/// Columns and rows between which an object is seen.
fn extent(shot: &Shot, number: u32) -> Option<[usize; 4]> {
    let truth = shot.truth.as_ref().unwrap();
    let width = shot.image.width as usize;
    let shown = truth.instance.iter().enumerate().filter(|(_, instance)| **instance == number);
    shown
        .map(|(index, _)| [index % width, index % width, index / width, index / width])
        .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].max(b[3])])
}

#[test]
fn bodies_fill_the_boxes_that_projection_draws() {
    let (log, scenery) = place(Light::Sun);
    let map_from_ego = log.ego.states[0].map_from_ego;
    let cases = [
        (Class::Other, [2.0, 1.5, 1.2]),
        (Class::Car, [4.5, 1.9, 1.5]),
        (Class::Truck, [7.0, 2.4, 3.0]),
        (Class::Bus, [11.0, 2.5, 3.1]),
        (Class::Trailer, [9.0, 2.5, 3.5]),
        (Class::Motorcycle, [2.1, 0.8, 1.5]),
        (Class::Bicycle, [1.8, 0.7, 1.7]),
        (Class::Pedestrian, [0.7, 0.7, 1.8]),
        (Class::Cone, [0.4, 0.4, 0.8]),
        (Class::Barrier, [0.6, 2.2, 1.1]),
    ];
    for (class, size) in cases {
        let target = subject(&map_from_ego, class, size, [14.0, 0.5], 0.7);
        let (camera, shot) = front(&scenery, &map_from_ego, &[target]);
        let [left, right, top, bottom] = extent(&shot, 5).unwrap();
        let map_from_box = Isometry3::from_parts(
            Translation3::from(target.center()),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), target.pose.yaw),
        );
        let corners = camera.project(&map_from_ego, &Box3 { map_from_box, size }).map(Option::unwrap);
        let low = corners.iter().fold(corners[0], |low, corner| low.inf(corner));
        let high = corners.iter().fold(corners[0], |high, corner| high.sup(corner));
        // No pixel beyond the box, and for a plain box all of them.
        assert!(left as f64 > low.x - 1.0 && (right as f64) < high.x, "{class:?}");
        assert!(top as f64 > low.y - 1.0 && (bottom as f64) < high.y, "{class:?}");
        let slack = if class == Class::Other { 1.0 } else { 0.25 * (high - low).amax() };
        let gaps = [left as f64 - low.x, high.x - 1.0 - right as f64, top as f64 - low.y, high.y - 1.0 - bottom as f64];
        assert!(gaps.iter().all(|gap| *gap <= slack), "{class:?} {gaps:?}");
        let kind =
            shot.truth.as_ref().unwrap().semantics.iter().any(|kind| *kind == semantics::of_object(target.detection));
        assert!(kind, "{class:?}");
    }
}

#[test]
fn depth_on_the_ground_is_the_closed_form() {
    let (log, scenery) = place(Light::Sun);
    let map_from_ego = log.ego.states[0].map_from_ego;
    let (camera, shot) = front(&scenery, &map_from_ego, &[]);
    let truth = shot.truth.unwrap();
    let (focal, center_y) = (camera.intrinsics[(1, 1)], camera.intrinsics[(1, 2)]);
    let mut compared = 0;
    for row in 0..256 {
        let index = row * 704 + 352;
        if truth.semantics[index] == semantics::ROAD {
            let expected = 1.51 * focal / (row as f64 + 0.5 - center_y);
            assert!((f64::from(truth.depth_m[index]) / expected - 1.0).abs() < 1e-3, "row {row}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared} rows");
}

#[test]
fn what_is_hidden_is_not_visible() {
    let (log, scenery) = place(Light::Sun);
    let map_from_ego = log.ego.states[0].map_from_ego;
    let hidden = subject(&map_from_ego, Class::Cone, [0.4, 0.4, 0.7], [20.0, 0.0], 0.0);
    let wall = Subject { number: 6, ..subject(&map_from_ego, Class::Other, [1.0, 4.0, 3.0], [12.0, 0.0], 0.0) };
    let (_, alone) = front(&scenery, &map_from_ego, &[hidden]);
    let (_, both) = front(&scenery, &map_from_ego, &[hidden, wall]);
    let (alone, both) = (visibility(&[alone]), visibility(&[both]));
    assert_eq!((alone[&5].share, alone[&5].level()), (1.0, 4));
    assert!(alone[&5].pixels > 50.0);
    assert_eq!((both[&5].pixels, both[&5].share, both[&5].level()), (0.0, 0.0, 1));
    assert_eq!(both[&6].share, 1.0);
}

#[test]
fn pictures_do_not_depend_on_the_threads() {
    let log = tandem_sim::world::generate(2).unwrap();
    let look = Look::with(9, Light::Night, Weather::Rain);
    let ego = log.ego.states[30];
    let seen = subjects(&log, ego.stamp, 200_000_000);
    let cameras = rig::varied(&rig::nuscenes(176, 64), 4);
    let one = Scenery::new(&log, &look);
    let each: Vec<Shot> =
        cameras.iter().map(|camera| one.render(camera, &ego.map_from_ego, &seen, ego.stamp, true)).collect();
    let other = Scenery::new(&log, &look);
    assert!(other.shots(&cameras, &ego.map_from_ego, &seen, ego.stamp, true) == each);
    let instances = each.iter().flat_map(|shot| &shot.truth.as_ref().unwrap().instance);
    assert!(instances.into_iter().any(|instance| *instance != NO_INSTANCE));
}

#[test]
fn night_is_darker_than_day() {
    let mean = |light| {
        let (log, scenery) = place(light);
        let (_, shot) = front(&scenery, &log.ego.states[0].map_from_ego, &[]);
        shot.image.rgb.iter().map(|value| f64::from(*value)).sum::<f64>() / shot.image.rgb.len() as f64
    };
    let (day, night) = (mean(Light::Sun), mean(Light::Night));
    assert!(night * 1.8 < day, "{night} {day}");
}

#[test]
fn a_cropped_rig_sees_pixels_where_the_full_one_does() {
    for (full, small) in rig::nuscenes(1600, 900).iter().zip(rig::nuscenes(352, 128)) {
        let point = Point3::new(1.3, 0.4, 9.0);
        let (full, small) = (full.pixel(point).unwrap(), small.pixel(point).unwrap());
        assert!((full.x * 0.22 - small.x).abs() < 1e-9 && (full.y * 0.22 - 70.0 - small.y).abs() < 1e-9);
    }
}

#[test]
fn a_broken_rig_is_told_in_one_line() {
    let mut cameras = rig::nuscenes(352, 128);
    assert_eq!(rig::check(&cameras), Ok(()));
    assert_eq!(rig::check(&[]), Err("no cameras".to_owned()));
    cameras[2].intrinsics[(0, 0)] = 0.0;
    assert_eq!(rig::check(&cameras), Err("camera CAM_BACK_RIGHT: the focal length is not positive".to_owned()));
    cameras[1].intrinsics = Matrix3::from_element(f64::NAN);
    assert_eq!(rig::check(&cameras), Err("camera CAM_FRONT_RIGHT: a figure is not finite".to_owned()));
    let (log, scenery) = place(Light::Sun);
    let shot = scenery.render(&cameras[1], &log.ego.states[0].map_from_ego, &[], Stamp::ZERO, true);
    assert!(shot.image.rgb.is_empty());
}
