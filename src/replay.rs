//! `tandem replay`: runs the inputs of a recording through the nodes again and compares what they answer.

use std::path::PathBuf;

use tandem_sim::replay::{Comparison, replay};

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
    let comparison = replay(&args.recording)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&comparison)?);
    } else {
        print(&comparison);
    }
    Ok(if comparison.is_identical() { Outcome::Done } else { Outcome::Failed })
}

fn print(comparison: &Comparison) {
    let Comparison { run, messages, compared, .. } = comparison;
    println!("{run}: {messages} messages, {compared} answers compared");
    match &comparison.difference {
        None => println!("identical, sha256 {}", comparison.replayed_sha256),
        Some(first) => println!("first difference: {} number {}: {}", first.topic, first.sequence, first.what),
    }
}
