//! The way to go: lanes in order, and the centreline through them as a Frenet frame.
#[derive(Debug)]
pub struct Route {}
