//! Rounding against its definition, and quantized models' files.

#![allow(clippy::unwrap_used)]

use nalgebra::{DMatrix, DVector};

use super::gptq::{Grid, Row};
use super::*;
use crate::format::Width;
use crate::model::Config;
use crate::model::tests::{sequences, small};

/// Numbers between −1 and 1.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Inputs `[tokens, columns]` that go together, some of them larger than others.
fn inputs(columns: usize, tokens: usize) -> Vec<f32> {
    let (mixing, sources) = (noise(3, columns * columns), noise(4, tokens * columns));
    let mix = |source: &[f32]| {
        let column = |column: usize| {
            let together: f32 = mixing[column * columns..][..columns].iter().zip(source).map(|(a, b)| a * b).sum();
            together * (1.0 + column as f32 / 4.0) / 8.0 + source[column]
        };
        (0..columns).map(column).collect::<Vec<f32>>()
    };
    sources.chunks_exact(columns).flat_map(mix).collect()
}

fn gram(inputs: &[f32], columns: usize) -> Vec<f64> {
    let mut gram = Gram::new(columns);
    // As of two sequences, the lengths of which are no whole blocks.
    let (first, second) = inputs.split_at(37 * columns);
    gram.add(first);
    gram.add(second);
    gram.mean()
}

/// Numbers of four bits with one scale a row.
fn four(columns: usize) -> Grid {
    Target::Rows(Width::Four).grid(columns)
}

/// The mean square of what the results of a row are off by.
fn error(weights: &[f32], row: &Row, inputs: &[f32]) -> f64 {
    let off: Vec<f64> =
        weights.iter().zip(&row.numbers).map(|(w, q)| f64::from(w - row.scales[0] * f32::from(*q))).collect();
    let tokens = inputs.chunks_exact(weights.len());
    let count = tokens.len() as f64;
    tokens.map(|token| token.iter().zip(&off).map(|(x, off)| f64::from(*x) * off).sum::<f64>().powi(2)).sum::<f64>()
        / count
}

#[test]
fn excerpts_are_from_all_over_a_text_and_no_more_than_it_has() {
    let text: Vec<u32> = (0..100).collect();
    let found = excerpts(&text, 4, 10);
    assert_eq!(
        found.iter().map(|excerpt| (excerpt[0], excerpt.len())).collect::<Vec<_>>(),
        [(0, 10), (30, 10), (60, 10), (90, 10)]
    );
    assert_eq!(excerpts(&text[..12], 9, 10).iter().map(|excerpt| excerpt[0]).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(excerpts(&text[..7], 9, 10), [text[..7].to_vec()]);
    assert!(excerpts(&[], 9, 10).is_empty() && excerpts(&text, 0, 10).is_empty());
}

#[test]
fn the_gram_matrix_is_the_mean_of_products() {
    let columns = 48;
    let inputs = inputs(columns, 100);
    let matrix = DMatrix::from_row_slice(100, columns, &inputs).map(f64::from);
    let wanted = matrix.transpose() * &matrix / 100.0;
    for (found, wanted) in gram(&inputs, columns).iter().zip(wanted.iter()) {
        assert!((found - wanted).abs() < 1e-5 * wanted.abs().max(1.0), "{found} {wanted}");
    }
}

/// GPTQ as the paper has it: by the inverse's triangle, columns from the largest on, the rest corrected each time.
fn gptq_of_the_paper(weights: &[f32], gram: &[f64], damping: f64, scale: f32) -> Vec<i8> {
    let columns = weights.len();
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|a, b| gram[b * columns + b].total_cmp(&gram[a * columns + a]));
    let added = damping * (0..columns).map(|at| gram[at * columns + at]).sum::<f64>() / columns as f64;
    let hessian = DMatrix::from_fn(columns, columns, |a, b| {
        gram[order[a] * columns + order[b]] + if a == b { added } else { 0.0 }
    });
    let upper = hessian.try_inverse().unwrap().cholesky().unwrap().l().transpose();
    let mut left = DVector::from_fn(columns, |at, _| f64::from(weights[order[at]]));
    let mut numbers = vec![0; columns];
    for at in 0..columns {
        let number = (left[at] / f64::from(scale)).round_ties_even().clamp(-8.0, 7.0);
        numbers[order[at]] = number as i8;
        let error = (left[at] - number * f64::from(scale)) / upper[(at, at)];
        for behind in at..columns {
            left[behind] -= error * upper[(at, behind)];
        }
    }
    numbers
}

#[test]
fn rows_are_those_of_gptq_as_the_paper_has_it() {
    let (columns, rows) = (48, 21);
    let gram = gram(&inputs(columns, 100), columns);
    let weights = noise(5, rows * columns);
    let metric = Metric::of(&gram, columns, 0.01).unwrap();
    let found = metric.round(&weights, &four(columns), &[Try { clip: 0.8, search: false, feedback: true }]);
    assert_eq!(found.len(), rows);
    for (row, weights) in found.iter().zip(weights.chunks_exact(columns)) {
        assert_eq!(row.numbers, gptq_of_the_paper(weights, &gram, 0.01, row.scales[0]));
    }
}

#[test]
fn of_two_columns_the_second_makes_up_for_the_first_as_well_as_any_number_could() {
    let gram = [4.0, 2.5, 2.5, 3.0];
    let metric = Metric::of(&gram, 2, 0.0).unwrap();
    for weights in noise(9, 64).chunks_exact(2) {
        let row = &metric.round(weights, &four(2), &[Try { clip: 0.5, search: false, feedback: true }])[0];
        let off = |number: i8, weight: f32| f64::from(weight - row.scales[0] * f32::from(number));
        let error = |second: i8| {
            let (a, b) = (off(row.numbers[0], weights[0]), off(second, weights[1]));
            gram[0] * a * a + 2.0 * gram[1] * a * b + gram[3] * b * b
        };
        let best = (-8..=7).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
        // The first to be rounded is the one with the larger inputs.
        let nearest = (weights[0] / row.scales[0]).round_ties_even().clamp(-8.0, 7.0);
        assert_eq!(row.numbers, [nearest as i8, best], "{weights:?}");
        assert!((row.error - error(best)).abs() < 1e-6);
    }
}

#[test]
fn each_method_does_better_than_the_one_before_it_and_says_how_well() {
    let (columns, rows) = (64, 40);
    let inputs = inputs(columns, 200);
    let weights = noise(6, rows * columns);
    let metric = Metric::of(&gram(&inputs, columns), columns, 0.0).unwrap();
    let errors = [Method::Round, Method::Clip, Method::Gptq].map(|method| {
        let found = metric.round(&weights, &four(columns), &method.tries());
        for (row, weights) in found.iter().zip(weights.chunks_exact(columns)) {
            let wanted = error(weights, row, &inputs);
            assert!((row.error - wanted).abs() <= 1e-3 * wanted, "{method:?}: {} {wanted}", row.error);
        }
        found.into_iter().map(|row| row.error).collect::<Vec<_>>()
    });
    for row in 0..rows {
        assert!(errors[1][row] <= errors[0][row] && errors[2][row] <= errors[0][row], "row {row}: {errors:?}");
    }
    let [round, clip, gptq] = errors.map(|errors| errors.iter().sum::<f64>());
    assert!(clip < 0.98 * round && gptq < 0.7 * clip, "{round} {clip} {gptq}");
}

#[test]
fn rows_of_zeros_and_inputs_that_never_come_do_no_harm() {
    let metric = Metric::of(&[1.0, 0.0, 0.0, 0.0], 2, 0.01).unwrap();
    let rows = metric.round(&[0.0, 0.0, 1.0, -1.0], &four(2), &Method::Gptq.tries());
    assert_eq!((rows[0].scales.as_slice(), rows[0].numbers.as_slice()), ([0.0].as_slice(), [0, 0].as_slice()));
    assert!(rows[1].numbers[0] != 0 && rows[1].error < 0.1);
    assert!(Metric::of(&[0.0; 4], 2, 0.01).is_none() && Metric::of(&[f64::NAN; 4], 2, 0.01).is_none());
}

#[test]
fn a_quantized_file_has_what_was_made_and_is_not_quantized_again() {
    let directory = tempfile::tempdir().unwrap();
    let source = small(directory.path(), Format::F32);
    let path = directory.path().join("w4a8.gguf");
    let texts: Vec<_> = sequences().into_iter().map(|(tokens, _)| tokens).collect();
    let mut heard = Vec::new();
    let quantized =
        quantize(&source, Target::Rows(Width::Four), Method::Gptq, &texts, |done, all| heard.push((done, all)))
            .unwrap();
    assert_eq!(heard, [(1, 2), (2, 2)]);
    quantized.write(&source, &path).unwrap();
    let file = gguf::File::open(&path).unwrap();
    assert_eq!(file.text("tandem.quantization").unwrap(), "w4a8");
    // Of two layers, each two norms, and seven matrices with their scales.
    assert_eq!(quantized.tensors.len(), 2 * (2 + 2 * 7));
    assert_eq!(file.tensor("token_embd.weight").unwrap().format, Format::Q8_0);
    for Tensor { name, shape, format, bytes } in &quantized.tensors {
        let found = file.tensor(name).unwrap();
        assert_eq!((found.format, found.shape, found.bytes), (*format, shape.as_slice(), bytes.as_slice()));
    }
    assert_eq!(file.tensor("output_norm.weight").unwrap(), source.tensor("output_norm.weight").unwrap());
    Model::of_gguf(&file).unwrap();
    let again = quantize(&file, Target::Rows(Width::Four), Method::Round, &[], |_, _| {}).unwrap_err().to_string();
    assert!(again.contains("already, as w4a8"), "{again}");
    for text in [vec![], vec![61]] {
        let refused =
            quantize(&source, Target::Rows(Width::Four), Method::Gptq, &[text], |_, _| {}).unwrap_err().to_string();
        assert!(refused.contains("text"), "{refused}");
    }
}

/// A quantized model's file in which something was changed.
fn damaged(change: impl Fn(&mut gguf::Writer), fill: impl Fn(&str, &mut Vec<u8>)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let source = small(directory.path(), Format::F32);
    let [path, other] = ["rows.gguf", "damaged.gguf"].map(|name| directory.path().join(name));
    quantize(&source, Target::Rows(Width::Four), Method::Round, &[], |_, _| {}).unwrap().write(&source, &path).unwrap();
    let file = gguf::File::open(&path).unwrap();
    let mut writer = gguf::Writer::default();
    file.metadata().for_each(|(key, value)| writer.set(key, value.clone()));
    for name in file.names().filter(|name| *name != "blk.1.attn_k.scale") {
        let tensor = file.tensor(name).unwrap();
        writer.tensor(name, tensor.shape, tensor.format);
    }
    writer.tensor("blk.1.attn_k.scale", &[16], Format::F32);
    change(&mut writer);
    let written = writer.write(&other, |name, bytes| {
        bytes.extend_from_slice(file.tensor(name)?.bytes);
        fill(name, bytes);
        Ok(())
    });
    written.unwrap();
    let refused = Model::of_gguf(&gguf::File::open(&other).unwrap()).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("damaged.gguf") && !refused.contains('\n'), "{refused}");
    refused
}

#[test]
fn files_that_contradict_themselves_are_refused_in_a_line() {
    let same = |_: &str, _: &mut Vec<u8>| {};
    let refused = damaged(|writer| writer.set(rows::KEY, "w3a8"), same);
    assert!(refused.contains("w3a8"), "{refused}");
    // A matrix as wide as one of four bits for half the columns, and as one of eight for the double.
    for (columns, bytes) in [(8, 128), (64, 1024)] {
        let refused = damaged(
            |writer| writer.tensor("blk.1.attn_k.weight", &[16, columns], Format::I8),
            |name, all| all.resize(if name == "blk.1.attn_k.weight" { bytes } else { all.len() }, 0),
        );
        assert!(refused.contains("blk.1.attn_k.weight is 16 × "), "{refused}");
    }
    let fewer =
        |name: &str, bytes: &mut Vec<u8>| bytes.truncate(if name == "blk.1.attn_k.scale" { 60 } else { usize::MAX });
    let refused = damaged(|writer| writer.tensor("blk.1.attn_k.scale", &[15], Format::F32), fewer);
    assert!(
        refused.contains("blk.1.attn_k.scale: it is no vector of F32 with a scale for each of the 16"),
        "{refused}"
    );
    let infinite = |name: &str, bytes: &mut Vec<u8>| {
        if name == "blk.1.attn_k.scale" {
            bytes[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        }
    };
    let refused = damaged(|_| {}, infinite);
    assert!(refused.contains("blk.1.attn_k.scale: a scale is no finite number"), "{refused}");
}

#[test]
fn smoothed_columns_give_what_they_gave() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(directory.path(), Format::F32);
    let before = Plain::of_gguf(&file).unwrap();
    let mut after = before.clone();
    let texts: Vec<_> = sequences().into_iter().map(|(tokens, _)| tokens).collect();
    smooth::smooth(&file, &mut after, &texts, 0.5).unwrap();
    let Config { hidden, inner, .. } = before.config;
    // A weight times what a norm makes of its column, and one times the row of what is gated that its column comes from.
    let given = |plain: &Plain| {
        let layer = &plain.layers[1];
        let normed = |norm: &[f32], part: Part| {
            layer.parts[part as usize].iter().enumerate().map(|(at, weight)| weight * norm[at % hidden]).collect()
        };
        let [gated, out] = [Part::Gated, Part::Out].map(|part| &layer.parts[part as usize]);
        let out =
            (0..hidden * inner).map(|at| out[at] * gated[(inner + at % inner) * hidden + 3] * layer.inner_norm[3]);
        let [attention, inner]: [Vec<f32>; 2] =
            [normed(&layer.attention_norm, Part::Attention), normed(&layer.inner_norm, Part::Gated)];
        // Gates stay, what they gate does not.
        [attention, inner[..inner.len() / 2].to_vec(), out.collect()]
    };
    for (before, after) in given(&before).iter().flatten().zip(given(&after).iter().flatten()) {
        assert!((before - after).abs() <= 1e-5 * before.abs(), "{before} {after}");
    }
    assert_ne!(before.layers[1].attention_norm, after.layers[1].attention_norm);
}

#[test]
fn blocks_are_those_that_ggml_reads() {
    let weights = noise(8, 3 * 64);
    let rows = Metric::plain(64).round(&weights, &Target::Blocks.grid(64), &Method::Clip.tries());
    let tensors = Target::Blocks.tensors("blk.0.attn_q.weight", 64, &rows);
    assert_eq!((tensors.len(), tensors[0].format, tensors[0].shape.as_slice()), (1, Format::Q4_0, [3, 64].as_slice()));
    let mut read = vec![0.0; weights.len()];
    Format::Q4_0.decode(&tensors[0].bytes, &mut read);
    let wanted = rows.iter().flat_map(|row| (0..64).map(|at| row.scales[at / 32] * f32::from(row.numbers[at])));
    assert_eq!(read, wanted.collect::<Vec<_>>());
    // Nearer than ggml's own, which searches for no scale.
    let (mut bytes, mut ggml) = (Vec::new(), vec![0.0; weights.len()]);
    Format::Q4_0.encoder().unwrap()(&weights, &mut bytes);
    Format::Q4_0.decode(&bytes, &mut ggml);
    let off = |read: &[f32]| read.iter().zip(&weights).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    assert!(off(&read) < off(&ggml), "{} {}", off(&read), off(&ggml));
}
