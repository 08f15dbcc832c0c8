//! The map as the frames so far show it together: what was seen near is remembered when it is far or hidden.
//!
//! A mean of the network's logits over time, weighted the more the newer, in cells that lie still in the map. The cells
//! are those of a torus as wide as the network's grid is across, so that the memory moves with the vehicle without being
//! copied, and a frame is resampled once, however long it is remembered.

use nalgebra::Point2;
use rayon::prelude::*;
use tandem_datasets::Pose2;
use tandem_graph::Stamp;

use crate::model::Grid;
use crate::model::heads::MAP_CLASSES;
use crate::rig::taps;

/// What a frame half a second old counts beside the newest, for each plane: large areas are worth remembering longer
/// than lines, which blur.
const KEPT: [f32; MAP_CLASSES] = [0.9, 0.6, 0.6, 0.7];

/// The age that this is said for, s.
const KEPT_AGE_S: f64 = 0.5;

/// Nothing is remembered over a longer silence, s.
const LONGEST_S: f64 = 5.0;

/// The road around the vehicle, remembered.
#[derive(Debug, Clone)]
pub struct RoadMemory {
    grid: Grid,
    /// Cells along a side of the torus.
    side: usize,
    cells: Vec<Cell>,
    /// Logits of every cell of the grid while a frame is added.
    mixed: Vec<[f32; MAP_CLASSES]>,
    latest: Option<Stamp>,
}

/// What is remembered of a cell of the map.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Which one this is; the torus has one place for many.
    number: [i64; 2],
    /// Sums of logits, weighted.
    sums: [f32; MAP_CLASSES],
    /// Sums of the weights.
    weights: [f32; MAP_CLASSES],
}

impl RoadMemory {
    /// Nothing is known yet.
    pub fn new(grid: &Grid) -> Self {
        let side = (grid.cells as f64 * std::f64::consts::SQRT_2).ceil() as usize + 2;
        let mixed = vec![[0.0; MAP_CLASSES]; grid.cells * grid.cells];
        Self { grid: grid.clone(), side, cells: vec![Cell::default(); side * side], mixed, latest: None }
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.cells.fill(Cell::default());
        self.latest = None;
    }

    /// Adds a frame. `logits` is what the network says, `[≥ MAP_CLASSES, cells, cells]` in the vehicle's frame, and
    /// becomes what is known by now.
    pub fn add(&mut self, stamp: Stamp, map_from_ego: Pose2, logits: &mut [f32]) {
        let elapsed_s = self.latest.map(|latest| stamp.seconds_since(latest)).filter(|s| (0.0..LONGEST_S).contains(s));
        let (kept, gain) = match elapsed_s {
            Some(elapsed_s) => {
                let kept = KEPT.map(|kept| kept.powf((elapsed_s / KEPT_AGE_S) as f32));
                // As much in all as if frames came at that age.
                (kept, std::array::from_fn(|plane| (1.0 - kept[plane]) / (1.0 - KEPT[plane])))
            }
            None => {
                self.forget();
                ([0.0; MAP_CLASSES], [1.0; MAP_CLASSES])
            }
        };
        self.latest = Some(stamp);
        for cell in &mut self.cells {
            cell.sums.iter_mut().zip(kept).for_each(|(sum, kept)| *sum *= kept);
            cell.weights.iter_mut().zip(kept).for_each(|(weight, kept)| *weight *= kept);
        }
        self.mix(map_from_ego, logits, gain);
        self.take_in(map_from_ego, logits, gain);
        for (of, plane) in logits.chunks_exact_mut(self.mixed.len()).take(MAP_CLASSES).enumerate() {
            plane.iter_mut().zip(&self.mixed).for_each(|(logit, mixed)| *logit = mixed[of]);
        }
    }

    /// Mixes the frame with what is remembered.
    fn mix(&mut self, map_from_ego: Pose2, logits: &[f32], gain: [f32; MAP_CLASSES]) {
        let mut all = std::mem::take(&mut self.mixed);
        let plane = self.grid.cells * self.grid.cells;
        let mixed = |cell: usize| -> [f32; MAP_CLASSES] {
            let place = map_from_ego.transform(self.grid.center(cell).into());
            let taps = taps([place.x, place.y].map(|m| m / self.grid.cell_m()));
            let taps = taps.map(|(number, share)| (number, share, self.cell(number)));
            std::array::from_fn(|of| {
                let said = logits[of * plane + cell];
                // Nothing is known beside what was never seen.
                if taps.iter().any(|(number, _, cell)| cell.number != *number || cell.weights[of] <= 0.0) {
                    return said;
                }
                let known: f32 = taps.iter().map(|(_, share, cell)| share * cell.sums[of] / cell.weights[of]).sum();
                let weight: f32 = taps.iter().map(|(_, share, cell)| share * cell.weights[of]).sum();
                (gain[of] * said + weight * known) / (gain[of] + weight)
            })
        };
        all.par_iter_mut().enumerate().for_each(|(cell, all)| *all = mixed(cell));
        self.mixed = all;
    }

    /// Remembers the frame.
    fn take_in(&mut self, map_from_ego: Pose2, logits: &[f32], gain: [f32; MAP_CLASSES]) {
        let (side, count) = (self.side as i64, self.grid.cells as i64);
        let plane = self.grid.cells * self.grid.cells;
        // The numbers that the torus has now: those around the vehicle.
        let low = [map_from_ego.x, map_from_ego.y].map(|m| (m / self.grid.cell_m()).floor() as i64 - side / 2);
        let grid = &self.grid;
        self.cells.par_iter_mut().enumerate().for_each(|(place, cell)| {
            let at = [place as i64 / side, place as i64 % side];
            let number: [i64; 2] = std::array::from_fn(|axis| low[axis] + (at[axis] - low[axis]).rem_euclid(side));
            let center = Point2::new(number[0] as f64 + 0.5, number[1] as f64 + 0.5) * grid.cell_m();
            let seen_at = map_from_ego.inverse_transform(center);
            let taps = taps([grid.place(seen_at.x), grid.place(seen_at.y)]);
            if taps.iter().any(|([row, column], _)| !(0..count).contains(row) || !(0..count).contains(column)) {
                return;
            }
            if cell.number != number {
                *cell = Cell { number, ..Cell::default() };
            }
            for of in 0..MAP_CLASSES {
                let logit = |([row, column], share): &([i64; 2], f32)| {
                    share * logits[of * plane + (row * count + column) as usize]
                };
                cell.sums[of] += gain[of] * taps.iter().map(logit).sum::<f32>();
                cell.weights[of] += gain[of];
            }
        });
    }

    /// What has a cell's place on the torus.
    fn cell(&self, [i, j]: [i64; 2]) -> &Cell {
        let side = self.side as i64;
        &self.cells[(i.rem_euclid(side) * side + j.rem_euclid(side)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetworkConfig;

    fn grid() -> Grid {
        Grid { extent_m: 8.0, cells: 16, ..NetworkConfig::tiny().grid }
    }

    fn at(seconds: f64) -> Stamp {
        Stamp::from_seconds(seconds)
    }

    /// A frame of a world whose logits are `said` of the place in the map, in every plane.
    fn frame(pose: Pose2, said: impl Fn([f64; 2]) -> f32) -> Vec<f32> {
        let grid = grid();
        let one = (0..256).map(|cell| {
            let place = pose.transform(grid.center(cell).into());
            said([place.x, place.y])
        });
        let one: Vec<f32> = one.collect();
        (0..MAP_CLASSES).flat_map(|_| one.clone()).collect()
    }

    #[test]
    fn a_lone_frame_stays_as_it_is() {
        let mut memory = RoadMemory::new(&grid());
        let mut logits = frame(Pose2::new(3.0, -7.0, 0.4), |[x, y]| (x * 1.3).sin() as f32 + y as f32);
        let before = logits.clone();
        memory.add(at(0.0), Pose2::new(3.0, -7.0, 0.4), &mut logits);
        assert_eq!(logits, before);
    }

    #[test]
    fn a_world_that_does_not_change_stays_as_it_is_from_wherever_it_is_seen() {
        // A plane: bilinear reading is exact. The vehicle turns and drives several times around the torus.
        let world = |[x, y]: [f64; 2]| (0.1 * x - 0.2 * y) as f32;
        let mut memory = RoadMemory::new(&grid());
        for step in 0..60 {
            let pose = Pose2::new(1.3 * f64::from(step), -0.7 * f64::from(step), 0.11 * f64::from(step));
            let mut logits = frame(pose, world);
            memory.add(at(0.2 * f64::from(step)), pose, &mut logits);
            let wanted = frame(pose, world);
            let off = logits.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-4, "{off} at step {step}");
        }
    }

    #[test]
    fn frames_count_by_their_age() {
        let mut memory = RoadMemory::new(&grid());
        for (seconds, value) in [(0.0, 1.0), (0.5, 0.0), (1.0, 4.0)] {
            let mut logits = frame(Pose2::default(), |_| value);
            memory.add(at(seconds), Pose2::default(), &mut logits);
            if seconds == 1.0 {
                for (plane, kept) in KEPT.iter().enumerate() {
                    let wanted = (kept * kept + 4.0) / (kept * kept + kept + 1.0);
                    assert!((logits[plane * 256 + 100] - wanted).abs() < 1e-5);
                }
            }
        }
        // After a long silence only the newest counts.
        let mut logits = frame(Pose2::default(), |_| -3.0);
        memory.add(at(20.0), Pose2::default(), &mut logits);
        assert_eq!(logits[100], -3.0);
    }

    #[test]
    fn what_comes_round_the_torus_is_another_place() {
        let mut memory = RoadMemory::new(&grid());
        let around_m = memory.side as f64 * grid().cell_m();
        memory.add(at(0.0), Pose2::default(), &mut frame(Pose2::default(), |_| 5.0));
        let there = Pose2::new(around_m, 0.0, 0.0);
        let mut logits = frame(there, |_| -1.0);
        memory.add(at(0.5), there, &mut logits);
        assert!(logits.iter().all(|logit| *logit == -1.0));
    }
}
