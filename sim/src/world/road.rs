//! Roads of a generated world: from a reference line and a layout to lanes, paint and drivable area.

use nalgebra::{Point2, Point3};
use tandem_datasets::{Lane, LaneId, LaneUse, Line, LineKind, MapParts, Polygon, Pose2};

use super::curve::Curve;

/// The cross-section of a road, seen along its reference line; traffic keeps to the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Lanes along the reference line, to its right.
    pub forward: usize,
    /// Lanes against it, to its left.
    pub backward: usize,
    /// Width of a lane, m.
    pub lane_m: f64,
    /// Width of the parking strip on either side, m; 0 for none.
    pub parking_m: f64,
    /// Speed limit, m/s.
    pub limit_mps: f64,
}

/// The lanes of one road, the ones next to the reference line first.
#[derive(Debug, Clone)]
pub(super) struct Road {
    pub forward: Vec<(LaneId, Curve)>,
    pub backward: Vec<(LaneId, Curve)>,
}

/// Collects the parts of a map.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub parts: MapParts,
}

impl Builder {
    /// Adds one lane along `curve`.
    pub fn lane(&mut self, curve: &Curve, layout: &Layout, in_intersection: bool) -> LaneId {
        let id = LaneId(self.parts.lanes.len() as u32);
        let half_m = layout.lane_m / 2.0;
        let (left_edge, right_edge) = (edge(curve, half_m), edge(curve, -half_m));
        self.parts.lanes.push(Lane {
            source_id: id.0.to_string(),
            usage: LaneUse::Vehicle,
            centerline: curve.points(1.0).iter().map(|pose| Point3::new(pose.x, pose.y, 0.0)).collect(),
            surface: ribbon(&left_edge, &right_edge),
            left_edge,
            right_edge,
            successors: Vec::new(),
            predecessors: Vec::new(),
            left_neighbor: None,
            right_neighbor: None,
            speed_limit_mps: Some(layout.limit_mps),
            in_intersection,
        });
        id
    }

    /// Lets `to` continue `from`.
    pub fn connect(&mut self, from: LaneId, to: LaneId) {
        self.parts.lanes[from.0 as usize].successors.push(to);
        self.parts.lanes[to.0 as usize].predecessors.push(from);
    }

    /// A whole road along `reference`: lanes, paint, and its surface as drivable area.
    pub fn road(&mut self, reference: &Curve, layout: &Layout) -> Road {
        let center_m = |index: usize| (index as f64 + 0.5) * layout.lane_m;
        let mut lanes = |count: usize, reference: &Curve| -> Vec<(LaneId, Curve)> {
            let curves = (0..count).map(|index| reference.shifted(-center_m(index)));
            let lanes: Vec<_> = curves.map(|curve| (self.lane(&curve, layout, false), curve)).collect();
            for pair in lanes.windows(2) {
                self.parts.lanes[pair[0].0.0 as usize].right_neighbor = Some(pair[1].0);
                self.parts.lanes[pair[1].0.0 as usize].left_neighbor = Some(pair[0].0);
            }
            lanes
        };
        let road =
            Road { forward: lanes(layout.forward, reference), backward: lanes(layout.backward, &reference.reversed()) };
        let right_m = -(layout.forward as f64 * layout.lane_m);
        let left_m = layout.backward as f64 * layout.lane_m;
        for index in 1..layout.forward {
            self.line(LineKind::Dashed, reference, -(index as f64 * layout.lane_m));
        }
        for index in 1..layout.backward {
            self.line(LineKind::Dashed, reference, index as f64 * layout.lane_m);
        }
        if layout.forward > 0 && layout.backward > 0 {
            self.line(LineKind::Solid, reference, 0.0);
        }
        let (left, right) = (edge(reference, left_m + layout.parking_m), edge(reference, right_m - layout.parking_m));
        self.parts.drivable.push(ribbon(&left, &right));
        self.line(LineKind::RoadEdge, reference, right_m - layout.parking_m);
        self.line(LineKind::RoadEdge, &reference.reversed(), -(left_m + layout.parking_m));
        road
    }

    /// Paint or a kerb beside `reference`; a kerb is drawn against it, with the road on the kerb's left.
    fn line(&mut self, kind: LineKind, reference: &Curve, left_m: f64) {
        self.parts.lines.push(Line { kind, points: edge(reference, left_m) });
    }

    /// A pedestrian crossing over the whole road, `width_m` along it.
    pub fn crossing(&mut self, reference: &Curve, along_m: f64, width_m: f64, left_m: f64, right_m: f64) {
        let corner = |along: f64, left: f64| super::curve::beside(reference.at(along), left).position();
        let (from, to) = (along_m - width_m / 2.0, along_m + width_m / 2.0);
        let exterior = vec![corner(from, left_m), corner(from, right_m), corner(to, right_m), corner(to, left_m)];
        self.parts.crossings.push(Polygon { exterior, holes: Vec::new() });
    }
}

fn edge(curve: &Curve, left_m: f64) -> Vec<Point2<f64>> {
    curve.points(1.0).iter().map(|pose: &Pose2| pose.transform(Point2::new(0.0, left_m))).collect()
}

/// The surface between two lines of the same direction.
fn ribbon(left: &[Point2<f64>], right: &[Point2<f64>]) -> Polygon {
    Polygon { exterior: right.iter().chain(left.iter().rev()).copied().collect(), holes: Vec::new() }
}
