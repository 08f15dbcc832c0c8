//! Training: samples, losses, the loop and its checkpoints.

pub mod average;
mod balance;
pub mod batch;
pub mod checkpoint;
pub mod drives;
mod log;
pub mod loss;
mod plan;
pub mod prefetch;
mod run;
pub mod sample;
mod step;
mod things;
pub mod worlds;

pub use average::follow;
pub use checkpoint::{State, has_begun};
pub use plan::{Plan, Rule};
pub use run::{Devices, Places, Progress, run, take};

#[cfg(test)]
mod tests;
