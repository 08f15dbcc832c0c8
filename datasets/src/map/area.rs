//! Polygons that answer "inside?" exactly as [`Polygon::contains`] does, looking at few of their edges.

use nalgebra::Point2;

use super::bounds::Bounds;
use crate::geometry::Polygon;

/// A polygon prepared for many questions.
#[derive(Debug)]
pub(super) struct Area {
    exterior: Ring,
    holes: Vec<Ring>,
}

impl Area {
    pub fn new(polygon: &Polygon) -> Self {
        Self {
            exterior: Ring::new(&polygon.exterior),
            holes: polygon.holes.iter().map(|hole| Ring::new(hole)).collect(),
        }
    }

    /// The box around the outer ring.
    pub fn bounds(&self) -> &Bounds {
        &self.exterior.bounds
    }

    /// Equal to [`Polygon::contains`].
    pub fn contains(&self, point: Point2<f64>) -> bool {
        self.exterior.contains(point) && !self.holes.iter().any(|hole| hole.contains(point))
    }

    /// Calls `visit` for every edge of every ring that may come near heights from `low_y` to `high_y`; some come twice.
    pub fn edges_between(&self, low_y: f64, high_y: f64, mut visit: impl FnMut(Point2<f64>, Point2<f64>)) {
        for ring in std::iter::once(&self.exterior).chain(&self.holes) {
            ring.edges_between(low_y, high_y, &mut visit);
        }
    }

    /// Distance from `point` to the nearest edge, m; infinite without edges.
    pub fn distance_to_edge(&self, point: Point2<f64>) -> f64 {
        let mut nearest = f64::INFINITY;
        self.edges_between(f64::NEG_INFINITY, f64::INFINITY, |start, end| {
            nearest = nearest.min((point - closest(start, end, point)).norm());
        });
        nearest
    }
}

/// The point of a segment that is closest to `point`.
fn closest(start: Point2<f64>, end: Point2<f64>, point: Point2<f64>) -> Point2<f64> {
    let step = end - start;
    let squared = step.norm_squared();
    if squared == 0.0 { start } else { start + step * ((point - start).dot(&step) / squared).clamp(0.0, 1.0) }
}

/// A ring with its edges sorted into horizontal slabs. A ray in x direction meets only edges of its own slab.
#[derive(Debug)]
struct Ring {
    bounds: Bounds,
    slabs_per_m: f64,
    /// Where each slab's edges start in `edges`, and their end.
    starts: Vec<u32>,
    /// A vertex and the one before it.
    edges: Vec<[Point2<f64>; 2]>,
}

/// An edge may be listed in this many slabs on average, so that memory grows with the edges only.
const MEAN_SLABS_AN_EDGE: usize = 4;

impl Ring {
    fn new(ring: &[Point2<f64>]) -> Self {
        let bounds = Bounds::of(ring.iter().copied());
        let pairs = || ring.iter().zip(ring.iter().cycle().skip(ring.len().saturating_sub(1))).map(|(v, p)| [*v, *p]);
        let height = bounds.max.y - bounds.min.y;
        let mut count = ring.len().max(1);
        loop {
            let slabs_per_m = if height > 0.0 { count as f64 / height } else { 0.0 };
            let mut made = Self { bounds, slabs_per_m, starts: vec![0; count + 1], edges: Vec::new() };
            for edge in pairs() {
                for slab in made.slabs_of(edge) {
                    made.starts[slab + 1] += 1;
                }
            }
            for slab in 0..count {
                made.starts[slab + 1] += made.starts[slab];
            }
            let total = made.starts[count] as usize;
            if count > 1 && total > MEAN_SLABS_AN_EDGE * ring.len() {
                count /= 2;
                continue;
            }
            let mut next = made.starts.clone();
            made.edges = vec![[Point2::origin(); 2]; total];
            for edge in pairs() {
                for slab in made.slabs_of(edge) {
                    made.edges[next[slab] as usize] = edge;
                    next[slab] += 1;
                }
            }
            return made;
        }
    }

    fn slab(&self, y: f64) -> usize {
        // The cast saturates: below the ring is the first slab, above it the last.
        (((y - self.bounds.min.y) * self.slabs_per_m) as usize).min(self.starts.len() - 2)
    }

    fn slabs_of(&self, [vertex, previous]: [Point2<f64>; 2]) -> std::ops::RangeInclusive<usize> {
        self.slab(vertex.y.min(previous.y))..=self.slab(vertex.y.max(previous.y))
    }

    fn edges_of(&self, slab: usize) -> &[[Point2<f64>; 2]] {
        &self.edges[self.starts[slab] as usize..self.starts[slab + 1] as usize]
    }

    fn contains(&self, point: Point2<f64>) -> bool {
        if !self.bounds.grown(1e-6).contains(point) {
            return false;
        }
        let mut inside = false;
        for [vertex, previous] in self.edges_of(self.slab(point.y)) {
            if (vertex.y > point.y) != (previous.y > point.y) {
                let crossing_x = (previous.x - vertex.x) * (point.y - vertex.y) / (previous.y - vertex.y) + vertex.x;
                inside ^= point.x < crossing_x;
            }
        }
        inside
    }

    fn edges_between(&self, low_y: f64, high_y: f64, visit: &mut impl FnMut(Point2<f64>, Point2<f64>)) {
        if high_y < self.bounds.min.y || low_y > self.bounds.max.y {
            return;
        }
        for slab in self.slab(low_y)..=self.slab(high_y) {
            self.edges_of(slab).iter().for_each(|[vertex, previous]| visit(*previous, *vertex));
        }
    }
}
