//! Many logs, planners, traffic modes and faults in one go, in parallel, with the same results as one by one.

mod interval;
mod results;
mod shard;

pub use results::{Results, Run, Skipped, Summary};
pub use shard::Shard;
