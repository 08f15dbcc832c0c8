//! Eyes for the default model: what cameras show of a moment, as rows of numbers that a projector turns into embeddings.
//!
//! A small network looks at the front camera and those beside it. It was trained, by itself, to say what stands where,
//! above all what the fast system has no class for and can't tell of: what lies on the road, water, signs, animals, the
//! lights of an ambulance. What it makes of the most telling places of each image becomes rows, with those of the seconds
//! before.

mod eval;
mod glance;
mod network;
mod onlooker;
mod peaks;
mod place;
mod rows;
#[cfg(test)]
mod tests;
pub mod train;
mod view;
mod weights;
mod words;

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use rayon::prelude::*;
use tandem_datasets::{Camera, Pose2};
use tandem_graph::Stamp;
use tandem_perception::kernel::Kernels;
use tandem_perception::rig::Pixels;

pub use eval::{Figures, RANGES_M, Tally};
pub use glance::{Glance, Sighting};
pub use network::Network;
pub use onlooker::{Onlooker, judging};
pub use place::{Place, Shown};
use rows::Earlier;
pub use rows::{EARLIER_S, EMBEDDING, ROWS, Rows, Told, WIDTH};
pub use view::{Prepared, View, cameras};
pub use words::{WORDS, is_ordinary, is_told, word};

use crate::Error;
use crate::judge::Sight;

/// An earlier image may be so much older or younger than it should be, s.
const APART_S: f64 = 0.45;

/// What was seen ahead is kept for so long, s.
const KEPT_S: f64 = 3.5;

/// Eyes that were trained, with what they saw ahead in the last seconds.
#[derive(Debug, Clone)]
pub struct Eyes<B: Kernels> {
    network: Network<B>,
    /// SHA-256 of the file that the weights are from.
    digest: String,
    device: Device<B>,
    /// The latest last.
    past: VecDeque<(Stamp, Pose2, Glance)>,
}

impl<B: Kernels> Eyes<B> {
    /// Reads them from a file.
    ///
    /// # Errors
    /// [`Error::Model`] for a file that is damaged or holds no eyes.
    pub fn open(path: &Path, device: &Device<B>) -> Result<Self, Error> {
        Ok(Self::new(weights::load(path, device)?, device))
    }

    /// Those that come with the program, see `weights/eyes.md`.
    ///
    /// # Errors
    /// As [`Self::open`]; never for the file as it was committed.
    pub fn own(device: &Device<B>) -> Result<Self, Error> {
        Ok(Self::new(weights::own(device)?, device))
    }

    fn new((network, digest): (Network<B>, String), device: &Device<B>) -> Self {
        Self { network, digest, device: device.clone(), past: VecDeque::new() }
    }

    /// What names these eyes: SHA-256 of the file that the weights are from, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Looks at one image; `None` through a camera that the eyes do not look through.
    ///
    /// # Errors
    /// For a calibration that is none, or an image of another size.
    pub fn glance(&self, camera: &Camera, image: Pixels<'_>) -> Result<Option<Glance>, Error> {
        let Some(view) = View::of(camera) else { return Ok(None) };
        let prepared = Prepared::new(view, camera, image)?;
        Ok(Some(Glance::new(&self.network, &prepared, camera, &self.device)))
    }

    /// Looks ahead, for rows of later moments: about once a second is enough.
    ///
    /// # Errors
    /// As [`Self::glance`].
    pub fn watch(&mut self, now: Stamp, map_from_ego: Pose2, front: &Camera, image: Pixels<'_>) -> Result<(), Error> {
        if let Some(glance) = self.glance(front, image)?.filter(|glance| glance.view == View::Front) {
            self.keep(now, map_from_ego, glance);
        }
        Ok(())
    }

    /// Looks at the images of a moment, those of other cameras aside. `embedding` is what the fast system makes of the
    /// scene, `[EMBEDDING]`.
    ///
    /// # Errors
    /// As [`Self::glance`].
    pub fn look(
        &mut self,
        now: Stamp,
        map_from_ego: Pose2,
        images: &[(&Camera, Pixels<'_>)],
        embedding: Option<&[f32]>,
    ) -> Result<Sight, Error> {
        let start = Instant::now();
        // An image a thread: one after the other, small layers would keep one thread alone busy.
        let glances = images.par_iter().filter_map(|(camera, image)| self.glance(camera, *image).transpose());
        let glances: Vec<Glance> = glances.collect::<Result<_, _>>()?;
        let earlier = EARLIER_S.map(|ago_s| {
            let off_s = |at: Stamp| (now.seconds_since(at) - ago_s).abs();
            let nearest = self.past.iter().min_by(|a, b| off_s(a.0).total_cmp(&off_s(b.0)));
            let (_, map_from_ego, glance) = nearest.filter(|(at, ..)| off_s(*at) < APART_S)?;
            Some(Earlier { glance, map_from_ego: *map_from_ego })
        });
        let rows = Rows::new(&glances, map_from_ego, earlier, embedding);
        if let Some(front) = glances.iter().find(|glance| glance.view == View::Front) {
            self.keep(now, map_from_ego, front.clone());
        }
        Ok(Sight { rows, glances, took: start.elapsed() })
    }

    /// Forgets what was seen: another drive begins.
    pub fn forget(&mut self) {
        self.past.clear();
    }

    fn keep(&mut self, now: Stamp, map_from_ego: Pose2, glance: Glance) {
        // What comes from the future is of another drive.
        self.past.retain(|(at, ..)| (0.0..KEPT_S).contains(&now.seconds_since(*at)) && *at != now);
        self.past.push_back((now, map_from_ego, glance));
    }
}
