use nalgebra::{Isometry3, Point3};
use tandem_datasets::{Camera, Pose2};
use tandem_sim::camera::rig;

use super::*;
use crate::model::NetworkConfig;

fn cameras(config: &NetworkConfig) -> Vec<Option<Camera>> {
    let [height, width] = config.image;
    rig::nuscenes(width as u32, height as u32).into_iter().map(Some).collect()
}

#[test]
fn a_voxel_reads_the_pixel_and_the_depth_that_it_projects_to() {
    let config = NetworkConfig::tiny();
    let cameras = cameras(&config);
    let frame = GridFrame { turn_rad: 0.3, is_mirrored: true };
    let table = LiftTable::new(&config, &cameras, frame);
    let [rows, columns] = config.image.map(|side| side / 8);
    let mut seen = 0;
    for (voxel, is_seen) in table.seen.iter().enumerate().step_by(61) {
        if *is_seen == 0.0 {
            continue;
        }
        seen += 1;
        let heights = &config.grid.heights_m;
        let (cell, z) = (voxel / heights.len(), heights[voxel % heights.len()]);
        let [x, y] = frame.ego_from_grid([config.grid.center_m(cell / 128), config.grid.center_m(cell % 128)]);
        let (pixel, sub) = (table.context[voxel] as usize / 4, table.context[voxel] as usize % 4);
        let camera = cameras[pixel / (rows * columns)].as_ref().unwrap();
        let point = camera.in_camera(&Isometry3::identity(), Point3::new(x, y, z));
        let place = camera.pixel(point).unwrap();
        let (u, v) = (place.x / 4.0, place.y / 4.0);
        let row = pixel / columns % rows;
        assert_eq!((v as usize, u as usize), (row * 2 + sub / 2, pixel % columns * 2 + sub % 2), "voxel {voxel}");
        let bin = table.depth[voxel] as usize;
        assert_eq!((bin / config.depth.count, bin % config.depth.count), (pixel, config.depth.bin(point.z)));
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn six_cameras_see_nearly_all_of_the_grid_and_five_see_less() {
    let config = NetworkConfig::tiny();
    let mut cameras = cameras(&config);
    let heights = config.grid.heights_m.len();
    let all = LiftTable::new(&config, &cameras, GridFrame::VEHICLE).coverage(heights);
    assert!(all > 0.95, "{all}");
    cameras[0] = None;
    let fewer = LiftTable::new(&config, &cameras, GridFrame::VEHICLE);
    assert!(fewer.coverage(heights) < all - 0.05);
    let front = config.image[0] / 8 * (config.image[1] / 8) * 4;
    let reads_front = |(context, seen): (&i32, &f32)| *seen > 0.0 && (*context as usize) < front;
    assert!(!fewer.context.iter().zip(&fewer.seen).any(reads_front));
}

#[test]
fn another_calibration_is_another_table() {
    let config = NetworkConfig::tiny();
    let mut cameras = cameras(&config);
    let before = LiftTable::new(&config, &cameras, GridFrame::VEHICLE);
    if let Some(camera) = &mut cameras[3] {
        camera.ego_from_camera.translation.z += 0.3;
    }
    assert_ne!(LiftTable::new(&config, &cameras, GridFrame::VEHICLE), before);
}

#[test]
fn a_frame_of_the_grid_and_back_is_where_one_was() {
    for frame in [GridFrame::VEHICLE, GridFrame { turn_rad: -2.1, is_mirrored: true }] {
        let [x, y] = frame.ego_from_grid(frame.grid_from_ego([3.0, -7.5]));
        assert!((x - 3.0).abs() < 1e-12 && (y + 7.5).abs() < 1e-12);
    }
    // Facing right in a mirror is facing left.
    let mirror = GridFrame { turn_rad: 0.0, is_mirrored: true };
    assert!((mirror.yaw_in_grid(-0.5) - 0.5).abs() < 1e-12);
}

#[test]
fn a_vehicle_that_stands_reads_every_cell_from_itself() {
    let grid = NetworkConfig::tiny().grid;
    let pose = Pose2::new(100.0, -50.0, 0.7);
    let table = WarpTable::new(&grid, pose, pose, GridFrame { turn_rad: 0.2, is_mirrored: true });
    for cell in 0..64 * 64 {
        let own = (0..4).filter(|tap| table.index[cell * 4 + tap] as usize == cell);
        let weight: f32 = own.map(|tap| table.weight[cell * 4 + tap]).sum();
        assert!((weight - 1.0).abs() < 1e-5, "cell {cell}: {weight}");
    }
}

#[test]
fn a_vehicle_that_moved_a_cell_on_reads_the_cell_ahead() {
    let grid = NetworkConfig::tiny().grid;
    let before = Pose2::new(10.0, 20.0, 1.1);
    let table = WarpTable::new(&grid, before.ahead(2.0 * grid.cell_m()), before, GridFrame::VEHICLE);
    let (row, column) = (20, 30);
    let cell = row * 64 + column;
    let most = (0..4).max_by(|a, b| table.weight[cell * 4 + a].total_cmp(&table.weight[cell * 4 + b])).unwrap();
    assert_eq!(table.index[cell * 4 + most], ((row + 1) * 64 + column) as i32);
    // What lies ahead of the previous grid was not seen.
    assert_eq!(table.weight[(63 * 64 + 5) * 4..][..4].iter().sum::<f32>(), 0.0);
}

#[test]
fn a_prepared_image_shows_a_point_where_the_prepared_camera_says() {
    let config = NetworkConfig::tiny();
    let camera = &rig::nuscenes(1600, 900)[0];
    let mut preparation = Preparation::new(config.image, camera).unwrap();
    let point = camera.in_camera(&Isometry3::identity(), Point3::new(14.0, 1.5, 0.9));
    let source = camera.pixel(point).unwrap();
    // A white square of 25 px around the point.
    let mut rgb = vec![0; 1600 * 900 * 3];
    for row in source.y as usize - 12..=source.y as usize + 12 {
        let start = (row * 1600 + source.x as usize - 12) * 3;
        rgb[start..start + 75].fill(255);
    }
    let [rows, columns] = config.image;
    let mut planes = vec![0.0; 3 * rows * columns];
    preparation.fill(Pixels { width: 1600, height: 900, rgb: &rgb }, &mut planes).unwrap();
    let weight = |index: usize| f64::from(planes[index] + 127.0 / 128.0);
    let sum: f64 = (0..rows * columns).map(weight).sum();
    let mean = |axis: fn(usize, usize) -> usize| {
        (0..rows * columns).map(|index| weight(index) * (axis(index, columns) as f64 + 0.5)).sum::<f64>() / sum
    };
    let wanted = preparation.camera.pixel(point).unwrap();
    assert!((mean(|index, columns| index % columns) - wanted.x).abs() < 0.2);
    assert!((mean(|index, columns| index / columns) - wanted.y).abs() < 0.2);
}

#[test]
fn what_cannot_be_used_is_said_with_the_cameras_name() {
    let config = NetworkConfig::tiny();
    let camera = rig::nuscenes(320, 180).remove(2);
    let said = |camera: Camera| Preparation::new(config.image, &camera).unwrap_err().to_string();
    let mut broken = camera.clone();
    broken.intrinsics[(0, 2)] = f64::NAN;
    assert_eq!(said(broken), "camera CAM_BACK_RIGHT: its intrinsics are no pinhole matrix");
    let mut broken = camera.clone();
    broken.ego_from_camera.translation.x = f64::INFINITY;
    assert_eq!(said(broken), "camera CAM_BACK_RIGHT: its mount is not finite");
    let unknown = Camera { image_size: [0, 0], ..camera.clone() };
    assert_eq!(said(unknown), "camera CAM_BACK_RIGHT: its image size is not known");
    let mut preparation = Preparation::new(config.image, &camera).unwrap();
    let small = Pixels { width: 10, height: 10, rgb: &[0; 300] };
    let error = preparation.fill(small, &mut vec![0.0; 3 * 96 * 256]).unwrap_err().to_string();
    assert_eq!(error, "camera CAM_BACK_RIGHT: the image is 10 × 10, its calibration is for 320 × 180");
}

#[test]
fn rays_say_how_far_the_road_is() {
    let config = NetworkConfig::tiny();
    let [height, width] = config.image;
    let cameras = rig::nuscenes(width as u32, height as u32);
    let place = crate::train::worlds::Place::new(0).unwrap();
    let stamp = place.log.span().unwrap().0;
    let captured = place.capture(&cameras, &place.log.ego_at(stamp).unwrap().map_from_ego, stamp);
    let present: Vec<_> = cameras.into_iter().map(Some).collect();
    let rays = LiftTable::new(&config, &present, GridFrame::VEHICLE).rays;
    let plane = height / 8 * (width / 8);
    let road = 1 << crate::model::heads::CLASSES;
    let (mut roads, mut off) = (0, 0);
    for (pixel, depth_m) in captured.depth_m.iter().enumerate() {
        // All four quarters show nothing but the road.
        let (camera, place) = (pixel / plane, pixel % plane);
        let [meets, ground] = [0, 1].map(|number| rays[(camera * RAYS + number) * plane + place]);
        if meets == 1.0 && captured.shown[4 * pixel..][..4].iter().all(|shown| *shown == road) {
            let share = f64::from(ground + 1.0) / 2.0;
            let said_m = config.depth.from_m * (config.depth.to_m / config.depth.from_m).powf(share);
            roads += 1;
            off += usize::from((said_m / f64::from(*depth_m) - 1.0).abs() > 0.1);
        }
    }
    assert!(roads > 300 && off * 20 < roads, "{off} of {roads}");
}
