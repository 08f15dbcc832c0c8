//! `tandem perception export`: writes a network as an ONNX file.

use std::path::PathBuf;

use burn::backend::Flex;
use burn::tensor::Device;
use serde::Serialize;
use tandem_perception::onnx::{self, Batch};
use tandem_perception::weights;

use crate::outcome::Outcome;

/// Write a network as an ONNX file, for onnxruntime and TensorRT.
#[derive(clap::Args)]
pub struct Args {
    /// The file to write.
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,
    /// Trained weights, which say which network they belong to; without, tandem's own.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    weights: Option<PathBuf>,
    /// tiny, base, or a JSON file with a network's shapes: with random weights, to measure speed.
    #[arg(long)]
    config: Option<String>,
    /// Take any number of frames at once instead of one; slower.
    #[arg(long)]
    dynamic_batch: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'a> {
    model: &'a std::path::Path,
    network: &'a str,
    parameters: usize,
    bytes: u64,
    /// Whether the weights mean nothing.
    is_random: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let device = Device::<Flex>::default();
    let (network, config) = super::network::<Flex>(args.weights.as_deref(), args.config.as_deref(), &device)?;
    let batch = if args.dynamic_batch { Batch::Dynamic } else { Batch::Fixed(1) };
    onnx::write(&network, &config, batch, &args.model)?;
    let report = Report {
        model: &args.model,
        network: &config.name,
        parameters: weights::count(&network),
        bytes: std::fs::metadata(&args.model)?.len(),
        is_random: args.weights.is_none() && args.config.is_some(),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let Report { network, parameters, bytes, .. } = report;
        println!("{}: network {network}, {parameters} weights, {bytes} bytes", args.model.display());
        if report.is_random {
            println!("The weights are random: the file shows how fast the network is, not what it knows.");
        }
    }
    Ok(Outcome::Done)
}
