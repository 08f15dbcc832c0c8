//! Finding lanes, and places on them, by their centrelines.

use nalgebra::{Point2, Vector2};
use rstar::{AABB, RTree, RTreeObject};

use super::bounds::Bounds;
use super::parts::{Lane, LaneId};

/// A lane that was looked up, and where on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneHit {
    /// The lane.
    pub lane: LaneId,
    /// Arc length along its centreline, m.
    pub along_m: f64,
    /// Signed distance from its centreline, m, left positive.
    pub left_m: f64,
    /// The centreline's direction there, rad.
    pub yaw: f64,
}

/// Stretches that are skipped together where they are too far away.
const CHUNK: usize = 8;

/// A straight stretch of a centreline.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: Point2<f64>,
    direction: Vector2<f64>,
    length_m: f64,
    start_m: f64,
    yaw: f64,
}

/// Some stretches of one lane.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    bounds: Bounds,
    first: u32,
    end: u32,
    lane: LaneId,
}

impl RTreeObject for Chunk {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.bounds.min.coords.into(), self.bounds.max.coords.into())
    }
}

/// All centrelines of a map.
#[derive(Debug)]
pub(super) struct Centerlines {
    stretches: Vec<Stretch>,
    chunks: Vec<Chunk>,
    /// Where each lane's chunks start in `chunks`, and their end.
    starts: Vec<u32>,
    tree: RTree<Chunk>,
}

impl Centerlines {
    pub fn new(lanes: &[Lane]) -> Self {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut chunks = Vec::new();
        let mut starts = vec![0];
        for (lane, number) in lanes.iter().zip(0..) {
            let first_of_lane = stretches.len();
            let mut start_m = 0.0;
            for pair in lane.centerline.windows(2) {
                let step = pair[1].xy() - pair[0].xy();
                let length_m = step.norm();
                if length_m > 0.0 {
                    let (direction, yaw) = (step / length_m, step.y.atan2(step.x));
                    stretches.push(Stretch { start: pair[0].xy(), direction, length_m, start_m, yaw });
                }
                start_m += length_m;
            }
            for first in (first_of_lane..stretches.len()).step_by(CHUNK) {
                let end = (first + CHUNK).min(stretches.len());
                let ends = stretches[first..end].iter().flat_map(|s| [s.start, s.start + s.direction * s.length_m]);
                chunks.push(Chunk {
                    bounds: Bounds::of(ends),
                    first: first as u32,
                    end: end as u32,
                    lane: LaneId(number),
                });
            }
            starts.push(chunks.len() as u32);
        }
        let tree = RTree::bulk_load(chunks.clone());
        Self { stretches, chunks, starts, tree }
    }

    /// The closest place on a lane's centreline; of several the first.
    pub fn project(&self, lane: LaneId, point: Point2<f64>) -> LaneHit {
        let lane_index = lane.0 as usize;
        let chunks = &self.chunks[self.starts[lane_index] as usize..self.starts[lane_index + 1] as usize];
        let mut best = LaneHit { lane, along_m: 0.0, left_m: f64::INFINITY, yaw: 0.0 };
        // What the nearest chunk holds bounds what the others must hold to matter. A little more than the bound is let
        // through, so that rounding loses no tie.
        let nearest = chunks.iter().min_by(|a, b| a.bounds.distance(point).total_cmp(&b.bounds.distance(point)));
        if let (Some(nearest), true) = (nearest, chunks.len() > 1) {
            self.improve(&mut best, nearest, point);
            let bound = best.left_m.abs() * (1.0 + 1e-12) + 1e-9;
            best.left_m = f64::INFINITY;
            for chunk in chunks.iter().filter(|chunk| chunk.bounds.distance(point) <= bound) {
                self.improve(&mut best, chunk, point);
            }
        } else {
            chunks.iter().for_each(|chunk| self.improve(&mut best, chunk, point));
        }
        best
    }

    fn improve(&self, best: &mut LaneHit, chunk: &Chunk, point: Point2<f64>) {
        for stretch in &self.stretches[chunk.first as usize..chunk.end as usize] {
            let from_start = point - stretch.start;
            let along_m = from_start.dot(&stretch.direction).clamp(0.0, stretch.length_m);
            let offset = from_start - stretch.direction * along_m;
            let distance_m = offset.norm();
            if distance_m < best.left_m.abs() {
                best.along_m = stretch.start_m + along_m;
                best.left_m = distance_m.copysign(stretch.direction.perp(&offset));
                best.yaw = stretch.yaw;
            }
        }
    }

    /// The lanes within `radius_m`, nearest first, equally near ones by number.
    pub fn near(&self, point: Point2<f64>, radius_m: f64) -> Vec<LaneHit> {
        if !(point.x.is_finite() && point.y.is_finite() && radius_m >= 0.0) {
            return Vec::new();
        }
        let reach = Bounds::of([point]).grown(radius_m * (1.0 + 1e-12) + 1e-9);
        let envelope = AABB::from_corners(reach.min.coords.into(), reach.max.coords.into());
        let mut lanes: Vec<_> = self.tree.locate_in_envelope_intersecting(envelope).map(|chunk| chunk.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let mut hits: Vec<_> = lanes.into_iter().map(|lane| self.project(lane, point)).collect();
        hits.retain(|hit| hit.left_m.abs() <= radius_m);
        hits.sort_by(|a, b| a.left_m.abs().total_cmp(&b.left_m.abs()).then(a.lane.cmp(&b.lane)));
        hits
    }
}
