//! `tandem world`: generated worlds and towns written down with what cameras see of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use tandem_datasets::Log;
use tandem_datasets::nuscenes::{self, Views, Writer};
use tandem_graph::Stamp;
use tandem_sim::camera::{Image, Look, Scenery, Visibility, rig, subjects, visibility};
use tandem_sim::suite::{Case, Opened};
use tandem_sim::world::hazard::Staging;

use crate::outcome::Outcome;
use crate::seeds::Seeds;
use crate::size::Size;

/// How good the JPEGs are, of 100.
const QUALITY: u8 = 90;

/// Gaps in tracks up to this are filled, ns; worlds have a state every tenth of a second.
const MAX_GAP_NS: i64 = 200_000_000;

#[derive(Subcommand)]
pub enum Command {
    /// Write worlds, towns and hazards with rendered images as a nuScenes directory.
    Export(Export),
}

#[derive(clap::Args)]
pub struct Export {
    /// The directory to write.
    #[arg(long, value_name = "DIR")]
    nuscenes: PathBuf,
    /// The version within it.
    #[arg(long, default_value = "v1.0-mini")]
    version: String,
    /// Generated towns by seed: `7`, `3,5`, `0..18`.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',', required_unless_present_any = ["world", "hazard"])]
    town: Vec<Seeds>,
    /// Generated worlds by seed.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',')]
    world: Vec<Seeds>,
    /// Generated worlds with a staged corner case by seed.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',')]
    hazard: Vec<Seeds>,
    /// Names of the scenes, in the order of the towns, the worlds and then the hazards; the rest is named as the worlds are.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    scene: Vec<String>,
    /// Size of the images of nuScenes' six cameras.
    #[arg(long, value_name = "WxH", default_value = "1600x900", conflicts_with = "rig")]
    size: Size,
    /// Cameras of one's own.
    #[arg(long, value_name = "FILE")]
    rig: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    directory: PathBuf,
    version: String,
    scenes: Vec<Scene>,
}

#[derive(Serialize)]
struct Scene {
    name: String,
    world: String,
    keyframes: usize,
    images: usize,
    /// What was staged, in worlds with a corner case.
    #[serde(skip_serializing_if = "Option::is_none")]
    staging: Option<Staging>,
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    let Command::Export(args) = command;
    let cameras = match &args.rig {
        Some(path) => rig::read(path)?,
        None => rig::nuscenes(args.size.0, args.size.1),
    };
    let seeds = |seeds: &[Seeds]| seeds.iter().flat_map(|seeds| seeds.0.clone()).collect::<Vec<_>>();
    let towns = seeds(&args.town).into_iter().map(|seed| (seed, Case::town(seed)));
    let worlds = seeds(&args.world).into_iter().map(|seed| (seed, Case::world(seed)));
    let hazards = seeds(&args.hazard).into_iter().map(|seed| (seed, Case::hazard(seed)));
    let cases: Vec<_> = towns.chain(worlds).chain(hazards).collect();
    let bar = ProgressBar::new(cases.len() as u64).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg} {eta}").context("the progress bar's template")?,
    );
    let mut writer = Writer::create(&args.nuscenes, &args.version)?;
    let mut scenes = Vec::new();
    for (index, (seed, case)) in cases.iter().enumerate() {
        bar.set_message(case.log.clone());
        let name = args.scene.get(index).cloned().unwrap_or_else(|| case.log.clone());
        let (log, staging) = match case.open()? {
            Opened::Log(log) => (*log, None),
            Opened::Staged(staged) => (staged.log, Some(staged.staging)),
        };
        let log = Log { cameras: cameras.clone(), ..log };
        let scenery = match &staging {
            Some(staging) => Scenery::new(&log, &staging.look).flooded(staging.flooded()),
            None => Scenery::new(&log, &Look::of(*seed)),
        };
        let mut views = Rendered::of(&log, &scenery)?;
        writer.scene(&log, &name, &mut views)?;
        let keyframes = views.moments.len();
        scenes.push(Scene { name, world: case.log.clone(), keyframes, images: keyframes * cameras.len(), staging });
        bar.inc(1);
    }
    writer.finish()?;
    bar.finish_and_clear();
    let written = Written { directory: args.nuscenes.clone(), version: args.version.clone(), scenes };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&written)?);
    } else {
        let images: usize = written.scenes.iter().map(|scene| scene.images).sum();
        println!("{}: {} scenes, {images} images", written.directory.display(), written.scenes.len());
    }
    Ok(Outcome::Done)
}

/// What the cameras see at one keyframe: a JPEG a camera, and how much of each track.
struct Moment {
    jpegs: Vec<Vec<u8>>,
    seen: BTreeMap<u32, Visibility>,
}

/// All keyframes of a log, rendered.
struct Rendered {
    moments: BTreeMap<Stamp, Moment>,
}

impl Rendered {
    fn of(log: &Log, scenery: &Scenery) -> anyhow::Result<Self> {
        let moment = |stamp: &Stamp| {
            let ego = log.ego_at(*stamp).context("the world has no ego")?;
            let around = subjects(log, *stamp, MAX_GAP_NS);
            let shots = scenery.shots(&log.cameras, &ego.map_from_ego, &around, *stamp, false);
            let jpegs = shots.par_iter().map(|shot| jpeg(&shot.image)).collect::<anyhow::Result<Vec<_>>>()?;
            Ok((*stamp, Moment { jpegs, seen: visibility(&shots) }))
        };
        let moments = nuscenes::keyframe_stamps(log).iter().map(moment).collect::<anyhow::Result<_>>()?;
        Ok(Self { moments })
    }
}

fn jpeg(image: &Image) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(&image.rgb, image.width, image.height, ExtendedColorType::Rgb8).context("encoding an image")?;
    Ok(bytes)
}

impl Views for Rendered {
    fn image(&mut self, camera: usize, stamp: Stamp) -> Option<Vec<u8>> {
        self.moments.get_mut(&stamp)?.jpegs.get_mut(camera).map(std::mem::take)
    }

    fn visible(&mut self, stamp: Stamp, track: usize) -> f64 {
        let number = u32::try_from(track).unwrap_or(u32::MAX);
        let seen = self.moments.get(&stamp).and_then(|moment| moment.seen.get(&number));
        // What shows on less than two pixels nobody would label.
        seen.filter(|seen| seen.pixels >= 2.0).map_or(0.0, |seen| seen.share)
    }
}
