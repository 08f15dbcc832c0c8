//! What is really there around a vehicle, and what a network should have said of it.

mod path;
mod roads;
mod targets;

pub use path::{EgoFuture, PathTarget};
pub use roads::{MapPlane, RoadPlanes};
pub use targets::{IGNORED, Targets, UNKNOWN};

use tandem_datasets::DetectionClass;

use crate::eval::Attribute;
use crate::model::heads::{FORECAST_STEPS, TAGS};
use crate::rig::GridFrame;

/// Time between the steps of a forecast, s.
pub const FORECAST_STEP_S: f64 = 0.5;

/// One object as it really is, in the vehicle's frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// What it is.
    pub class: DetectionClass,
    /// Its centre, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Heading, rad.
    pub yaw_rad: f64,
    /// Velocity over ground, along the vehicle's axes, m/s; `None` where it is not known.
    pub velocity_mps: Option<[f64; 2]>,
    /// What it is doing, where that is known.
    pub attribute: Option<Attribute>,
    /// Where its centre will be at the steps of a forecast, in the vehicle's frame now, m; `None` where not known.
    pub future: [Option<[f64; 2]>; FORECAST_STEPS],
}

impl Thing {
    /// The same in the frame of the grid.
    fn in_grid(&self, frame: GridFrame) -> Self {
        let [x, y] = frame.grid_from_ego([self.center[0], self.center[1]]);
        Self {
            center: [x, y, self.center[2]],
            yaw_rad: frame.yaw_in_grid(self.yaw_rad),
            velocity_mps: self.velocity_mps.map(|velocity| frame.grid_from_ego(velocity)),
            future: self.future.map(|place| place.map(|place| frame.grid_from_ego(place))),
            ..self.clone()
        }
    }
}

/// Everything that one frame of a rig should have led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The objects that some camera sees.
    pub things: Vec<Thing>,
    /// The road, in the vehicle's frame; `None` where there is no map.
    pub roads: Option<RoadPlanes>,
    /// Depth along the optical axis at the middle of every stride-8 pixel of every camera, m; infinite for the sky,
    /// empty where it is not known.
    pub depth_m: Vec<f32>,
    /// What every quarter of every stride-8 pixel shows, as bits, see [`crate::model::heads::SHOWN`]; [`UNKNOWN`] where a
    /// camera is missing, empty where it is not known.
    pub shown: Vec<u16>,
    /// What the scene's embedding should tell; `None` where it is not known.
    pub tags: Option<[f32; TAGS]>,
    /// How the vehicle went on; `None` where it is not known.
    pub ego: Option<EgoFuture>,
}
