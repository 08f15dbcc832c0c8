//! Boxes in the map become pixels of a camera.

use nalgebra::{Isometry3, Point2, Point3, Translation3, UnitQuaternion, Vector3};

use crate::log::{Camera, Track, TrackState};

/// A spatial box: its axes are forward, left and up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Box3 {
    /// Where the box's centre is in the map, m.
    pub map_from_box: Isometry3<f64>,
    /// Length, width, height, m.
    pub size: [f64; 3],
}

impl Box3 {
    /// A track's box at one of its states, upright.
    pub fn of_track(track: &Track, state: &TrackState) -> Self {
        let map_from_box = Isometry3::from_parts(
            Translation3::new(state.pose.x, state.pose.y, state.z),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), state.pose.yaw),
        );
        Self { map_from_box, size: track.size }
    }

    /// The corners in the map, m: first the front face, then the rear; each from the top left by way of the top right
    /// and bottom right to the bottom left, as seen from behind (nuscenes-devkit `Box.corners`).
    pub fn corners(&self) -> [Point3<f64>; 8] {
        let [x, y, z] = self.size.map(|extent| extent / 2.0);
        let face = [(y, z), (-y, z), (-y, -z), (y, -z)];
        std::array::from_fn(|index| {
            let (left, up) = face[index % 4];
            self.map_from_box * Point3::new(if index < 4 { x } else { -x }, left, up)
        })
    }
}

impl Camera {
    /// A point of the map in the optical frame (x right, y down, z forward), m.
    pub fn in_camera(&self, map_from_ego: &Isometry3<f64>, point_in_map: Point3<f64>) -> Point3<f64> {
        (map_from_ego * self.ego_from_camera).inverse_transform_point(&point_in_map)
    }

    /// The pixel of a point in the optical frame, without a half-pixel shift, wherever it falls; `None` for a point in
    /// or behind the image plane.
    pub fn pixel(&self, point_in_camera: Point3<f64>) -> Option<Point2<f64>> {
        if point_in_camera.z <= 0.0 {
            return None;
        }
        let homogeneous = self.intrinsics * point_in_camera.coords;
        Some(Point2::new(homogeneous.x / homogeneous.z, homogeneous.y / homogeneous.z))
    }

    /// The pixels of a box's eight corners, ordered as [`Box3::corners`].
    pub fn project(&self, map_from_ego: &Isometry3<f64>, target: &Box3) -> [Option<Point2<f64>>; 8] {
        target.corners().map(|corner| self.pixel(self.in_camera(map_from_ego, corner)))
    }
}
