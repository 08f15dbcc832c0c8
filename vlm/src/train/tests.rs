//! The learner against transformers, finite differences, and the engine's own decoder.

#![allow(clippy::unwrap_used)]

use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use burn::module::Param;
use burn::tensor::{Distribution, ElementConversion, Tensor};

use super::batch::{Batch, Example};
use super::learner::{Adapters, Frozen};
use super::lesson::{kept, lessons};
use super::{Next, Plan, School, run};
use crate::cache::Precision;
use crate::eyes::Rows;
use crate::format::Format;
use crate::model::tests::{at_once, farthest, golden, sequences, small};
use crate::model::{About, Adapter, Model, Plain, Projector};

type Learning = Autodiff<Flex>;

const RANK: usize = 4;
const WIDTH: usize = 16;

/// Adapters of the small model that change something.
fn adapters<B: burn::tensor::backend::Backend<Device = FlexDevice>>(plain: &Plain) -> Adapters<B> {
    B::seed(&FlexDevice, 7);
    let mut adapters = Adapters::new(&plain.config, RANK, WIDTH, &FlexDevice);
    for part in adapters.layers.iter_mut().flatten() {
        let shape = part.up.dims();
        part.up = Param::from_tensor(Tensor::random(shape, Distribution::Uniform(-0.2, 0.2), &FlexDevice));
    }
    adapters
}

/// A sequence whose second half is to be said, with what the eyes see before its fourth token.
fn example(tokens: &[u32], rows: usize) -> Example {
    let seen = Rows { width: WIDTH, values: (0..rows * WIDTH).map(|at| (at as f32).sin()).collect() };
    let behind = (61..61 + rows as u32).collect::<Vec<_>>();
    let tokens = [&tokens[..4], &behind, &tokens[4..]].concat();
    Example { answer: tokens.len() / 2, tokens, rows: (rows > 0).then_some(seen) }
}

#[test]
fn logits_are_those_of_transformers_also_beside_a_shorter_lesson() {
    let plain = Plain::of_directory(&golden()).unwrap();
    let frozen = Frozen::<Flex>::new(&plain, &FlexDevice);
    let untaught = Adapters::new(&plain.config, RANK, WIDTH, &FlexDevice);
    let [_, (short, short_logits), (long, long_logits)] = sequences().try_into().unwrap();
    let example = |tokens: &[u32]| Example { tokens: [tokens, &[0]].concat(), answer: 1, rows: None };
    let batch = Batch::new(&[example(&short), example(&long)], &plain);
    assert_eq!(batch.shape, [2, long.len()]);
    let logits: Vec<f32> = frozen.logits(&untaught, &batch).into_data().iter().collect();
    let off = farthest(&logits, &[short_logits, long_logits].concat());
    assert!(off < 1e-4, "off by {off}");
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let plain = Plain::of_directory(&golden()).unwrap();
    let frozen = Frozen::<Learning>::new(&plain, &FlexDevice);
    let adapters = adapters::<Learning>(&plain);
    let [_, _, (tokens, _)] = sequences().try_into().unwrap();
    let batch = Batch::new(&[example(&tokens[..20], 3)], &plain);
    let loss = |adapters: &Adapters<Learning>| frozen.loss(adapters, &batch).into_scalar().elem::<f64>();
    let gradients = frozen.loss(&adapters, &batch).backward();
    type Of = fn(&mut Adapters<Learning>) -> &mut Param<Tensor<Learning, 2>>;
    let parameters: [Of; 4] = [
        |adapters| &mut adapters.layers[0][0].down,
        |adapters| &mut adapters.layers[1][2].up,
        |adapters| &mut adapters.layers[1][3].down,
        |adapters| &mut adapters.projector.first.weight,
    ];
    for (number, parameter) in parameters.into_iter().enumerate() {
        let mut moved = adapters.clone();
        let tensor = parameter(&mut moved).val();
        let gradient: Vec<f32> = tensor.grad(&gradients).unwrap().into_data().iter().collect();
        // Along the gradient, where the loss changes most.
        let norm = gradient.iter().map(|value| f64::from(value * value)).sum::<f64>().sqrt();
        assert!(norm > 1e-3, "parameter {number}: {norm}");
        let mut at = |step: f64| {
            let along = tensor.grad(&gradients).unwrap() * (step / norm);
            *parameter(&mut moved) = Param::from_tensor(Tensor::from_inner(tensor.clone().inner() + along));
            loss(&moved)
        };
        let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
        assert!((slope / norm - 1.0).abs() < 1e-2, "parameter {number}: {slope} for {norm}");
    }
}

#[test]
fn the_engine_with_what_was_learnt_agrees_with_the_learner() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(directory.path(), Format::F32);
    let plain = Plain::of_gguf(&file).unwrap();
    let adapters = adapters::<Flex>(&plain);
    let path = directory.path().join("learnt.safetensors");
    let about = About::new(&file, RANK, WIDTH).unwrap();
    adapters.to_adapter(about, &path).save().unwrap();
    let adapter = Adapter::open(&path, &file).unwrap();
    let [_, _, (tokens, untaught)] = sequences().try_into().unwrap();
    let example = Example { tokens: [&tokens, &[0][..]].concat(), answer: 1, rows: None };
    let batch = Batch::new(&[example], &plain);
    let wanted = Frozen::new(&plain, &FlexDevice).logits(&adapters, &batch);
    let wanted: Vec<f32> = wanted.into_data().iter().collect();
    let found = at_once(&Model::adapted(&file, &adapter).unwrap(), Precision::Full, &tokens);
    let (off, change) = (farthest(&found, &wanted), farthest(&wanted, &untaught));
    assert!(change > 4.0 && off < change / 8.0, "off by {off}, changed by {change}");
    // Who goes on from a file goes on from the same.
    let again = Adapters::<Flex>::of_adapter(&adapter, &FlexDevice).to_adapter(adapter.about.clone(), &path);
    assert!(again == adapter);
    // What the eyes see becomes the same embeddings.
    let rows: Vec<f32> = (0..3 * WIDTH).map(|at| (at as f32).cos()).collect();
    let seen = Tensor::<Flex, 1>::from_floats(rows.as_slice(), &FlexDevice).reshape([3, WIDTH]);
    let wanted: Vec<f32> = adapters.projector.forward(seen).into_data().iter().collect();
    assert!(farthest(&Projector::new(&adapter).project(&rows), &wanted) < 1e-2);
}

#[test]
fn what_is_no_adapter_of_a_model_is_refused_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(directory.path(), Format::F32);
    let adapters = adapters::<Flex>(&Plain::of_gguf(&file).unwrap());
    let path = directory.path().join("learnt.safetensors");
    let about = About::new(&file, RANK, WIDTH).unwrap();
    let refused = |about: &About, cut: usize| {
        adapters.to_adapter(about.clone(), &path).save().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        Adapter::open(&path, &file).map_err(|error| error.to_string())
    };
    assert!(refused(&about, 0).is_ok());
    let other = About { base_sha256: "0".repeat(64), ..about.clone() };
    let wrong_rank = About { rank: RANK / 2, ..about.clone() };
    for (about, cut, reason) in [(&other, 0, "not for this model"), (&wrong_rank, 0, "tensor"), (&about, 9, "")] {
        let said = refused(about, cut).unwrap_err();
        assert!(said.contains("learnt.safetensors: ") && said.contains(reason), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn training_learns_and_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(directory.path(), Format::F32);
    let plain = Plain::of_gguf(&file).unwrap();
    let about = About::new(&file, RANK, WIDTH).unwrap();
    let [_, _, (tokens, _)] = sequences().try_into().unwrap();
    let example = |number: u64| Ok(example(&tokens[number as usize % 3..][..12], number as usize % 2));
    let school = School { plain: &plain, about, before: None, example: &example };
    let plan = Plan { steps: 30, batch: 2, accumulate: 2, rate: 1e-2, warmup: 3, seed: 1 };
    let train = |name: &str, stop: u64| {
        let out = directory.path().join(name);
        let mut losses = Vec::new();
        let mut report = |progress: &super::Progress| {
            losses.push(progress.loss);
            if progress.step == stop { Next::Stop } else { Next::GoOn }
        };
        run::<Learning>(&plan, &school, &out, &mut report, &FlexDevice).unwrap();
        (losses, std::fs::read(out).unwrap())
    };
    let (losses, whole) = train("whole.safetensors", 0);
    assert!(losses[29] < 0.7 * losses[0], "{losses:?}");
    train("parts.safetensors", 11);
    let (rest, parts) = train("parts.safetensors", 0);
    assert_eq!(rest, losses[11..]);
    assert!(whole == parts);
}

#[test]
fn lessons_of_a_world_are_kept_as_they_were_driven() {
    let directory = tempfile::tempdir().unwrap();
    let driven = lessons(100_007).unwrap();
    assert!(driven.len() > 10 && driven.iter().any(|lesson| !lesson.answer.objects.is_empty()));
    let first = kept(directory.path(), 100_007).unwrap();
    assert!(first == kept(directory.path(), 100_007).unwrap() && first.len() == driven.len());
    assert!(first.iter().zip(&driven).all(|(a, b)| a.prompt == b.prompt && a.answer == b.answer));
    // What is left out is left out, and nothing else.
    let prompt = &driven.last().unwrap().prompt;
    let [past, seen] = [prompt.without_past(), prompt.without_seen()];
    assert!(prompt.scene().contains("before: ") && !past.scene().contains("before: "));
    assert!(past.scene().contains("seen:") && !seen.scene().contains("seen:"));
    assert!(prompt.scene().starts_with(past.scene()) && seen.scene().contains("before: "));
    // What the eyes see stands before what the fast system sees, and stays where that is left out.
    let mut rows =
        crate::eyes::Rows { width: crate::eyes::WIDTH, values: vec![0.1; crate::eyes::ROWS * crate::eyes::WIDTH] };
    rows.values.iter_mut().step_by(7).for_each(|value| *value = 0.9);
    let shown = prompt.with_sight(&rows);
    let looks = shown.scene().lines().filter(|line| line.starts_with("looks: ")).count();
    assert!(looks >= 2 && shown.scene().find("looks:") < shown.scene().find("seen:"), "{}", shown.scene());
    let unseen = shown.without_seen();
    assert_eq!(unseen.scene().lines().filter(|line| line.starts_with("looks: ")).count(), looks);
    assert_eq!(unseen.scene(), seen.with_sight(&rows).scene());
    std::fs::write(directory.path().join("100007.jsonl"), "{}").unwrap();
    let said = kept(directory.path(), 100_007).unwrap_err().to_string();
    assert!(said.contains("100007.jsonl: line 1: "), "{said}");
}
