//! How long a frame of six cameras takes, whole and stage by stage: `cargo bench -p tandem-perception --bench frame`, and
//! with `--features ort` and `ORT_DYLIB_PATH` on onnxruntime as well.
//!
//! `TANDEM_WEIGHTS` names trained weights; without, they are random, which takes as long.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use burn::backend::Flex;
use burn::tensor::{Device, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use nalgebra::Isometry3;
use tandem_graph::Stamp;
use tandem_perception::decode::Numbers;
use tandem_perception::engine::{Burn, Shared};
use tandem_perception::frame::Frame;
use tandem_perception::model::{Features, Network, NetworkConfig, Output};
use tandem_perception::perceiver::Perceiver;
use tandem_perception::rig::{GridFrame, LiftTable, Pixels, Preparation, WarpTable};
use tandem_perception::train::sample::Captured;
use tandem_perception::train::worlds::Place;
use tandem_perception::weights;
use tandem_sim::camera::{Image, rig};

fn network(device: &Device<Flex>) -> (Network<Flex>, NetworkConfig) {
    match std::env::var_os("TANDEM_WEIGHTS") {
        Some(path) => weights::load(path.as_ref(), device).unwrap(),
        None => (Network::new(&NetworkConfig::tiny(), device), NetworkConfig::tiny()),
    }
}

/// One moment of a town, in the network's own image size.
fn captured(config: &NetworkConfig) -> Captured {
    let place = Place::new(1).unwrap();
    let stamp = place.log.span().unwrap().0;
    let [height, width] = config.image;
    place.capture(&rig::nuscenes(width as u32, height as u32), &place.log.ego_at(stamp).unwrap().map_from_ego, stamp)
}

/// Frames 0.2 s apart, as they come on a vehicle: the grid of the frame half a second ago is read every time.
fn whole(criterion: &mut Criterion, name: &str, engine: Shared) {
    let mut perceiver = Perceiver::new(engine);
    let captured = captured(&perceiver.config().clone());
    let images: Vec<_> = captured.images.iter().map(|image| image.as_ref().map(Pixels::from)).collect();
    let mut frame = 0;
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            frame += 1;
            let stamp = Stamp::from_ns(frame * 200_000_000);
            perceiver.see(stamp, &Isometry3::identity(), &captured.cameras, &images).unwrap().times
        });
    });
}

fn frames(criterion: &mut Criterion) {
    let device = Device::<Flex>::default();
    let (network, config) = network(&device);
    whole(criterion, "whole/burn", Burn::new(network.clone(), config.clone(), device).shared());
    #[cfg(feature = "ort")]
    {
        use tandem_perception::onnx::{self, Batch, Options, Session};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("network.onnx");
        onnx::write(&network, &config, Batch::Fixed(1), &path).unwrap();
        match Session::load(&path, Options::default()) {
            Ok(session) => whole(criterion, "whole/onnxruntime", session.shared()),
            Err(error) => println!("whole/onnxruntime: {error}"),
        }
    }
    stages(criterion, &network, &config, &device);
}

fn stages(criterion: &mut Criterion, network: &Network<Flex>, config: &NetworkConfig, device: &Device<Flex>) {
    let captured = captured(config);
    let mut preparations: Vec<_> =
        captured.cameras.iter().map(|camera| Preparation::new(config.image, camera).unwrap()).collect();
    let size = 3 * config.image[0] * config.image[1];
    let mut images = vec![0.0; config.cameras * size];
    criterion.bench_function("stage/prepare", |bencher| {
        bencher.iter(|| fill(&mut preparations, captured.images.iter().flatten(), &mut images));
    });
    let mut large: Vec<_> =
        rig::nuscenes(1600, 900).iter().map(|camera| Preparation::new(config.image, camera).unwrap()).collect();
    let grey = Image { width: 1600, height: 900, rgb: vec![127; 1600 * 900 * 3] };
    let mut other = images.clone();
    criterion.bench_function("stage/prepare of 1600 × 900", |bencher| {
        bencher.iter(|| fill(&mut large, std::iter::repeat_n(&grey, 6), &mut other));
    });

    let present: Vec<_> = preparations.iter().map(|preparation| Some(preparation.camera.clone())).collect();
    let lift = LiftTable::new(config, &present, GridFrame::VEHICLE);
    let here = tandem_datasets::Pose2::new(0.0, 0.0, 0.0);
    let warp = WarpTable::new(&config.grid, here, here, GridFrame::VEHICLE);
    let frame = Frame { images, lift: Arc::new(lift), warp, history: [0.5, 1.0] };
    let previous = Tensor::zeros(config.kept(1), device);
    let input = || Frame::input::<Flex>(&[&frame], None, previous.clone(), config, device);
    criterion.bench_function("stage/input", |bencher| bencher.iter(|| black_box(input())));
    let given = input();
    criterion.bench_function("stage/backbone", |bencher| {
        bencher.iter(|| network.see(given.images.clone(), given.lift.rays.clone()));
    });
    let seen = network.see(given.images.clone(), given.lift.rays.clone());
    criterion.bench_function("stage/lift", |bencher| bencher.iter(|| network.lift(seen.clone(), &given.lift)));
    let lifted = network.lift(seen.clone(), &given.lift);
    criterion.bench_function("stage/encoder", |bencher| {
        bencher.iter(|| network.encode(seen.clone(), lifted.clone(), &given));
    });
    let features: Features<Flex> = network.encode(seen, lifted, &given);
    criterion.bench_function("stage/heads", |bencher| bencher.iter(|| network.ask(features.clone())));
    let output: Output<Flex> = network.ask(features);
    let (mut numbers, mut boxes) = (Numbers::default(), Vec::new());
    criterion.bench_function("stage/decode", |bencher| {
        bencher.iter(|| {
            numbers.read(&output);
            numbers.boxes(config, &mut boxes);
        });
    });
}

fn fill<'a>(preparations: &mut [Preparation], images: impl Iterator<Item = &'a Image>, planes: &mut [f32]) {
    let size = planes.len() / preparations.len();
    for ((preparation, image), planes) in preparations.iter_mut().zip(images).zip(planes.chunks_mut(size)) {
        preparation.fill(Pixels::from(image), planes).unwrap();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50);
    targets = frames
}
criterion_main!(benches);
