//! One camera at one place: from points of the scene to samples of the picture, and back to rays.

use nalgebra::{Isometry3, Matrix3, Matrix3x4, Vector3};
use tandem_datasets::Camera;

/// Samples along each side of a pixel.
pub(super) const SAMPLES: usize = 2;

/// A camera placed in the scene. "Scene" is the map moved so that its origin is near.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Image size, px.
    pub width: usize,
    pub height: usize,
    /// The camera's place in the scene, m.
    pub eye: Vector3<f64>,
    /// Takes a point of the scene to homogeneous samples (u, v, 1) · depth.
    samples_from_scene: Matrix3x4<f64>,
    /// Takes homogeneous pixels to a ray in the scene whose length along the optical axis is 1.
    pub ray_from_pixel: Matrix3<f32>,
    /// Focal length, px.
    pub focal_px: f32,
    /// The ego's own axes, to tell where its headlights shine.
    pub ego_from_scene: Isometry3<f64>,
    /// Height of the ground, m.
    pub ground_m: f64,
}

impl View {
    /// Places a camera; `None` if it could see nothing (an empty image, figures that are not finite).
    pub fn new(camera: &Camera, map_from_ego: &Isometry3<f64>, map_from_scene: Vector3<f64>) -> Option<Self> {
        let [width, height] = camera.image_size.map(|side| side as usize);
        let mut scene_from_ego = *map_from_ego;
        scene_from_ego.translation.vector -= map_from_scene;
        let scene_from_camera = scene_from_ego * camera.ego_from_camera;
        let camera_from_scene = scene_from_camera.inverse();
        let pixels = camera.intrinsics.try_inverse()?;
        let pose: Matrix3x4<f64> = camera_from_scene.to_homogeneous().fixed_rows::<3>(0).into_owned();
        let finer = Matrix3::from_diagonal(&Vector3::new(SAMPLES as f64, SAMPLES as f64, 1.0));
        let samples_from_scene = finer * camera.intrinsics * pose;
        let ray_from_pixel = scene_from_camera.rotation.to_rotation_matrix().matrix() * pixels;
        let finite = samples_from_scene.iter().chain(ray_from_pixel.iter()).all(|value| value.is_finite());
        (finite && width > 0 && height > 0 && width.max(height) <= 16_384).then(|| Self {
            width,
            height,
            eye: scene_from_camera.translation.vector,
            samples_from_scene,
            ray_from_pixel: ray_from_pixel.cast(),
            focal_px: camera.intrinsics[(0, 0)].abs() as f32,
            ego_from_scene: scene_from_ego.inverse(),
            ground_m: scene_from_ego.translation.z,
        })
    }

    /// Samples a row, and rows of samples.
    pub fn sample_size(&self) -> (usize, usize) {
        (self.width * SAMPLES, self.height * SAMPLES)
    }

    /// What takes points of a body to homogeneous samples.
    pub fn samples_from(&self, scene_from_body: &Matrix3x4<f64>) -> Matrix3x4<f64> {
        let mut body = self.samples_from_scene.fixed_view::<3, 3>(0, 0) * scene_from_body;
        let moved = body.column(3) + self.samples_from_scene.column(3);
        body.set_column(3, &moved);
        body
    }

    /// Whether a ball may be seen, and how far its centre is along the optical axis.
    pub fn sees(&self, center: Vector3<f64>, radius_m: f64) -> Option<f64> {
        let at = self.samples_from_scene * center.push(1.0);
        if at.z < -radius_m {
            return None;
        }
        let (width, height) = self.sample_size();
        let focal = f64::from(self.focal_px) * SAMPLES as f64;
        // The distance from a side plane of the frustum is (u − edge · z) over the length of that plane's normal.
        let outside = |u: f64, size: f64, focal: f64, center: f64| {
            let low = u / (focal.hypot(center)) < -radius_m;
            let high = (size * at.z - u) / focal.hypot(size - center) < -radius_m;
            low || high
        };
        let axis = self.samples_from_scene.fixed_view::<1, 3>(2, 0).transpose();
        let middle = |row: usize| self.samples_from_scene.fixed_view::<1, 3>(row, 0).transpose().dot(&axis);
        let out = outside(at.x, width as f64, focal, middle(0)) || outside(at.y, height as f64, focal, middle(1));
        (!out).then_some(at.z)
    }

    /// The inverse depth of the ground per sample: factors of u, v and 1.
    pub fn ground_plane(&self) -> [f64; 3] {
        // A ray of unit depth falls by −ray.z; it meets the ground where depth × fall is the eye's height.
        let height_m = (self.eye.z - self.ground_m).max(1e-3);
        let row = self.ray_from_pixel.row(2).map(|value| f64::from(-value) / height_m);
        [row[0] / SAMPLES as f64, row[1] / SAMPLES as f64, row[2]]
    }

    /// The ray through a place in the picture, px, with unit depth.
    #[inline]
    pub fn ray(&self, x: f32, y: f32) -> Vector3<f32> {
        self.ray_from_pixel * Vector3::new(x, y, 1.0)
    }
}
