//! Lanes as lines: the ridges of the network's centreline plane, followed along the direction that it says.

use std::collections::HashMap;

use crate::decode::sigmoid;
use crate::model::Grid;
use crate::model::heads::MAP_CLASSES;
use crate::truth::MapPlane;

/// A lane's centreline, in driving direction.
#[derive(Debug, Clone, PartialEq)]
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

/// The centreline and direction planes of a network.
struct Planes<'a> {
    grid: &'a Grid,
    /// `[cells, cells]`: how likely there is a centreline.
    likely: Vec<f32>,
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
        self.at(&self.likely, at)
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
}

/// The lanes of a map `[6, cells, cells]`, the surest to begin with first.
pub fn lanes(grid: &Grid, map: &[f32]) -> Vec<SeenLane> {
    let cells = grid.cells * grid.cells;
    let likely = map[MapPlane::Centerline as usize * cells..][..cells].iter().map(|logit| sigmoid(*logit)).collect();
    let planes = Planes { grid, likely, direction: &map[MAP_CLASSES * cells..][..2 * cells] };
    let sure = planes.likely.iter().enumerate().filter(|(_, likely)| f64::from(**likely) >= BEGIN);
    let mut seeds: Vec<([f64; 2], f32)> = sure.map(|(cell, likely)| (grid.center(cell), *likely)).collect();
    seeds.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken = Taken::default();
    let mut found = Vec::new();
    for (seed, _) in seeds {
        let Some(direction) = planes.direction(seed) else { continue };
        if taken.holds(seed, direction) {
            continue;
        }
        let follow = |sign: f64| {
            let mut line = Vec::new();
            let (mut at, mut heading) = (seed, direction);
            while let Some(next) = planes.step(at, heading, sign) {
                // A line is no longer than the grid is round.
                if taken.holds(next.0, next.1) || line.len() as f64 * STEP_M > 8.0 * grid.extent_m {
                    break;
                }
                line.push(next);
                (at, heading) = next;
            }
            line
        };
        let mut line = follow(-1.0);
        line.reverse();
        line.push((seed, direction));
        line.extend(follow(1.0));
        if (line.len() - 1) as f64 * STEP_M >= LEAST_M {
            let points: Vec<[f64; 2]> = line.iter().map(|(point, _)| *point).collect();
            let sum: f64 = points.iter().map(|point| planes.probability(*point)).sum();
            found.push(SeenLane { probability: sum / points.len() as f64, points });
            line.into_iter().for_each(|(point, direction)| taken.add(point, direction));
        }
    }
    found
}

/// Points of the lines so far with their directions, by squares of [`APART_M`].
#[derive(Default)]
struct Taken(HashMap<[i64; 2], Vec<Heading>>);

/// A point and its direction.
type Heading = ([f64; 2], [f64; 2]);

impl Taken {
    fn square(point: [f64; 2]) -> [i64; 2] {
        point.map(|coordinate_m| (coordinate_m / APART_M).floor() as i64)
    }

    fn add(&mut self, point: [f64; 2], direction: [f64; 2]) {
        self.0.entry(Self::square(point)).or_default().push((point, direction));
    }

    /// Whether a line of about this direction passes close to a point.
    fn holds(&self, [x, y]: [f64; 2], [cos, sin]: [f64; 2]) -> bool {
        let [row, column] = Self::square([x, y]);
        let squares = (row - 1..=row + 1).flat_map(|row| (column - 1..=column + 1).map(move |column| [row, column]));
        let is_close = |(at, heading): &Heading| {
            (at[0] - x).hypot(at[1] - y) < APART_M && heading[0] * cos + heading[1] * sin > SAME_DIRECTION
        };
        squares.filter_map(|square| self.0.get(&square)).flatten().any(is_close)
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
        let found = lanes(&grid, &drawn(&grid, &[&ahead, &back, &bend]));
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
        assert_eq!(lanes(&grid, &drawn(&grid, &[])), []);
    }
}
