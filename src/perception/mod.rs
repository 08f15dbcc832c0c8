//! `tandem perception`: the fast system on its own. One file a subcommand.

mod bench;
mod data;
pub mod device;
mod eval;
mod export;
mod train;

use std::path::Path;

use clap::Subcommand;
use tandem_perception::kernel::Kernels;
use tandem_perception::model::{Network, NetworkConfig};
use tandem_perception::weights::{load, own};

use crate::outcome::Outcome;

#[derive(Subcommand)]
pub enum Command {
    Bench(bench::Args),
    Eval(eval::Args),
    Export(export::Args),
    Train(train::Args),
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Bench(args) => bench::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Export(args) => export::run(args),
        Command::Train(args) => train::run(args),
    }
}

/// The network of a weights file, or one with random weights, by the name or file of its shapes; without either, tandem's
/// own.
fn network<B: Kernels>(
    weights: Option<&Path>,
    config: Option<&str>,
    device: &burn::tensor::Device<B>,
) -> anyhow::Result<(Network<B>, NetworkConfig)> {
    match (weights, config) {
        (Some(path), _) => Ok(load(path, device)?),
        (None, Some(name)) => {
            let config = NetworkConfig::named(name)?;
            Ok((Network::new(&config, device), config))
        }
        (None, None) => Ok(own(device)?),
    }
}
