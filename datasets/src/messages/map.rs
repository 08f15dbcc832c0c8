//! The vector map as one message, without loss.

use nalgebra::{Point2, Point3};
use tandem_graph::Stamp;
use tandem_graph::msgs::geometry_msgs::Point;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tandem_msgs::{Area, GroundPoint, MapLane, MapLine, MapStopSign, Ring, VectorMap};

use super::MAP_FRAME;
use crate::geometry::Polygon;
use crate::map::{Lane, LaneId, LaneUse, Line, LineKind, MapError, MapParts};

/// The parts of a map as a message.
pub fn vector_map(parts: &MapParts, stamp: Stamp) -> VectorMap {
    VectorMap {
        header: Header::new(stamp, MAP_FRAME),
        lanes: parts.lanes.iter().map(lane).collect(),
        lines: parts
            .lines
            .iter()
            .map(|line| MapLine { kind: kind_number(line.kind), points: ground(&line.points) })
            .collect(),
        crossings: parts.crossings.iter().map(area).collect(),
        intersections: parts.intersections.iter().map(area).collect(),
        drivable: parts.drivable.iter().map(area).collect(),
        stop_signs: parts
            .stop_signs
            .iter()
            .map(|(at, lanes)| MapStopSign { position: GroundPoint { x: at.x, y: at.y }, lanes: numbers(lanes) })
            .collect(),
    }
}

/// The parts behind a message. What they hold is checked where a map is built from them.
///
/// # Errors
/// [`MapError::Part`] for a lane's use, a line's kind or a neighbour's number that does not exist.
pub fn map_parts(message: &VectorMap) -> Result<MapParts, MapError> {
    let wrong = |part, number, reason| MapError::Part { part, number, reason };
    let lanes = message.lanes.iter().enumerate().map(|(number, lane)| {
        lane_of(lane).ok_or_else(|| wrong("lanes", number, "an unknown use, or a neighbour's number out of range"))
    });
    let lines = message.lines.iter().enumerate().map(|(number, line)| {
        let kind = kind_of(line.kind).ok_or_else(|| wrong("lines", number, "an unknown kind"))?;
        Ok(Line { kind, points: points(&line.points) })
    });
    Ok(MapParts {
        lanes: lanes.collect::<Result<_, _>>()?,
        lines: lines.collect::<Result<_, MapError>>()?,
        crossings: message.crossings.iter().map(polygon).collect(),
        intersections: message.intersections.iter().map(polygon).collect(),
        drivable: message.drivable.iter().map(polygon).collect(),
        stop_signs: message
            .stop_signs
            .iter()
            .map(|sign| (Point2::new(sign.position.x, sign.position.y), ids(&sign.lanes)))
            .collect(),
    })
}

fn lane(lane: &Lane) -> MapLane {
    let neighbor = |id: Option<LaneId>| id.map_or(-1, |id| i64::from(id.0));
    MapLane {
        source_id: lane.source_id.clone(),
        usage: match lane.usage {
            LaneUse::Vehicle => MapLane::VEHICLE,
            LaneUse::Bike => MapLane::BIKE,
            LaneUse::Bus => MapLane::BUS,
        },
        centerline: lane.centerline.iter().map(|point| Point { x: point.x, y: point.y, z: point.z }).collect(),
        left_edge: ground(&lane.left_edge),
        right_edge: ground(&lane.right_edge),
        surface: area(&lane.surface),
        successors: numbers(&lane.successors),
        predecessors: numbers(&lane.predecessors),
        left_neighbor: neighbor(lane.left_neighbor),
        right_neighbor: neighbor(lane.right_neighbor),
        speed_limit_mps: lane.speed_limit_mps.unwrap_or(f64::NAN),
        in_intersection: lane.in_intersection,
    }
}

fn lane_of(lane: &MapLane) -> Option<Lane> {
    let neighbor = |number: i64| match number {
        -1 => Some(None),
        number => u32::try_from(number).ok().map(|number| Some(LaneId(number))),
    };
    Some(Lane {
        source_id: lane.source_id.clone(),
        usage: match lane.usage {
            MapLane::VEHICLE => LaneUse::Vehicle,
            MapLane::BIKE => LaneUse::Bike,
            MapLane::BUS => LaneUse::Bus,
            _ => return None,
        },
        centerline: lane.centerline.iter().map(|point| Point3::new(point.x, point.y, point.z)).collect(),
        left_edge: points(&lane.left_edge),
        right_edge: points(&lane.right_edge),
        surface: polygon(&lane.surface),
        successors: ids(&lane.successors),
        predecessors: ids(&lane.predecessors),
        left_neighbor: neighbor(lane.left_neighbor)?,
        right_neighbor: neighbor(lane.right_neighbor)?,
        speed_limit_mps: (!lane.speed_limit_mps.is_nan()).then_some(lane.speed_limit_mps),
        in_intersection: lane.in_intersection,
    })
}

fn kind_number(kind: LineKind) -> u8 {
    match kind {
        LineKind::Unknown => MapLine::UNKNOWN,
        LineKind::Dashed => MapLine::DASHED,
        LineKind::Solid => MapLine::SOLID,
        LineKind::RoadEdge => MapLine::ROAD_EDGE,
        LineKind::Stop => MapLine::STOP,
    }
}

fn kind_of(number: u8) -> Option<LineKind> {
    Some(match number {
        MapLine::UNKNOWN => LineKind::Unknown,
        MapLine::DASHED => LineKind::Dashed,
        MapLine::SOLID => LineKind::Solid,
        MapLine::ROAD_EDGE => LineKind::RoadEdge,
        MapLine::STOP => LineKind::Stop,
        _ => return None,
    })
}

fn numbers(ids: &[LaneId]) -> Vec<u32> {
    ids.iter().map(|id| id.0).collect()
}

fn ids(numbers: &[u32]) -> Vec<LaneId> {
    numbers.iter().copied().map(LaneId).collect()
}

fn ground(points: &[Point2<f64>]) -> Vec<GroundPoint> {
    points.iter().map(|point| GroundPoint { x: point.x, y: point.y }).collect()
}

fn points(ground: &[GroundPoint]) -> Vec<Point2<f64>> {
    ground.iter().map(|point| Point2::new(point.x, point.y)).collect()
}

fn area(polygon: &Polygon) -> Area {
    let holes = polygon.holes.iter().map(|hole| Ring { points: ground(hole) });
    Area { exterior: ground(&polygon.exterior), holes: holes.collect() }
}

fn polygon(area: &Area) -> Polygon {
    Polygon { exterior: points(&area.exterior), holes: area.holes.iter().map(|hole| points(&hole.points)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> MapParts {
        let lane = Lane {
            source_id: "token".into(),
            usage: LaneUse::Bus,
            centerline: vec![Point3::new(0.1, 0.2, 0.3), Point3::new(10.1, 0.2, 0.3)],
            left_edge: vec![Point2::new(0.0, 2.0)],
            right_edge: Vec::new(),
            surface: Polygon {
                exterior: vec![Point2::new(0.0, -1.0), Point2::new(9.0, -1.0), Point2::new(9.0, 1.0)],
                holes: vec![vec![Point2::new(1.0, 0.0)]],
            },
            successors: vec![LaneId(0)],
            predecessors: Vec::new(),
            left_neighbor: Some(LaneId(0)),
            right_neighbor: None,
            speed_limit_mps: Some(13.9),
            in_intersection: true,
        };
        let area = lane.surface.clone();
        MapParts {
            lines: vec![Line { kind: LineKind::RoadEdge, points: vec![Point2::new(1.0, 2.0)] }],
            lanes: vec![lane.clone(), Lane { speed_limit_mps: None, usage: LaneUse::Bike, ..lane }],
            crossings: vec![area.clone()],
            intersections: vec![area.clone()],
            drivable: vec![area],
            stop_signs: vec![(Point2::new(3.0, 4.0), vec![LaneId(0)])],
        }
    }

    #[test]
    fn a_map_comes_back_equal_through_its_bytes() {
        let message = vector_map(&parts(), Stamp::from_ns(7));
        let bytes = tandem_graph::cdr::encode(&message).unwrap();
        let decoded: VectorMap = tandem_graph::cdr::decode(&bytes).unwrap();
        assert_eq!(map_parts(&decoded).unwrap(), parts());
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        let mut message = vector_map(&parts(), Stamp::ZERO);
        message.lines[0].kind = 99;
        assert!(map_parts(&message).unwrap_err().to_string().contains("lines number 0"));
        let mut message = vector_map(&parts(), Stamp::ZERO);
        message.lanes[1].left_neighbor = -2;
        assert!(map_parts(&message).unwrap_err().to_string().contains("lanes number 1"));
    }
}
