//! Training: lessons out of staged worlds, low-rank adapters that teach a frozen language model to judge, and what it has
//! learnt.

pub mod batch;
pub mod exam;
pub mod example;
pub mod learner;
pub mod lesson;
mod run;
pub mod sight;
#[cfg(test)]
mod tests;

pub use run::{Next, Plan, Progress, School, run};
