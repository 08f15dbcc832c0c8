//! `tandem perception eval`: scores detections in a results file against a nuScenes directory.

use std::path::PathBuf;

use serde::Serialize;
use tandem_perception::eval::detection::{Breakdown, ClassMetrics, DetectionMetrics, Part, Summary};
use tandem_perception::eval::{nuscenes, results::Results};

use crate::outcome::Outcome;
use crate::table::table;

/// Score detections as the nuScenes devkit does (configuration detection_cvpr_2019).
#[derive(clap::Args)]
pub struct Args {
    /// The detections, in nuScenes' submission form.
    #[arg(long)]
    results: PathBuf,
    /// The nuScenes directory: the one with the versions, or a version's own.
    #[arg(long)]
    nuscenes: PathBuf,
    /// The version below that directory, such as v1.0-mini.
    #[arg(long)]
    version: Option<String>,
    /// mini_train, mini_val, or scenes' names with commas between them.
    #[arg(long, default_value = "mini_val")]
    split: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report {
    split: String,
    samples: usize,
    metrics: DetectionMetrics,
    breakdown: Breakdown,
    /// The devkit's `metrics_summary.json`.
    devkit: serde_json::Value,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let results = Results::read(&args.results)?;
    let keyframes = nuscenes::keyframes_of(&args.nuscenes, args.version.as_deref(), &args.split)?;
    let samples = nuscenes::samples(&keyframes, &results, &args.results)?;
    let metrics = DetectionMetrics::of(&samples);
    let report = Report {
        split: args.split.clone(),
        samples: samples.len(),
        devkit: metrics.devkit_json(),
        metrics,
        breakdown: Breakdown::of(&samples),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(Outcome::Done)
}

fn print(report: &Report) {
    let Report { split, samples, metrics, breakdown, .. } = report;
    println!("{split}: {samples} samples");
    let mut classes = table(
        &["class", "true", "found", "AP", "0.5 m", "1 m", "2 m", "4 m", "ATE m", "ASE", "AOE rad", "AVE m/s", "AAE"],
        1,
    );
    for class in &metrics.classes {
        classes.add_row(class_row(class));
    }
    println!("{classes}\n");
    let mut means = table(&["mean", "mAP", "ATE m", "ASE", "AOE rad", "AVE m/s", "AAE", "NDS"], 1);
    means.add_row(summary_row("official, ten classes", &metrics.official));
    means.add_row(summary_row("classes that are there", &metrics.present_classes));
    let part_row = |part: &Part| summary_row(&part.name, &part.metrics.present_classes);
    for part in breakdown.by_distance.iter().chain(&breakdown.by_tag) {
        means.add_row(part_row(part));
    }
    println!("{means}");
    println!("Distances and tags: means over the classes that are there.");
}

fn class_row(class: &ClassMetrics) -> Vec<String> {
    let mut row = vec![class.class.name().to_owned(), class.truths.to_string(), class.detections.to_string()];
    row.push(format!("{:.4}", class.average_precision()));
    row.extend(class.average_precisions.iter().map(|precision| format!("{precision:.4}")));
    row.extend(class.errors.iter().map(|error| error.map_or_else(|| "-".to_owned(), |error| format!("{error:.4}"))));
    row
}

fn summary_row(name: &str, summary: &Summary) -> Vec<String> {
    let mut row = vec![name.to_owned(), format!("{:.4}", summary.mean_ap)];
    row.extend(summary.errors.iter().map(|error| format!("{error:.4}")));
    row.push(format!("{:.4}", summary.nds));
    row
}
