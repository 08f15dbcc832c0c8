//! A map's parts become a vector map of nuScenes' map expansion, version 1.3.

use std::collections::BTreeMap;

use nalgebra::{Point2, Vector2};
use serde_json::{Map as Object, Value, json};

use super::token;
use crate::geometry::Polygon;
use crate::map::{Lane, LaneUse, Line, LineKind, MapParts};

/// The layers that every file has, if empty.
const LAYERS: [&str; 12] = [
    "drivable_area",
    "road_segment",
    "road_block",
    "lane",
    "lane_connector",
    "ped_crossing",
    "walkway",
    "stop_line",
    "carpark_area",
    "road_divider",
    "lane_divider",
    "traffic_light",
];

/// Half the depth of a stop line's area, m.
const STOP_DEPTH_M: f64 = 0.3;

/// The file of a map; tokens begin with `name`.
pub(super) fn json(parts: &MapParts, name: &str) -> Value {
    let mut file = File {
        name,
        nodes: Vec::new(),
        polygons: Vec::new(),
        lines: Vec::new(),
        layers: BTreeMap::new(),
        others: Object::new(),
    };
    file.areas(parts);
    file.paint(&parts.lines);
    file.lanes(&parts.lanes);
    for layer in LAYERS {
        file.layers.entry(layer).or_default();
    }
    let points = || parts.drivable.iter().flat_map(|area| &area.exterior);
    let edge = points().fold(Point2::new(1.0, 1.0), |far, point| far.sup(point));
    let File { nodes, polygons, lines, layers, others: mut rows, .. } = file;
    rows.extend(layers.into_iter().map(|(key, rows)| (key.to_owned(), Value::Array(rows))));
    rows.insert("version".into(), json!("1.3"));
    rows.insert("canvas_edge".into(), json!([edge.x, edge.y]));
    rows.extend(
        [("node", nodes), ("polygon", polygons), ("line", lines)].map(|(key, rows)| (key.into(), Value::Array(rows))),
    );
    Value::Object(rows)
}

struct File<'a> {
    name: &'a str,
    nodes: Vec<Value>,
    polygons: Vec<Value>,
    lines: Vec<Value>,
    /// The layers by name.
    layers: BTreeMap<&'static str, Vec<Value>>,
    /// What is no layer.
    others: Object<String, Value>,
}

impl File<'_> {
    fn add(&mut self, layer: &'static str, row: Value) {
        self.layers.entry(layer).or_default().push(row);
    }

    fn token(&self, layer: &str, number: usize) -> String {
        token(&["expansion", self.name, layer, &number.to_string()])
    }

    fn nodes(&mut self, points: &[Point2<f64>]) -> Vec<String> {
        let node = |point: &Point2<f64>| {
            let token = token(&["expansion", self.name, "node", &self.nodes.len().to_string()]);
            self.nodes.push(json!({"token": token, "x": point.x, "y": point.y}));
            token
        };
        points.iter().map(node).collect()
    }

    fn polygon(&mut self, area: &Polygon) -> String {
        let token = self.token("polygon", self.polygons.len());
        let exterior = self.nodes(&area.exterior);
        let holes: Vec<_> = area.holes.iter().map(|hole| json!({"node_tokens": self.nodes(hole)})).collect();
        self.polygons.push(json!({"token": token, "exterior_node_tokens": exterior, "holes": holes}));
        token
    }

    fn line(&mut self, points: &[Point2<f64>]) -> (String, Vec<String>) {
        let token = self.token("line", self.lines.len());
        let nodes = self.nodes(points);
        self.lines.push(json!({"token": token, "node_tokens": nodes}));
        (token, nodes)
    }

    fn areas(&mut self, parts: &MapParts) {
        let drivable: Vec<_> = parts.drivable.iter().map(|area| self.polygon(area)).collect();
        let token = self.token("drivable_area", 0);
        self.add("drivable_area", json!({"token": token, "polygon_tokens": drivable}));
        for (number, area) in parts.intersections.iter().enumerate() {
            let (token, polygon) = (self.token("road_segment", number), self.polygon(area));
            let row = json!({
                "token": token, "polygon_token": polygon, "is_intersection": true, "drivable_area_token": "",
            });
            self.add("road_segment", row);
        }
        for (number, area) in parts.crossings.iter().enumerate() {
            let (token, polygon) = (self.token("ped_crossing", number), self.polygon(area));
            let row = json!({"token": token, "polygon_token": polygon, "road_segment_token": ""});
            self.add("ped_crossing", row);
        }
    }

    /// Painted lines. Kerbs have no layer: they are the drivable area's edge.
    fn paint(&mut self, lines: &[Line]) {
        for (number, line) in lines.iter().enumerate() {
            let (layer, paint) = match line.kind {
                LineKind::Dashed => ("lane_divider", "SINGLE_DASHED_WHITE"),
                LineKind::Solid => ("road_divider", "SINGLE_SOLID_WHITE"),
                LineKind::Unknown => ("lane_divider", "NIL"),
                LineKind::Stop => {
                    self.stop_line(number, &line.points);
                    continue;
                }
                LineKind::RoadEdge => continue,
            };
            let (token, (line_token, nodes)) = (self.token(layer, number), self.line(&line.points));
            let segments: Vec<_> =
                nodes.iter().map(|node| json!({"node_token": node, "segment_type": paint})).collect();
            let row = json!({
                "token": token, "line_token": line_token, "lane_divider_segments": segments, "road_segment_token": null,
            });
            self.add(layer, row);
        }
    }

    /// A stop line is an area.
    fn stop_line(&mut self, number: usize, points: &[Point2<f64>]) {
        let [first, .., last] = points else { return };
        let Some(along) = (last - first).try_normalize(1e-6) else { return };
        let depth = Vector2::new(-along.y, along.x) * STOP_DEPTH_M;
        let exterior = vec![first - depth, last - depth, last + depth, first + depth];
        let (token, polygon) =
            (self.token("stop_line", number), self.polygon(&Polygon { exterior, holes: Vec::new() }));
        self.add(
            "stop_line",
            json!({
                "token": token, "polygon_token": polygon, "stop_line_type": "TRAFFIC_LIGHT", "ped_crossing_tokens": [],
                "traffic_light_tokens": [], "road_block_token": "",
            }),
        );
    }

    fn lanes(&mut self, lanes: &[Lane]) {
        let (mut paths, mut connectivity) = (Object::new(), Object::new());
        for (number, lane) in lanes.iter().enumerate() {
            let token = self.token("lane", number);
            let polygon = self.polygon(&lane.surface);
            if lane.in_intersection {
                self.add("lane_connector", json!({"token": token, "polygon_token": polygon}));
            } else {
                let kind = if lane.usage == LaneUse::Bike { "BIKE" } else { "CAR" };
                let ends = [
                    lane.left_edge.first().zip(lane.right_edge.first()),
                    lane.left_edge.last().zip(lane.right_edge.last()),
                ];
                let [from, to] =
                    ends.map(|end| end.map(|(left, right)| self.line(&[*left, *right]).0).unwrap_or_default());
                self.add(
                    "lane",
                    json!({
                        "token": token, "polygon_token": polygon, "lane_type": kind, "from_edge_line_token": from,
                        "to_edge_line_token": to, "left_lane_divider_segments": [], "right_lane_divider_segments": [],
                    }),
                );
            }
            paths.insert(token.clone(), path(lane));
            let tokens =
                |ids: &[crate::map::LaneId]| ids.iter().map(|id| self.token("lane", id.0 as usize)).collect::<Vec<_>>();
            let linked = json!({"incoming": tokens(&lane.predecessors), "outgoing": tokens(&lane.successors)});
            connectivity.insert(token, linked);
        }
        self.others.insert("arcline_path_3".into(), Value::Object(paths));
        self.others.insert("connectivity".into(), Value::Object(connectivity));
    }
}

/// A centreline as straight pieces, one from each point to the next.
fn path(lane: &Lane) -> Value {
    let piece = |pair: &[nalgebra::Point3<f64>]| {
        let step = pair[1].xy() - pair[0].xy();
        let yaw = step.y.atan2(step.x);
        json!({
            "start_pose": [pair[0].x, pair[0].y, yaw], "end_pose": [pair[1].x, pair[1].y, yaw], "shape": "LSR",
            "radius": 999.0, "segment_length": [0.0, step.norm(), 0.0],
        })
    };
    lane.centerline.windows(2).map(piece).collect()
}
