//! `tandem log`: what is in logs, and conversion.

mod info;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

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

fn convert(args: &ConvertArgs) -> anyhow::Result<Outcome> {
    let mut logs = tandem_datasets::discover(&args.path)?;
    if let Some(id) = &args.log {
        logs.retain(|log| log.id == *id);
    }
    let [log] = logs.as_slice() else {
        let ids: Vec<_> = tandem_datasets::discover(&args.path)?.into_iter().map(|log| log.id).collect();
        eprintln!("tandem: {}: say which log with --log: {}", args.path.display(), ids.join(", "));
        return Ok(Outcome::BadInput);
    };
    tandem_datasets::recording::write(&log.read()?, &args.out).context("writing the recording")?;
    println!("{}", args.out.display());
    Ok(Outcome::Done)
}
