//! Small maps to test on.

#![allow(clippy::unwrap_used)]

use nalgebra::{Point2, Point3};
use tandem_datasets::{Lane, LaneId, LaneUse, Map, MapParts, Polygon};

/// The width of every lane here, m.
pub const LANE_WIDTH_M: f64 = 3.5;

/// Collects lanes; connect them by their numbers.
#[derive(Default)]
pub struct MapBuilder {
    parts: MapParts,
}

impl MapBuilder {
    /// Adds a lane along `points` and gives its number.
    pub fn lane(&mut self, points: &[[f64; 2]]) -> LaneId {
        let center: Vec<Point2<f64>> = points.iter().map(|p| Point2::new(p[0], p[1])).collect();
        let edge = |left_m: f64| -> Vec<Point2<f64>> {
            (0..center.len())
                .map(|i| {
                    let along = center[(i + 1).min(center.len() - 1)] - center[i.saturating_sub(1)];
                    let unit = along.normalize();
                    center[i] + nalgebra::Vector2::new(-unit.y, unit.x) * left_m
                })
                .collect()
        };
        let (left, right) = (edge(LANE_WIDTH_M / 2.0), edge(-LANE_WIDTH_M / 2.0));
        let exterior = right.iter().copied().chain(left.iter().rev().copied()).collect();
        self.parts.lanes.push(Lane {
            source_id: self.parts.lanes.len().to_string(),
            usage: LaneUse::Vehicle,
            centerline: center.iter().map(|p| Point3::new(p.x, p.y, 0.0)).collect(),
            left_edge: left,
            right_edge: right,
            surface: Polygon { exterior, holes: Vec::new() },
            successors: Vec::new(),
            predecessors: Vec::new(),
            left_neighbor: None,
            right_neighbor: None,
            speed_limit_mps: Some(13.0),
            in_intersection: false,
        });
        LaneId(self.parts.lanes.len() as u32 - 1)
    }

    /// Lets `to` continue `from`.
    pub fn connect(&mut self, from: LaneId, to: LaneId) {
        self.parts.lanes[from.0 as usize].successors.push(to);
        self.parts.lanes[to.0 as usize].predecessors.push(from);
    }

    /// Makes `left` the left neighbour of `right`.
    pub fn beside(&mut self, left: LaneId, right: LaneId) {
        self.parts.lanes[left.0 as usize].right_neighbor = Some(right);
        self.parts.lanes[right.0 as usize].left_neighbor = Some(left);
    }

    /// The lane itself, to be changed.
    pub fn get(&mut self, lane: LaneId) -> &mut Lane {
        &mut self.parts.lanes[lane.0 as usize]
    }

    /// Adds drivable area.
    pub fn drivable(&mut self, corners: &[[f64; 2]]) {
        let exterior = corners.iter().map(|p| Point2::new(p[0], p[1])).collect();
        self.parts.drivable.push(Polygon { exterior, holes: Vec::new() });
    }

    /// The finished map.
    pub fn build(self) -> Map {
        Map::new(self.parts).unwrap()
    }
}

/// Points from `a` to `b`, 2 m apart.
pub fn straight(a: [f64; 2], b: [f64; 2]) -> Vec<[f64; 2]> {
    let length = (b[0] - a[0]).hypot(b[1] - a[1]);
    let count = (length / 2.0).ceil() as usize;
    (0..=count).map(|k| k as f64 / count as f64).map(|t| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]).collect()
}

/// An arc from `start` with heading `yaw`, turning by `turn` rad (left positive) at `radius`.
pub fn arc(start: [f64; 2], yaw: f64, radius: f64, turn: f64) -> Vec<[f64; 2]> {
    let side = turn.signum();
    let center = [start[0] - side * radius * yaw.sin(), start[1] + side * radius * yaw.cos()];
    let count = (radius * turn.abs() / 1.0).ceil() as usize;
    (0..=count)
        .map(|k| yaw + turn * k as f64 / count as f64)
        .map(|a| [center[0] + side * radius * a.sin(), center[1] - side * radius * a.cos()])
        .collect()
}
