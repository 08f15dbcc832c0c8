//! Shows a log's place and traffic as a rig of cameras sees them, repeatably and quickly, on the CPU.
//!
//! ```
//! use tandem_sim::camera::{Look, Scenery, rig, subjects};
//!
//! let log = tandem_sim::world::generate(7)?;
//! let scenery = Scenery::new(&log, &Look::of(7));
//! let ego = log.ego.states[20];
//! let cameras = rig::nuscenes(352, 128);
//! let shots = scenery.shots(&cameras, &ego.map_from_ego, &subjects(&log, ego.stamp, 200_000_000), ego.stamp, true);
//! assert_eq!(shots[0].image.rgb.len(), 352 * 128 * 3);
//! # Ok::<(), tandem_datasets::Error>(())
//! ```
//!
//! The ground is a plane at the ego's height. Moving things are given as [`Subject`]s: every one fills its box exactly,
//! so that the boxes are the truth. All else is made up from the map and the [`Look`]: what stands beside the road never
//! stands on it, and no vehicle or person is made up.

mod body;
mod develop;
mod draw;
mod field;
mod ground;
mod guise;
mod item;
mod light;
mod look;
mod mesh;
mod noise;
mod plant;
mod raster;
pub mod rig;
mod scenery;
pub mod semantics;
mod sensor;
mod signal;
mod stills;
mod subject;
mod view;
mod visible;

pub use guise::Guise;
pub use look::{Light, Look, Rgb, Weather};
pub use scenery::Scenery;
pub use subject::{Subject, subjects};
pub use visible::{Seen, Visibility, visibility};

/// The instance number of pixels that show no object.
pub const NO_INSTANCE: u32 = u32::MAX;

/// An image of 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue; row by row from the top left.
    pub rgb: Vec<u8>,
}

/// What is known of every pixel, row by row from the top left.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Depth along the optical axis, m; infinite for the sky.
    pub depth_m: Vec<f32>,
    /// What it shows, after [`semantics`].
    pub semantics: Vec<u8>,
    /// The number of the object that it shows, or [`NO_INSTANCE`].
    pub instance: Vec<u32>,
}

impl Truth {
    fn empty(pixels: usize) -> Self {
        Self {
            depth_m: Vec::with_capacity(pixels),
            semantics: Vec::with_capacity(pixels),
            instance: Vec::with_capacity(pixels),
        }
    }
}

/// What one camera sees at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// The picture.
    pub image: Image,
    /// What is known of its pixels, if asked for.
    pub truth: Option<Truth>,
    /// The objects within the picture's frame, hidden or not.
    pub seen: Vec<Seen>,
}
