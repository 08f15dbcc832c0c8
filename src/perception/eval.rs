//! `tandem perception eval`: scores detections in a results file, or a network on generated worlds or recorded drives.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::Serialize;
use tandem_perception::engine;
use tandem_perception::eval::detection::{Breakdown, ClassMetrics, DetectionMetrics, Part, Summary};
use tandem_perception::eval::forecast::ForecastMetrics;
use tandem_perception::eval::scenes::{LaneMetrics, NEAR_M, PathMetrics};
use tandem_perception::eval::{nuscenes, results::Results, scenes};
use tandem_perception::perceiver::Perceiver;
use tandem_perception::truth::MapPlane;

use super::data::Data;
use crate::outcome::Outcome;
use crate::seeds::Seeds;
use crate::table::table;

/// Score detections as the nuScenes devkit does (configuration detection_cvpr_2019).
#[derive(clap::Args)]
pub struct Args {
    /// The detections, in nuScenes' submission form.
    #[arg(long, requires = "nuscenes")]
    results: Option<PathBuf>,
    /// The nuScenes directory: the one with the versions, or a version's own.
    #[arg(long)]
    nuscenes: Option<PathBuf>,
    /// A network, which is shown what --data says: weights, or a model.onnx for onnxruntime; without, tandem's own.
    #[arg(long, conflicts_with = "results")]
    weights: Option<PathBuf>,
    /// The worlds to show it, by seed; two of three are towns.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',', default_value = "0..24")]
    worlds: Vec<Seeds>,
    /// What to show it: worlds, or nuscenes:DIR for recorded drives with their images.
    #[arg(long, conflicts_with = "results", default_value = "worlds")]
    data: Data,
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
    match (&args.results, &args.nuscenes) {
        (Some(results), Some(nuscenes)) => on_nuscenes(args, results, nuscenes),
        _ => on_scenes(args),
    }
}

fn on_nuscenes(args: &Args, path: &Path, nuscenes: &Path) -> anyhow::Result<Outcome> {
    let results = Results::read(path)?;
    let keyframes = nuscenes::keyframes_of(nuscenes, args.version.as_deref(), &args.split)?;
    let samples = nuscenes::samples(&keyframes, &results, path)?;
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
        println!("{}: {} samples", report.split, report.samples);
        print(&report.metrics, &report.breakdown);
    }
    Ok(Outcome::Done)
}

fn on_scenes(args: &Args) -> anyhow::Result<Outcome> {
    let engine = match &args.weights {
        Some(path) => engine::open(path)?,
        None => engine::own()?,
    };
    let mut perceiver = Perceiver::new(engine);
    let drives = args.data.drives(perceiver.config())?;
    let bar = ProgressBar::new(0);
    let (report, shown) = match &drives {
        Some(drives) => {
            bar.set_length(drives.moments().len() as u64);
            (scenes::on_drives(&mut perceiver, drives, &mut || bar.inc(1))?, "recorded drives".to_owned())
        }
        None => {
            let seeds: Vec<u64> = args.worlds.iter().cloned().flat_map(|seeds| seeds.0).collect();
            bar.set_length(seeds.len() as u64);
            let report = scenes::on_worlds(&mut perceiver, &seeds, &mut |_| bar.inc(1))?;
            (report, format!("{} worlds", seeds.len()))
        }
    };
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(Outcome::Done);
    }
    println!("{shown}: {} frames", report.frames);
    print(&report.detection, &report.breakdown);
    let alone = &report.alone.present_classes;
    println!(
        "\nthe network alone, frame by frame: mAP {:.4}, AVE {:.4} m/s, NDS {:.4}",
        alone.mean_ap, alone.errors[3], alone.nds
    );
    let near = format!("within {NEAR_M} m");
    let mut planes = table(&["map", "IoU", &near], 1);
    for ((plane, iou), near) in MapPlane::ALL.iter().zip(&report.map.iou).zip(&report.map_near.iou) {
        let figures = [iou, near].map(|iou| iou.map_or("–".into(), |iou| format!("{iou:.3}")));
        planes.add_row([plane.name().to_owned()].into_iter().chain(figures));
    }
    println!("\n{planes}");
    let LaneMetrics { seen, precision, there, recall } = report.lanes;
    if there > 0 {
        println!(
            "\nlanes within 1.5 m: precision {precision:.3} of {seen} points, recall {recall:.3} of {there} cells"
        );
    }
    if let Some(PathMetrics { count, ade_m, fde_m }) = report.path {
        println!("\nego path in {count} frames: ADE {ade_m:.3} m, FDE {fde_m:.3} m over 3 s");
    }
    if let Some(forecast) = &report.forecast {
        let ForecastMetrics { k, count, min_ade_m, min_fde_m, miss_rate, .. } = forecast;
        println!(
            "\nforecasts of {count} objects found: minADE({k}) {min_ade_m:.3} m, minFDE({k}) {min_fde_m:.3} m, miss rate {miss_rate:.3}"
        );
    }
    Ok(Outcome::Done)
}

fn print(metrics: &DetectionMetrics, breakdown: &Breakdown) {
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
