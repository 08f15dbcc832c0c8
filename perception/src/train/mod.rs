//! Training: samples, losses, the loop and its checkpoints.

mod average;
mod balance;
pub mod batch;
mod checkpoint;
pub mod drives;
mod log;
pub mod loss;
mod plan;
mod prefetch;
mod run;
pub mod sample;
mod step;
mod things;
pub mod worlds;

pub use average::follow;
pub use checkpoint::{State, has_begun};
pub use plan::{Plan, Rule};
pub use run::{Devices, Places, Progress, run};

#[cfg(test)]
mod tests;
