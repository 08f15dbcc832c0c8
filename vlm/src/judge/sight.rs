//! What images show of a moment, for a mind to judge by and to be believed by.

use std::time::Duration;

use super::state::State;
use crate::eyes::{Glance, Rows};

/// What images show of a moment.
#[derive(Debug, Clone)]
pub struct Sight {
    /// For a model to read.
    pub rows: Rows,
    /// Image by image.
    pub glances: Vec<Glance>,
    /// How long that took to see, without the time that images take to come.
    pub took: Duration,
}

/// Whoever looks at the images of a moment.
pub trait Look: Send {
    /// What they show; `None` where there are none.
    fn look(&mut self, state: &State) -> Option<Sight>;
}
