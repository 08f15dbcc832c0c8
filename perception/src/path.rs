//! The ego path: a vocabulary of paths and of ways to change the speed, each of which the network scores, and the
//! trajectory that the best of both make (after the scored vocabularies of VADv2, Chen et al. 2024, here factorised).

use std::sync::OnceLock;

use crate::decode::sigmoid;
use crate::model::heads::FORECAST_STEPS;
use crate::rig::GridFrame;
use crate::truth::FORECAST_STEP_S;

/// Paths of the vocabulary: every curvature to begin with and every one to end with.
pub const PATHS: usize = CURVATURES.len() * CURVATURES.len();

/// Length of a path, m; it has a point every metre.
pub const LENGTH_M: usize = 40;

/// Points of a path at which the network reads the grid, equally spaced, the last at the path's end.
pub const SAMPLES: usize = 10;

/// Ways to change the speed: every acceleration in the first half of the time and every one in the second.
pub const SPEEDS: usize = ACCELERATIONS.len() * ACCELERATIONS.len();

/// Steps of a trajectory, [`FORECAST_STEP_S`] apart.
pub const STEPS: usize = FORECAST_STEPS;

/// Numbers for every path: the logit of being driven, then that of staying on the road.
pub const SCORES: usize = 2;

/// Curvatures at which paths begin and end, 1/m; between, the curvature changes steadily.
const CURVATURES: [f64; 15] =
    [-0.17, -0.11, -0.07, -0.04, -0.02, -0.01, -0.004, 0.0, 0.004, 0.01, 0.02, 0.04, 0.07, 0.11, 0.17];

/// Accelerations, m/s².
const ACCELERATIONS: [f64; 7] = [-5.0, -2.5, -1.0, 0.0, 0.7, 1.5, 2.5];

/// A pose on a path in the vehicle's frame: x and y in m, yaw in rad.
pub type Place = [f64; 3];

/// A path of the vocabulary, a place every metre from the vehicle on.
#[derive(Debug, Clone, PartialEq)]
pub struct Path([Place; LENGTH_M + 1]);

impl Path {
    fn new(begin: f64, end: f64) -> Self {
        let mut places = [[0.0; 3]; LENGTH_M + 1];
        const PARTS: usize = 8;
        for metre in 0..LENGTH_M {
            let [mut x, mut y, _] = places[metre];
            let yaw = |s: f64| begin * s + (end - begin) * s * s / (2.0 * LENGTH_M as f64);
            for part in 0..PARTS {
                let s = metre as f64 + (part as f64 + 0.5) / PARTS as f64;
                x += yaw(s).cos() / PARTS as f64;
                y += yaw(s).sin() / PARTS as f64;
            }
            places[metre + 1] = [x, y, yaw((metre + 1) as f64)];
        }
        Self(places)
    }

    /// The place at a distance along the path, m; straight on beyond its end.
    pub fn at(&self, distance_m: f64) -> Place {
        let index = (distance_m.max(0.0) as usize).min(LENGTH_M);
        let [x, y, yaw] = self.0[index];
        let rest_m = distance_m.max(0.0) - index as f64;
        let next_yaw = self.0.get(index + 1).map_or(yaw, |next| next[2]);
        let heading = yaw + 0.5 * rest_m.min(1.0) * (next_yaw - yaw);
        [x + rest_m * heading.cos(), y + rest_m * heading.sin(), yaw + rest_m.min(1.0) * (next_yaw - yaw)]
    }
}

/// The paths, [`PATHS`] of them.
pub fn paths() -> &'static [Path] {
    static ALL: OnceLock<Vec<Path>> = OnceLock::new();
    ALL.get_or_init(|| {
        CURVATURES.iter().flat_map(|begin| CURVATURES.iter().map(|end| Path::new(*begin, *end))).collect()
    })
}

/// How far a vehicle comes, m, and how fast it is then, m/s, step by step, if it changes its speed in way `number`.
pub fn progress(number: usize, speed_mps: f64) -> [[f64; 2]; STEPS] {
    let phases = [number / ACCELERATIONS.len(), number % ACCELERATIONS.len()].map(|phase| ACCELERATIONS[phase]);
    let (mut distance_m, mut speed_mps) = (0.0, speed_mps.max(0.0));
    std::array::from_fn(|step| {
        let acceleration = phases[2 * step / STEPS];
        let next_mps = (speed_mps + acceleration * FORECAST_STEP_S).max(0.0);
        // Who comes to a stand within the step stands for the rest of it.
        let moving_s = if next_mps > 0.0 || acceleration >= 0.0 { FORECAST_STEP_S } else { speed_mps / -acceleration };
        distance_m += 0.5 * (speed_mps + next_mps) * moving_s;
        speed_mps = next_mps;
        [distance_m, speed_mps]
    })
}

/// The cells that the network reads for all paths, [`PATHS`] · [`SAMPLES`] of them, of a grid that reaches so far to
/// each side and has `half` cells along it: the network's grid at half its resolution.
pub fn cells(extent_m: f64, half: usize, frame: GridFrame) -> Vec<i32> {
    let cell = |[x, y, _]: Place| {
        let [x, y] = frame.grid_from_ego([x, y]);
        let place = |coordinate_m: f64| (coordinate_m + extent_m) / (2.0 * extent_m) * half as f64;
        let index = |coordinate_m: f64| place(coordinate_m).clamp(0.0, half as f64 - 1.0) as usize;
        (index(x) * half + index(y)) as i32
    };
    let step_m = LENGTH_M / SAMPLES;
    paths().iter().flat_map(|path| (1..=SAMPLES).map(move |sample| cell(path.0[sample * step_m]))).collect()
}

/// Where the network would drive, in the vehicle's frame.
#[derive(Debug, Clone, PartialEq)]
pub struct EgoPath {
    /// Where to be, step by step.
    pub places: [Place; STEPS],
    /// How fast to be there, m/s.
    pub speeds_mps: [f64; STEPS],
    /// How likely the path is the one that is driven, in [0, 1].
    pub probability: f64,
    /// How likely it stays on the road, in [0, 1].
    pub on_road: f64,
}

/// The path that is likeliest to be driven and to stay on the road, at the likeliest change of a speed.
///
/// `scores`: `[PATHS, SCORES]`, `speeds`: `[SPEEDS]`, logits. `None` for numbers that are none.
pub fn best(scores: &[f32], speeds: &[f32], speed_mps: f64) -> Option<EgoPath> {
    if scores.len() != PATHS * SCORES || speeds.len() != SPEEDS || !scores.iter().chain(speeds).all(|x| x.is_finite()) {
        return None;
    }
    let most = scores.chunks_exact(SCORES).map(|path| path[0]).fold(f32::MIN, f32::max);
    let weight = |path: &[f32]| f64::from((path[0] - most).exp());
    let sum: f64 = scores.chunks_exact(SCORES).map(weight).sum();
    let on_road = |path: &[f32]| f64::from(sigmoid(path[1]));
    let rated = scores.chunks_exact(SCORES).map(|path| (weight(path) / sum, on_road(path))).enumerate();
    let (path, (probability, on_road)) = rated.max_by(|(_, a), (_, b)| (a.0 * a.1).total_cmp(&(b.0 * b.1)))?;
    let (speed, _) = speeds.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let progress = progress(speed, speed_mps);
    Some(EgoPath {
        places: progress.map(|[distance_m, _]| paths()[path].at(distance_m)),
        speeds_mps: progress.map(|[_, speed_mps]| speed_mps),
        probability,
        on_road,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_curvature_is_a_circle() {
        let number = CURVATURES.iter().position(|curvature| *curvature == 0.07).unwrap();
        let path = &paths()[number * CURVATURES.len() + number];
        for distance_m in [0.0, 3.4, 17.0, 39.5] {
            let [x, y, yaw] = path.at(distance_m);
            let wanted =
                [(0.07 * distance_m).sin() / 0.07, (1.0 - (0.07 * distance_m).cos()) / 0.07, 0.07 * distance_m];
            for (found, wanted) in [x, y, yaw].into_iter().zip(wanted) {
                assert!((found - wanted).abs() < 2e-3, "{distance_m} m: {found} {wanted}");
            }
        }
    }

    #[test]
    fn who_brakes_stands_and_stays() {
        let full = progress(0, 4.0);
        // 4 m/s at 5 m/s² is 1.6 m and 0.8 s.
        assert!((full[STEPS - 1][0] - 1.6).abs() < 1e-9 && full[STEPS - 1][1] == 0.0, "{full:?}");
        let steady = ACCELERATIONS.len() * 3 + 3;
        assert_eq!(progress(steady, 10.0)[STEPS - 1], [30.0, 10.0]);
    }

    #[test]
    fn the_likeliest_path_on_the_road_is_taken() {
        let (mut scores, mut speeds) = (vec![0.0; PATHS * SCORES], vec![0.0; SPEEDS]);
        let straight = CURVATURES.len() * 7 + 7;
        // The likeliest leaves the road.
        (scores[0], scores[1]) = (6.0, -6.0);
        (scores[SCORES * straight], scores[SCORES * straight + 1]) = (5.0, 4.0);
        speeds[ACCELERATIONS.len() * 3 + 3] = 3.0;
        let best = best(&scores, &speeds, 8.0).unwrap();
        assert_eq!(best.places[STEPS - 1], [24.0, 0.0, 0.0]);
        assert_eq!(best.speeds_mps, [8.0; STEPS]);
        speeds[0] = f32::NAN;
        assert_eq!(super::best(&scores, &speeds, 8.0), None);
    }
}
