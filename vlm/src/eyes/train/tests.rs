//! Whether the eyes are taught what images show, and learn it.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Mutex;

use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensors;
use tandem_perception::train::Devices;

use super::super::network::{FEATURES, NUMBERS, Output, POOLED, SURROUNDINGS};
use super::super::words::WORDS;
use super::batch::Images;
use super::loss::{boxes, heat};
use super::*;

/// Fresh weights come from one generator for the whole process, so that trainings must not overlap.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn moments_are_the_same_whenever_they_are_asked_for() {
    let worlds = 100_000..100_013;
    let (one, other) = (Samples::new(worlds.clone(), 3), Samples::new(worlds.clone(), 3));
    let values = |samples: &Samples, index: u64| samples.sample(index).unwrap().front.image.values;
    values(&one, 0);
    assert_eq!(values(&one, 7), values(&other, 7));
    assert_ne!(values(&one, 7), values(&Samples::new(worlds, 4), 7));
}

/// What is said of one image of 2 × 2 places where nothing is known: all logits and numbers are 0.
fn silent() -> Output<Flex> {
    let zeros = |channels: usize| Tensor::zeros([1, channels, 2, 2], &FlexDevice);
    Output {
        features: zeros(FEATURES),
        heat: zeros(WORDS.len()),
        numbers: zeros(NUMBERS),
        pooled: Tensor::zeros([1, POOLED], &FlexDevice),
        environment: Tensor::zeros([1, SURROUNDINGS], &FlexDevice),
    }
}

/// One thing, of `word`, in the last of 2 × 2 places.
fn one_thing(word: usize, numbers: [f32; NUMBERS]) -> Images<Flex> {
    let mut wanted = vec![0.0_f32; WORDS.len() * 4];
    wanted[word * 4 + 3] = 1.0;
    Images {
        images: Tensor::zeros([1, 3, 16, 16], &FlexDevice),
        rays: Tensor::zeros([1, 5, 2, 2], &FlexDevice),
        heat: Tensor::from_data(TensorData::new(wanted, [1, WORDS.len(), 2, 2]), &FlexDevice),
        cells: Tensor::from_data(TensorData::new(vec![3_i32, 0], [1, 2]), &FlexDevice),
        numbers: Tensor::from_data(TensorData::new([numbers, [9.0; NUMBERS]].concat(), [1, 2, NUMBERS]), &FlexDevice),
        known: Tensor::from_data(TensorData::new(vec![1.0_f32, 0.0], [1, 2]), &FlexDevice),
    }
}

#[test]
fn the_loss_of_who_knows_nothing_is_what_the_formulas_say() {
    let numbers = [0.5, -0.25, 1.0, 2.0, -1.0];
    for word in [0, WORDS.len() - 1] {
        let images = one_thing(word, numbers);
        // A probability of a half costs ln 2, of which the focal factor leaves a quarter; fewer things than four count as four.
        let places = (WORDS.len() * 4 - 1) as f32;
        let weight = if word == 0 { 1.0 } else { 5.0 };
        let wanted = (weight + places) * 0.25 * std::f32::consts::LN_2 / 4.0;
        assert!((heat(&silent(), &images).into_scalar() - wanted).abs() < 1e-4 * wanted);
        assert!((boxes(&silent(), &images).into_scalar() - 4.75).abs() < 1e-5);
    }
}

fn trained(directory: &Path, steps: u64, until: u64) -> (Vec<f32>, Vec<u8>) {
    let plan = Plan { steps, warmup: 1, accumulate: 1, checkpoint_every: 1, ..Plan::default() };
    let samples = Samples::new(100_000..100_001, 0);
    let out = directory.join("eyes.safetensors");
    let mut losses = Vec::new();
    let mut report = |progress: &Progress| {
        losses.push(progress.loss);
        progress.step < until
    };
    run::<Autodiff<Flex>>(&plan, &samples, &out, &directory.join("state"), &mut report, &Devices::one(FlexDevice))
        .unwrap();
    (losses, std::fs::read(out).unwrap())
}

#[test]
fn training_goes_on_where_it_stopped_as_if_it_had_not_and_lowers_the_loss() {
    let _alone = ALONE.lock().unwrap();
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (losses, whole) = trained(directories[0].path(), 6, 6);
    trained(directories[1].path(), 6, 3);
    let (rest, resumed) = trained(directories[1].path(), 6, 6);
    assert_eq!(rest, losses[3..]);
    let tensors = |bytes: &[u8]| -> Vec<(String, Vec<u8>)> {
        let file = SafeTensors::deserialize(bytes).unwrap();
        let mut tensors: Vec<_> = file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
        tensors.sort();
        tensors
    };
    assert_eq!(tensors(&whole), tensors(&resumed));
    assert!(losses[5] < losses[0], "{losses:?}");
}
