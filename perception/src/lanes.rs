//! Lanes as lines: the ridges of the network's centreline plane, followed along the direction that it says.

use crate::decode::sigmoid;
use crate::model::Grid;
use crate::model::heads::MAP_CLASSES;
use crate::truth::MapPlane;

/// A lane's centreline, in driving direction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeenLane {
    /// Points about [`STEP_M`] apart, in the vehicle's frame, m.
    pub points: Vec<[f64; 2]>,
    /// The mean of the plane's probabilities along it.
    pub probability: f64,
}

/// Lines begin where the plane is at least so sure.
const BEGIN: f64 = 0.5;

/// Lines go on where the plane is at least so sure.
const GO_ON: f64 = 0.3;

/// Way from point to point, m.
pub const STEP_M: f64 = 0.8;

/// Places to either side among which a line seeks the ridge at every step, m.
const ASIDE_M: [f64; 5] = [-0.6, -0.3, 0.0, 0.3, 0.6];

/// Where a line comes this close to an earlier one of about its direction, it ends, m.
const APART_M: f64 = 1.2;

/// Cosine of the angle from which on two directions are not the same.
const SAME_DIRECTION: f64 = 0.7;

/// Shorter lines are left out, m.
const LEAST_M: f64 = 5.0;

/// Finds lanes, in memory that it keeps from frame to frame.
#[derive(Debug, Clone)]
pub struct LaneFinder {
    grid: Grid,
    /// `[cells, cells]`: how likely there is a centreline.
    likely: Vec<f32>,
    /// Cells where lines may begin.
    seeds: Vec<usize>,
    line: Vec<Heading>,
    taken: Taken,
    /// Lanes of earlier frames whose memory is free.
    spare: Vec<SeenLane>,
}

/// The centreline and direction planes of a network.
struct Planes<'a> {
    grid: &'a Grid,
    likely: &'a [f32],
    /// `[2, cells, cells]`: sine and cosine of the direction.
    direction: &'a [f32],
}

impl Planes<'_> {
    /// A plane at a point, between the middles of its cells; 0 outside.
    fn at(&self, values: &[f32], [x, y]: [f64; 2]) -> f64 {
        let cells = self.grid.cells;
        let [row, column] = [x, y].map(|coordinate_m| self.grid.place(coordinate_m) - 0.5);
        let mut sum = 0.0;
        for (row_share, row) in [(1.0 - row.fract(), row.floor()), (row.fract(), row.floor() + 1.0)] {
            for (share, column) in [(1.0 - column.fract(), column.floor()), (column.fract(), column.floor() + 1.0)] {
                let inside = 0.0..cells as f64;
                if inside.contains(&row) && inside.contains(&column) {
                    sum += row_share * share * f64::from(values[row as usize * cells + column as usize]);
                }
            }
        }
        sum
    }

    fn probability(&self, at: [f64; 2]) -> f64 {
        self.at(self.likely, at)
    }

    /// The unit vector of the lane's direction; `None` where the plane says none.
    fn direction(&self, at: [f64; 2]) -> Option<[f64; 2]> {
        let (sines, cosines) = self.direction.split_at(self.likely.len());
        let [sin, cos] = [sines, cosines].map(|plane| self.at(plane, at));
        let length = sin.hypot(cos);
        (length > 0.2).then(|| [cos / length, sin / length])
    }

    /// The next point along (`sign` 1) or against (−1) the direction, on the ridge.
    fn step(&self, at: [f64; 2], heading: [f64; 2], sign: f64) -> Option<Heading> {
        let ahead = [at[0] + sign * STEP_M * heading[0], at[1] + sign * STEP_M * heading[1]];
        let places = ASIDE_M.map(|aside_m| [ahead[0] - aside_m * heading[1], ahead[1] + aside_m * heading[0]]);
        let rated = places.map(|place| (place, self.probability(place)));
        let (best, probability) = rated.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let direction = self.direction(best)?;
        let turns = direction[0] * heading[0] + direction[1] * heading[1];
        (probability >= GO_ON && turns > SAME_DIRECTION).then_some((best, direction))
    }

    /// Adds the points of a line from a seed on, along (`sign` 1) or against (−1) the direction.
    fn follow(&self, seed: [f64; 2], direction: [f64; 2], sign: f64, taken: &Taken, line: &mut Vec<Heading>) {
        let (mut at, mut heading) = (seed, direction);
        let most = line.len() + longest(self.grid);
        while let Some(next) = self.step(at, heading, sign) {
            if taken.holds(next.0, next.1) || line.len() > most {
                break;
            }
            line.push(next);
            (at, heading) = next;
        }
    }
}

impl LaneFinder {
    /// For maps of a grid.
    pub fn new(grid: &Grid) -> Self {
        Self {
            grid: grid.clone(),
            likely: Vec::new(),
            seeds: Vec::new(),
            line: Vec::new(),
            taken: Taken::new(grid.extent_m),
            spare: Vec::new(),
        }
    }

    /// Writes the lanes of a map `[6, cells, cells]`, the surest to begin with first, in place of others.
    pub fn find(&mut self, map: &[f32], found: &mut Vec<SeenLane>) {
        let Self { grid, likely, seeds, line, taken, spare } = self;
        let cells = grid.cells * grid.cells;
        let centerlines = &map[MapPlane::Centerline as usize * cells..][..cells];
        likely.clear();
        likely.extend(centerlines.iter().map(|logit| sigmoid(*logit)));
        seeds.clear();
        seeds.extend((0..cells).filter(|cell| f64::from(likely[*cell]) >= BEGIN));
        seeds.sort_unstable_by(|a, b| likely[*b].total_cmp(&likely[*a]).then(a.cmp(b)));
        let planes = Planes { grid, likely, direction: &map[MAP_CLASSES * cells..][..2 * cells] };
        taken.clear();
        spare.append(found);
        for seed in seeds.iter().map(|cell| grid.center(*cell)) {
            let Some(direction) = planes.direction(seed) else { continue };
            if taken.holds(seed, direction) {
                continue;
            }
            line.clear();
            planes.follow(seed, direction, -1.0, taken, line);
            line.reverse();
            line.push((seed, direction));
            planes.follow(seed, direction, 1.0, taken, line);
            if (line.len() - 1) as f64 * STEP_M >= LEAST_M {
                let mut lane = spare.pop().unwrap_or_else(|| room_for_a_lane(grid));
                lane.points.clear();
                lane.points.extend(line.iter().map(|(point, _)| *point));
                let sum: f64 = lane.points.iter().map(|point| planes.probability(*point)).sum();
                lane.probability = sum / lane.points.len() as f64;
                found.push(lane);
                line.iter().for_each(|heading| taken.add(*heading));
            }
        }
    }
}

/// The most points of a line to either side of its seed: it is no longer than the grid is round.
fn longest(grid: &Grid) -> usize {
    (8.0 * grid.extent_m / STEP_M) as usize
}

/// A lane without points that has room for as many as a line can have, so that it never needs more.
fn room_for_a_lane(grid: &Grid) -> SeenLane {
    SeenLane { points: Vec::with_capacity(2 * longest(grid) + 3), probability: 0.0 }
}

/// A point and its direction.
type Heading = ([f64; 2], [f64; 2]);

/// Points of the lines so far with their directions, by squares of [`APART_M`].
#[derive(Debug, Clone)]
struct Taken {
    extent_m: f64,
    /// Squares along a side.
    side: usize,
    /// The latest point of every square.
    latest: Vec<Option<usize>>,
    /// Points, each with the one before it in its square.
    points: Vec<(Heading, Option<usize>)>,
}

impl Taken {
    /// Nothing is taken of a grid that reaches so far to each side.
    fn new(extent_m: f64) -> Self {
        let side = (2.0 * extent_m / APART_M).ceil() as usize;
        Self { extent_m, side, latest: vec![None; side * side], points: Vec::new() }
    }

    fn clear(&mut self) {
        self.latest.fill(None);
        self.points.clear();
    }

    /// The row and the column of a point's square.
    fn square(&self, point: [f64; 2]) -> [usize; 2] {
        point.map(|m| (((m + self.extent_m) / APART_M).max(0.0) as usize).min(self.side - 1))
    }

    fn add(&mut self, heading: Heading) {
        let [row, column] = self.square(heading.0);
        let before = self.latest[row * self.side + column].replace(self.points.len());
        self.points.push((heading, before));
    }

    /// Whether a line of about this direction passes close to a point.
    fn holds(&self, [x, y]: [f64; 2], [cos, sin]: [f64; 2]) -> bool {
        let is_close = |(at, heading): &Heading| {
            (at[0] - x).hypot(at[1] - y) < APART_M && heading[0] * cos + heading[1] * sin > SAME_DIRECTION
        };
        let [rows, columns] = self.square([x, y]).map(|place| place.saturating_sub(1)..=(place + 1).min(self.side - 1));
        rows.into_iter().any(|row| {
            columns.clone().any(|column| {
                let first = self.latest[row * self.side + column];
                let mut points = std::iter::successors(first, |point| self.points[*point].1);
                points.any(|point| is_close(&self.points[point].0))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetworkConfig;

    /// The planes that a perfect network would give for lanes through points of a function of the way.
    fn drawn(grid: &Grid, lanes: &[&dyn Fn(f64) -> [f64; 2]]) -> Vec<f32> {
        let cells = grid.cells * grid.cells;
        let mut map = vec![0.0; (MAP_CLASSES + 2) * cells];
        map[MapPlane::Centerline as usize * cells..][..cells].fill(-6.0);
        for lane in lanes {
            for step in 0..1000 {
                let [at, next] = [step, step + 1].map(|step| lane(f64::from(step) * 0.1 - 50.0));
                let yaw = (next[1] - at[1]).atan2(next[0] - at[0]);
                let Some([row, column]) = grid.cell(at[0], at[1]) else { continue };
                let cell = row * grid.cells + column;
                map[MapPlane::Centerline as usize * cells + cell] = 4.0;
                map[MAP_CLASSES * cells + cell] = yaw.sin() as f32;
                map[(MAP_CLASSES + 1) * cells + cell] = yaw.cos() as f32;
            }
        }
        map
    }

    #[test]
    fn lanes_are_found_with_their_direction() {
        let grid = NetworkConfig::tiny().grid;
        // One ahead, one the other way beside it, one that bends to the left.
        let ahead = |s: f64| [s, 0.3];
        let back = |s: f64| [-s, 4.1];
        let bend = |s: f64| [s, -8.0 - 0.004 * (s + 50.0).powi(2)];
        let mut found = Vec::new();
        LaneFinder::new(&grid).find(&drawn(&grid, &[&ahead, &back, &bend]), &mut found);
        assert_eq!(
            found.len(),
            3,
            "{:?}",
            found.iter().map(|lane| (lane.points[0], lane.points.len())).collect::<Vec<_>>()
        );
        for lane in &found {
            let (first, last) = (lane.points[0], lane.points[lane.points.len() - 1]);
            let way = (last[0] - first[0]).hypot(last[1] - first[1]);
            assert!(way > 85.0 && lane.probability > 0.6, "{way} {}", lane.probability);
            for [x, y] in &lane.points {
                let off = [(y - 0.3).abs(), (y - 4.1).abs(), (y - bend(*x)[1]).abs()]
                    .into_iter()
                    .fold(f64::INFINITY, f64::min);
                assert!(off < grid.cell_m(), "{x} {y}: {off}");
            }
            let is_back = first[1] > 2.0;
            assert_eq!(last[0] < first[0], is_back);
        }
    }

    #[test]
    fn nothing_is_found_on_an_empty_map() {
        let grid = NetworkConfig::tiny().grid;
        let mut found = vec![SeenLane::default()];
        LaneFinder::new(&grid).find(&drawn(&grid, &[]), &mut found);
        assert_eq!(found, []);
    }
}
