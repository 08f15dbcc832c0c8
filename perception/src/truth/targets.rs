//! Targets of one frame: what every head should have said, as flat arrays on the host.

use tandem_datasets::DetectionClass;

use super::{FORECAST_STEP_S, FORECAST_STEPS, PathTarget, RoadPlanes, TAGS, Truth};
use crate::model::NetworkConfig;
use crate::model::heads::{BOX, CLASSES, MAP_CLASSES, VELOCITY_MPS};

use crate::rig::GridFrame;

/// A number of a class that counts for no loss.
pub const IGNORED: i32 = -1;

/// What a place shows is not known.
pub const UNKNOWN: u16 = u16::MAX;

/// Targets of one frame. Rows of the grid are along x.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// `[10 · cells · cells]`: 1 at centres, falling off as a Gaussian (Law and Deng 2018).
    pub heat: Vec<f32>,
    /// The objects within the grid.
    pub objects: Vec<ObjectTarget>,
    /// `[6 · cells · cells]`: planes of the map, then sine and cosine of the lanes' direction; empty without a map.
    pub map: Vec<f32>,
    /// `[cameras · height / 8 · width / 8]`: the depth bin, or [`IGNORED`]; empty where depth is not known.
    pub depth: Vec<i32>,
    /// `[cameras · height / 8 · width / 8 · 4]`: see [`Truth::shown`].
    pub shown: Vec<u16>,
    /// What the embedding should tell; `None` where it is not known.
    pub tags: Option<[f32; TAGS]>,
    /// What the path head should say.
    pub path: PathTarget,
}

/// What the heads should say of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectTarget {
    /// `row · cells + column` of its centre.
    pub cell: usize,
    /// Its class.
    pub class: DetectionClass,
    /// See [`BOX`].
    pub numbers: [f32; BOX],
    /// What its velocity counts: 0 where it is not known.
    pub velocity_weight: f32,
    /// The number of its attribute, or [`IGNORED`].
    pub attribute: i32,
    /// Offsets (x, y; m) from going on at its present velocity, step by step.
    pub future: [[f32; 2]; FORECAST_STEPS],
    /// 1 for the steps that are known.
    pub future_known: [f32; FORECAST_STEPS],
}

impl Targets {
    /// Of what is there, in a frame of the grid. `roads` and depth of `truth` are taken as they are: they must be in
    /// that frame.
    pub fn new(config: &NetworkConfig, truth: &Truth, frame: GridFrame) -> Self {
        let grid = &config.grid;
        let plane = grid.cells * grid.cells;
        let mut heat = vec![0.0; CLASSES * plane];
        let mut objects = Vec::new();
        for thing in &truth.things {
            let thing = thing.in_grid(frame);
            let [x, y, z] = thing.center;
            let Some([row, column]) = grid.cell(x, y) else { continue };
            let place = [grid.place(x), grid.place(y)];
            let size_cells = thing.size.map(|side| side / grid.cell_m());
            let sigma = (0.25 * size_cells[0].min(2.5 * size_cells[1])).clamp(0.55, 1.6);
            let class = thing.class.index();
            splat(&mut heat[class * plane..][..plane], grid.cells, place, sigma);
            heat[class * plane + row * grid.cells + column] = 1.0;
            let velocity = thing.velocity_mps.unwrap_or_default();
            let [sin, cos] = [thing.yaw_rad.sin(), thing.yaw_rad.cos()];
            let offset = [place[0] - row as f64 - 0.5, place[1] - column as f64 - 0.5];
            let numbers = [
                offset[0],
                offset[1],
                z,
                thing.size[0].ln(),
                thing.size[1].ln(),
                thing.size[2].ln(),
                sin,
                cos,
                velocity[0] / VELOCITY_MPS,
                velocity[1] / VELOCITY_MPS,
            ];
            let going_on =
                |step: usize, axis: usize| thing.center[axis] + velocity[axis] * FORECAST_STEP_S * (step + 1) as f64;
            let future = std::array::from_fn(|step| {
                let place = thing.future[step];
                std::array::from_fn(|axis| place.map_or(0.0, |place| (place[axis] - going_on(step, axis)) as f32))
            });
            objects.push(ObjectTarget {
                cell: row * grid.cells + column,
                class: thing.class,
                numbers: numbers.map(|number| number as f32),
                velocity_weight: if thing.velocity_mps.is_some() { 1.0 } else { 0.0 },
                attribute: thing.attribute.map_or(IGNORED, |attribute| attribute as i32),
                future,
                future_known: thing.future.map(|place| if place.is_some() { 1.0 } else { 0.0 }),
            });
        }
        let bins =
            |depth_m: &f32| if depth_m.is_finite() { config.depth.bin(f64::from(*depth_m)) as i32 } else { IGNORED };
        Self {
            heat,
            objects,
            map: truth.roads.as_ref().map(map_target).unwrap_or_default(),
            depth: truth.depth_m.iter().map(bins).collect(),
            shown: truth.shown.clone(),
            tags: truth.tags,
            path: PathTarget::new(grid, truth.ego.as_ref(), truth.roads.as_ref(), frame),
        }
    }
}

fn map_target(roads: &RoadPlanes) -> Vec<f32> {
    let cells = roads.direction_rad.len();
    let mut map = Vec::with_capacity((MAP_CLASSES + 2) * cells);
    roads.planes.iter().for_each(|plane| map.extend(plane.iter().map(|value| f32::from(*value))));
    map.extend(roads.direction_rad.iter().map(|direction| direction.sin()));
    map.extend(roads.direction_rad.iter().map(|direction| direction.cos()));
    map
}

/// Raises a plane to a Gaussian around a place.
fn splat(plane: &mut [f32], cells: usize, place: [f64; 2], sigma: f64) {
    let reach = 3.0 * sigma;
    let range = |at: f64| (at - reach).floor().max(0.0) as usize..((at + reach).ceil().max(0.0) as usize).min(cells);
    for row in range(place[0]) {
        for column in range(place[1]) {
            let [dx, dy] = [row as f64 + 0.5 - place[0], column as f64 + 0.5 - place[1]];
            let value = (-(dx * dx + dy * dy) / (2.0 * sigma * sigma)).exp() as f32;
            let cell = &mut plane[row * cells + column];
            *cell = cell.max(value);
        }
    }
}
