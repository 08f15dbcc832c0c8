//! A line of poses with arc length: what an agent drives along.

use nalgebra::Point2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Box2, LaneId, LaneUse, Map, Pose2};

/// Poses by arc length. Never empty.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    poses: Vec<Pose2>,
    along_m: Vec<f64>,
}

impl Path {
    /// A path that starts at `start`.
    pub fn new(start: Pose2) -> Self {
        Self { poses: vec![start], along_m: vec![0.0] }
    }

    /// Adds a pose at the end.
    pub fn push(&mut self, pose: Pose2) {
        let last = self.last();
        self.along_m.push(self.length_m() + (pose.x - last.x).hypot(pose.y - last.y));
        self.poses.push(pose);
    }

    /// Its last pose.
    pub fn last(&self) -> Pose2 {
        self.poses[self.poses.len() - 1]
    }

    /// Its length, m.
    pub fn length_m(&self) -> f64 {
        self.along_m[self.along_m.len() - 1]
    }

    /// How many steps it is made of.
    pub fn steps(&self) -> usize {
        self.poses.len() - 1
    }

    /// How far along the path it passes `place` within 2 m and in its direction to within 45°, m.
    pub fn passes(&self, place: Pose2) -> Option<f64> {
        let apart_m = |pose: &Pose2| (pose.x - place.x).hypot(pose.y - place.y);
        let (nearest, pose) = self.poses.iter().enumerate().min_by(|a, b| apart_m(a.1).total_cmp(&apart_m(b.1)))?;
        let ahead_m = pose.inverse_transform(place.position()).x;
        let passed = self.at(self.along_m[nearest] + ahead_m);
        let fits = apart_m(&passed) <= 2.0 && wrap_angle(passed.yaw - place.yaw).abs() < std::f64::consts::FRAC_PI_4;
        fits.then_some(self.along_m[nearest] + ahead_m)
    }

    /// The pose after `along_m`, held at the ends.
    pub fn at(&self, along_m: f64) -> Pose2 {
        let after = self.along_m.partition_point(|&s| s < along_m);
        let (Some(next), Some(previous)) = (self.poses.get(after), after.checked_sub(1)) else {
            return if after == 0 { self.poses[0] } else { self.last() };
        };
        let span_m = self.along_m[after] - self.along_m[previous];
        self.poses[previous].lerp(next, (along_m - self.along_m[previous]) / span_m)
    }

    /// Continues the path for up to `length_m` along the lane on which it ends and the straightest lanes after it.
    pub fn extend_along_lanes(&mut self, map: &Map, length_m: f64) {
        /// How far ahead the path joins the lane's centre, m: a gentle merge and no kink.
        const JOIN_M: f64 = 8.0;
        let Some(hit) = lane_under(map, self.last()) else { return };
        let (goal_m, mut lane, mut skip_m) = (self.length_m() + length_m, hit.0, hit.1 + JOIN_M);
        let mut visited = Vec::new();
        while self.length_m() < goal_m && !visited.contains(&lane) {
            visited.push(lane);
            skip_m = self.follow_lane(map, lane, skip_m, goal_m);
            let yaw = self.last().yaw;
            let next = map
                .lane(lane)
                .successors
                .iter()
                .copied()
                .min_by(|a, b| turn(map, *a, yaw).total_cmp(&turn(map, *b, yaw)).then(a.cmp(b)));
            match next {
                Some(successor) => lane = successor,
                None => break,
            }
        }
    }

    /// Appends the points of a lane beyond its first `skip_m`; returns what remains to be skipped of the next lane.
    fn follow_lane(&mut self, map: &Map, lane: LaneId, skip_m: f64, goal_m: f64) -> f64 {
        let mut start_m = 0.0;
        for pair in map.lane(lane).centerline.windows(2) {
            let step = pair[1].xy() - pair[0].xy();
            let end_m = start_m + step.norm();
            if end_m > skip_m && end_m > start_m {
                let yaw = step.y.atan2(step.x);
                self.push(Pose2::new(pair[1].x, pair[1].y, yaw));
                if self.length_m() >= goal_m {
                    return 0.0;
                }
            }
            start_m = end_m;
        }
        (skip_m - start_m).max(0.0)
    }

    /// How far along the stretch from `from_m` to `to_m` the first place lies where a body of this width touches `other`.
    pub fn first_touch(&self, from_m: f64, to_m: f64, width_m: f64, other: &Box2) -> Option<f64> {
        let reach_m = 0.5 * other.length.hypot(other.width) + 0.5 * width_m;
        let first = self.along_m.partition_point(|&s| s <= from_m);
        let mut start = self.at(from_m);
        let mut start_m = from_m;
        for index in first..=self.poses.len() {
            if start_m >= to_m {
                break;
            }
            let end_m = self.along_m.get(index).map_or(to_m, |&s| s.min(to_m));
            let end =
                if self.along_m.get(index).is_some_and(|&s| s <= to_m) { self.poses[index] } else { self.at(end_m) };
            let (dx, dy) = (end.x - start.x, end.y - start.y);
            // Not `hypot`: this is where reactive traffic spends its time.
            let length = (dx * dx + dy * dy).sqrt();
            let center = Point2::new(0.5 * (start.x + end.x), 0.5 * (start.y + end.y));
            let is_near = (other.pose.position() - center).norm_squared() <= (reach_m + 0.5 * length).powi(2);
            if length > 0.0 && is_near {
                let corridor = Box2 { pose: Pose2::new(center.x, center.y, dy.atan2(dx)), length, width: width_m };
                if corridor.intersects(other) {
                    return Some(start_m + nearest_end(&corridor, other).clamp(0.0, length));
                }
            }
            (start, start_m) = (end, end_m);
        }
        None
    }
}

/// How far from a corridor's start (its rear edge) the nearest corner of `other` lies, m.
fn nearest_end(corridor: &Box2, other: &Box2) -> f64 {
    let along = |corner: &Point2<f64>| corridor.pose.inverse_transform(*corner).x + 0.5 * corridor.length;
    other.corners().iter().map(along).fold(f64::INFINITY, f64::min)
}

/// How much one has to turn from `yaw` to the end of a lane, rad.
fn turn(map: &Map, lane: LaneId, yaw: f64) -> f64 {
    match map.lane(lane).centerline.as_slice() {
        [.., a, b] => wrap_angle((b.y - a.y).atan2(b.x - a.x) - yaw).abs(),
        _ => f64::INFINITY,
    }
}

/// The lane for motor traffic that a vehicle at `pose` drives on, and how far along it: within 2.5 m of its centre and
/// turned by less than 45° from it.
pub(crate) fn lane_under(map: &Map, pose: Pose2) -> Option<(LaneId, f64)> {
    map.lanes_near(pose.position(), 2.5)
        .into_iter()
        .filter(|hit| map.lane(hit.lane).usage != LaneUse::Bike)
        .find(|hit| wrap_angle(hit.yaw - pose.yaw).abs() < std::f64::consts::FRAC_PI_4)
        .map(|hit| (hit.lane, hit.along_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight() -> Path {
        let mut path = Path::new(Pose2::new(0.0, 0.0, 0.0));
        (1..=50).for_each(|x| path.push(Pose2::new(f64::from(x), 0.0, 0.0)));
        path
    }

    #[test]
    fn a_pose_between_two_points_is_interpolated_and_the_ends_hold() {
        let path = straight();
        assert_eq!(path.at(12.25), Pose2::new(12.25, 0.0, 0.0));
        assert_eq!(path.at(-3.0), Pose2::new(0.0, 0.0, 0.0));
        assert_eq!(path.at(99.0), Pose2::new(50.0, 0.0, 0.0));
    }

    #[test]
    fn the_gap_to_a_box_ahead_ends_at_its_rear_bumper() {
        let leader = Box2 { pose: Pose2::new(20.3, 0.5, 0.0), length: 4.0, width: 2.0 };
        let gap = straight().first_touch(2.0, 40.0, 2.0, &leader).unwrap();
        assert!((gap - 18.3).abs() < 1e-9, "{gap}");
    }

    #[test]
    fn a_box_beside_or_beyond_the_corridor_is_no_leader() {
        let beside = Box2 { pose: Pose2::new(20.0, 2.1, 0.0), length: 4.0, width: 2.0 };
        let beyond = Box2 { pose: Pose2::new(45.0, 0.0, 0.0), length: 4.0, width: 2.0 };
        assert_eq!(straight().first_touch(2.0, 40.0, 2.0, &beside), None);
        assert_eq!(straight().first_touch(2.0, 40.0, 2.0, &beyond), None);
    }
}
