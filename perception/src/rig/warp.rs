//! Where the cells of this frame's grid lay in the previous frame's.

use tandem_datasets::Pose2;

use super::GridFrame;
use crate::model::Grid;

/// The indices of [`crate::model::bev::Warp`] for one frame, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct WarpTable {
    /// Four rows of the previous grid for each cell.
    pub index: Vec<i32>,
    /// Their weights, summing to 1 inside and to less at the border; 0 outside.
    pub weight: Vec<f32>,
}

impl WarpTable {
    /// For the vehicle's poses in any common frame; both grids are in `frame` of their vehicle.
    pub fn new(grid: &Grid, map_from_now: Pose2, map_from_previous: Pose2, frame: GridFrame) -> Self {
        let mut table = Self::none(grid);
        table.fill(grid, map_from_now, map_from_previous, frame);
        table
    }

    /// Becomes that of other poses.
    pub fn fill(&mut self, grid: &Grid, map_from_now: Pose2, map_from_previous: Pose2, frame: GridFrame) {
        self.clear();
        let side = grid.cells / 2;
        let cell_m = 2.0 * grid.cell_m();
        let center_m = |index: usize| (index as f64 + 0.5) * cell_m - grid.extent_m;
        for cell in 0..side * side {
            let now = frame.ego_from_grid([center_m(cell / side), center_m(cell % side)]);
            let before = map_from_previous.inverse_transform(map_from_now.transform(now.into()));
            let place = frame.grid_from_ego([before.x, before.y]).map(|m| (m + grid.extent_m) / cell_m);
            for (tap, (at, share)) in taps(place).into_iter().enumerate() {
                if at.iter().all(|at| (0..side as i64).contains(at)) {
                    self.index[cell * 4 + tap] = (at[0] * side as i64 + at[1]) as i32;
                    self.weight[cell * 4 + tap] = share;
                }
            }
        }
    }

    /// For a frame without a previous one: nothing is read.
    pub fn none(grid: &Grid) -> Self {
        let taps = grid.cells * grid.cells;
        Self { index: vec![0; taps], weight: vec![0.0; taps] }
    }

    /// Becomes that of a frame without a previous one.
    pub fn clear(&mut self) {
        self.index.fill(0);
        self.weight.fill(0.0);
    }
}

/// The four cells around a place in units of cells, whose centres lie at halves, with their bilinear shares.
pub(crate) fn taps(place: [f64; 2]) -> [([i64; 2], f32); 4] {
    let corner = place.map(|x| x - 0.5);
    let low = corner.map(f64::floor);
    let share = [corner[0] - low[0], corner[1] - low[1]];
    std::array::from_fn(|tap| {
        let step = [tap / 2, tap % 2];
        let along = |axis: usize| if step[axis] == 1 { share[axis] } else { 1.0 - share[axis] };
        ([0, 1].map(|axis| low[axis] as i64 + step[axis] as i64), (along(0) * along(1)) as f32)
    })
}
