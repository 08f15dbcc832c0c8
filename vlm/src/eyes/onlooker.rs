//! Eyes in a staged world, which the simulator draws for them wherever the ego is.

use tandem_datasets::log::upright;
use tandem_perception::kernel::Kernels;
use tandem_sim::Course;

use super::Eyes;
use super::place::Place;
use crate::judge::{JudgeNode, Look, Mind, Sight, State};

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

/// A judging node on a course: with eyes of its own where something was staged, which there are images of.
pub fn judging<B: Kernels>(mind: Box<dyn Mind>, course: &Course, eyes: &Eyes<B>) -> JudgeNode {
    let judge = JudgeNode::new(mind, *course.body());
    match Place::of(course) {
        Some(place) => judge.with_eyes(Box::new(Onlooker::new(place, eyes.clone()))),
        None => judge,
    }
}

impl<B: Kernels> Look for Onlooker<B> {
    fn look(&mut self, state: &State) -> Option<Sight> {
        // Its cameras are the eyes' own, so that they fit.
        self.place.see(&mut self.eyes, (state.stamp, upright(state.map_from_ego)), None).ok()
    }
}
