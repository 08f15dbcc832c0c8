//! The vector map of a log: lanes and how they connect, crossings, drivable area, and fast lookup.

use nalgebra::{Point2, Point3};
use serde::{Deserialize, Serialize};

use crate::geometry::Polygon;

/// A lane's number within its map: the index in [`Map::lanes`].
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

/// How the drivable area of a map is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrivableSource {
    /// The source draws it.
    Polygons,
    /// The source draws road edges: the drivable side is their left.
    RoadEdges,
    /// Only lanes are known: their surfaces, widened by a margin.
    Lanes,
    /// Nothing is known.
    None,
}

/// A lane that was looked up, and where on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneHit {
    /// The lane.
    pub lane: LaneId,
    /// Arc length along its centreline, m.
    pub along_m: f64,
    /// Signed offset from its centreline, m, left positive.
    pub left_m: f64,
    /// The centreline's direction there, rad.
    pub yaw: f64,
}

/// Why a map could not be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MapError {
    /// There is no lane and no drivable area in it.
    #[error("the map is empty: no lane and no drivable area")]
    Empty,
    /// A lane's centreline has fewer than two points, no length or a coordinate that is not finite.
    #[error("lane {lane}: {reason}")]
    Lane {
        /// The lane's source id.
        lane: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A lane refers to one that does not exist.
    #[error("lane {lane}: {field} refers to lane number {number}, which does not exist")]
    Dangling {
        /// The lane's source id.
        lane: String,
        /// The referring field.
        field: &'static str,
        /// The missing index.
        number: u32,
    },
}

/// A vector map with fast lookup. Immutable once built; shared by `Arc`.
#[derive(Debug)]
pub struct Map {
    parts: MapParts,
    drivable_source: DrivableSource,
}

impl Map {
    /// Checks the parts and builds the lookup structures.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn new(parts: MapParts) -> Result<Self, MapError> {
        if parts.lanes.is_empty() && parts.drivable.is_empty() {
            return Err(MapError::Empty);
        }
        check(&parts)?;
        let drivable_source = if !parts.drivable.is_empty() {
            DrivableSource::Polygons
        } else if parts.lines.iter().any(|line| line.kind == LineKind::RoadEdge) {
            DrivableSource::RoadEdges
        } else {
            DrivableSource::Lanes
        };
        Ok(Self { parts, drivable_source })
    }

    /// What the map is made of.
    pub fn parts(&self) -> &MapParts {
        &self.parts
    }

    /// One lane. Ids come from this map only, so the index is always valid.
    pub fn lane(&self, id: LaneId) -> &Lane {
        &self.parts.lanes[id.0 as usize]
    }

    /// How the drivable area is known.
    pub fn drivable_source(&self) -> DrivableSource {
        self.drivable_source
    }

    /// Whether a vehicle may be at `point`, after [`Self::drivable_source`]; true everywhere if nothing is known.
    pub fn is_drivable(&self, point: Point2<f64>) -> bool {
        self.parts.drivable.iter().any(|area| area.contains(point))
            || self.parts.lanes.iter().any(|lane| lane.surface.contains(point))
    }

    /// Whether `point` lies in an intersection: a drawn one, or the surface of a lane flagged so.
    pub fn in_intersection(&self, point: Point2<f64>) -> bool {
        self.parts.intersections.iter().any(|area| area.contains(point))
            || self.parts.lanes.iter().any(|lane| lane.in_intersection && lane.surface.contains(point))
    }

    /// The lanes whose surface contains `point`, by rising id.
    pub fn lanes_at(&self, point: Point2<f64>) -> Vec<LaneId> {
        let ids = (0..).map(LaneId).zip(&self.parts.lanes);
        ids.filter(|(_, lane)| lane.surface.contains(point)).map(|(id, _)| id).collect()
    }

    /// The lanes whose centreline comes within `radius_m` of `point`, nearest first, with where on them.
    pub fn lanes_near(&self, point: Point2<f64>, radius_m: f64) -> Vec<LaneHit> {
        let mut hits: Vec<_> = (0..self.parts.lanes.len() as u32)
            .map(|index| self.project(LaneId(index), point))
            .filter(|hit| hit.left_m.abs() <= radius_m)
            .collect();
        hits.sort_by(|a, b| a.left_m.abs().total_cmp(&b.left_m.abs()).then(a.lane.cmp(&b.lane)));
        hits
    }

    /// The closest point of a lane's centreline to `point`.
    pub fn project(&self, lane: LaneId, point: Point2<f64>) -> LaneHit {
        let mut best = LaneHit { lane, along_m: 0.0, left_m: f64::INFINITY, yaw: 0.0 };
        let mut start_m = 0.0;
        for pair in self.lane(lane).centerline.windows(2) {
            let (a, segment) = (pair[0].xy(), pair[1].xy() - pair[0].xy());
            let length = segment.norm();
            if length > 0.0 {
                let t = ((point - a).dot(&segment) / (length * length)).clamp(0.0, 1.0);
                let offset = point - (a + segment * t);
                if offset.norm() < best.left_m.abs() {
                    best.along_m = start_m + t * length;
                    best.left_m = offset.norm().copysign(segment.perp(&offset));
                    best.yaw = segment.y.atan2(segment.x);
                }
            }
            start_m += length;
        }
        best
    }
}

/// Every centreline has a course of finite coordinates, and every reference meets a lane.
fn check(parts: &MapParts) -> Result<(), MapError> {
    for lane in &parts.lanes {
        let wrong = |reason| Err(MapError::Lane { lane: lane.source_id.clone(), reason });
        if lane.centerline.len() < 2 {
            return wrong("its centreline has fewer than two points");
        }
        if !lane.centerline.iter().all(|point| point.coords.iter().all(|number| number.is_finite())) {
            return wrong("its centreline has a coordinate that is not finite");
        }
        if lane.centerline.windows(2).all(|pair| pair[0].xy() == pair[1].xy()) {
            return wrong("its centreline has no length");
        }
        let references = [
            ("successors", lane.successors.as_slice()),
            ("predecessors", &lane.predecessors),
            ("left_neighbor", lane.left_neighbor.as_slice()),
            ("right_neighbor", lane.right_neighbor.as_slice()),
        ];
        for (field, ids) in references {
            if let Some(missing) = ids.iter().find(|id| id.0 as usize >= parts.lanes.len()) {
                return Err(MapError::Dangling { lane: lane.source_id.clone(), field, number: missing.0 });
            }
        }
    }
    Ok(())
}
