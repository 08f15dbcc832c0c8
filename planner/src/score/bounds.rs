//! Axis-aligned boxes and the separating-axis test on precomputed directions.

use nalgebra::Point2;

/// An axis-aligned box in the map, m. Grows from [`Bounds::EMPTY`]; NaN is never included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    low: [f64; 2],
    high: [f64; 2],
}

impl Bounds {
    /// Contains nothing and meets nothing.
    pub const EMPTY: Self = Self { low: [f64::INFINITY; 2], high: [f64::NEG_INFINITY; 2] };

    /// Grows to contain a point.
    #[inline]
    pub fn include(&mut self, x: f64, y: f64) {
        // Written as comparisons, which NaN fails and which are one instruction each.
        let smaller = |a: f64, b: f64| if a < b { a } else { b };
        let larger = |a: f64, b: f64| if a > b { a } else { b };
        self.low = [smaller(x, self.low[0]), smaller(y, self.low[1])];
        self.high = [larger(x, self.high[0]), larger(y, self.high[1])];
    }

    /// Grows to contain another box.
    #[inline]
    pub fn unite(&mut self, other: &Self) {
        self.low = [self.low[0].min(other.low[0]), self.low[1].min(other.low[1])];
        self.high = [self.high[0].max(other.high[0]), self.high[1].max(other.high[1])];
    }

    /// The box with a margin all around, m.
    #[inline]
    pub fn grown(&self, margin: f64) -> Self {
        Self { low: self.low.map(|low| low - margin), high: self.high.map(|high| high + margin) }
    }

    /// The box around some points.
    pub fn around<'a>(points: impl IntoIterator<Item = &'a Point2<f64>>) -> Self {
        let mut bounds = Self::EMPTY;
        for point in points {
            bounds.include(point.x, point.y);
        }
        bounds
    }

    /// Whether the two share a point.
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        self.low[0] <= other.high[0]
            && other.low[0] <= self.high[0]
            && self.low[1] <= other.high[1]
            && other.low[1] <= self.high[1]
    }
}

/// A rectangle on the ground with its direction at hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    pub x: f64,
    pub y: f64,
    pub cos: f64,
    pub sin: f64,
    pub half_length: f64,
    pub half_width: f64,
}

impl Rectangle {
    /// Whether the two share a point; touching counts. The axes across come first: they separate neighbouring lanes.
    #[inline]
    pub fn meets(&self, other: &Self) -> bool {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let cos = (self.cos * other.cos + self.sin * other.sin).abs();
        let sin = (self.cos * other.sin - self.sin * other.cos).abs();
        (dy * self.cos - dx * self.sin).abs() <= self.half_width + other.half_length * sin + other.half_width * cos
            && (dy * other.cos - dx * other.sin).abs()
                <= other.half_width + self.half_length * sin + self.half_width * cos
            && (dx * self.cos + dy * self.sin).abs()
                <= self.half_length + other.half_length * cos + other.half_width * sin
            && (dx * other.cos + dy * other.sin).abs()
                <= other.half_length + self.half_length * cos + self.half_width * sin
    }

    /// When the two first overlap if `other` moves at (`vx`, `vy`) relative to this one, in seconds from now on; exact.
    pub fn first_contact_s(&self, other: &Self, vx: f64, vy: f64) -> Option<f64> {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let cos = (self.cos * other.cos + self.sin * other.sin).abs();
        let sin = (self.cos * other.sin - self.sin * other.cos).abs();
        let axes = [
            (self.cos, self.sin, self.half_length + other.half_length * cos + other.half_width * sin),
            (-self.sin, self.cos, self.half_width + other.half_length * sin + other.half_width * cos),
            (other.cos, other.sin, other.half_length + self.half_length * cos + self.half_width * sin),
            (-other.sin, other.cos, other.half_width + self.half_length * sin + self.half_width * cos),
        ];
        let (mut from, mut to) = (0.0f64, f64::INFINITY);
        for (ax, ay, reach) in axes {
            let (gap, rate) = (dx * ax + dy * ay, vx * ax + vy * ay);
            if rate == 0.0 {
                if gap.abs() > reach {
                    return None;
                }
                continue;
            }
            let (a, b) = ((-reach - gap) / rate, (reach - gap) / rate);
            (from, to) = (from.max(a.min(b)), to.min(a.max(b)));
        }
        (from <= to).then_some(from)
    }

    /// Corners counter-clockwise from the front left.
    #[inline]
    pub fn corners(&self) -> [Point2<f64>; 4] {
        let (fx, fy) = (self.cos * self.half_length, self.sin * self.half_length);
        let (lx, ly) = (-self.sin * self.half_width, self.cos * self.half_width);
        [
            Point2::new(self.x + fx + lx, self.y + fy + ly),
            Point2::new(self.x - fx + lx, self.y - fy + ly),
            Point2::new(self.x - fx - lx, self.y - fy - ly),
            Point2::new(self.x + fx - lx, self.y + fy - ly),
        ]
    }

    /// Whether it and a segment share a point.
    pub fn meets_segment(&self, from: Point2<f64>, to: Point2<f64>) -> bool {
        let across = to - from;
        let length = across.norm();
        let (cos, sin) = if length > 0.0 { (across.x / length, across.y / length) } else { (1.0, 0.0) };
        let center = from + across * 0.5;
        let thin = Self { x: center.x, y: center.y, cos, sin, half_length: length / 2.0, half_width: 0.0 };
        self.meets(&thin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tandem_datasets::{Box2, Pose2};

    use super::*;

    fn rectangle(outline: &Box2) -> Rectangle {
        let (sin, cos) = outline.pose.yaw.sin_cos();
        let (half_length, half_width) = (outline.length / 2.0, outline.width / 2.0);
        Rectangle { x: outline.pose.x, y: outline.pose.y, cos, sin, half_length, half_width }
    }

    fn outline() -> impl Strategy<Value = Box2> {
        (-5.0..5.0, -5.0..5.0, -4.0..4.0, 0.1..6.0, 0.1..3.0).prop_map(|(x, y, yaw, length, width)| Box2 {
            pose: Pose2::new(x, y, yaw),
            length,
            width,
        })
    }

    proptest! {
        #[test]
        fn overlap_equals_that_of_the_boxes(a in outline(), b in outline()) {
            prop_assert_eq!(rectangle(&a).meets(&rectangle(&b)), a.intersects(&b));
        }

        #[test]
        fn first_contact_is_where_stepping_finds_it(a in outline(), b in outline(), vx in -9.0..9.0f64, vy in -9.0..9.0f64) {
            let (a, b) = (rectangle(&a), rectangle(&b));
            let at = |t: f64| a.meets(&Rectangle { x: b.x + vx * t, y: b.y + vy * t, ..b });
            let stepped = (0..3000).map(|k| f64::from(k) * 1e-3).find(|t| at(*t));
            match (a.first_contact_s(&b, vx, vy), stepped) {
                (Some(exact), Some(stepped)) => prop_assert!((stepped - exact).abs() < 2e-3),
                // A graze shorter than the step.
                (Some(exact), None) => prop_assert!(exact > 2.99 || at(exact + 1e-9) || at(exact)),
                (None, stepped) => prop_assert_eq!(stepped, None),
            }
        }

        #[test]
        fn overlap_implies_that_the_boxes_around_meet(a in outline(), b in outline()) {
            let (a, b) = (rectangle(&a), rectangle(&b));
            if a.meets(&b) {
                prop_assert!(Bounds::around(&a.corners()).meets(&Bounds::around(&b.corners())));
            }
        }
    }

    #[test]
    fn nothing_meets_the_empty_box_nor_nan() {
        let mut all = Bounds::EMPTY;
        all.include(f64::NAN, f64::NAN);
        assert!(!all.meets(&Bounds::EMPTY.grown(1e9)));
        all.include(1.0, 2.0);
        assert!(all.meets(&all) && !all.meets(&Bounds::EMPTY.grown(3.0)));
    }
}
