//! `tandem vlm quantize`: a model in fewer bits.

use std::fs::read_to_string;
use std::path::PathBuf;
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::ProgressBar;
use tandem_vlm::model::Model;
use tandem_vlm::quantize::{Method, TEXT_TOKENS, TEXTS, Target, excerpts, own_words, quantize};
use tandem_vlm::text::Special;

use super::words;
use crate::outcome::Outcome;

/// Round the matrices of a model's layers to four or eight bits, so that what it makes of texts changes least.
///
/// w4a8 and w8a8 are rows of whole numbers of four or eight bits with one scale each, whose inputs are of eight bits with
/// one scale a token; only Tandem reads them. q4_0 has a scale for every 32 weights; llama.cpp reads it too.
#[derive(clap::Args)]
pub struct Args {
    /// A model in GGUF. It may be of any format, but the more bits the better.
    model: PathBuf,
    /// Where the new one goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What to make of it.
    #[arg(long, value_parser = PossibleValuesParser::new(Target::ALL.map(Target::name)).try_map(|name| Target::named(&name).ok_or("unknown")))]
    to: Target,
    /// Texts like those that the model will read, with its markup or without. Without, it is what the model says by
    /// itself.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    calibrate: Vec<PathBuf>,
    /// Excerpts of 512 tokens that are taken of all these together.
    #[arg(long, default_value_t = TEXTS)]
    texts: usize,
    /// How weights become whole numbers: the nearest; the nearest by the scales that make results best; or GPTQ with such
    /// scales.
    #[arg(long, default_value = Method::Gptq.name(), value_parser = PossibleValuesParser::new(Method::ALL.map(Method::name)).try_map(|name| Method::named(&name).ok_or("unknown")))]
    method: Method,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let start = Instant::now();
    let (file, tokenizer, _) = words(Some(&args.model))?;
    let mut texts = Vec::new();
    for path in &args.calibrate {
        let text = read_to_string(path).map_err(|source| tandem_vlm::Error::Io { path: path.clone(), source })?;
        let tokens = tokenizer.encode(&text, Special::Markup);
        texts.extend(excerpts(&tokens, args.texts.div_ceil(args.calibrate.len()), TEXT_TOKENS));
    }
    let bar = ProgressBar::new(0).with_message("tokens");
    let progress = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    if args.calibrate.is_empty() && args.method != Method::Round {
        texts = own_words(Model::of_gguf(&file)?, &tokenizer, args.texts, TEXT_TOKENS, progress)?;
    }
    bar.set_message("layers");
    let quantized = quantize(&file, args.to, args.method, &texts, progress)?;
    bar.finish_and_clear();
    quantized.write(&file, &args.out)?;
    let bytes = |path: &PathBuf| std::fs::metadata(path).map(|file| file.len());
    let (before, after) = (bytes(&args.model)?, bytes(&args.out)?);
    let (texts, seconds) = (texts.len(), start.elapsed().as_secs_f64());
    if args.json {
        let report = serde_json::json!({ "bytes": after, "bytes_before": before, "texts": texts, "seconds": seconds });
        println!("{report}");
        return Ok(Outcome::Done);
    }
    let (out, [before, after]) = (args.out.display(), [before, after].map(|bytes| bytes as f64 / 1e6));
    println!("{out}: {after:.1} MB, before {before:.1} MB; by {texts} texts, in {seconds:.0} s");
    Ok(Outcome::Done)
}
