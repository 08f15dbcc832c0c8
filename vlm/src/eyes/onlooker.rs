//! Eyes in a staged world, which the simulator draws for them wherever the ego is.

use tandem_datasets::log::upright;
use tandem_perception::kernel::Kernels;

use super::Eyes;
use super::place::Place;
use crate::judge::{Look, Sight, State};

/// Eyes in a staged world.
#[derive(Debug)]
pub struct Onlooker<B: Kernels> {
    place: Place,
    eyes: Eyes<B>,
}

impl<B: Kernels> Onlooker<B> {
    /// Looks around there.
    pub fn new(place: Place, eyes: Eyes<B>) -> Self {
        Self { place, eyes }
    }
}

impl<B: Kernels> Look for Onlooker<B> {
    fn look(&mut self, state: &State) -> Option<Sight> {
        // Its cameras are the eyes' own, so that they fit.
        self.place.see(&mut self.eyes, (state.stamp, upright(state.map_from_ego)), None).ok()
    }
}
