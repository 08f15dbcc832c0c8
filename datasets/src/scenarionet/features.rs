//! The still part of a ScenarioNet record: its map, and the lights that belong to lanes.

use nalgebra::{Point2, Point3};
use tandem_graph::Stamp;

use super::record::{Beside, Feature, Record};
use crate::draft::{Draft, DraftLane, LaneIds, Neighbor, rings};
use crate::geometry::Polygon;
use crate::json::Coordinates;
use crate::log::SignalTrack;
use crate::map::{LaneUse, Line, LineKind};
use crate::motion::{signal_color, signal_track};

/// The record's map features as a draft of a map.
pub(super) fn draft(record: &Record, notes: &mut Vec<String>) -> Draft {
    let mut draft = Draft::default();
    let features = &record.map_features.0;
    let is_lane = |feature: &Feature| feature.r#type.0.starts_with("LANE_");
    // In nuScenes exports plain lanes have a polygon and connectors have none.
    let lanes = features.iter().filter(|(_, feature)| is_lane(feature));
    let polygons = lanes.clone().filter(|(_, feature)| !feature.polygon.is_empty()).count();
    let connectors_told = polygons > 0 && polygons < lanes.count();

    let mut boundaries = Vec::new();
    for (id, feature) in features {
        let kind = feature.r#type.0.as_str();
        if is_lane(feature) {
            draft.lanes.push(lane(record, id, feature, connectors_told));
        } else if id.starts_with("boundary_") && rings::is_closed(&ground(&feature.polyline)) {
            boundaries.push(ground(&feature.polyline));
        } else if let Some(kind) = line_kind(kind).filter(|_| feature.polyline.len() >= 2) {
            draft.lines.push(Line { kind, points: ground(&feature.polyline) });
        } else if feature.polygon.len() >= 3 {
            let area = Polygon { exterior: rings::opened(ground(&feature.polygon)), holes: Vec::new() };
            match kind {
                "CROSSWALK" => draft.crossings.push(area),
                "DRIVEWAY" => draft.drivable.push(area),
                _ => {}
            }
        } else if let ("STOP_SIGN", Some(position)) = (kind, feature.position) {
            let governed = feature.lane.iter().map(|name| name.0.clone()).collect();
            draft.stop_signs.push((Point2::new(position.0[0], position.0[1]), governed));
        }
    }
    if !boundaries.is_empty() {
        // ScenarioNet draws the outline of nuScenes' drivable area, and of nuPlan's road blocks and intersections, as
        // white lines named `boundary_N` (`converter/nuscenes/utils.py`, `converter/nuplan/utils.py`).
        let area = rings::polygons(boundaries);
        notes.push(format!("map: drivable area from its outline, {} polygons", area.len()));
        draft.drivable.extend(area);
    }
    draft
}

fn lane(record: &Record, id: &str, feature: &Feature, connectors_told: bool) -> DraftLane {
    let dataset = record.metadata.dataset.0.as_str();
    // The third number of nuScenes' centrelines is the heading, not the height (`discretize_lane` of its devkit).
    let flat = dataset == "nuscenes";
    let centerline =
        feature.polyline.iter().map(|Coordinates([x, y, z])| Point3::new(*x, *y, if flat { 0.0 } else { *z }));
    let names = |names: &[crate::json::Name]| names.iter().map(|name| name.0.clone()).collect();
    let neighbors = |beside: &[Beside]| beside.iter().map(|beside| neighbor(beside, feature.polyline.len())).collect();
    DraftLane {
        usage: if feature.r#type.0.contains("BIKE") { LaneUse::Bike } else { LaneUse::Vehicle },
        surface: ground(&feature.polygon),
        half_widths: feature
            .width
            .iter()
            .map(|sides| [0, 1].map(|side| sides.get(side).map_or(0.0, |half| half.0)))
            .collect(),
        entries: names(&feature.entry_lanes),
        exits: names(&feature.exit_lanes),
        left: neighbors(&feature.left_neighbor),
        right: neighbors(&feature.right_neighbor),
        // ScenarioNet fills in 100 km/h for nuScenes connectors and 85 mph for all of Argoverse 2.
        speed_limit_mps: feature
            .speed_limit_kmh
            .map(|limit| limit.0 / 3.6)
            .filter(|limit| *limit > 0.0 && !matches!(dataset, "nuscenes" | "av2")),
        connector: if feature.r#type.0 == "LANE_SURFACE_UNSTRUCTURE" || (feature.interpolating.0 && dataset == "waymo")
        {
            Some(true)
        } else {
            connectors_told.then_some(feature.polygon.is_empty())
        },
        ..DraftLane::new(id, centerline.collect())
    }
}

fn neighbor(beside: &Beside, points: usize) -> Neighbor {
    match beside {
        Beside::Along { feature_id, self_start_index, self_end_index } => {
            let from = self_start_index.map_or(0.0, |index| index.0);
            let to = self_end_index.map_or(points as f64 - 1.0, |index| index.0);
            Neighbor { id: feature_id.0.clone(), points: (to - from + 1.0).max(0.0) as usize }
        }
        Beside::Whole(id) => Neighbor { id: id.0.clone(), points },
    }
}

/// The kind of line behind MetaDrive's names (`metadrive/type.py`); `None` for what is no line.
fn line_kind(kind: &str) -> Option<LineKind> {
    match kind {
        "ROAD_EDGE_BOUNDARY" | "ROAD_EDGE_MEDIAN" => Some(LineKind::RoadEdge),
        "UNKNOWN_LINE" | "UNKNOWN" => Some(LineKind::Unknown),
        _ if kind.starts_with("ROAD_LINE_BROKEN") => Some(LineKind::Dashed),
        _ if kind.starts_with("ROAD_LINE_SOLID") || kind.starts_with("ROAD_LINE_PASSING") => Some(LineKind::Solid),
        _ if kind.starts_with("ROAD_LINE_") => Some(LineKind::Unknown),
        _ => None,
    }
}

fn ground(points: &[Coordinates]) -> Vec<Point2<f64>> {
    points.iter().map(|Coordinates([x, y, _])| Point2::new(*x, *y)).collect()
}

/// The record's traffic lights. One that belongs to no lane of the map is left out.
pub(super) fn signals(record: &Record, ids: &LaneIds, stamps: &[Stamp], notes: &mut Vec<String>) -> Vec<SignalTrack> {
    let mut tracks = Vec::new();
    let mut lost = 0;
    for (key, signal) in &record.dynamic_map_states.0 {
        let name = if signal.lane.0.is_empty() { key } else { &signal.lane.0 };
        let Some(lane) = ids.get(name) else {
            lost += 1;
            continue;
        };
        let stop_point = signal.stop_point.map(|Coordinates([x, y, _])| [x, y]).filter(|point| *point != [0.0; 2]);
        let colors = signal.state.object_state.iter().map(|state| signal_color(&state.0));
        tracks.push(signal_track(*lane, stop_point, stamps.iter().copied().zip(colors)));
    }
    if lost > 0 {
        notes.push(format!("{lost} traffic lights left out: their lanes are not in the map"));
    }
    tracks
}
