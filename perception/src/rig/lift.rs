//! Which pixel and which depth bin every voxel of the grid reads.

use nalgebra::Matrix3x4;
use tandem_datasets::Camera;

use super::GridFrame;
use super::rays::rays_of_rig;
use crate::model::NetworkConfig;

/// Side of a feature's pixel, px.
pub(super) const STRIDE: f64 = 8.0;

/// Nearer to the image plane than this a camera sees nothing, m.
const NEAREST_M: f64 = 0.3;

/// The indices of [`crate::model::lift::LiftIndices`] for one frame, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftTable {
    /// Row in the context table; 0 where no camera sees the voxel.
    pub context: Vec<i32>,
    /// Place in the depth table; 0 where no camera sees the voxel.
    pub depth: Vec<i32>,
    /// 1 where a camera sees the voxel, else 0.
    pub seen: Vec<f32>,
    /// What the calibration says of every pixel, see [`super::RAYS`].
    pub rays: Vec<f32>,
}

impl LiftTable {
    /// For the prepared cameras of a rig (intrinsics of the network's own image size), `None` where one is missing.
    ///
    /// A voxel that several cameras see reads the one in whose image it lies closest to the middle.
    pub fn new(config: &NetworkConfig, cameras: &[Option<Camera>], frame: GridFrame) -> Self {
        let (grid, [height, width]) = (&config.grid, config.image);
        let [rows, columns] = [height / STRIDE as usize, width / STRIDE as usize];
        let voxels = grid.cells * grid.cells * grid.heights_m.len();
        let mut table = Self {
            context: vec![0; voxels],
            depth: vec![0; voxels],
            seen: vec![0.0; voxels],
            rays: rays_of_rig(config, cameras),
        };
        let views: Vec<_> = cameras.iter().take(config.cameras).enumerate().filter_map(view).collect();
        let mut voxel = 0;
        for row in 0..grid.cells {
            for column in 0..grid.cells {
                let [x, y] = frame.ego_from_grid([grid.center_m(row), grid.center_m(column)]);
                for z in &grid.heights_m {
                    let mut nearest = f64::INFINITY;
                    for (number, pixel_from_ego) in &views {
                        let along = |row: usize| {
                            let row = pixel_from_ego.fixed_view::<1, 4>(row, 0);
                            row[0] * x + row[1] * y + row[2] * z + row[3]
                        };
                        let depth_m = along(2);
                        if depth_m < NEAREST_M {
                            continue;
                        }
                        let (u, v) = (along(0) / depth_m, along(1) / depth_m);
                        let from_middle = (u / width as f64 - 0.5).abs();
                        if u >= 0.0 && u < width as f64 && v >= 0.0 && v < height as f64 && from_middle < nearest {
                            nearest = from_middle;
                            let (u, v) = (u / STRIDE, v / STRIDE);
                            let pixel = (number * rows + v as usize) * columns + u as usize;
                            let sub = 2 * usize::from(v.fract() >= 0.5) + usize::from(u.fract() >= 0.5);
                            table.context[voxel] = (pixel * 4 + sub) as i32;
                            table.depth[voxel] = (pixel * config.depth.count + config.depth.bin(depth_m)) as i32;
                            table.seen[voxel] = 1.0;
                        }
                    }
                    voxel += 1;
                }
            }
        }
        table
    }

    /// The share of the grid's columns of which some voxel is seen.
    pub fn coverage(&self, heights: usize) -> f64 {
        let columns = self.seen.chunks(heights);
        let count = columns.len();
        columns.filter(|column| column.contains(&1.0)).count() as f64 / count as f64
    }
}

/// A camera's number, and what takes points of the vehicle's frame to pixels times depth, and depth (m).
type View = (usize, Matrix3x4<f64>);

fn view((number, camera): (usize, &Option<Camera>)) -> Option<View> {
    let camera = camera.as_ref()?;
    let camera_from_ego = camera.ego_from_camera.inverse().to_homogeneous();
    Some((number, camera.intrinsics * camera_from_ego.fixed_view::<3, 4>(0, 0)))
}
