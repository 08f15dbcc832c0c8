//! A map as a source tells it, made whole: what the source leaves out is worked out from the lanes' geometry.

mod connect;
mod intersection;
mod neighbor;
pub(crate) mod polyline;
pub(crate) mod rings;
mod surface;

use std::collections::BTreeMap;

use nalgebra::{Point2, Point3};

use crate::geometry::Polygon;
use crate::map::{Lane, LaneId, LaneUse, Line, MapParts};

/// A map under construction. Lanes are referred to by the source's ids.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub lanes: Vec<DraftLane>,
    pub lines: Vec<Line>,
    pub crossings: Vec<Polygon>,
    pub drivable: Vec<Polygon>,
    pub stop_signs: Vec<(Point2<f64>, Vec<String>)>,
}

/// A lane as its source tells it; empty lists are what the source does not say.
#[derive(Debug, Clone)]
pub(crate) struct DraftLane {
    pub id: String,
    pub usage: LaneUse,
    /// In driving direction, m.
    pub centerline: Vec<Point3<f64>>,
    /// The drawn surface's ring.
    pub surface: Vec<Point2<f64>>,
    /// Metres to the left and right boundary at each point of the centreline; not positive where unknown.
    pub half_widths: Vec<[f64; 2]>,
    pub entries: Vec<String>,
    pub exits: Vec<String>,
    pub left: Vec<Neighbor>,
    pub right: Vec<Neighbor>,
    pub speed_limit_mps: Option<f64>,
    /// Whether the source says that it only links lanes, as through an intersection.
    pub connector: Option<bool>,
}

impl DraftLane {
    /// A lane of which only the course is known.
    pub fn new(id: impl Into<String>, centerline: Vec<Point3<f64>>) -> Self {
        Self {
            id: id.into(),
            usage: LaneUse::Vehicle,
            centerline,
            surface: Vec::new(),
            half_widths: Vec::new(),
            entries: Vec::new(),
            exits: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            speed_limit_mps: None,
            connector: None,
        }
    }
}

/// A neighbour, and how many points of the lane's own centreline it runs along.
#[derive(Debug, Clone)]
pub(crate) struct Neighbor {
    pub id: String,
    pub points: usize,
}

/// The numbers that the source's lane ids became.
pub(crate) type LaneIds = BTreeMap<String, LaneId>;

impl Draft {
    /// Resolves the references, infers what is missing, and tells in `notes` what was inferred.
    pub fn build(mut self, notes: &mut Vec<String>) -> (MapParts, LaneIds) {
        for lane in &mut self.lanes {
            drop_repeated_points(lane);
        }
        let dropped = connect::bridge_points(&mut self.lanes);
        if !dropped.is_empty() {
            let dropped = dropped.len();
            notes.push(format!("map: {dropped} lanes of a single point left out, their ends joined"));
        }
        let mut ids = LaneIds::new();
        for (index, lane) in (0..).zip(&self.lanes) {
            ids.entry(lane.id.clone()).or_insert(LaneId(index));
        }
        // What governs a lane that was left out, such as a light, governs what follows it.
        for (id, following) in dropped {
            if let Some(next) = following.iter().find_map(|next| ids.get(next).copied()) {
                ids.entry(id).or_insert(next);
            }
        }

        let mut lanes: Vec<Lane> = self.lanes.iter().map(plain_lane).collect();
        let known = connect::resolve(&self.lanes, &ids, &mut lanes);
        if !known && lanes.len() > 1 {
            connect::infer(&mut lanes);
            notes.push("map: lanes joined where ends and headings meet; the source does not say how".into());
        }
        connect::mirror(&mut lanes);
        if !neighbor::resolve(&self.lanes, &ids, &mut lanes) && lanes.len() > 1 {
            neighbor::infer(&mut lanes);
            notes.push("map: neighbouring lanes found by distance; the source does not name them".into());
        }
        surface::complete(&self.lanes, &mut lanes, notes);
        let connectors: Vec<_> = self.lanes.iter().map(|lane| lane.connector).collect();
        intersection::flag(&connectors, &mut lanes);

        let stop_signs = self
            .stop_signs
            .into_iter()
            .map(|(point, governed)| (point, governed.iter().filter_map(|id| ids.get(id).copied()).collect()))
            .collect();
        let parts = MapParts {
            lanes,
            lines: self.lines,
            crossings: self.crossings,
            intersections: Vec::new(),
            drivable: self.drivable,
            stop_signs,
        };
        (parts, ids)
    }
}

fn plain_lane(draft: &DraftLane) -> Lane {
    Lane {
        source_id: draft.id.clone(),
        usage: draft.usage,
        centerline: draft.centerline.clone(),
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: Polygon { exterior: rings::opened(draft.surface.clone()), holes: Vec::new() },
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: draft.speed_limit_mps,
        in_intersection: false,
    }
}

/// Drops points that repeat their predecessor on the ground, with their widths.
fn drop_repeated_points(lane: &mut DraftLane) {
    let widths = std::mem::take(&mut lane.half_widths);
    let paired = widths.len() == lane.centerline.len();
    let mut kept: Vec<Point3<f64>> = Vec::with_capacity(lane.centerline.len());
    for (index, point) in lane.centerline.iter().enumerate() {
        let repeated = kept.last().is_some_and(|last| (last.xy() - point.xy()).norm() < 1e-6);
        if !repeated {
            kept.push(*point);
            if paired {
                lane.half_widths.push(widths[index]);
            }
        }
    }
    lane.centerline = kept;
}

#[cfg(test)]
mod tests;
