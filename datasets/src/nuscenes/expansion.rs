//! The vector map of one nuScenes location, read whole and resolved to geometry.
//!
//! Format: map expansion v1.3 (nuscenes-devkit `map_expansion/map_api.py`), whose layers refer to nodes by token; older
//! versions lack some layers.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use nalgebra::{Point2, Point3};
use serde::Deserialize;

use super::arcline::ArclinePath;
use crate::error::Error;
use crate::geometry::Polygon;
use crate::map::LineKind;

/// Distance between points of a centreline, m.
const CENTERLINE_STEP_M: f64 = 0.5;

/// The file as it is. Tokens are UUIDs with dashes.
#[derive(Deserialize)]
struct File {
    node: Vec<Node>,
    polygon: Vec<PolygonRow>,
    #[serde(default)]
    line: Vec<LineRow>,
    #[serde(default)]
    drivable_area: Vec<DrivableArea>,
    #[serde(default)]
    carpark_area: Vec<Area>,
    #[serde(default)]
    road_segment: Vec<RoadSegment>,
    #[serde(default)]
    ped_crossing: Vec<Area>,
    #[serde(default)]
    stop_line: Vec<StopLine>,
    #[serde(default)]
    road_divider: Vec<Divider>,
    #[serde(default)]
    lane_divider: Vec<Divider>,
    #[serde(default)]
    lane: Vec<LaneRow>,
    #[serde(default)]
    lane_connector: Vec<LaneRow>,
    #[serde(default)]
    arcline_path_3: HashMap<String, Vec<ArclinePath>>,
    #[serde(default)]
    connectivity: HashMap<String, Connections>,
}

#[derive(Deserialize)]
struct Node {
    token: String,
    x: f64,
    y: f64,
}

#[derive(Deserialize)]
struct PolygonRow {
    token: String,
    exterior_node_tokens: Vec<String>,
    #[serde(default)]
    holes: Vec<Hole>,
}

#[derive(Deserialize)]
struct Hole {
    node_tokens: Vec<String>,
}

#[derive(Deserialize)]
struct LineRow {
    token: String,
    node_tokens: Vec<String>,
}

#[derive(Deserialize)]
struct DrivableArea {
    token: String,
    polygon_tokens: Vec<String>,
}

#[derive(Deserialize)]
struct Area {
    token: String,
    polygon_token: String,
}

#[derive(Deserialize)]
struct RoadSegment {
    token: String,
    polygon_token: String,
    is_intersection: bool,
}

#[derive(Deserialize)]
struct StopLine {
    token: String,
    polygon_token: String,
    stop_line_type: String,
}

#[derive(Deserialize)]
struct Divider {
    token: String,
    line_token: String,
    #[serde(default)]
    lane_divider_segments: Vec<DividerSegment>,
}

#[derive(Deserialize)]
struct DividerSegment {
    segment_type: String,
}

#[derive(Deserialize)]
struct LaneRow {
    token: String,
    #[serde(default)]
    polygon_token: String,
    #[serde(default)]
    lane_type: String,
}

/// Lanes by token, before and after.
#[derive(Deserialize, Default)]
struct Connections {
    #[serde(default)]
    incoming: Vec<String>,
    #[serde(default)]
    outgoing: Vec<String>,
}

/// A lane or lane connector.
#[derive(Debug)]
pub(super) struct MapLane {
    pub token: String,
    pub is_connector: bool,
    pub lane_type: String,
    pub centerline: Vec<Point3<f64>>,
    /// Empty for connectors, whose drawn polygon is a mere bounding rectangle.
    pub surface: Vec<Point2<f64>>,
    pub incoming: Vec<String>,
    pub outgoing: Vec<String>,
}

/// A location's map in metres.
#[derive(Debug)]
pub(super) struct Expansion {
    pub path: PathBuf,
    pub lanes: Vec<MapLane>,
    pub drivable: Vec<Polygon>,
    pub intersections: Vec<Polygon>,
    pub crossings: Vec<Polygon>,
    /// With the stop line's type, such as `STOP_SIGN`.
    pub stop_lines: Vec<(String, Polygon)>,
    pub dividers: Vec<(LineKind, Vec<Point2<f64>>)>,
}

impl Expansion {
    /// # Errors
    /// [`Error::Json`], and [`Error::Dangling`] for a reference to a node, line or polygon that is not there.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file: File = crate::json::parse(path)?;
        let geometry = Geometry::new(path, &file)?;

        let mut drivable = Vec::new();
        for area in &file.drivable_area {
            for token in &area.polygon_tokens {
                drivable.push(geometry.polygon(&area.token, "polygon_tokens", token)?);
            }
        }
        for area in &file.carpark_area {
            drivable.push(geometry.polygon(&area.token, "polygon_token", &area.polygon_token)?);
        }
        let mut intersections = Vec::new();
        for segment in file.road_segment.iter().filter(|segment| segment.is_intersection) {
            intersections.push(geometry.polygon(&segment.token, "polygon_token", &segment.polygon_token)?);
        }
        let mut crossings = Vec::new();
        for area in &file.ped_crossing {
            crossings.push(geometry.polygon(&area.token, "polygon_token", &area.polygon_token)?);
        }
        let mut stop_lines = Vec::new();
        for line in &file.stop_line {
            let polygon = geometry.polygon(&line.token, "polygon_token", &line.polygon_token)?;
            stop_lines.push((line.stop_line_type.clone(), polygon));
        }
        let mut dividers = Vec::new();
        for divider in file.road_divider.iter().chain(&file.lane_divider) {
            let points = geometry.line(&divider.token, &divider.line_token)?;
            dividers.extend(runs(&points, &divider.lane_divider_segments));
        }

        let mut lanes = Vec::new();
        let connectors = file.lane_connector.iter().map(|row| (row, true));
        for (row, is_connector) in file.lane.iter().map(|row| (row, false)).chain(connectors) {
            let mut centerline = Vec::new();
            for piece in file.arcline_path_3.get(&row.token).into_iter().flatten() {
                piece.append_points(CENTERLINE_STEP_M, &mut centerline);
            }
            let surface = if is_connector || row.polygon_token.is_empty() {
                Vec::new()
            } else {
                geometry.polygon(&row.token, "polygon_token", &row.polygon_token)?.exterior
            };
            let linked = file.connectivity.get(&row.token);
            lanes.push(MapLane {
                token: row.token.clone(),
                is_connector,
                lane_type: row.lane_type.clone(),
                centerline,
                surface,
                incoming: linked.map(|linked| linked.incoming.clone()).unwrap_or_default(),
                outgoing: linked.map(|linked| linked.outgoing.clone()).unwrap_or_default(),
            });
        }
        Ok(Self { path: path.to_owned(), lanes, drivable, intersections, crossings, stop_lines, dividers })
    }
}

/// A divider cut where its paint changes. A segment's type holds from its own node to the next.
fn runs(points: &[Point2<f64>], segments: &[DividerSegment]) -> Vec<(LineKind, Vec<Point2<f64>>)> {
    let mut runs: Vec<(LineKind, Vec<Point2<f64>>)> = Vec::new();
    for (index, pair) in points.windows(2).enumerate() {
        let kind = segments.get(index).map_or(LineKind::Unknown, |segment| line_kind(&segment.segment_type));
        match runs.last_mut() {
            Some((last, run)) if *last == kind => run.push(pair[1]),
            _ => runs.push((kind, pair.to_vec())),
        }
    }
    runs
}

/// The kind behind names such as `DOUBLE_DASHED_WHITE`, `SINGLE_SOLID_YELLOW`, `SINGLE_ZIGZAG_WHITE` and `NIL`.
fn line_kind(segment_type: &str) -> LineKind {
    if segment_type.contains("SOLID") || segment_type.contains("ZIGZAG") {
        LineKind::Solid
    } else if segment_type.contains("DASHED") {
        LineKind::Dashed
    } else {
        LineKind::Unknown
    }
}

/// The geometric layers by token.
struct Geometry<'a> {
    path: &'a Path,
    polygons: BTreeMap<&'a str, Polygon>,
    lines: BTreeMap<&'a str, Vec<Point2<f64>>>,
}

impl<'a> Geometry<'a> {
    fn new(path: &'a Path, file: &'a File) -> Result<Self, Error> {
        let nodes: HashMap<&str, Point2<f64>> =
            file.node.iter().map(|node| (&*node.token, Point2::new(node.x, node.y))).collect();
        let resolve = |row: &str, field, tokens: &[String]| -> Result<Vec<Point2<f64>>, Error> {
            let point = |token: &String| {
                let missing = || dangling(path, row, field, "node", token);
                nodes.get(&**token).copied().ok_or_else(missing)
            };
            tokens.iter().map(point).collect()
        };
        let mut polygons = BTreeMap::new();
        for row in &file.polygon {
            let exterior = resolve(&row.token, "exterior_node_tokens", &row.exterior_node_tokens)?;
            let holes = row.holes.iter().map(|hole| resolve(&row.token, "holes", &hole.node_tokens));
            polygons.insert(&*row.token, Polygon { exterior, holes: holes.collect::<Result<_, _>>()? });
        }
        let mut lines = BTreeMap::new();
        for row in &file.line {
            lines.insert(&*row.token, resolve(&row.token, "node_tokens", &row.node_tokens)?);
        }
        Ok(Self { path, polygons, lines })
    }

    fn polygon(&self, row: &str, field: &'static str, token: &str) -> Result<Polygon, Error> {
        self.polygons.get(token).cloned().ok_or_else(|| dangling(self.path, row, field, "polygon", token))
    }

    fn line(&self, row: &str, token: &str) -> Result<Vec<Point2<f64>>, Error> {
        self.lines.get(token).cloned().ok_or_else(|| dangling(self.path, row, "line_token", "line", token))
    }
}

fn dangling(path: &Path, row: &str, field: &'static str, target: &'static str, token: &str) -> Error {
    Error::Dangling { path: path.to_owned(), row: row.to_owned(), field, target, token: token.to_owned() }
}
