//! What is known of a scene without looking at images: the ego, its way, and what the fast system sees.

use std::sync::Arc;

use nalgebra::Point2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Class, Pose2, SignalColor};
use tandem_graph::Stamp;
use tandem_planner::Scene;
use tandem_planner::route::Route;

use super::judgment::{Avoid, ImageBox};

/// How far ahead and behind along the route, and how far to the side, objects are told of, m.
const AHEAD_M: f64 = 90.0;
const BEHIND_M: f64 = 25.0;
const BESIDE_M: f64 = 20.0;

/// Who comes from behind so much faster, m/s, is told of from farther away, m.
const COMES_MPS: f64 = 3.0;
const COMES_FROM_M: f64 = 60.0;

/// Objects that are told of at most.
const MOST_SEEN: usize = 8;

/// Half of a lane, where the map does not say how far the next one is, m.
const HALF_LANE_M: f64 = 1.8;

/// The route turns where it changes its heading by so much over [`TURN_OVER_M`], rad.
const TURN_RAD: f64 = 0.6;
const TURN_OVER_M: f64 = 25.0;

/// Where an object is with regard to the ego's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// In the lane that the route follows.
    OwnLane,
    /// In the lane to the left, in the same direction.
    LeftLane,
    /// In the lane to the right, in the same direction.
    RightLane,
    /// On the road's other side, or coming towards the ego.
    Oncoming,
    /// Anywhere else to the left.
    Left,
    /// Anywhere else to the right.
    Right,
}

impl Relation {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::OwnLane => "own lane",
            Self::LeftLane => "left lane",
            Self::RightLane => "right lane",
            Self::Oncoming => "oncoming",
            Self::Left => "left side",
            Self::Right => "right side",
        }
    }
}

/// One object, as the fast system sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its track's number.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// Where it is.
    pub relation: Relation,
    /// Along the route from the ego's rear axle to its centre, m; behind is negative.
    pub ahead_m: f64,
    /// Left of the route's line, m.
    pub left_m: f64,
    /// Along the route, m/s; towards the ego is negative.
    pub speed_mps: f64,
    /// To the left across the route, m/s.
    pub across_mps: f64,
    /// [`Self::ahead_m`] as it was one, two and three seconds before, where known.
    pub before_m: Vec<f64>,
    /// Where an image shows it.
    pub image: Option<ImageBox>,
}

/// What the way comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A traffic light of this colour.
    Light(SignalColor),
    /// A pedestrian crossing.
    Crossing,
    /// An intersection.
    Intersection,
    /// A turn to the left.
    TurnLeft,
    /// A turn to the right.
    TurnRight,
    /// The route's end.
    Goal,
}

/// A place on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ahead {
    /// What.
    pub place: Place,
    /// How far, m from the rear axle.
    pub ahead_m: f64,
}

/// A scene.
#[derive(Debug, Clone)]
pub struct State {
    /// When it was captured.
    pub stamp: Stamp,
    /// Where the rear axle is.
    pub map_from_ego: Pose2,
    /// The ego's speed, m/s.
    pub speed_mps: f64,
    /// Its acceleration, m/s².
    pub acceleration_mps2: f64,
    /// The speed limit here, m/s, if known.
    pub limit_mps: Option<f64>,
    /// The ego's lane, counted from the left, from 1.
    pub lane: usize,
    /// Lanes in its direction.
    pub lanes: usize,
    /// What the way comes to, the nearest first.
    pub ahead: Vec<Ahead>,
    /// What the fast system sees, what matters most first.
    pub seen: Vec<Seen>,
    route: Arc<Route>,
    along_m: f64,
}

impl State {
    /// Of what a planner sees. `earlier` are states of the seconds before, the latest first.
    pub fn new(scene: &Scene, earlier: &[&Self]) -> Self {
        let frame = scene.route.centerline();
        let along_m = frame.project(scene.ego.pose.position()).along_m;
        let [left_lane_m, right_lane_m] = scene.route.lanes_beside_m(along_m);
        // The route's line is the lane that it follows; the next ones are as far to the side as they are wide.
        let lanes_to = |first_m: Option<f64>| usize::from(first_m.is_some());
        let (to_left, to_right) = (lanes_to(left_lane_m), lanes_to(right_lane_m));
        let mut state = Self {
            stamp: scene.now,
            map_from_ego: scene.ego.pose,
            speed_mps: scene.ego.speed_mps,
            acceleration_mps2: scene.ego.acceleration_mps2,
            limit_mps: scene.route.speed_limit_mps(along_m),
            lane: to_left + 1,
            lanes: to_left + 1 + to_right,
            ahead: Vec::new(),
            seen: Vec::new(),
            route: Arc::clone(&scene.route),
            along_m,
        };
        state.ahead = state.places(scene);
        state.seen = scene.agents.iter().filter_map(|agent| state.see(agent, earlier)).collect();
        state.seen.sort_by(|a, b| a.weight().total_cmp(&b.weight()).then(a.id.cmp(&b.id)));
        state.seen.truncate(MOST_SEEN);
        state
    }

    /// The corners of a stretch of the way, in the map, m; on the right forwards, then on the left back.
    pub fn ring(&self, avoid: &Avoid) -> Vec<Point2<f64>> {
        const STEP_M: f64 = 5.0;
        let frame = self.route.centerline();
        let length_m = (avoid.to_m - avoid.from_m).max(0.5);
        let steps = (length_m / STEP_M).ceil().max(1.0) as usize;
        let at = |step: usize, left_m: f64| {
            let along_m = self.along_m + avoid.from_m + length_m * step as f64 / steps as f64;
            frame.at_offset(along_m, left_m).position()
        };
        let right = (0..=steps).map(|step| at(step, avoid.right_m));
        right.chain((0..=steps).rev().map(|step| at(step, avoid.left_m))).collect()
    }

    /// How far along the route from the rear axle a point is, and how far left of the route's line, m.
    pub fn along_route(&self, point: Point2<f64>) -> (f64, f64) {
        let place = self.route.centerline().project(point);
        (place.along_m - self.along_m, place.left_m)
    }

    fn see(&self, agent: &tandem_planner::Agent, earlier: &[&Self]) -> Option<Seen> {
        let pose = *agent.path.first()?;
        let place = self.route.centerline().project(pose.position());
        let (ahead_m, left_m) = (place.along_m - self.along_m, place.left_m);
        let turn = wrap_angle(pose.yaw - place.yaw);
        let speed_mps = agent.speed_mps * turn.cos();
        let behind_m = if speed_mps > self.speed_mps + COMES_MPS { COMES_FROM_M } else { BEHIND_M };
        if !(-behind_m..AHEAD_M).contains(&ahead_m) || left_m.abs() > BESIDE_M {
            return None;
        }
        let [left_lane_m, right_lane_m] = self.route.lanes_beside_m(place.along_m);
        let half_m = |next_m: Option<f64>| next_m.map_or(HALF_LANE_M, |next_m| next_m.abs() / 2.0);
        let relation = if left_m <= half_m(left_lane_m) && left_m >= -half_m(right_lane_m) {
            Relation::OwnLane
        } else if left_lane_m.is_some_and(|lane_m| (left_m - lane_m).abs() <= HALF_LANE_M) {
            Relation::LeftLane
        } else if right_lane_m.is_some_and(|lane_m| (left_m - lane_m).abs() <= HALF_LANE_M) {
            Relation::RightLane
        } else if agent.class.is_vehicle() && speed_mps < -1.0 {
            Relation::Oncoming
        } else if left_m > 0.0 {
            Relation::Left
        } else {
            Relation::Right
        };
        let was = |state: &&Self| state.seen.iter().find(|seen| seen.id == agent.id).map(|seen| seen.ahead_m);
        Some(Seen {
            id: agent.id,
            class: agent.class,
            relation,
            ahead_m,
            left_m,
            speed_mps,
            across_mps: agent.speed_mps * turn.sin(),
            before_m: earlier.iter().map_while(was).collect(),
            image: None,
        })
    }

    fn places(&self, scene: &Scene) -> Vec<Ahead> {
        let mut places = Vec::new();
        let mut add = |place, at_m: f64| {
            let ahead_m = at_m - self.along_m;
            if (0.0..AHEAD_M).contains(&ahead_m) {
                places.push(Ahead { place, ahead_m });
            }
        };
        let route = &self.route;
        let lights = scene.signals.iter().filter_map(|(lane, color)| Some((route.stop_line_m(*lane)?, *color)));
        // Of lights that hold the same line one is enough.
        let nearest = lights.filter(|(at_m, _)| *at_m >= self.along_m).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((at_m, color)) = nearest {
            add(Place::Light(color), at_m);
        }
        let ahead = route.segments().iter().filter(|segment| segment.in_intersection && segment.to_m > self.along_m);
        if let Some(segment) = ahead.min_by(|a, b| a.from_m.total_cmp(&b.from_m)) {
            add(Place::Intersection, segment.from_m.max(self.along_m));
        }
        let frame = route.centerline();
        let crossing = scene.map.parts().crossings.iter().filter_map(|area| {
            let corners = &area.exterior;
            let middle = corners.iter().fold(nalgebra::Vector2::zeros(), |sum, corner| sum + corner.coords);
            let place = frame.project(Point2::from(middle / corners.len().max(1) as f64));
            (place.left_m.abs() < 8.0 && place.along_m >= self.along_m).then_some(place.along_m)
        });
        if let Some(at_m) = crossing.min_by(f64::total_cmp) {
            add(Place::Crossing, at_m);
        }
        let turn = |ahead_m: f64| {
            let at_m = self.along_m + ahead_m;
            wrap_angle(frame.at(at_m + TURN_OVER_M).yaw - frame.at(at_m).yaw)
        };
        let turning = (0..=(AHEAD_M - TURN_OVER_M) as usize).step_by(5).map(|ahead_m| ahead_m as f64);
        if let Some(ahead_m) = turning.into_iter().find(|ahead_m| turn(*ahead_m).abs() > TURN_RAD) {
            let place = if turn(ahead_m) > 0.0 { Place::TurnLeft } else { Place::TurnRight };
            add(place, self.along_m + ahead_m);
        }
        add(Place::Goal, route.goal_m());
        places.sort_by(|a, b| a.ahead_m.total_cmp(&b.ahead_m));
        places
    }
}

impl Seen {
    /// What is told first, the lightest: who is in the way, then who is near ahead and near the way.
    fn weight(&self) -> f64 {
        let along_m = if self.ahead_m < 0.0 { -3.0 * self.ahead_m } else { self.ahead_m };
        if self.relation == Relation::OwnLane { along_m / 3.0 } else { along_m + 4.0 * self.left_m.abs() }
    }
}
