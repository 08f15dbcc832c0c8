//! `tandem replay`: runs the inputs of a recording through the nodes again and compares what they answer.

use std::path::PathBuf;

use crate::outcome::Outcome;

/// Run the inputs of a recording of `tandem drive` through the nodes again, and compare their outputs byte for byte.
#[derive(clap::Args)]
pub struct Args {
    /// The recording.
    recording: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let comparison = tandem_sim::replay::replay(&args.recording)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&comparison)?);
    } else {
        println!("{comparison}");
    }
    Ok(if comparison.is_equal() { Outcome::Done } else { Outcome::Failed })
}
