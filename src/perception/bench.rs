//! `tandem perception bench`: how long a frame takes on this machine, from decoded images to tracked objects.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use burn::backend::Flex;
use burn::tensor::Device;
use serde::Serialize;
use tandem_graph::Stamp;
use tandem_graph::live::bench::Latency;
use tandem_perception::engine::{self, Burn, Shared};
use tandem_perception::follow::Follower;
use tandem_perception::kernel::Kernels;
use tandem_perception::perceiver::Perceiver;
use tandem_perception::rig::Pixels;
use tandem_sim::camera::{Look, Scenery, rig, subjects};
use tandem_sim::world;

use super::device::Processor;
use crate::outcome::Outcome;
use crate::size::Size;
use crate::table::table;

/// Measure how long a frame of six cameras takes, from decoded images to tracked objects, and its stages.
#[derive(clap::Args)]
pub struct Args {
    /// Trained weights or an exported model; without, tandem's own.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    weights: Option<PathBuf>,
    /// tiny, base, or a JSON file with a network's shapes: with random weights, which take as long.
    #[arg(long)]
    config: Option<String>,
    /// What to run on; cuda needs the feature `cuda`, torch and torch-cuda the feature `torch`.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Compute in half precision; not on cpu.
    #[arg(long)]
    half: bool,
    /// Width and height of the images that come in.
    #[arg(long, default_value = "1600x900")]
    image: Size,
    /// Frames that are measured, after a tenth as many that are not.
    #[arg(long, default_value_t = 300)]
    frames: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How long a stage took over all frames.
#[derive(Serialize)]
struct Stage {
    stage: &'static str,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
}

/// Time between two frames, ns.
const PERIOD_NS: i64 = 100_000_000;

/// States of tracks no farther apart than this are filled in between, ns.
const MAX_GAP_NS: i64 = 250_000_000;

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    args.device.check()?;
    anyhow::ensure!(!args.half || args.device != Processor::Cpu, "--half needs another --device");
    let mut perceiver = Perceiver::new(engine(args)?);
    let mut follower = Follower::default();
    let log = world::town(1)?;
    let ego = *log.ego.states.first().context("the world has no vehicle")?;
    let (from, pose) = (ego.stamp, ego.map_from_ego);
    let cameras = rig::nuscenes(args.image.0, args.image.1);
    let there = subjects(&log, from, MAX_GAP_NS);
    let shots = Scenery::new(&log, &Look::of(1)).shots(&cameras, &pose, &there, from, false);
    let images: Vec<_> = shots.iter().map(|shot| Some(Pixels::from(&shot.image))).collect();
    let mut times_ns: [Vec<i64>; 5] = Default::default();
    let warm_up = args.frames / 10 + 1;
    for frame in 0..warm_up + args.frames {
        let stamp = Stamp::from_ns(frame as i64 * PERIOD_NS);
        let start = Instant::now();
        let percept = perceiver.see(stamp, &pose, &cameras, &images)?;
        let seen = Instant::now();
        follower.follow(stamp, &pose, &mut percept.boxes);
        if frame >= warm_up {
            let stages = percept.times;
            let all = [stages.prepare, stages.network, stages.decode, seen.elapsed(), start.elapsed()];
            times_ns.iter_mut().zip(all).for_each(|(times, time)| times.push(time.as_nanos() as i64));
        }
    }
    let names = ["prepare", "network", "decode", "track", "frame"];
    let stages: Vec<_> = names.into_iter().zip(times_ns).filter_map(stage).collect();
    if args.json {
        println!("{}", serde_json::to_string(&stages)?);
    } else {
        let mut table = table(&["stage", "p50 ms", "p99 ms", "most ms"], 1);
        for stage in &stages {
            let times = [stage.p50_ms, stage.p99_ms, stage.most_ms].map(|ms| format!("{ms:.2}"));
            table.add_row(std::iter::once(stage.stage.to_owned()).chain(times));
        }
        println!("{table}");
    }
    Ok(Outcome::Done)
}

fn stage((stage, times_ns): (&'static str, Vec<i64>)) -> Option<Stage> {
    let Latency { p50_ms, p99_ms, max_ms } = Latency::of(times_ns)?;
    Some(Stage { stage, p50_ms, p99_ms, most_ms: max_ms })
}

fn engine(args: &Args) -> anyhow::Result<Shared> {
    match args.device {
        Processor::Cpu => match &args.weights {
            Some(path) => Ok(engine::open(path)?),
            None => on::<Flex>(args, Device::<Flex>::default()),
        },
        #[cfg(feature = "cuda")]
        Processor::Cuda => {
            use burn::backend::cuda::{Cuda, CudaDevice};
            let device = CudaDevice::default();
            if args.half { on::<Cuda<burn::tensor::f16>>(args, device) } else { on::<Cuda>(args, device) }
        }
        #[cfg(feature = "torch")]
        Processor::Torch | Processor::TorchCuda => {
            use burn::backend::LibTorch;
            let device = args.device.torch();
            if args.half { on::<LibTorch<burn::tensor::f16>>(args, device) } else { on::<LibTorch>(args, device) }
        }
        #[cfg(not(all(feature = "cuda", feature = "torch")))]
        _ => unreachable!("checked before"),
    }
}

fn on<B: Kernels>(args: &Args, device: Device<B>) -> anyhow::Result<Shared> {
    let (network, config) = super::network::<B>(args.weights.as_deref(), args.config.as_deref(), &device)?;
    Ok(Burn::new(network, config, device).shared())
}
