//! `tandem log`: what is in logs, and conversion.

mod info;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use tandem_datasets::{LogRef, discover, recording};

use crate::outcome::Outcome;

#[derive(Subcommand)]
pub enum Command {
    /// Say what is in the logs at these paths.
    Info(InfoArgs),
    /// Write a log as MCAP (profile ros2, opens in Foxglove).
    Convert(ConvertArgs),
}

#[derive(Args)]
pub struct InfoArgs {
    /// Files or directories of any known format, or directories that hold such.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct ConvertArgs {
    /// A file or directory with one log, or with several and `--log`.
    path: PathBuf,
    /// The MCAP file to write.
    out: PathBuf,
    /// The id of the log to convert, where there are several.
    #[arg(long)]
    log: Option<String>,
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Info(args) => info::run(&args.paths, args.json),
        Command::Convert(args) => convert(&args),
    }
}

/// The logs at these paths, in their order.
pub fn find(paths: &[PathBuf]) -> Result<Vec<LogRef>, tandem_datasets::Error> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(discover(path)?);
    }
    Ok(found)
}

fn convert(args: &ConvertArgs) -> anyhow::Result<Outcome> {
    let found = discover(&args.path)?;
    let mut wanted = found.iter().filter(|log| args.log.as_ref().is_none_or(|id| log.id == *id));
    let (Some(log), None) = (wanted.next(), wanted.next()) else {
        let ids: Vec<_> = found.iter().map(|log| log.id.as_str()).collect();
        eprintln!("tandem: {}: say which log with --log: {}", args.path.display(), ids.join(", "));
        return Ok(Outcome::BadInput);
    };
    recording::write(&log.read()?, &args.out).context("writing the recording")?;
    println!("{}", args.out.display());
    Ok(Outcome::Done)
}
