use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::{Autodiff, Flex};
use safetensors::SafeTensors;

use super::sample::{Augmentation, Captured};
use super::worlds::Worlds;
use super::*;
use crate::model::{DepthBins, Grid, NetworkConfig};

type A = Autodiff<Flex>;

/// A network small enough to train within seconds.
fn small() -> NetworkConfig {
    NetworkConfig {
        image: [32, 96],
        neck: 16,
        context: 8,
        depth: DepthBins { count: 12, ..NetworkConfig::tiny().depth },
        grid: Grid { extent_m: 25.6, cells: 32, heights_m: vec![0.0, 1.5] },
        lifted: 12,
        encoder: [12, 16, 16],
        blocks: [1, 1, 1],
        head: 16,
        forecast_objects: 8,
        ..NetworkConfig::tiny()
    }
}

fn plan(steps: u64) -> Plan {
    Plan {
        steps,
        warmup: 5,
        frozen: 0,
        learning_rate: 3e-3,
        accumulate: 1,
        average_decay: 0.9,
        augmentation: Augmentation::NONE,
        ..Plan::new(small())
    }
}

/// Fresh weights come from one generator for the whole process, so that trainings must not overlap.
static ALONE: Mutex<()> = Mutex::new(());

fn train(plan: &Plan, directory: &Path, source: &[Arc<[Captured]>], until: u64) -> Vec<Progress> {
    let places = Places { directory, pretrained: None, start: None, checkpoint_every: 3, threads: 1 };
    let mut all = Vec::new();
    let mut report = |progress: &Progress| {
        all.push(*progress);
        progress.step < until
    };
    let clip = |index: u64| Ok(source[index as usize % source.len()].clone());
    run::<A>(plan, &places, &clip, &mut report, &Devices::one(Default::default())).unwrap();
    all
}

#[test]
fn a_network_learns_a_clip_by_heart() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempfile::tempdir().unwrap();
    let source = [Worlds::new(&small(), 0).clip(3).unwrap()];
    let progress = train(&plan(120), directory.path(), &source, u64::MAX);
    let (first, last) = (progress[0], progress[119]);
    for (part, name) in loss::PARTS.iter().enumerate() {
        println!("{name}: {:.3} -> {:.3}", first.parts[part], last.parts[part]);
    }
    assert!(last.loss < 0.5 * first.loss, "{} {}", first.loss, last.loss);
}

/// The tensors of a directory's weights; the order of the file's metadata is no part of them.
fn read(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(directory.join("weights.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors.iter().map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec())).collect()
}

#[test]
fn every_weight_learns_that_is_not_frozen() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempfile::tempdir().unwrap();
    let source = [Worlds::new(&small(), 0).clip(3).unwrap()];
    train(&plan(8), directory.path(), &source, 2);
    let early = read(directory.path());
    train(&plan(8), directory.path(), &source, u64::MAX);
    let late = read(directory.path());
    let stays: Vec<_> = early.iter().filter(|(name, data)| late[*name] == **data).map(|(name, _)| name).collect();
    assert!(stays.iter().all(|name| name.starts_with("trunk")), "{stays:?}");
}

#[test]
fn training_that_was_stopped_goes_on_to_the_same_weights() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let worlds = Worlds::new(&small(), 0);
    let source: Vec<_> = (0..2).map(|index| worlds.clip(index).unwrap()).collect();
    let plan = Plan { accumulate: 2, ..plan(6) };
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    train(&plan, whole.path(), &source, u64::MAX);
    let before = train(&plan, parts.path(), &source, 4);
    let after = train(&plan, parts.path(), &source, u64::MAX);
    assert_eq!((before.len(), after.len()), (4, 2));
    let (whole, parts) = (read(whole.path()), read(parts.path()));
    let differ: Vec<_> = whole.iter().filter(|(name, data)| parts[*name] != **data).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{} of {}: {differ:?}", differ.len(), whole.len());
}

#[test]
fn clips_stand_close_behind_others_now_and_then_and_other_seeds_show_other_worlds() {
    let (worlds, others) = (Worlds::new(&small(), 0), Worlds::new(&small(), 1));
    let body = tandem_datasets::EgoBody::default();
    let gap_m = |thing: &crate::truth::Thing| {
        let ([x, y, _], [length, width, _]) = (thing.center, thing.size);
        let (sin, cos) = thing.yaw_rad.sin_cos();
        let reach = |a: f64, b: f64| (a.abs() * length + b.abs() * width) / 2.0;
        let is_in_the_way = x > 0.0 && y.abs() < body.width / 2.0 + reach(sin, cos);
        is_in_the_way.then(|| x - reach(cos, sin) - body.rear_axle_to_center - body.length / 2.0)
    };
    // Each clip comes twice; under even numbers for the first time.
    let clips: Vec<_> = (0..96).step_by(2).map(|index| worlds.clip(index).unwrap()).collect();
    let close = |clip: &&Arc<[Captured]>| clip[1].things.iter().filter_map(gap_m).any(|gap| (0.0..4.5).contains(&gap));
    let count = clips.iter().filter(close).count();
    assert!((4..40).contains(&count), "{count} of {}", clips.len());
    assert_ne!(others.clip(0).unwrap()[0].images, clips[0][0].images);
}
