//! The kinds of road feature, by the numbers of `roadgraph_samples/type` and by the names in JSON files.

use nalgebra::{Point2, Point3};

use crate::draft::{Draft, DraftLane, rings};
use crate::geometry::Polygon;
use crate::map::{LaneUse, Line, LineKind};

/// What a road feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoadKind {
    Lane(LaneUse),
    Line(LineKind),
    Crosswalk,
    Driveway,
    StopSign,
    /// Nothing that a map keeps, such as a speed bump.
    Other,
}

impl RoadKind {
    /// By the number of `roadgraph_samples/type` (waymo.com/open/data/motion/tfexample), GPUDrive's `map_element_id`.
    pub fn of_number(number: i64) -> Option<Self> {
        Some(match number {
            0..=2 => Self::Lane(LaneUse::Vehicle),
            3 => Self::Lane(LaneUse::Bike),
            6 | 9 | 10 => Self::Line(LineKind::Dashed),
            7 | 8 | 11..=13 => Self::Line(LineKind::Solid),
            15 | 16 => Self::Line(LineKind::RoadEdge),
            17 => Self::StopSign,
            18 => Self::Crosswalk,
            19 => Self::Other,
            20 => Self::Driveway,
            _ => return None,
        })
    }

    /// By the name in Nocturne's and GPUDrive's files.
    pub fn of_name(name: &str) -> Self {
        match name {
            "lane" => Self::Lane(LaneUse::Vehicle),
            "road_line" => Self::Line(LineKind::Unknown),
            "road_edge" => Self::Line(LineKind::RoadEdge),
            "stop_sign" => Self::StopSign,
            "crosswalk" => Self::Crosswalk,
            "driveway" => Self::Driveway,
            _ => Self::Other,
        }
    }
}

/// Adds a feature to a draft. Features of too few points for their kind are left out, but for lanes of one point, which
/// the draft bridges.
pub(super) fn add(draft: &mut Draft, kind: RoadKind, id: String, points: Vec<Point3<f64>>) {
    let ground: Vec<Point2<f64>> = points.iter().map(|point| point.xy()).collect();
    match kind {
        RoadKind::Lane(usage) => draft.lanes.push(DraftLane { usage, ..DraftLane::new(id, points) }),
        RoadKind::Line(kind) if ground.len() >= 2 => draft.lines.push(Line { kind, points: ground }),
        RoadKind::Crosswalk | RoadKind::Driveway if ground.len() >= 3 => {
            let area = Polygon { exterior: rings::opened(ground), holes: Vec::new() };
            if kind == RoadKind::Crosswalk { draft.crossings.push(area) } else { draft.drivable.push(area) }
        }
        RoadKind::StopSign => draft.stop_signs.extend(ground.first().map(|at| (*at, Vec::new()))),
        _ => {}
    }
}
