//! The map around a vehicle as planes of a grid.

use nalgebra::Point2;
use tandem_datasets::{LineKind, Map, Pose2};

use crate::model::Grid;
use crate::model::heads::MAP_CLASSES;
use crate::rig::GridFrame;

/// A plane of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapPlane {
    /// Where vehicles may be.
    Drivable,
    /// Painted lines between lanes.
    Divider,
    /// Pedestrian crossings.
    Crossing,
    /// Centrelines of lanes.
    Centerline,
}

impl MapPlane {
    /// All of them, in their order.
    pub const ALL: [Self; MAP_CLASSES] = [Self::Drivable, Self::Divider, Self::Crossing, Self::Centerline];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drivable => "drivable",
            Self::Divider => "lane divider",
            Self::Crossing => "crossing",
            Self::Centerline => "centreline",
        }
    }
}

/// The planes, each `cells · cells`, rows along x.
#[derive(Debug, Clone, PartialEq)]
pub struct RoadPlanes {
    /// 1 where the plane's thing is, else 0, in the order of [`MapPlane::ALL`].
    pub planes: [Vec<u8>; MAP_CLASSES],
    /// Direction of the lane where there is a centreline, rad in the grid's frame, else 0.
    pub direction_rad: Vec<f32>,
}

impl RoadPlanes {
    /// The planes of a map around a vehicle, in a frame of its grid.
    pub fn new(grid: &Grid, map: &Map, map_from_ego: Pose2, frame: GridFrame) -> Self {
        let cells = grid.cells * grid.cells;
        let mut roads = Self { planes: std::array::from_fn(|_| vec![0; cells]), direction_rad: vec![0.0; cells] };
        let in_grid = |point: Point2<f64>| {
            let ego = map_from_ego.inverse_transform(point);
            frame.grid_from_ego([ego.x, ego.y])
        };
        let parts = map.parts();
        let reach_m = grid.extent_m * std::f64::consts::SQRT_2;
        let is_near = |point: &Point2<f64>| (point - map_from_ego.position()).norm() < reach_m + 10.0;
        for row in 0..grid.cells {
            for column in 0..grid.cells {
                let ego = frame.ego_from_grid([grid.center_m(row), grid.center_m(column)]);
                let point = map_from_ego.transform(ego.into());
                let cell = row * grid.cells + column;
                roads.planes[0][cell] = u8::from(map.is_drivable(point));
            }
        }
        for line in parts.lines.iter().filter(|line| matches!(line.kind, LineKind::Dashed | LineKind::Solid)) {
            for pair in line.points.windows(2).filter(|pair| pair.iter().any(is_near)) {
                trace(grid, in_grid(pair[0]), in_grid(pair[1]), |cell, _| roads.planes[1][cell] = 1);
            }
        }
        for crossing in parts.crossings.iter().filter(|crossing| crossing.exterior.iter().any(is_near)) {
            for row in 0..grid.cells {
                for column in 0..grid.cells {
                    let ego = frame.ego_from_grid([grid.center_m(row), grid.center_m(column)]);
                    if crossing.contains(map_from_ego.transform(ego.into())) {
                        roads.planes[2][row * grid.cells + column] = 1;
                    }
                }
            }
        }
        for lane in &parts.lanes {
            for pair in lane.centerline.windows(2) {
                let [from, to] = [pair[0].xy(), pair[1].xy()];
                if is_near(&from) || is_near(&to) {
                    trace(grid, in_grid(from), in_grid(to), |cell, direction_rad| {
                        roads.planes[3][cell] = 1;
                        roads.direction_rad[cell] = direction_rad as f32;
                    });
                }
            }
        }
        roads
    }
}

/// Visits the cells that a stretch passes, with its direction.
fn trace(grid: &Grid, from: [f64; 2], to: [f64; 2], mut visit: impl FnMut(usize, f64)) {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let steps = (dx.hypot(dy) / (0.4 * grid.cell_m())).ceil().max(1.0) as usize;
    for step in 0..=steps {
        let t = step as f64 / steps as f64;
        if let Some([row, column]) = grid.cell(from[0] + t * dx, from[1] + t * dy) {
            visit(row * grid.cells + column, dy.atan2(dx));
        }
    }
}
