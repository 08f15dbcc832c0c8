//! Training: samples, losses, the loop and its checkpoints.

mod abreast;
mod average;
mod balance;
pub mod batch;
mod checkpoint;
pub mod drives;
mod log;
pub mod loss;
mod open;
mod plan;
mod prefetch;
mod run;
pub mod sample;
pub mod schedule;
mod step;
mod things;
pub mod worlds;

pub use abreast::{Learnt, learn_abreast};
pub use average::follow;
pub use checkpoint::{State, has_begun};
pub use open::Open;
pub use plan::{Plan, Rule};
pub use prefetch::ahead;
pub use run::{Devices, Places, Progress, run, take};

#[cfg(test)]
mod tests;
