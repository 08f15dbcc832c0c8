//! Worlds that are open at a time, since making one ready takes longer than looking at it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The places of the seeds that were asked for last.
#[derive(Debug)]
pub struct Open<P> {
    most: usize,
    places: Mutex<VecDeque<(u64, Arc<P>)>>,
}

impl<P> Open<P> {
    /// With room for so many.
    pub fn new(most: usize) -> Self {
        Self { most, places: Mutex::default() }
    }

    /// The place of a seed, made where it is not open.
    ///
    /// # Errors
    /// As `make`.
    pub fn place<E>(&self, seed: u64, make: impl FnOnce(u64) -> Result<P, E>) -> Result<Arc<P>, E> {
        let find = |places: &VecDeque<(u64, Arc<P>)>| {
            places.iter().find(|(open, _)| *open == seed).map(|(_, place)| Arc::clone(place))
        };
        // A panic elsewhere leaves the queue of finished places as sound as before.
        if let Some(place) = find(&self.places.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(place);
        }
        let place = Arc::new(make(seed)?);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= self.most {
            places.pop_front();
        }
        places.push_back((seed, Arc::clone(&place)));
        Ok(place)
    }
}
