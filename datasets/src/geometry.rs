//! Planar geometry in metres and radians: poses, polylines, polygons and oriented boxes.

use nalgebra::{Point2, Vector2};
use serde::{Deserialize, Serialize};

/// The angle equal to `angle_rad` in (−π, π].
#[inline]
pub fn wrap_angle(angle_rad: f64) -> f64 {
    if -std::f64::consts::PI < angle_rad && angle_rad <= std::f64::consts::PI {
        return angle_rad;
    }
    let wrapped = angle_rad.rem_euclid(std::f64::consts::TAU);
    if wrapped > std::f64::consts::PI { wrapped - std::f64::consts::TAU } else { wrapped }
}

/// A planar pose: where a body's origin is in the map (m) and how it is turned (rad, counter-clockwise).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pose2 {
    /// Metres along the map's x axis.
    pub x: f64,
    /// Metres along the map's y axis.
    pub y: f64,
    /// Radians from the map's x axis, counter-clockwise.
    pub yaw: f64,
}

impl Pose2 {
    /// A pose from its parts.
    #[inline]
    pub const fn new(x: f64, y: f64, yaw: f64) -> Self {
        Self { x, y, yaw }
    }

    /// The body's origin in the map.
    #[inline]
    pub fn position(&self) -> Point2<f64> {
        Point2::new(self.x, self.y)
    }

    /// The unit vector in which the body looks.
    #[inline]
    pub fn heading(&self) -> Vector2<f64> {
        let (sin, cos) = self.yaw.sin_cos();
        Vector2::new(cos, sin)
    }

    /// `map_from_body * point_in_body`.
    #[inline]
    pub fn transform(&self, point_in_body: Point2<f64>) -> Point2<f64> {
        let (sin, cos) = self.yaw.sin_cos();
        Point2::new(
            self.x + cos * point_in_body.x - sin * point_in_body.y,
            self.y + sin * point_in_body.x + cos * point_in_body.y,
        )
    }

    /// `body_from_map * point_in_map`.
    #[inline]
    pub fn inverse_transform(&self, point_in_map: Point2<f64>) -> Point2<f64> {
        let (sin, cos) = self.yaw.sin_cos();
        let (dx, dy) = (point_in_map.x - self.x, point_in_map.y - self.y);
        Point2::new(cos * dx + sin * dy, -sin * dx + cos * dy)
    }

    /// The pose `forward_m` ahead along the body's own x axis.
    #[inline]
    pub fn ahead(&self, forward_m: f64) -> Self {
        let (sin, cos) = self.yaw.sin_cos();
        Self::new(self.x + cos * forward_m, self.y + sin * forward_m, self.yaw)
    }

    /// The pose a fraction `t` in [0, 1] of the way to `other`, yaw along the shorter arc.
    pub fn lerp(&self, other: &Self, t: f64) -> Self {
        Self::new(
            self.x + (other.x - self.x) * t,
            self.y + (other.y - self.y) * t,
            wrap_angle(self.yaw + wrap_angle(other.yaw - self.yaw) * t),
        )
    }
}

/// An oriented rectangle on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Box2 {
    /// The rectangle's centre and heading.
    pub pose: Pose2,
    /// Extent along its heading, m.
    pub length: f64,
    /// Extent across its heading, m.
    pub width: f64,
}

impl Box2 {
    /// Corners counter-clockwise from the front left.
    pub fn corners(&self) -> [Point2<f64>; 4] {
        let (half_length, half_width) = (self.length / 2.0, self.width / 2.0);
        [
            self.pose.transform(Point2::new(half_length, half_width)),
            self.pose.transform(Point2::new(-half_length, half_width)),
            self.pose.transform(Point2::new(-half_length, -half_width)),
            self.pose.transform(Point2::new(half_length, -half_width)),
        ]
    }

    /// Whether the two rectangles share a point (separating-axis test; touching counts).
    pub fn intersects(&self, other: &Self) -> bool {
        let between = other.pose.position() - self.pose.position();
        let (a_x, b_x) = (self.pose.heading(), other.pose.heading());
        let (a_y, b_y) = (Vector2::new(-a_x.y, a_x.x), Vector2::new(-b_x.y, b_x.x));
        let (a_l, a_w) = (self.length / 2.0, self.width / 2.0);
        let (b_l, b_w) = (other.length / 2.0, other.width / 2.0);
        let (cos, sin) = (a_x.dot(&b_x).abs(), a_x.dot(&b_y).abs());
        between.dot(&a_x).abs() <= a_l + b_l * cos + b_w * sin
            && between.dot(&a_y).abs() <= a_w + b_l * sin + b_w * cos
            && between.dot(&b_x).abs() <= b_l + a_l * cos + a_w * sin
            && between.dot(&b_y).abs() <= b_w + a_l * sin + a_w * cos
    }
}

/// A polygon with holes; rings are open (the last point is not the first again).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Polygon {
    /// The outer ring.
    pub exterior: Vec<Point2<f64>>,
    /// Rings that are cut out.
    pub holes: Vec<Vec<Point2<f64>>>,
}

impl Polygon {
    /// Whether the point lies inside the outer ring and in no hole (even–odd rule).
    pub fn contains(&self, point: Point2<f64>) -> bool {
        ring_contains(&self.exterior, point) && !self.holes.iter().any(|hole| ring_contains(hole, point))
    }
}

fn ring_contains(ring: &[Point2<f64>], point: Point2<f64>) -> bool {
    let mut inside = false;
    let mut previous = match ring.last() {
        Some(last) => *last,
        None => return false,
    };
    for &vertex in ring {
        if (vertex.y > point.y) != (previous.y > point.y) {
            let crossing_x = (previous.x - vertex.x) * (point.y - vertex.y) / (previous.y - vertex.y) + vertex.x;
            if point.x < crossing_x {
                inside = !inside;
            }
        }
        previous = vertex;
    }
    inside
}
