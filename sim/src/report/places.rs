//! Maps as the report draws them: cut to where the runs went, shared by the runs that share them.

use std::sync::Arc;

use nalgebra::Point2;
use tandem_datasets::{Lane, LaneUse, LineKind, Map, MapParts, Polygon};

use crate::report::columns::Columns;
use crate::trace::Trace;

/// How much of a map is kept around the ego's and the human's way, m.
const MARGIN_M: f64 = 150.0;

/// Positions are kept to a centimetre.
const POSITION_M: f64 = 0.01;

/// One map of a report.
#[derive(Debug)]
pub struct Place {
    map: Arc<Map>,
    /// What the page counts positions from, so that they stay small.
    pub origin: [f64; 2],
    low: [f64; 2],
    high: [f64; 2],
}

/// The maps of all runs, and which of them each run has.
pub fn places(traces: &[Trace]) -> (Vec<Place>, Vec<usize>) {
    let mut places: Vec<Place> = Vec::new();
    let mut indices = Vec::with_capacity(traces.len());
    for trace in traces {
        let index = places.iter().position(|place| place.is_of(&trace.map)).unwrap_or_else(|| {
            places.push(Place::new(trace));
            places.len() - 1
        });
        places[index].reach(trace);
        indices.push(index);
    }
    (places, indices)
}

impl Place {
    fn new(trace: &Trace) -> Self {
        let start = trace.frames.first().map_or([0.0; 2], |frame| [frame.ego.pose.x, frame.ego.pose.y]);
        let origin = start.map(|value| if value.is_finite() { value.round() } else { 0.0 });
        Self { map: Arc::clone(&trace.map), origin, low: origin, high: origin }
    }

    fn is_of(&self, map: &Arc<Map>) -> bool {
        Arc::ptr_eq(&self.map, map) || self.map.parts() == map.parts()
    }

    /// Widens the kept part so that it holds the run's ways.
    fn reach(&mut self, trace: &Trace) {
        let human = trace.frames.iter().filter_map(|frame| frame.human);
        for pose in trace.frames.iter().map(|frame| frame.ego.pose).chain(human) {
            for (axis, value) in [pose.x, pose.y].into_iter().enumerate() {
                // f64::min and f64::max ignore NaN.
                self.low[axis] = self.low[axis].min(value - MARGIN_M);
                self.high[axis] = self.high[axis].max(value + MARGIN_M);
            }
        }
    }

    /// The kept part of the map.
    pub fn encode(&self) -> Columns {
        let MapParts { lanes, lines, crossings, intersections, drivable, .. } = self.map.parts();
        let mut columns = Columns::default();
        self.areas(&mut columns, "drivable", drivable.iter());
        for (name, is_bike) in [("lane", false), ("bike", true)] {
            let of_use = |lane: &&Lane| (lane.usage == LaneUse::Bike) == is_bike;
            self.areas(&mut columns, name, lanes.iter().filter(of_use).map(|lane| &lane.surface));
        }
        self.areas(&mut columns, "intersection", intersections.iter());
        self.areas(&mut columns, "crossing", crossings.iter());
        let centerline = |lane: &Lane| lane.centerline.iter().map(|point| point.xy()).collect();
        self.paths(&mut columns, "center", lanes.iter().map(centerline));
        for (name, kind) in [
            ("dashed", LineKind::Dashed),
            ("solid", LineKind::Solid),
            ("edge", LineKind::RoadEdge),
            ("stop", LineKind::Stop),
            ("unknown", LineKind::Unknown),
        ] {
            let of_kind = lines.iter().filter(|line| line.kind == kind);
            self.paths(&mut columns, name, of_kind.map(|line| line.points.clone()));
        }
        columns
    }

    /// Polygons as rings: outer ones counter-clockwise and holes clockwise, so that all can be filled as one path by
    /// the nonzero rule, however they overlap.
    fn areas<'a>(&self, columns: &mut Columns, name: &str, polygons: impl Iterator<Item = &'a Polygon>) {
        let rings = polygons.filter(|polygon| self.holds(&polygon.exterior)).flat_map(|polygon| {
            let holes = polygon.holes.iter().map(|hole| turned(hole, false));
            std::iter::once(turned(&polygon.exterior, true)).chain(holes)
        });
        self.paths(columns, name, rings);
    }

    fn paths(&self, columns: &mut Columns, name: &str, paths: impl Iterator<Item = Vec<Point2<f64>>>) {
        let kept: Vec<_> = paths.filter(|path| self.holds(path)).collect();
        columns.push(&format!("{name}.count"), 1.0, kept.iter().map(|path| path.len() as f64));
        for (axis, label) in ["x", "y"].into_iter().enumerate() {
            let values = kept.iter().flatten().map(|point| point[axis] - self.origin[axis]);
            columns.push(&format!("{name}.{label}"), POSITION_M, values);
        }
    }

    /// Whether the bounding box of the points meets the kept part.
    fn holds(&self, points: &[Point2<f64>]) -> bool {
        (0..2).all(|axis| {
            points.iter().any(|point| point[axis] >= self.low[axis])
                && points.iter().any(|point| point[axis] <= self.high[axis])
        })
    }
}

fn turned(ring: &[Point2<f64>], counter_clockwise: bool) -> Vec<Point2<f64>> {
    let next = ring.iter().cycle().skip(1);
    let twice_area: f64 = ring.iter().zip(next).map(|(a, b)| a.coords.perp(&b.coords)).sum();
    let mut ring = ring.to_vec();
    if (twice_area > 0.0) != counter_clockwise {
        ring.reverse();
    }
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_turned_as_asked() {
        let clockwise = [Point2::new(0.0, 0.0), Point2::new(0.0, 1.0), Point2::new(1.0, 0.0)];
        assert_eq!(turned(&clockwise, false), clockwise);
        assert_eq!(turned(&clockwise, true), [clockwise[2], clockwise[1], clockwise[0]]);
    }
}
