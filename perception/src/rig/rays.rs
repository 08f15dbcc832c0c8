//! What the calibration says of every pixel of the image features.

use tandem_datasets::Camera;

use super::lift::STRIDE;
use crate::model::{DepthBins, NetworkConfig};

/// Numbers of a pixel, all about 1 in size: whether its ray meets the ground within the network's depths, 1 or 0; where it
/// does, from −1 to 1 over the logarithms of those depths, else 0; the slope of the ray; how far it turns aside; the
/// logarithm of the focal length.
pub const RAYS: usize = 5;

/// Slopes are this much larger than they are, and no larger than twice that.
const SLOPE: f64 = 4.0;

/// Focal lengths are measured by this one, px.
const FOCAL_PX: f64 = 200.0;

/// `[cameras, RAYS, height / 8, width / 8]` for the prepared cameras of a rig; 0 where one is missing.
pub(super) fn rays_of_rig(config: &NetworkConfig, cameras: &[Option<Camera>]) -> Vec<f32> {
    let [rows, columns] = config.image.map(|side| side / STRIDE as usize);
    let each = RAYS * rows * columns;
    let mut all = vec![0.0; config.cameras * each];
    for (camera, of_camera) in cameras.iter().zip(all.chunks_exact_mut(each)) {
        if let Some(camera) = camera {
            of_camera.copy_from_slice(&rays(camera, &config.depth));
        }
    }
    all
}

/// `[RAYS, height / 8, width / 8]` for a prepared camera.
pub fn rays(camera: &Camera, depth: &DepthBins) -> Vec<f32> {
    let [columns, rows] = camera.image_size.map(|side| side as usize / STRIDE as usize);
    let plane = rows * columns;
    let mut rays = vec![0.0; RAYS * plane];
    let k = &camera.intrinsics;
    let focal = (k[(0, 0)] / FOCAL_PX).ln();
    for pixel in 0..plane {
        let middle = |index: usize| (index as f64 + 0.5) * STRIDE;
        let y = (middle(pixel / columns) - k[(1, 2)]) / k[(1, 1)];
        let x = (middle(pixel % columns) - k[(0, 2)] - k[(0, 1)] * y) / k[(0, 0)];
        let ray = camera.ego_from_camera.rotation * nalgebra::Vector3::new(x, y, 1.0);
        // The ray is 1 long along the optical axis, so that its multiples are depths.
        let ground_m = -camera.ego_from_camera.translation.z / ray.z;
        let meets = ray.z < 0.0 && ground_m < depth.to_m;
        let share = (ground_m.max(depth.from_m) / depth.from_m).ln() / (depth.to_m / depth.from_m).ln();
        let [meets, ground] = if meets { [1.0, 2.0 * share - 1.0] } else { [0.0; 2] };
        let slope = (ray.z / ray.x.hypot(ray.y)).clamp(-2.0, 2.0);
        for (number, value) in [meets, ground, SLOPE * slope, x, focal].into_iter().enumerate() {
            rays[number * plane + pixel] = value as f32;
        }
    }
    rays
}
