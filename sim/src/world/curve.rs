//! The lines that a generated world is drawn along: chains of straights, arcs and blends, by arc length.

use nalgebra::Point2;
use tandem_datasets::Pose2;
use tandem_datasets::geometry::wrap_angle;

/// Distance between samples, m.
const SAMPLE_M: f64 = 0.5;

/// A smooth line with a direction, sampled every half metre or so.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    points: Vec<Pose2>,
    /// Arc length at each point, m.
    along_m: Vec<f64>,
}

impl Curve {
    /// A curve of a single point, to be extended.
    pub fn start(at: Pose2) -> Self {
        Self { points: vec![at], along_m: vec![0.0] }
    }

    /// Its last pose.
    pub fn end(&self) -> Pose2 {
        // A curve starts with a point and never loses one.
        self.points[self.points.len() - 1]
    }

    fn push(&mut self, pose: Pose2) {
        let step_m = (pose.position() - self.end().position()).norm();
        self.along_m.push(self.length() + step_m);
        self.points.push(pose);
    }

    /// Adds a straight.
    pub fn straight(self, length_m: f64) -> Self {
        self.arc(length_m, 0.0)
    }

    /// Adds an arc of `length_m` that turns by `turn_rad`, left positive.
    pub fn arc(mut self, length_m: f64, turn_rad: f64) -> Self {
        let from = self.end();
        let steps = (length_m / SAMPLE_M).ceil().max(1.0);
        for step in 1..=steps as usize {
            let (length, turn) = (length_m * step as f64 / steps, turn_rad * step as f64 / steps);
            // The chord of an arc points half the turn aside.
            let chord = if turn.abs() < 1e-9 { length } else { 2.0 * length / turn * (turn / 2.0).sin() };
            let tip = Pose2::new(from.x, from.y, from.yaw + turn / 2.0).ahead(chord);
            self.push(Pose2::new(tip.x, tip.y, wrap_angle(from.yaw + turn)));
        }
        self
    }

    /// Adds a cubic that arrives at `to` with its direction (an intersection's connector).
    pub fn blend(mut self, to: Pose2) -> Self {
        let from = self.end();
        let reach = (to.position() - from.position()).norm();
        let (a, b) = (from.heading() * reach, to.heading() * reach);
        let steps = (reach * 1.2 / SAMPLE_M).ceil().max(2.0) as usize;
        for step in 1..=steps {
            let t = step as f64 / steps as f64;
            let (t2, t3) = (t * t, t * t * t);
            let position = from.position().coords * (2.0 * t3 - 3.0 * t2 + 1.0)
                + a * (t3 - 2.0 * t2 + t)
                + to.position().coords * (3.0 * t2 - 2.0 * t3)
                + b * (t3 - t2);
            let slope = (from.position() - to.position()) * (6.0 * t2 - 6.0 * t)
                + a * (3.0 * t2 - 4.0 * t + 1.0)
                + b * (3.0 * t2 - 2.0 * t);
            self.push(Pose2::new(position.x, position.y, slope.y.atan2(slope.x)));
        }
        self
    }

    /// Adds a quintic that arrives at `to` with its direction, its ends free of curvature: what a driver steers smoothly.
    pub fn bend(mut self, to: Pose2) -> Self {
        let from = self.end();
        let reach = (to.position() - from.position()).norm();
        let (a, b) = (from.heading() * reach, to.heading() * reach);
        let steps = (reach * 1.2 / SAMPLE_M).ceil().max(2.0) as usize;
        for step in 1..=steps {
            let t = step as f64 / steps as f64;
            let (t2, t3, t4) = (t * t, t.powi(3), t.powi(4));
            let t5 = t4 * t;
            let blend = 10.0 * t3 - 15.0 * t4 + 6.0 * t5;
            let position = from.position().coords * (1.0 - blend)
                + a * (t - 6.0 * t3 + 8.0 * t4 - 3.0 * t5)
                + to.position().coords * blend
                + b * (7.0 * t4 - 4.0 * t3 - 3.0 * t5);
            let slope = (to.position() - from.position()) * (30.0 * t2 - 60.0 * t3 + 30.0 * t4)
                + a * (1.0 - 18.0 * t2 + 32.0 * t3 - 15.0 * t4)
                + b * (28.0 * t3 - 12.0 * t2 - 15.0 * t4);
            self.push(Pose2::new(position.x, position.y, slope.y.atan2(slope.x)));
        }
        self
    }

    /// This curve and then `next`, which starts where this one ends.
    pub fn then(&self, next: &Self) -> Self {
        let mut whole = self.clone();
        next.points[1..].iter().for_each(|&pose| whole.push(pose));
        whole
    }

    /// The same curve moved to its left by `left_m`.
    pub fn shifted(&self, left_m: f64) -> Self {
        let mut points = self.points.iter().map(|pose| beside(*pose, left_m));
        let mut curve = Self::start(points.next().unwrap_or_default());
        points.for_each(|pose| curve.push(pose));
        curve
    }

    /// The same line in the other direction.
    pub fn reversed(&self) -> Self {
        let mut points =
            self.points.iter().rev().map(|p| Pose2::new(p.x, p.y, wrap_angle(p.yaw + std::f64::consts::PI)));
        let mut curve = Self::start(points.next().unwrap_or_default());
        points.for_each(|pose| curve.push(pose));
        curve
    }

    /// The stretch from `from_m` to `to_m`.
    pub fn between(&self, from_m: f64, to_m: f64) -> Self {
        let mut curve = Self::start(self.at(from_m));
        for (pose, &along) in self.points.iter().zip(&self.along_m) {
            if along > from_m + 0.05 && along < to_m - 0.05 {
                curve.push(*pose);
            }
        }
        curve.push(self.at(to_m));
        curve
    }

    /// Its length, m.
    pub fn length(&self) -> f64 {
        self.along_m[self.along_m.len() - 1]
    }

    /// The pose at `along_m`, held straight on beyond the ends.
    pub fn at(&self, along_m: f64) -> Pose2 {
        if along_m <= 0.0 {
            return self.points[0].ahead(along_m);
        }
        let next = self.along_m.partition_point(|&m| m < along_m);
        if next == self.points.len() {
            return self.end().ahead(along_m - self.length());
        }
        let (a, b) = (self.along_m[next - 1], self.along_m[next]);
        self.points[next - 1].lerp(&self.points[next], (along_m - a) / (b - a))
    }

    /// Turn per metre at `along_m`, rad/m.
    pub fn curvature(&self, along_m: f64) -> f64 {
        let (a, b) = (self.at(along_m - 1.0), self.at(along_m + 1.0));
        wrap_angle(b.yaw - a.yaw) / 2.0
    }

    /// Arc length and left offset of the closest sample to `point`, m.
    pub fn project(&self, point: Point2<f64>) -> (f64, f64) {
        // Roads bend gently: the closest of every eighth sample is next to the closest of all.
        const STRIDE: usize = 8;
        let distance = |index: &usize| (self.points[*index].position() - point).norm_squared();
        let closest = |range: &mut dyn Iterator<Item = usize>| {
            range.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
        };
        let coarse = closest(&mut (0..self.points.len()).step_by(STRIDE));
        let window = coarse.saturating_sub(STRIDE)..(coarse + STRIDE + 1).min(self.points.len());
        let nearest = closest(&mut window.into_iter());
        let local = self.points[nearest].inverse_transform(point);
        (self.along_m[nearest] + local.x, local.y)
    }

    /// Points about `step_m` apart, both ends included.
    pub fn points(&self, step_m: f64) -> Vec<Pose2> {
        let count = (self.length() / step_m).ceil().max(1.0) as usize;
        (0..=count).map(|i| self.at(self.length() * i as f64 / count as f64)).collect()
    }
}

/// The pose moved sideways by `left_m`.
pub(super) fn beside(pose: Pose2, left_m: f64) -> Pose2 {
    let aside = pose.transform(Point2::new(0.0, left_m));
    Pose2::new(aside.x, aside.y, pose.yaw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arc_ends_where_geometry_says() {
        let radius = 20.0;
        let quarter =
            Curve::start(Pose2::default()).arc(radius * std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2);
        let end = quarter.end();
        assert!((end.x - radius).abs() < 1e-9 && (end.y - radius).abs() < 1e-9);
        assert!((quarter.curvature(10.0) - 1.0 / radius).abs() < 1e-5);
        assert!((quarter.shifted(5.0).length() - 15.0 * std::f64::consts::FRAC_PI_2).abs() < 0.02);
    }

    #[test]
    fn a_bend_arrives_where_it_should_and_starts_and_ends_straight() {
        let to = Pose2::new(60.0, 50.0, 1.4);
        let bend = Curve::start(Pose2::default()).bend(to);
        let end = bend.end();
        assert!((end.x - to.x).abs() < 1e-9 && (end.y - to.y).abs() < 1e-9 && (end.yaw - to.yaw).abs() < 1e-9);
        assert!(bend.curvature(1.0).abs() < 0.005 && bend.curvature(bend.length() - 1.0).abs() < 0.005);
        assert!(bend.curvature(bend.length() / 2.0) > 0.015);
    }

    #[test]
    fn projecting_a_point_beside_the_curve_finds_it_again() {
        let curve = Curve::start(Pose2::new(3.0, -2.0, 0.4)).straight(30.0).arc(40.0, -1.0).straight(20.0);
        for along in [1.0, 25.3, 47.7, 80.0] {
            let (found_m, left_m) = curve.project(beside(curve.at(along), 2.5).position());
            assert!((found_m - along).abs() < 0.1 && (left_m - 2.5).abs() < 0.02, "{along}: {found_m} {left_m}");
        }
    }
}
