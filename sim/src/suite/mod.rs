//! Many logs, planners, traffic modes and faults in one go, in parallel, with the same results as one by one.

mod results;
mod run;
mod shard;

pub use results::{Results, Run, Skipped, Summary};
pub use run::{Case, Driver, Opened, Progress, Suite};
pub use shard::Shard;
