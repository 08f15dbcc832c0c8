//! Six images side by side with the boxes of what is there and of what was seen.

use std::path::Path;

use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};
use nalgebra::{Isometry3, Point2, Point3};
use tandem_datasets::Camera;
use tandem_perception::decode::SeenBox;
use tandem_perception::train::sample::Captured;

/// Size of one image in the picture, px.
const TILE: [u32; 2] = [800, 450];

/// Boxes less certain than this are not drawn.
const SURE: f64 = 0.3;

/// Corners of a box that an edge joins, as numbers of three bits.
const EDGES: [(usize, usize); 12] =
    [(0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7)];

/// Writes the picture: three images a row, annotated boxes green, seen ones orange.
pub fn save(captured: &Captured, seen: &[SeenBox], path: &Path) {
    let mut picture = RgbImage::new(3 * TILE[0], 2 * TILE[1]);
    for (number, (camera, image)) in captured.cameras.iter().zip(&captured.images).enumerate() {
        let Some(image) = image else { continue };
        let image = RgbImage::from_raw(image.width, image.height, image.rgb.clone()).unwrap();
        let mut tile = resize(&image, TILE[0], TILE[1], FilterType::Triangle);
        for thing in &captured.things {
            draw(&mut tile, camera, thing.center, thing.size, thing.yaw_rad, Rgb([60, 230, 90]));
        }
        for seen in seen.iter().filter(|seen| seen.score > SURE) {
            draw(&mut tile, camera, seen.center, seen.size, seen.yaw_rad, Rgb([255, 140, 20]));
        }
        let (column, row) = (number as u32 % 3, number as u32 / 3);
        overlay(&mut picture, &tile, i64::from(column * TILE[0]), i64::from(row * TILE[1]));
    }
    picture.save(path).unwrap();
}

fn draw(tile: &mut RgbImage, camera: &Camera, center: [f64; 3], size: [f64; 3], yaw_rad: f64, color: Rgb<u8>) {
    let corner = |number: usize| {
        let side = |axis: usize| if number >> axis & 1 == 1 { 0.5 } else { -0.5 };
        let [x, y, z] = std::array::from_fn(|axis| side(axis) * size[axis]);
        let (sin, cos) = yaw_rad.sin_cos();
        Point3::new(center[0] + x * cos - y * sin, center[1] + x * sin + y * cos, center[2] + z)
    };
    let scale = f64::from(TILE[0]) / f64::from(camera.image_size[0]);
    let pixel = |number: usize| {
        let point = camera.in_camera(&Isometry3::identity(), corner(number));
        camera.pixel(point).filter(|_| point.z > 0.5).map(|pixel| pixel * scale)
    };
    for (a, b) in EDGES {
        if let (Some(a), Some(b)) = (pixel(a), pixel(b)) {
            line(tile, a, b, color);
        }
    }
}

fn line(tile: &mut RgbImage, a: Point2<f64>, b: Point2<f64>, color: Rgb<u8>) {
    let steps = (b - a).abs().max().ceil().clamp(1.0, 5000.0) as usize;
    for step in 0..=steps {
        let point = a + (b - a) * (step as f64 / steps as f64);
        if point.x >= 0.0 && point.y >= 0.0 && point.x < f64::from(TILE[0]) && point.y < f64::from(TILE[1]) {
            tile.put_pixel(point.x as u32, point.y as u32, color);
        }
    }
}
