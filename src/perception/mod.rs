//! `tandem perception`: the fast system on its own. One file a subcommand.

mod data;
mod eval;
mod export;
mod train;

use clap::Subcommand;

use crate::outcome::Outcome;

#[derive(Subcommand)]
pub enum Command {
    Eval(eval::Args),
    Export(export::Args),
    Train(train::Args),
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Eval(args) => eval::run(args),
        Command::Export(args) => export::run(args),
        Command::Train(args) => train::run(args),
    }
}
