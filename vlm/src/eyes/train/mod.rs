//! Training of the eyes, on staged worlds: samples, losses, the loop.

mod batch;
mod loss;
mod run;
mod samples;
pub(super) mod target;
#[cfg(test)]
mod tests;

pub use loss::PARTS;
pub use run::{Plan, Progress, run};
pub use samples::Samples;
