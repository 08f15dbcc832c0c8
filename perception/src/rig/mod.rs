//! From a rig's calibration to what the network needs of it: prepared images, and the indices of lift and warp.
//!
//! All of it is plain geometry, computed anew whenever a calibration changes or a camera drops out.

mod lift;
mod prepare;
mod rays;
mod warp;

pub use lift::LiftTable;
pub(crate) use prepare::{MIDDLE, STEPS};
pub use prepare::{Pixels, Preparation};
pub use rays::{RAYS, rays};
pub use warp::WarpTable;
pub(crate) use warp::taps;

use nalgebra::Matrix3;

/// The frame of the grid, as seen from the vehicle: the vehicle's own frame, or one turned and mirrored about the
/// vertical axis, as training augments it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridFrame {
    /// Counter-clockwise turn of the grid's x axis against the vehicle's, rad.
    pub turn_rad: f64,
    /// Whether left and right are exchanged, before the turn.
    pub is_mirrored: bool,
}

impl GridFrame {
    /// The vehicle's own frame.
    pub const VEHICLE: Self = Self { turn_rad: 0.0, is_mirrored: false };

    /// A point of the grid's frame in the vehicle's, m.
    pub fn ego_from_grid(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.turn_rad.sin_cos();
        let [x, y] = [x * cos - y * sin, x * sin + y * cos];
        [x, if self.is_mirrored { -y } else { y }]
    }

    /// A point or direction of the vehicle's frame in the grid's, m.
    pub fn grid_from_ego(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let y = if self.is_mirrored { -y } else { y };
        let (sin, cos) = self.turn_rad.sin_cos();
        [x * cos + y * sin, y * cos - x * sin]
    }

    /// A heading of the vehicle's frame in the grid's, rad.
    pub fn yaw_in_grid(&self, yaw_rad: f64) -> f64 {
        let [x, y] = self.grid_from_ego([yaw_rad.cos(), yaw_rad.sin()]);
        y.atan2(x)
    }
}

/// Whether a pinhole matrix can be one: finite, focal lengths positive, no perspective row.
pub(crate) fn is_pinhole(intrinsics: &Matrix3<f64>) -> bool {
    let is_last_row = intrinsics.row(2).iter().zip([0.0, 0.0, 1.0]).all(|(value, unit)| *value == unit);
    intrinsics.iter().all(|value| value.is_finite())
        && intrinsics[(0, 0)] > 0.0
        && intrinsics[(1, 1)] > 0.0
        && is_last_row
}

#[cfg(test)]
mod tests;
