//! Which side of the road's edges a point is on.
//!
//! As in Waymo's Sim Agents metrics (waymo-open-dataset `wdl_limited/sim_agents_metrics/map_metric_features.py`): the
//! side of the nearest edge decides; where that is a corner, both its stretches do, together where it turns left and
//! either where it turns right. Here without heights: a map's lines have none.

use nalgebra::{Point2, Vector2};
use rstar::{AABB, PointDistance, RTree, RTreeObject};

use super::parts::{Line, LineKind};

/// Farther than this from every edge nothing is known of the road, m.
pub(super) const REACH_M: f64 = 30.0;

/// A straight stretch of a road edge, with the directions of those before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeStretch {
    start: Point2<f64>,
    step: Vector2<f64>,
    before: Option<Vector2<f64>>,
    after: Option<Vector2<f64>>,
}

impl EdgeStretch {
    fn along(&self, point: Point2<f64>) -> f64 {
        (point - self.start).dot(&self.step) / self.step.norm_squared()
    }

    /// Squared distance to a point, m².
    pub fn distance_2(&self, point: Point2<f64>) -> f64 {
        (point - (self.start + self.step * self.along(point).clamp(0.0, 1.0))).norm_squared()
    }

    /// Whether a point that this stretch is nearest to lies on its left, the road's side; on the edge counts as left.
    fn has_on_left(&self, point: Point2<f64>) -> bool {
        let along = self.along(point);
        let (corner, neighbors) = match (self.before, self.after) {
            (Some(before), _) if along <= 0.0 => (self.start, [before, self.step]),
            (_, Some(after)) if along >= 1.0 => (self.start + self.step, [self.step, after]),
            _ => (self.start, [self.step; 2]),
        };
        let [left_of_first, left_of_second] = neighbors.map(|step| step.perp(&(point - corner)) >= 0.0);
        let turns_left = neighbors[0].perp(&neighbors[1]) > 0.0;
        if turns_left { left_of_first && left_of_second } else { left_of_first || left_of_second }
    }
}

impl RTreeObject for EdgeStretch {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.start.coords.into(), (self.start + self.step).coords.into())
    }
}

impl PointDistance for EdgeStretch {
    fn distance_2(&self, point: &[f64; 2]) -> f64 {
        self.distance_2(Point2::from(*point))
    }
}

/// All road edges of a map.
#[derive(Debug)]
pub(super) struct RoadEdges {
    tree: RTree<EdgeStretch>,
}

impl RoadEdges {
    pub fn new(lines: &[Line]) -> Self {
        let mut stretches = Vec::new();
        for line in lines.iter().filter(|line| line.kind == LineKind::RoadEdge) {
            let mut points = line.points.clone();
            points.dedup();
            let steps: Vec<_> = points.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let closed = points.len() > 3 && points.first() == points.last();
            for (index, step) in steps.iter().enumerate() {
                let before = index.checked_sub(1).or(closed.then(|| steps.len() - 1)).map(|before| steps[before]);
                let after = steps.get(index + 1).or(if closed { steps.first() } else { None }).copied();
                stretches.push(EdgeStretch { start: points[index], step: *step, before, after });
            }
        }
        Self { tree: RTree::bulk_load(stretches) }
    }

    /// All stretches.
    pub fn iter(&self) -> impl Iterator<Item = &EdgeStretch> {
        self.tree.iter()
    }

    /// Whether the nearest edge is within [`REACH_M`] and has the point on its road side.
    pub fn on_road_side(&self, point: Point2<f64>) -> bool {
        let nearest = self.tree.nearest_neighbor([point.x, point.y]);
        nearest.is_some_and(|edge| edge.distance_2(point) <= REACH_M * REACH_M && edge.has_on_left(point))
    }

    /// The stretches that may be nearest to a point within `radius_m` of `center`.
    pub fn candidates(&self, center: Point2<f64>, radius_m: f64) -> Vec<EdgeStretch> {
        let center = [center.x, center.y];
        let Some(nearest) = self.tree.nearest_neighbor(center) else { return Vec::new() };
        let nearest_m = PointDistance::distance_2(nearest, &center).sqrt();
        if nearest_m > REACH_M + radius_m + 1e-6 {
            return Vec::new();
        }
        let reach_m = nearest_m + 2.0 * radius_m + 1e-6;
        self.tree.locate_within_distance(center, reach_m * reach_m).copied().collect()
    }
}

/// [`RoadEdges::on_road_side`] among the stretches that may be nearest.
pub(super) fn on_road_side_of(stretches: &[EdgeStretch], point: Point2<f64>) -> bool {
    let nearest = stretches.iter().map(|edge| (edge.distance_2(point), edge)).min_by(|a, b| a.0.total_cmp(&b.0));
    nearest.is_some_and(|(distance_2, edge)| distance_2 <= REACH_M * REACH_M && edge.has_on_left(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(points: &[[f64; 2]]) -> RoadEdges {
        let points = points.iter().map(|[x, y]| Point2::new(*x, *y)).collect();
        RoadEdges::new(&[Line { kind: LineKind::RoadEdge, points }])
    }

    #[test]
    fn the_road_is_on_the_left_of_its_edge() {
        let edges = edges(&[[0.0, 0.0], [10.0, 0.0]]);
        assert!(edges.on_road_side(Point2::new(5.0, 0.1)) && !edges.on_road_side(Point2::new(5.0, -0.1)));
        assert!(!edges.on_road_side(Point2::new(5.0, 31.0)), "too far away to know");
    }

    #[test]
    fn at_a_corner_both_stretches_decide() {
        // A road that turns left around the inside of the corner, and one that turns right around the outside.
        let left = edges(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]);
        assert!(!left.on_road_side(Point2::new(11.0, -1.0)) && left.on_road_side(Point2::new(9.0, 1.0)));
        let right = edges(&[[0.0, 0.0], [10.0, 0.0], [10.0, -10.0]]);
        assert!(right.on_road_side(Point2::new(11.0, 1.0)) && !right.on_road_side(Point2::new(9.0, -1.0)));
    }

    #[test]
    fn an_island_is_off_the_road_and_closes_on_itself() {
        // Clockwise around the island: the road is outside.
        let island = edges(&[[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0], [0.0, 0.0]]);
        assert!(!island.on_road_side(Point2::new(2.0, 1.0)));
        for outside in [[-1.0, -1.0], [5.0, -1.0], [5.0, 5.0], [-1.0, 5.0], [2.0, -1.0]] {
            assert!(island.on_road_side(Point2::from(outside)), "{outside:?}");
        }
    }
}
