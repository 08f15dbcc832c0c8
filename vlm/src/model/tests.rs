//! The decoder against transformers, and against itself in other company.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use super::*;
use crate::cache::{Cache, Precision};
use crate::format::Width;
use crate::gguf;
use crate::kernel::{Ancestors, PAGE};
use crate::quantize::{Method, Target, quantize};

pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama")
}

/// Sequences with the logits that transformers computes after each of their tokens.
pub(crate) fn sequences() -> Vec<(Vec<u32>, Vec<f32>)> {
    let bytes = std::fs::read(golden().join("golden.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let data = |name: String| tensors.tensor(&name).unwrap().data().as_chunks::<4>().0.to_vec();
    let sequence = |number: usize| {
        let tokens = data(format!("tokens.{number}")).into_iter().map(|bytes| i32::from_le_bytes(bytes) as u32);
        (tokens.collect(), data(format!("logits.{number}")).into_iter().map(f32::from_le_bytes).collect())
    };
    (0..3).map(sequence).collect()
}

/// The model of the golden files, with its matrices in a format.
pub(crate) fn quantized(format: Format) -> Model {
    let directory = tempfile::tempdir().unwrap();
    Model::of_gguf(&small(directory.path(), format)).unwrap()
}

/// The same, with its layers' matrices in rows of whole numbers.
fn in_rows(width: Width) -> Model {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.gguf");
    let file = small(directory.path(), Format::F32);
    let texts: Vec<_> = sequences().into_iter().map(|(tokens, _)| tokens).collect();
    quantize(&file, Target::Rows(width), Method::Gptq, &texts, |_, _| {}).unwrap().write(&file, &path).unwrap();
    Model::of_gguf(&gguf::File::open(&path).unwrap()).unwrap()
}

/// Its file.
pub(crate) fn small(directory: &Path, format: Format) -> gguf::File {
    let path = directory.join("small.gguf");
    let bytes = std::fs::read(golden().join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let config = Config::of_json(&golden().join("config.json")).unwrap();
    let mut writer = gguf::Writer::default();
    writer.set("general.architecture", "llama");
    writer.set("general.name", "small");
    for (key, count) in [
        ("block_count", config.layers),
        ("embedding_length", config.hidden),
        ("attention.head_count", config.heads),
        ("attention.head_count_kv", config.kv_heads),
        ("feed_forward_length", config.inner),
        ("context_length", config.context),
    ] {
        writer.set(&format!("llama.{key}"), count as u32);
    }
    writer.set("llama.attention.layer_norm_rms_epsilon", config.epsilon);
    writer.set("llama.rope.freq_base", config.rope_base as f32);
    let mut names: Vec<String> = ["token_embd", "output_norm"].map(|part| format!("{part}.weight")).into();
    for layer in 0..config.layers {
        let parts =
            ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"];
        names.extend(parts.map(|part| format!("blk.{layer}.{part}.weight")));
    }
    for name in &names {
        let shape = tensors.tensor(&load::transformers_name(name)).unwrap().shape().to_vec();
        writer.tensor(name, &shape, if shape.len() == 1 { Format::F32 } else { format });
    }
    writer
        .write(&path, |name, bytes| {
            let tensor = tensors.tensor(&load::transformers_name(name)).unwrap();
            let values: Vec<f32> = tensor.data().as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
            let is_turned = name.contains("attn_q") || name.contains("attn_k");
            let values = if is_turned { neighbours(&values, config.hidden, config.head_size) } else { values };
            let format = if tensor.shape().len() == 1 { Format::F32 } else { format };
            format.encoder().unwrap()(&values, bytes);
            Ok(())
        })
        .unwrap();
    gguf::File::open(&path).unwrap()
}

/// Rows whose heads are turned half with half, as if neighbours were turned.
fn neighbours(values: &[f32], columns: usize, head_size: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks_exact(columns).collect();
    let turned = |head: &[&[f32]]| {
        let half = head_size / 2;
        (0..half).flat_map(|pair| [head[pair], head[half + pair]].concat()).collect::<Vec<f32>>()
    };
    rows.chunks_exact(head_size).flat_map(turned).collect()
}

/// The logits after every token, read at once into pages that are in no order.
pub(crate) fn at_once(model: &Model, precision: Precision, tokens: &[u32]) -> Vec<f32> {
    let mut cache = Cache::new(model.shape(), precision, 16);
    let pages = [9, 2, 14, 0, 7, 11];
    let span = Span { pages: &pages, before: 0, tokens, ancestors: Ancestors::All, wanted_from: 0 };
    model.forward(&mut cache, &[span], &mut Workspace::default()).to_vec()
}

pub(crate) fn farthest(found: &[f32], wanted: &[f32]) -> f32 {
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_transformers() {
    let model = Model::of_directory(&golden()).unwrap();
    for (tokens, logits) in sequences() {
        assert!(logits.iter().any(|logit| logit.abs() > 1.0));
        let off = farthest(&at_once(&model, Precision::Full, &tokens), &logits);
        assert!(off < 1e-4, "{} tokens: off by {off}", tokens.len());
    }
}

#[test]
fn a_gguf_file_gives_the_same_logits_and_fewer_bits_similar_ones() {
    let [_, _, (tokens, logits)] = sequences().try_into().unwrap();
    for (format, allowed) in [(Format::F32, 1e-4), (Format::F16, 0.05), (Format::Q8_0, 1.0)] {
        let off = farthest(&at_once(&quantized(format), Precision::Full, &tokens), &logits);
        assert!(off < allowed, "{format}: off by {off}");
    }
    let off = farthest(&at_once(&in_rows(Width::Eight), Precision::Full, &tokens), &logits);
    assert!(off < 1.5, "w8a8: off by {off}");
}

#[test]
fn a_token_gets_the_same_bits_alone_in_a_tree_and_beside_others() {
    let [_, (other, _), (tokens, _)] = sequences().try_into().unwrap();
    let models = [Format::F32, Format::Q4_0, Format::Q8_0].map(|format| (format.name(), quantized(format)));
    for (format, model) in models.into_iter().chain(Width::ALL.map(|width| (width.name(), in_rows(width)))) {
        let size = model.config().vocabulary;
        for precision in [Precision::Half, Precision::Full] {
            let wanted = at_once(&model, precision, &tokens);
            for set in InstructionSet::available() {
                let model = model.clone().with_instructions(*set);
                let mut cache = Cache::new(model.shape(), precision, 16);
                let mut room = Workspace::default();
                let (pages, other_pages) = ([3, 1, 8, 5, 12, 4], [6, 2]);
                // Some at once, beside another sequence, some one by one, then a tree with wrong branches.
                let spans = [
                    Span { pages: &other_pages, before: 0, tokens: &other, ancestors: Ancestors::All, wanted_from: 7 },
                    Span {
                        pages: &pages,
                        before: 0,
                        tokens: &tokens[..37],
                        ancestors: Ancestors::All,
                        wanted_from: 36,
                    },
                ];
                assert_eq!(model.forward(&mut cache, &spans, &mut room), &wanted[36 * size..37 * size]);
                for at in 37..45 {
                    let tokens = &tokens[at..=at];
                    let span = Span { pages: &pages, before: at, tokens, ancestors: Ancestors::All, wanted_from: 0 };
                    let found = model.forward(&mut cache, &[span], &mut room);
                    assert_eq!(found, &wanted[at * size..(at + 1) * size], "{format} {set:?} token {at}");
                }
                // Tokens 45, 46, 47 of the sequence stand at 0, 2 and 5 of the tree; the page ends between them.
                let tree = [tokens[45], 7, tokens[46], 9, 11, tokens[47], 13];
                let ancestors = [1, 0b11, 0b101, 0b1011, 0b10101, 0b100101, 0b1100101];
                let ancestors = Ancestors::Of(&ancestors);
                let span = Span { pages: &pages, before: 45, tokens: &tree, ancestors, wanted_from: 0 };
                let found = model.forward(&mut cache, &[span], &mut room);
                for (place, at) in [(0, 45), (2, 46), (5, 47)] {
                    let found = &found[place * size..(place + 1) * size];
                    assert_eq!(found, &wanted[at * size..(at + 1) * size], "{format} {set:?} token {at} of a tree");
                }
                // What was right moves up, and the sequence goes on.
                for (from, to) in [(47, 46), (50, 47)] {
                    let slot = |at: usize| (pages[at / PAGE], at % PAGE);
                    cache.shift(slot(from), slot(to));
                }
                let rest = &tokens[48..];
                let span = Span { pages: &pages, before: 48, tokens: rest, ancestors: Ancestors::All, wanted_from: 0 };
                assert_eq!(model.forward(&mut cache, &[span], &mut room), &wanted[48 * size..], "{format} {set:?}");
            }
        }
    }
}
