//! What lies on the ground, taken from a map: surfaces, kerbs and paint.

use nalgebra::{Point2, Vector2, Vector3};
use tandem_datasets::{DrivableSource, Line, LineKind, Log, Map, Polygon};

use crate::camera::look::Look;

/// A stretch of a line.
pub(in crate::camera) type Stretch = [Point2<f64>; 2];

/// The shapes of a place, in the scene, m.
#[derive(Debug, Default)]
pub(in crate::camera) struct Shapes {
    /// Where vehicles drive.
    pub roads: Vec<Polygon>,
    /// Edges of the road; where surfaces meet, some lie within it.
    pub edges: Vec<Stretch>,
    /// White and yellow lines with half their widths, m.
    pub white: Vec<(Stretch, f64)>,
    pub colored: Vec<(Stretch, f64)>,
    /// Crossings with the direction in which people walk.
    pub crossings: Vec<(Polygon, Vector2<f64>)>,
    /// Where water stands.
    pub water: Vec<Polygon>,
}

impl Shapes {
    /// The shapes of a log's map within `near`.
    pub fn of(
        log: &Log,
        map: &Map,
        look: &Look,
        map_from_scene: Vector3<f64>,
        near: impl Fn(Point2<f64>) -> bool,
    ) -> Self {
        let parts = map.parts();
        let moved = |point: &Point2<f64>| point - map_from_scene.xy();
        let moved_all = |points: &[Point2<f64>]| points.iter().map(moved).collect::<Vec<_>>();
        let placed = |polygon: &Polygon| Polygon {
            exterior: moved_all(&polygon.exterior),
            holes: polygon.holes.iter().map(|hole| moved_all(hole)).collect(),
        };
        let mut shapes = Self::default();
        let surfaces = parts.lanes.iter().map(|lane| &lane.surface).chain(&parts.drivable).chain(&parts.intersections);
        for surface in surfaces.map(placed).filter(|surface| surface.exterior.len() >= 3) {
            // A surface may reach around: not its corners alone count.
            if surface.exterior.iter().any(|corner| near(*corner)) || surface.exterior.len() > 200 {
                shapes.roads.push(surface);
            }
        }
        for line in &parts.lines {
            shapes.line(&Line { kind: line.kind, points: moved_all(&line.points) }, look, &near);
        }
        let drawn = !shapes.edges.is_empty() && map.drivable_source() == DrivableSource::RoadEdges;
        if !drawn {
            let rings = shapes.roads.iter().flat_map(|road| std::iter::once(&road.exterior).chain(&road.holes));
            let sides = rings.flat_map(|ring| (0..ring.len()).map(move |i| [ring[i], ring[(i + 1) % ring.len()]]));
            shapes.edges.extend(sides.filter(|side| near(side[0])));
        }
        for crossing in parts.crossings.iter().map(placed).filter(|crossing| crossing.exterior.len() >= 3) {
            if crossing.exterior.iter().any(|corner| near(*corner)) {
                let walk = longest_side(&crossing.exterior);
                shapes.crossings.push((crossing, walk));
            }
        }
        shapes.stops(log, map, map_from_scene);
        shapes
    }

    fn line(&mut self, line: &Line, look: &Look, near: impl Fn(Point2<f64>) -> bool) {
        let stretches: Vec<Stretch> = line.points.windows(2).map(|pair| [pair[0], pair[1]]).collect();
        let stretches = || stretches.iter().copied().filter(|stretch| near(stretch[0]));
        match line.kind {
            LineKind::RoadEdge => self.edges.extend(stretches()),
            LineKind::Stop => self.white.extend(stretches().map(|stretch| (stretch, 0.2))),
            LineKind::Solid if look.center_doubled => {
                let beside = |[from, to]: Stretch, by_m: f64| {
                    let step: Vector2<f64> = to - from;
                    let left = Vector2::new(-step.y, step.x).try_normalize(0.0).unwrap_or_default() * by_m;
                    ([from + left, to + left], 0.06)
                };
                let both = stretches().flat_map(|stretch| [beside(stretch, 0.11), beside(stretch, -0.11)]);
                self.colored.extend(both);
            }
            LineKind::Solid => self.colored.extend(stretches().map(|stretch| (stretch, 0.075))),
            LineKind::Unknown => self.white.extend(stretches().map(|stretch| (stretch, 0.05))),
            LineKind::Dashed => {
                let dashes = dashes(&line.points, look.dash_m);
                self.white.extend(dashes.into_iter().filter(|dash| near(dash[0])).map(|dash| (dash, 0.075)));
            }
        }
    }

    /// Lines to stop at where lights say where, across their lanes.
    fn stops(&mut self, log: &Log, map: &Map, map_from_scene: Vector3<f64>) {
        for point in log.signals.iter().filter_map(|signal| signal.stop_point) {
            let point = Point2::from(point);
            let Some(hit) = map.lanes_near(point, 2.0).into_iter().next() else { continue };
            let left = Vector2::new(-hit.yaw.sin(), hit.yaw.cos()) * 1.6;
            let at = point - map_from_scene.xy();
            self.white.push(([at - left, at + left], 0.2));
        }
    }
}

/// The direction of a polygon's longest side.
fn longest_side(ring: &[Point2<f64>]) -> Vector2<f64> {
    let sides = (0..ring.len()).map(|index| ring[(index + 1) % ring.len()] - ring[index]);
    let longest =
        sides.fold(
            Vector2::zeros(),
            |longest: Vector2<f64>, side| {
                if side.norm_squared() > longest.norm_squared() { side } else { longest }
            },
        );
    longest.try_normalize(0.0).unwrap_or_else(Vector2::x)
}

/// The painted stretches of a dashed line.
fn dashes(points: &[Point2<f64>], [painted_m, gap_m]: [f64; 2]) -> Vec<Stretch> {
    let mut dashes = Vec::new();
    let period_m = painted_m + gap_m;
    let mut start_m = 0.0;
    for pair in points.windows(2) {
        let length_m = (pair[1] - pair[0]).norm();
        if length_m > 0.0 && length_m.is_finite() {
            let at = |m: f64| pair[0] + (pair[1] - pair[0]) * ((m - start_m) / length_m).clamp(0.0, 1.0);
            let mut dash_m = (start_m / period_m).floor() * period_m;
            while dash_m < start_m + length_m {
                if dash_m + painted_m > start_m {
                    dashes.push([at(dash_m), at(dash_m + painted_m)]);
                }
                dash_m += period_m;
            }
        }
        start_m += length_m;
    }
    dashes
}
