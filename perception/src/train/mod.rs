//! Training: samples, losses, the loop and its checkpoints.

mod average;
mod balance;
pub mod batch;
mod checkpoint;
pub mod drives;
pub mod loss;
mod prefetch;
mod run;
pub mod sample;
mod things;
pub mod worlds;

pub use run::{Places, Plan, Progress, run};

#[cfg(test)]
mod tests;
