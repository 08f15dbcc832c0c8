//! What the path head should say: which of its paths and changes of speed the vehicle took, and which stay on the road.

use super::RoadPlanes;
use crate::model::Grid;
use crate::path::{PATHS, Path, SPEEDS, STEPS, cells, paths, progress};
use crate::rig::GridFrame;

/// How the vehicle really went on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EgoFuture {
    /// Its speed now, m/s.
    pub speed_mps: f64,
    /// Where it was at the steps to come, in the vehicle's frame now, m.
    pub positions: [[f64; 2]; STEPS],
}

/// Targets of the path head.
#[derive(Debug, Clone, PartialEq)]
pub struct PathTarget {
    /// `[PATHS · SAMPLES]`: the cells that all paths read in this frame of the grid.
    pub cells: Vec<i32>,
    /// `[PATHS]`: how much each is the one that was driven; they sum to 1. `None` if the vehicle hardly moved.
    pub paths: Option<Vec<f32>>,
    /// `[SPEEDS]`: how much each is the change of speed that was made; they sum to 1.
    pub speeds: Option<Vec<f32>>,
    /// `[PATHS]`: 1 for those that stay on the road.
    pub on_road: Option<Vec<f32>>,
}

/// Whoever comes less far says nothing about paths, m.
const LEAST_M: f64 = 3.0;

/// How sharply what is off counts less, 1/m (SparseDriveV2's factor).
const SHARPNESS: f64 = 4.0;

/// Paths should stay on the road for so long, m.
const ON_ROAD_M: usize = 25;

/// Half the width of what has to be road, m.
const HALF_WIDTH_M: f64 = 0.9;

impl PathTarget {
    /// Of what the vehicle did, and of the roads in a frame of the grid.
    pub fn new(grid: &Grid, ego: Option<&EgoFuture>, roads: Option<&RoadPlanes>, frame: GridFrame) -> Self {
        let moved = ego.filter(|ego| lengths(ego)[STEPS - 1] >= LEAST_M);
        Self {
            cells: cells(grid.extent_m, grid.cells / 2, frame),
            paths: moved.map(|ego| shares((0..PATHS).map(|number| off_m(&paths()[number], ego)))),
            speeds: ego.map(|ego| shares((0..SPEEDS).map(|number| behind_m(number, ego)))),
            on_road: roads.map(|roads| {
                let stays = |path: &Path| if stays(grid, roads, path, frame) { 1.0 } else { 0.0 };
                paths().iter().map(stays).collect()
            }),
        }
    }
}

/// How far the vehicle had come at every step, m.
fn lengths(ego: &EgoFuture) -> [f64; STEPS] {
    let (mut sum, mut last) = (0.0, [0.0; 2]);
    ego.positions.map(|[x, y]| {
        sum += (x - last[0]).hypot(y - last[1]);
        last = [x, y];
        sum
    })
}

/// How far a path is from where the vehicle was, at the same lengths, on the mean.
fn off_m(path: &Path, ego: &EgoFuture) -> f64 {
    let apart = |(length_m, [x, y]): (f64, [f64; 2])| {
        let [path_x, path_y, _] = path.at(length_m);
        (path_x - x).hypot(path_y - y)
    };
    lengths(ego).into_iter().zip(ego.positions).map(apart).sum::<f64>() / STEPS as f64
}

/// How far a change of speed is from where the vehicle was along its path, on the mean.
fn behind_m(number: usize, ego: &EgoFuture) -> f64 {
    let apart = |(length_m, [distance_m, _]): (f64, [f64; 2])| (length_m - distance_m).abs();
    lengths(ego).into_iter().zip(progress(number, ego.speed_mps)).map(apart).sum::<f64>() / STEPS as f64
}

/// Softmax of −[`SHARPNESS`] times a distance.
fn shares(distances_m: impl Iterator<Item = f64>) -> Vec<f32> {
    let distances_m: Vec<f64> = distances_m.collect();
    let least = distances_m.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = distances_m.iter().map(|distance| (-SHARPNESS * (distance - least)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

fn stays(grid: &Grid, roads: &RoadPlanes, path: &Path, frame: GridFrame) -> bool {
    (1..=ON_ROAD_M).all(|metre| {
        let [x, y, yaw] = path.at(metre as f64);
        [-HALF_WIDTH_M, HALF_WIDTH_M].iter().all(|aside| {
            let [x, y] = frame.grid_from_ego([x - aside * yaw.sin(), y + aside * yaw.cos()]);
            grid.cell(x, y).is_some_and(|[row, column]| roads.planes[0][row * grid.cells + column] == 1)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetworkConfig;
    use crate::path::best;

    #[test]
    fn the_path_that_was_driven_is_the_one_asked_for() {
        let grid = NetworkConfig::tiny().grid;
        // A left turn of 25 m radius, slowing from 8 m/s by 1 m/s².
        let positions = std::array::from_fn(|step| {
            let t = 0.5 * (step + 1) as f64;
            let angle = (8.0 * t - 0.5 * t * t) / 25.0;
            [25.0 * angle.sin(), 25.0 * (1.0 - angle.cos())]
        });
        let ego = EgoFuture { speed_mps: 8.0, positions };
        // Road to the left of the vehicle alone.
        let mut planes: [Vec<u8>; 4] = std::array::from_fn(|_| vec![0; grid.cells * grid.cells]);
        planes[0].iter_mut().enumerate().for_each(|(at, cell)| *cell = u8::from(at % grid.cells > grid.cells / 2 - 4));
        let roads = RoadPlanes { planes, direction_rad: Vec::new() };
        let target = PathTarget::new(&grid, Some(&ego), Some(&roads), GridFrame::VEHICLE);
        let (likely, speeds, on_road) = (target.paths.unwrap(), target.speeds.unwrap(), target.on_road.unwrap());
        assert!((likely.iter().sum::<f32>() - 1.0).abs() < 1e-5 && (speeds.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let scores: Vec<f32> = likely
            .iter()
            .zip(&on_road)
            .flat_map(|(likely, on_road)| [(likely + 1e-9).ln(), 8.0 * on_road - 4.0])
            .collect();
        let found = best(&scores, &speeds, 8.0).unwrap();
        for (place, wanted) in found.places.iter().zip(positions) {
            assert!((place[0] - wanted[0]).hypot(place[1] - wanted[1]) < 0.5, "{place:?} {wanted:?}");
        }
        let stays = on_road.iter().sum::<f32>() / PATHS as f32;
        assert!((0.3..0.7).contains(&stays), "{stays}");
        // Who stands says nothing about paths.
        let stands = EgoFuture { speed_mps: 0.0, positions: [[0.0; 2]; STEPS] };
        assert_eq!(PathTarget::new(&grid, Some(&stands), None, GridFrame::VEHICLE).paths, None);
    }
}
