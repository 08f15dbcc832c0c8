//! Where the road is, how far away everything is from it, and what is taken.

use nalgebra::{Point2, Vector2};

use super::ground::{Grid, Shapes};

/// Side of a cell, m.
const CELL_M: f64 = 1.0;

/// A grid over the scene.
#[derive(Debug)]
pub(super) struct Field {
    grid: Grid,
    /// Distance to the road, m.
    distance_m: Vec<f32>,
    taken: Vec<bool>,
}

impl Field {
    /// The field between two corners; `is_road` says so for places that no shape covers.
    pub fn new(low: Point2<f64>, high: Point2<f64>, shapes: &Shapes, is_road: impl Fn(Point2<f64>) -> bool) -> Self {
        let count = |extent_m: f64| ((extent_m / CELL_M).ceil().clamp(1.0, 4096.0)) as usize;
        let grid = Grid { origin: low, cell_m: CELL_M, columns: count(high.x - low.x), rows: count(high.y - low.y) };
        let mut cover = vec![0.0; grid.columns * grid.rows];
        shapes.roads.iter().for_each(|road| grid.fill(road, &mut cover));
        let road =
            |index: usize| cover[index] > 0.0 || is_road(grid.middle(index % grid.columns, index / grid.columns));
        let mut distance_m: Vec<f32> = (0..cover.len()).map(|i| if road(i) { 0.0 } else { f32::INFINITY }).collect();
        spread(&mut distance_m, grid.columns, grid.rows);
        Self { grid, taken: vec![false; distance_m.len()], distance_m }
    }

    /// How far a place is from the road, to about a metre.
    pub fn distance_m(&self, point: Point2<f64>) -> f32 {
        self.grid.index(point).map_or(0.0, |index| self.distance_m[index])
    }

    /// Takes the cells around a place.
    pub fn take(&mut self, point: Point2<f64>, radius_m: f64) {
        let reach = (radius_m / CELL_M).ceil() as i32;
        for row in -reach..=reach {
            for column in -reach..=reach {
                let at = point + Vector2::new(f64::from(column), f64::from(row)) * CELL_M;
                if let Some(index) = self.grid.index(at) {
                    self.taken[index] = true;
                }
            }
        }
    }

    /// Takes a rectangle if it is free and everywhere at least `clear_m` from the road.
    pub fn claim(&mut self, center: Point2<f64>, yaw_rad: f64, [length, width]: [f64; 2], clear_m: f32) -> bool {
        let (sin, cos) = yaw_rad.sin_cos();
        let steps = |side: f64| (side / (CELL_M * 0.7)).ceil().max(1.0) as i32;
        let (along, across) = (steps(length), steps(width));
        let mut cells = Vec::with_capacity(((along + 1) * (across + 1)) as usize);
        for i in 0..=along {
            for j in 0..=across {
                let x = (f64::from(i) / f64::from(along) - 0.5) * length;
                let y = (f64::from(j) / f64::from(across) - 0.5) * width;
                let at = center + Vector2::new(cos * x - sin * y, sin * x + cos * y);
                match self.grid.index(at) {
                    Some(index) if !self.taken[index] && self.distance_m[index] >= clear_m => cells.push(index),
                    _ => return false,
                }
            }
        }
        cells.into_iter().for_each(|index| self.taken[index] = true);
        true
    }
}

/// Spreads distances over the grid in two sweeps (Borgefors' chamfer distance with exact diagonals).
fn spread(distance: &mut [f32], columns: usize, rows: usize) {
    let (one, diagonal) = (CELL_M as f32, (CELL_M * std::f64::consts::SQRT_2) as f32);
    let mut relax = |at: usize, row: isize, column: isize, up: isize| {
        let near = [(-up, -1, diagonal), (-up, 0, one), (-up, 1, diagonal), (0, -up, one)];
        for (by_row, by_column, step) in near {
            let (row, column) = (row + by_row, column + by_column);
            if row >= 0 && column >= 0 && row < rows as isize && column < columns as isize {
                let there = distance[row as usize * columns + column as usize] + step;
                distance[at] = distance[at].min(there);
            }
        }
    };
    let cells = rows * columns;
    let place = |at: usize| ((at / columns) as isize, (at % columns) as isize);
    (0..cells).for_each(|at| relax(at, place(at).0, place(at).1, 1));
    (0..cells).rev().for_each(|at| relax(at, place(at).0, place(at).1, -1));
}
