//! Covers a grid of cells with polygons and strokes, by exact shares of each cell's width.

use nalgebra::Point2;
use tandem_datasets::Polygon;

/// Steps in which a row of cells is cut for polygons.
const CUTS: usize = 4;

/// A grid of cells in the scene.
#[derive(Debug, Clone, Copy)]
pub(in crate::camera) struct Grid {
    /// The low corner of the first cell, m.
    pub origin: Point2<f64>,
    /// Side of a cell, m.
    pub cell_m: f64,
    /// Cells a row, and rows.
    pub columns: usize,
    pub rows: usize,
}

impl Grid {
    /// The middle of a cell.
    pub fn middle(&self, column: usize, row: usize) -> Point2<f64> {
        Point2::new(
            self.origin.x + (column as f64 + 0.5) * self.cell_m,
            self.origin.y + (row as f64 + 0.5) * self.cell_m,
        )
    }

    /// The index of the cell that holds a point.
    pub fn index(&self, point: Point2<f64>) -> Option<usize> {
        let (x, y) = ((point.x - self.origin.x) / self.cell_m, (point.y - self.origin.y) / self.cell_m);
        let inside = x >= 0.0 && y >= 0.0 && x < self.columns as f64 && y < self.rows as f64;
        inside.then(|| y as usize * self.columns + x as usize)
    }

    /// Which cells lie between two heights or two widths, in cells.
    fn range(low: f64, high: f64, count: usize) -> std::ops::Range<usize> {
        let first = (low.floor().max(0.0) as usize).min(count);
        first..(high.ceil().max(0.0) as usize).clamp(first, count)
    }

    fn in_cells(&self, point: Point2<f64>) -> (f64, f64) {
        ((point.x - self.origin.x) / self.cell_m, (point.y - self.origin.y) / self.cell_m)
    }

    /// Raises `cover` to each cell's share of a polygon.
    pub fn fill(&self, polygon: &Polygon, cover: &mut [f32]) {
        let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
        let mut edges = Vec::new();
        for ring in rings {
            for (index, from) in ring.iter().enumerate() {
                let (from, to) = (self.in_cells(*from), self.in_cells(ring[(index + 1) % ring.len()]));
                let (low, high) = if from.1 <= to.1 { (from, to) } else { (to, from) };
                // What lies wholly to the right of the grid changes nothing.
                let beside = low.0.min(high.0) > self.columns as f64;
                if high.1 > 0.0 && low.1 < self.rows as f64 && low.1 < high.1 && !beside {
                    edges.push((low, high));
                }
            }
        }
        if edges.is_empty() {
            return;
        }
        let bottom = edges.iter().fold(f64::INFINITY, |bottom, edge| bottom.min(edge.0.1));
        let top = edges.iter().fold(f64::NEG_INFINITY, |top, edge| top.max(edge.1.1));
        let (mut crossings, mut shares) = (Vec::new(), vec![0.0_f32; self.columns]);
        for row in Self::range(bottom, top, self.rows) {
            shares.fill(0.0);
            for cut in 0..CUTS {
                let y = row as f64 + (cut as f64 + 0.5) / CUTS as f64;
                crossings.clear();
                let met = edges.iter().filter(|(low, high)| low.1 <= y && y < high.1);
                crossings.extend(met.map(|(low, high)| low.0 + (high.0 - low.0) * (y - low.1) / (high.1 - low.1)));
                crossings.sort_unstable_by(f64::total_cmp);
                // An edge left out on the right leaves its partner open up to the grid's end.
                for pair in crossings.chunks(2) {
                    let (left, right) = (pair[0].max(0.0), pair.get(1).map_or(self.columns as f64, |right| *right));
                    share(&mut shares, left, right.min(self.columns as f64));
                }
            }
            let cells = &mut cover[row * self.columns..(row + 1) * self.columns];
            cells.iter_mut().zip(&shares).for_each(|(cell, share)| *cell = cell.max(share / CUTS as f32));
        }
    }

    /// Raises `cover` to each cell's share of a stroke `half_m` to both sides of a stretch, cut off straight at its ends
    /// or, with `round`, rounded.
    pub fn stroke(&self, from: Point2<f64>, to: Point2<f64>, half_m: f64, round: bool, cover: &mut [f32]) {
        let (a, b) = (self.in_cells(from), self.in_cells(to));
        let half = half_m / self.cell_m;
        let reach = half + 1.0;
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        if length <= 0.0 || !length.is_finite() {
            return;
        }
        let (dx, dy) = (dx / length, dy / length);
        for row in Self::range(a.1.min(b.1) - reach, a.1.max(b.1) + reach, self.rows) {
            let y = row as f64 + 0.5 - a.1;
            // Only the cells that this row shares with the stroke.
            let (mut low, mut high) = (a.0.min(b.0) - reach, a.0.max(b.0) + reach);
            if dy.abs() > 1e-3 {
                let (middle, spread) = (a.0 + y * dx / dy, reach * 1.5 / dy.abs());
                (low, high) = (low.max(middle - spread), high.min(middle + spread));
            }
            for column in Self::range(low, high, self.columns) {
                let x = column as f64 + 0.5 - a.0;
                let along = x * dx + y * dy;
                let beyond = (-along).max(along - length);
                let mut aside = (x * dy - y * dx).abs();
                let ends = if round {
                    // Far from overflow, a square root is several times faster than `hypot`.
                    aside = if beyond > 0.0 { (aside * aside + beyond * beyond).sqrt() } else { aside };
                    1.0
                } else {
                    (0.5 - beyond).clamp(0.0, 1.0)
                };
                // The share of a cell's width between −half and half.
                let across = ((aside + 0.5).min(half) - (aside - 0.5).max(-half)).clamp(0.0, 1.0);
                let cell = &mut cover[row * self.columns + column];
                *cell = cell.max((across * ends) as f32);
            }
        }
    }
}

/// Adds the stretch from `left` to `right` to a row of cells.
fn share(cells: &mut [f32], left: f64, right: f64) {
    if left >= right {
        return;
    }
    let (first, last) = (left as usize, (right as usize).min(cells.len() - 1));
    if first == last {
        cells[first] += (right - left) as f32;
        return;
    }
    cells[first] += (first as f64 + 1.0 - left) as f32;
    cells[first + 1..last].iter_mut().for_each(|cell| *cell += 1.0);
    cells[last] += (right - last as f64) as f32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_area() {
        let grid = Grid { origin: Point2::new(-3.0, -2.0), cell_m: 0.5, columns: 30, rows: 24 };
        let corner = |x, y| Point2::new(x, y);
        let exterior = vec![corner(0.1, 0.2), corner(6.3, 1.1), corner(7.7, 6.4), corner(1.2, 5.3)];
        let twice_area: f64 =
            (0..4).map(|i| (exterior[i], exterior[(i + 1) % 4])).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
        let mut cover = vec![0.0; 30 * 24];
        grid.fill(&Polygon { exterior, holes: Vec::new() }, &mut cover);
        let area = f64::from(cover.iter().sum::<f32>()) * 0.25;
        assert!((area - twice_area / 2.0).abs() < 0.15, "{area} {twice_area}");

        let mut cover = vec![0.0; 30 * 24];
        grid.stroke(corner(0.0, 0.0), corner(6.0, 4.5), 0.1, false, &mut cover);
        let area = f64::from(cover.iter().sum::<f32>()) * 0.25;
        assert!((area - 7.5 * 0.2).abs() < 0.1, "{area}");
    }
}
