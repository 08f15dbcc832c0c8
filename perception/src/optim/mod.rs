//! Optimisers for training: AGD and WSAM beside burn's AdamW.

pub mod agd;
pub mod wsam;

pub use agd::{Agd, AgdConfig};
pub use burn::optim::{AdamW, AdamWConfig};
pub use wsam::{Wsam, WsamConfig};

#[cfg(test)]
mod tests;
