//! The `tandem` command line: parses, calls a library, prints. One file a subcommand.

mod bench;
mod drive;
mod log;
mod models;
mod outcome;
mod perception;
mod replay;
mod seeds;
mod size;
mod table;
mod vlm;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// An autonomous-driving stack with two minds: drive, replay, score and search logs.
#[derive(Parser)]
#[command(version, after_help = outcome::EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Drive(Box<drive::Args>),
    Replay(replay::Args),
    /// Say what is in logs, or convert them.
    #[command(subcommand)]
    Log(log::Command),
    /// Write generated worlds down with what cameras see of them.
    #[command(subcommand)]
    World(world::Command),
    /// Measure how fast the closed loop and live links are.
    #[command(subcommand)]
    Bench(bench::Command),
    /// Train and evaluate the fast system.
    #[command(subcommand)]
    Perception(perception::Command),
    /// Ask the slow system's language model, and measure it.
    #[command(subcommand)]
    Vlm(vlm::Command),
    /// The models that come from elsewhere.
    #[command(subcommand)]
    Models(models::Command),
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TANDEM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = match Cli::parse().command {
        Command::Drive(args) => drive::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Log(command) => log::run(command),
        Command::World(command) => world::run(&command),
        Command::Bench(command) => bench::run(&command),
        Command::Perception(command) => perception::run(&command),
        Command::Vlm(command) => vlm::run(&command),
        Command::Models(command) => models::run(&command),
    };
    outcome::exit_code(outcome)
}
