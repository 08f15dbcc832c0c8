//! Whether what was staged is there for an ego, wherever it has driven to.

use nalgebra::Point2;
use serde::Serialize;
use tandem_datasets::{Box2, Log, Pose2, Track};
use tandem_graph::Stamp;

use super::Hazard;
use crate::occlusion::{Body, eye, is_hidden};

/// An emergency vehicle so far ahead has passed, m.
const AWAY_M: f64 = 30.0;

/// The outline of a point on the ground, m.
const POINT_M: f64 = 0.1;

/// When a hazard is over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// When the ego's rear has passed this place, which looks along the road.
    Passed(Pose2),
    /// When this track is well ahead of the ego, or gone.
    Ahead(u32),
    /// When this track is behind the ego, or gone.
    Behind(u32),
}

impl Hazard {
    /// Whether an ego at `map_from_ego` has it before it: it can be seen, and is not over.
    pub fn is_there(&self, log: &Log, map_from_ego: Pose2, stamp: Stamp) -> bool {
        self.is_seen(log, map_from_ego, stamp) && !self.is_over(log, map_from_ego, stamp)
    }

    /// Whether something of it is in range and not hidden.
    pub fn is_seen(&self, log: &Log, map_from_ego: Pose2, stamp: Stamp) -> bool {
        let eye = eye(map_from_ego);
        let body = |track: &Track| {
            let there = track.at(stamp, i64::MAX)?;
            Some(Body { outline: track.outline(&there), height_m: track.size[2] })
        };
        let bodies: Vec<Option<Body>> = log.tracks.iter().map(body).collect();
        let shows = |target: &Body, itself: Option<u32>, range_m: f64| {
            let others = (0..).zip(&bodies).filter(|(number, _)| Some(*number) != itself);
            let others = others.filter_map(|(_, body)| *body);
            (target.outline.pose.position() - eye).norm() < range_m && !is_hidden(eye, target, others)
        };
        let spot = |point: &Point2<f64>| Body {
            outline: Box2 { pose: Pose2::new(point.x, point.y, 0.0), length: POINT_M, width: POINT_M },
            height_m: POINT_M,
        };
        let shows_track = |(&number, &range_m): (&u32, &f64)| {
            bodies.get(number as usize).copied().flatten().is_some_and(|it| shows(&it, Some(number), range_m))
        };
        self.tracks.iter().zip(&self.ranges_m).any(shows_track)
            || self.closed.iter().flatten().any(|point| shows(&spot(point), None, self.flat_range_m))
    }

    /// Whether an ego is past it, or it past the ego.
    pub fn is_over(&self, log: &Log, map_from_ego: Pose2, stamp: Stamp) -> bool {
        let ahead_m = |number: u32| {
            let there = log.tracks.get(number as usize)?.at(stamp, i64::MAX)?;
            Some(map_from_ego.inverse_transform(there.pose.position()).x)
        };
        match self.over {
            Over::Passed(place) => {
                let body = &log.ego.body;
                let rear = map_from_ego.ahead(body.rear_axle_to_center - body.length / 2.0);
                place.inverse_transform(rear.position()).x > 0.0
            }
            Over::Ahead(track) => ahead_m(track).is_none_or(|ahead_m| ahead_m > AWAY_M),
            Over::Behind(track) => ahead_m(track).is_none_or(|ahead_m| ahead_m < 0.0),
        }
    }

    /// When it is first seen on the reference drive, and when it is over there, s from the start; the drive's end where
    /// it never is. `None` if it is not seen.
    pub(super) fn on_the_reference_drive(&self, log: &Log) -> Option<[f64; 2]> {
        let first = log.ego.states.first()?.stamp;
        let since = |stamp: Stamp| stamp.seconds_since(first);
        let drive = || log.ego.states.iter().map(|state| (state.stamp, state.pose()));
        let (seen, _) = drive().find(|(stamp, pose)| self.is_seen(log, *pose, *stamp))?;
        let over = drive().find(|(stamp, pose)| self.is_over(log, *pose, *stamp));
        let (end, _) = drive().next_back()?;
        Some([since(seen), over.map_or(since(end), |(stamp, _)| since(stamp))])
    }
}
