//! Which cameras the eyes look through, and how their images become what the network reads.

use tandem_datasets::Camera;
use tandem_graph::topics::camera_name;
use tandem_perception::rig::{Pixels, Preparation, rays};
use tandem_sim::camera::rig;

use super::network::DEPTH;
use crate::Error;

/// A camera that the eyes look through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Ahead.
    Front,
    /// To the left of that.
    FrontLeft,
    /// To the right of that.
    FrontRight,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Front, Self::FrontLeft, Self::FrontRight];

    /// The name of its camera on the graph.
    pub fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::FrontLeft => "front_left",
            Self::FrontRight => "front_right",
        }
    }

    /// Of a camera; `None` for one that the eyes do not look through.
    pub fn of(camera: &Camera) -> Option<Self> {
        let name = camera_name(&camera.name);
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// Height and width that images get, px. What matters ahead is far away and small.
    pub const fn size(self) -> [usize; 2] {
        match self {
            Self::Front => [256, 704],
            Self::FrontLeft | Self::FrontRight => [160, 448],
        }
    }
}

/// The cameras that the eyes look through as a nuScenes vehicle has them, with images that need no scaling, in the order
/// of [`View::ALL`].
pub fn cameras() -> Vec<Camera> {
    let of = |view: View| {
        let [height, width] = view.size().map(|side| side as u32);
        rig::nuscenes(width, height).into_iter().find(|camera| View::of(camera) == Some(view))
    };
    View::ALL.into_iter().filter_map(of).collect()
}

/// An image as the network reads it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Which.
    pub view: View,
    /// The camera with the intrinsics of the prepared image.
    pub camera: Camera,
    /// `[3, height, width]`, normalised.
    pub values: Vec<f32>,
    /// `[RAYS, height / 8, width / 8]`.
    pub rays: Vec<f32>,
}

impl Prepared {
    /// An image of one of the eyes' cameras.
    ///
    /// # Errors
    /// For a calibration that is none, or an image of another size.
    pub fn new(view: View, camera: &Camera, image: Pixels<'_>) -> Result<Self, Error> {
        let [height, width] = view.size();
        let mut preparation = Preparation::new([height, width], camera).map_err(Error::Perception)?;
        let mut values = vec![0.0; 3 * height * width];
        preparation.fill(image, &mut values).map_err(Error::Perception)?;
        let rays = rays(&preparation.camera, &DEPTH);
        Ok(Self { view, camera: preparation.camera, values, rays })
    }
}
