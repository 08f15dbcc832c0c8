//! Upright boxes in the map.

use nalgebra::{Point2, Vector2};

/// An upright box, m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub min: Point2<f64>,
    pub max: Point2<f64>,
}

impl Bounds {
    /// The box that holds nothing, and into which everything can be taken.
    pub const EMPTY: Self =
        Self { min: Point2::new(f64::INFINITY, f64::INFINITY), max: Point2::new(f64::NEG_INFINITY, f64::NEG_INFINITY) };

    /// The box around points.
    pub fn of(points: impl IntoIterator<Item = Point2<f64>>) -> Self {
        points
            .into_iter()
            .fold(Self::EMPTY, |bounds, point| Self { min: bounds.min.inf(&point), max: bounds.max.sup(&point) })
    }

    /// The box around both.
    pub fn and(&self, other: &Self) -> Self {
        Self { min: self.min.inf(&other.min), max: self.max.sup(&other.max) }
    }

    /// The box wider by `margin_m` on all sides.
    pub fn grown(&self, margin_m: f64) -> Self {
        Self { min: self.min - Vector2::repeat(margin_m), max: self.max + Vector2::repeat(margin_m) }
    }

    /// Whether a point lies in the box or on its edge.
    pub fn contains(&self, point: Point2<f64>) -> bool {
        point.x >= self.min.x && point.x <= self.max.x && point.y >= self.min.y && point.y <= self.max.y
    }

    /// Whether two boxes share a point.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.min.x <= other.max.x && other.min.x <= self.max.x && self.min.y <= other.max.y && other.min.y <= self.max.y
    }

    /// Distance from a point to the box, m; zero inside.
    pub fn distance(&self, point: Point2<f64>) -> f64 {
        let dx = (self.min.x - point.x).max(point.x - self.max.x).max(0.0);
        let dy = (self.min.y - point.y).max(point.y - self.max.y).max(0.0);
        dx.hypot(dy)
    }
}
