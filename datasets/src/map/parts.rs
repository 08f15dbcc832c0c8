//! What a vector map is made of.

use nalgebra::{Point2, Point3};
use serde::{Deserialize, Serialize};

use crate::geometry::Polygon;

/// A lane's number within its map: the index in [`MapParts::lanes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneId(pub u32);

/// Who a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneUse {
    /// Motor traffic.
    Vehicle,
    /// Bicycles.
    Bike,
    /// Buses.
    Bus,
}

/// One lane, in driving direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The data set's own id.
    pub source_id: String,
    /// Who it is for.
    pub usage: LaneUse,
    /// The centreline, at least two points, m.
    pub centerline: Vec<Point3<f64>>,
    /// The left edge; empty if unknown.
    pub left_edge: Vec<Point2<f64>>,
    /// The right edge; empty if unknown.
    pub right_edge: Vec<Point2<f64>>,
    /// Its surface; from the source, from the edges, or from the centreline and a width.
    pub surface: Polygon,
    /// Lanes that continue it.
    pub successors: Vec<LaneId>,
    /// Lanes that lead into it.
    pub predecessors: Vec<LaneId>,
    /// The neighbour to the left that runs in the same direction.
    pub left_neighbor: Option<LaneId>,
    /// The neighbour to the right that runs in the same direction.
    pub right_neighbor: Option<LaneId>,
    /// Speed limit, m/s, if known.
    pub speed_limit_mps: Option<f64>,
    /// Whether it lies within an intersection.
    pub in_intersection: bool,
}

/// What a painted line or an edge looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// May be crossed.
    Dashed,
    /// May not be crossed.
    Solid,
    /// Kerb or edge of the road.
    RoadEdge,
    /// A stop line.
    Stop,
    /// Not known.
    Unknown,
}

/// A painted line or a road edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it looks like.
    pub kind: LineKind,
    /// Its points, m. A road edge has the road on its left (Waymo's convention).
    pub points: Vec<Point2<f64>>,
}

/// Everything a map is made of, before the lookup structures are built.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MapParts {
    /// All lanes; a [`LaneId`] is an index into this.
    pub lanes: Vec<Lane>,
    /// Painted lines and road edges.
    pub lines: Vec<Line>,
    /// Pedestrian crossings.
    pub crossings: Vec<Polygon>,
    /// Intersections, where the source draws them; lanes carry their own flag besides.
    pub intersections: Vec<Polygon>,
    /// Where a vehicle may drive, as the source draws it (road, car park, driveway).
    pub drivable: Vec<Polygon>,
    /// Stop signs: where, and the lanes they govern.
    pub stop_signs: Vec<(Point2<f64>, Vec<LaneId>)>,
}
