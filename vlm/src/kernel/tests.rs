//! The kernels against products of decoded weights, and against each other.

#![allow(clippy::unwrap_used)]

mod plain;

use proptest::prelude::*;

use super::*;
use crate::format::{Format, Width};

const FORMATS: [Format; 8] =
    [Format::F32, Format::F16, Format::Bf16, Format::Q8_0, Format::Q4_0, Format::Q4_1, Format::Q4K, Format::Q6K];

/// Numbers between −1 and 1.
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    })
}

/// Rows of weights in a format: all bits at random, but scales of a sensible size.
fn weights(format: Format, count: usize, seed: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        noise(seed).map(|x| (x * 127.0) as i8 as u8).take(count / format.block() * format.bytes()).collect();
    let mut values = noise(seed + 1);
    let mut half = |at: &mut [u8]| {
        let value = half::f16::from_f32(0.05 * values.next().unwrap_or_default());
        at.copy_from_slice(&value.to_le_bytes());
    };
    for block in bytes.chunks_exact_mut(format.bytes()) {
        match format {
            Format::F32 => {
                block.copy_from_slice(&noise(seed + u64::from(block[0])).next().unwrap_or(0.5).to_le_bytes())
            }
            Format::F16 => half(block),
            Format::Bf16 => {
                block.copy_from_slice(&half::bf16::from_f32(f32::from(block[0] as i8) / 99.0).to_le_bytes())
            }
            Format::Q8_0 | Format::Q4_0 => half(&mut block[..2]),
            Format::Q4_1 | Format::Q4K => {
                half(&mut block[..2]);
                half(&mut block[2..4]);
            }
            Format::Q6K => half(&mut block[208..]),
            Format::I8 => {}
        }
    }
    bytes
}

fn products(matrix: &Matrix, set: InstructionSet, values: &[f32]) -> Vec<f32> {
    let tokens = values.len() / matrix.columns();
    let mut activations = Activations::default();
    activations.set(tokens, matrix.columns(), values, std::slice::from_ref(matrix));
    let mut out = vec![0.0; tokens * matrix.rows()];
    matrix.product(set, &activations, &mut out, Place { stride: matrix.rows(), first: 0 });
    out
}

#[test]
fn a_product_is_that_of_the_decoded_weights_within_what_eight_bits_leave_out() {
    let (rows, columns, tokens) = (37, 512, 3);
    for (format, seed) in FORMATS.into_iter().zip(10..) {
        let bytes = weights(format, rows * columns, seed);
        let mut decoded = vec![0.0; rows * columns];
        format.decode(&bytes, &mut decoded);
        let values: Vec<f32> = noise(99).take(tokens * columns).collect();
        let found = products(&Matrix::new(format, rows, columns, &bytes).unwrap(), InstructionSet::best(), &values);
        let is_plain = matches!(format, Format::F32 | Format::F16 | Format::Bf16);
        for (token, values) in values.chunks_exact(columns).enumerate() {
            for (row, weights) in decoded.chunks_exact(columns).enumerate() {
                let terms = || weights.iter().zip(values).map(|(weight, value)| f64::from(*weight) * f64::from(*value));
                let (wanted, size) = (terms().sum::<f64>(), terms().map(|term| term * term).sum::<f64>().sqrt());
                let off = (f64::from(found[token * rows + row]) - wanted).abs();
                // A step of an input is 1/127 of its block's largest.
                let allowed = if is_plain { 1e-5 } else { 0.02 } * size.max(1e-3);
                assert!(off <= allowed, "{format:?} row {row} token {token}: off by {off}, allowed {allowed}");
            }
        }
    }
}

#[test]
fn inputs_that_are_whole_steps_give_exact_sums() {
    // Every block's largest input is 127, so that steps are 1 and nothing is left out.
    let columns = 256;
    let values: Vec<f32> = noise(3).take(columns).map(|x| (x * 126.0).round()).collect();
    let values: Vec<f32> = values.iter().enumerate().map(|(at, x)| if at % 32 == 7 { 127.0 } else { *x }).collect();
    for (format, seed) in FORMATS.into_iter().zip(50..) {
        let bytes = weights(format, 16 * columns, seed);
        let mut decoded = vec![0.0; 16 * columns];
        format.decode(&bytes, &mut decoded);
        let found = products(&Matrix::new(format, 16, columns, &bytes).unwrap(), InstructionSet::best(), &values);
        for (found, weights) in found.iter().zip(decoded.chunks_exact(columns)) {
            let terms = || weights.iter().zip(&values).map(|(weight, value)| f64::from(*weight) * f64::from(*value));
            let (wanted, size) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
            assert!((f64::from(*found) - wanted).abs() <= 2e-6 * size, "{format:?}: {found} {wanted}");
        }
    }
}

#[test]
fn what_does_not_fit_is_no_matrix() {
    assert!(Matrix::new(Format::Q4_0, 2, 64, &[0; 2 * 2 * 18]).is_some());
    assert!(Matrix::new(Format::Q4_0, 2, 64, &[0; 2 * 2 * 18 - 1]).is_none());
    assert!(Matrix::new(Format::F32, 2, 16, &[0; 128]).is_none());
    assert!(Matrix::new(Format::Q4K, 1, 64, &[0; 144]).is_none());
    assert!(Matrix::new(Format::F32, usize::MAX, 32, &[]).is_none());
    assert!(Matrix::of_rows(Width::Four, 64, &[0; 64], &[1.0; 2]).is_some());
    assert!(Matrix::of_rows(Width::Eight, 64, &[0; 64], &[1.0; 2]).is_none());
    assert!(Matrix::of_rows(Width::Eight, 48, &[0; 48], &[1.0]).is_none());
    assert!(Matrix::of_rows(Width::Eight, 0, &[], &[1.0]).is_none());
    assert!(Matrix::of_rows(Width::Eight, 1 << 16, &[0; 1 << 16], &[1.0]).is_none());
}

/// Rows of whole numbers at random, all bits of the bytes among them, with a scale each.
fn rows(width: Width, rows: usize, columns: usize, seed: u64) -> (Vec<i8>, Vec<f32>, Matrix) {
    let bytes: Vec<u8> = noise(seed).map(|x| (x * 128.0) as i8 as u8).take(rows * width.bytes(columns)).collect();
    let mut numbers = vec![0; rows * columns];
    for (bytes, numbers) in bytes.chunks_exact(width.bytes(columns)).zip(numbers.chunks_exact_mut(columns)) {
        width.read(bytes, numbers);
    }
    let scales: Vec<f32> = noise(seed + 1).take(rows).map(|x| 0.05 * x).collect();
    let matrix = Matrix::of_rows(width, columns, &bytes, &scales).unwrap();
    (numbers, scales, matrix)
}

#[test]
fn rows_with_one_scale_give_the_sums_of_their_integers_whatever_these_are() {
    let (count, columns, tokens) = (53, 96, 11);
    for width in Width::ALL {
        let (numbers, scales, matrix) = rows(width, count, columns, 70);
        // Every token's largest input is 127 steps, so that nothing is left out.
        let steps: Vec<f32> = noise(4).take(tokens * columns).map(|x| (x * 126.0).round()).collect();
        let steps: Vec<f32> =
            steps.iter().enumerate().map(|(at, x)| if at % columns == 9 { -127.0 } else { *x }).collect();
        let found = products(&matrix, InstructionSet::best(), &steps.iter().map(|x| x / 64.0).collect::<Vec<_>>());
        for (steps, found) in steps.chunks_exact(columns).zip(found.chunks_exact(count)) {
            for ((numbers, scale), found) in numbers.chunks_exact(columns).zip(&scales).zip(found) {
                let sum: f32 = numbers.iter().zip(steps).map(|(number, step)| f32::from(*number) * step).sum();
                assert!((found - scale * sum / 64.0).abs() <= 1e-6 * found.abs(), "{width:?}: {found} {sum}");
            }
        }
    }
}

#[test]
fn the_largest_sums_of_rows_stay_within_their_integers() {
    let columns = 1 << 15;
    for sign in [-1.0, 1.0] {
        let matrix = Matrix::of_rows(Width::Eight, columns, &vec![127; columns], &[1.0]).unwrap();
        let found = products(&matrix, InstructionSet::best(), &vec![sign * 127.0; columns]);
        assert_eq!(found, [sign * (127 * 127 * columns) as f32]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_instruction_sets_and_all_companies_give_the_same_bits(
        count in 1_usize..70, blocks in 1_usize..3, tokens in 1_usize..21, kind in 0..FORMATS.len() + 2, seed: u64,
    ) {
        let columns = 256 * blocks;
        let matrix = match FORMATS.get(kind) {
            Some(format) => Matrix::new(*format, count, columns, &weights(*format, count * columns, seed)).unwrap(),
            None => rows(Width::ALL[kind - FORMATS.len()], count, columns, seed).2,
        };
        let values: Vec<f32> = noise(seed ^ 5).take(tokens * columns).map(|x| x * x * x * 9.0).collect();
        let together = products(&matrix, InstructionSet::Scalar, &values);
        for set in InstructionSet::available() {
            prop_assert_eq!(&products(&matrix, *set, &values), &together, "{:?}", set);
            for (values, wanted) in values.chunks_exact(columns).zip(together.chunks_exact(count)) {
                prop_assert_eq!(products(&matrix, *set, values), wanted, "{:?} alone", set);
            }
        }
    }
}

/// Every set's result of the same, which must be the same.
fn by_all(compute: impl Fn(InstructionSet, &mut [f32]), size: usize) -> Vec<f32> {
    let mut found = vec![0.0; size];
    compute(InstructionSet::Scalar, &mut found);
    for set in InstructionSet::available() {
        let mut other = vec![0.0; size];
        compute(*set, &mut other);
        assert_eq!(other, found, "{set:?}");
    }
    found
}

#[test]
fn norms_and_gates_are_those_of_their_formulas_by_all_instruction_sets() {
    let values: Vec<f32> = noise(1).take(64).map(|x| 40.0 * x).collect();
    let weight: Vec<f32> = noise(2).take(32).collect();
    let normed = by_all(|set, out| normalize(set, &values, &weight, 1e-5, out), 64);
    for (values, normed) in values.chunks_exact(32).zip(normed.chunks_exact(32)) {
        let mean = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 32.0;
        for ((value, weight), normed) in values.iter().zip(&weight).zip(normed) {
            let wanted = f64::from(*value) / (mean + 1e-5).sqrt() * f64::from(*weight);
            assert!((f64::from(*normed) - wanted).abs() < 1e-6);
        }
    }
    // Gates far on both sides too, where the exponential would leave its range.
    let mut gated = values;
    gated[..2].copy_from_slice(&[-300.0, 300.0]);
    let gated_out = by_all(|set, out| swiglu(set, &gated, 32, out), 32);
    for ((gate, through), found) in gated[..32].iter().zip(&gated[32..]).zip(gated_out) {
        let (gate, through) = (f64::from(*gate), f64::from(*through));
        let wanted = gate / (1.0 + (-gate).exp()) * through;
        assert!((f64::from(found) - wanted).abs() <= 1e-6 * wanted.abs() + 1e-30, "{gate}: {found} {wanted}");
    }
}

#[test]
fn a_rotation_turns_pairs_and_keeps_their_length() {
    let turns = [[0.6, 0.8], [0.0, 1.0]];
    let mut neighbours = [1.0, 0.0, 2.0, 3.0];
    rotate(Pairs::Neighbours, &turns, &mut neighbours);
    assert_eq!(neighbours, [0.6, 0.8, -3.0, 2.0]);
    let mut halves = [1.0, 2.0, 0.0, 3.0];
    rotate(Pairs::Halves, &turns, &mut halves);
    assert_eq!(halves, [0.6, -3.0, 0.8, 2.0]);
}

#[test]
fn attention_is_the_mean_of_values_by_their_softmax() {
    let (heads, kv_heads, head_size, before, tokens) = (4, 2, 80, 19, 3);
    let pages = [2, 0];
    let mut cache = vec![0.0; 3 * kv_heads * 2 * PAGE * head_size];
    let (keys, values): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (0..before + tokens)
        .map(|at| {
            let numbers = |seed| noise(seed + at as u64).take(kv_heads * head_size).collect();
            (numbers(100), numbers(200))
        })
        .unzip();
    for (at, (keys, values)) in keys.iter().zip(&values).enumerate() {
        let page = pages[at / PAGE] as usize;
        for (number, (key, value)) in keys.iter().zip(values).enumerate() {
            let (head, column) = (number / head_size, number % head_size);
            let first = (page * kv_heads + head) * 2 * PAGE * head_size;
            cache[first + column * PAGE + at % PAGE] = *key;
            cache[first + (PAGE + at % PAGE) * head_size + column] = *value;
        }
    }
    let queries: Vec<f32> = noise(5).take(tokens * heads * head_size).map(|x| 3.0 * x).collect();
    // The third new token sees the first, but not the second.
    let ancestors = Ancestors::Of(&[0b1, 0b11, 0b101]);
    let attention = Attention { queries: &queries, heads, kv_heads, head_size, pages: &pages, before, ancestors };
    let found = by_all(|set, out| attend(set, Keys::Full(&cache), &attention, out), queries.len());
    let seen = |token: usize| (0..=before + token).filter(move |at| token != 2 || *at != before + 1);
    for (number, (query, found)) in queries.chunks_exact(head_size).zip(found.chunks_exact(head_size)).enumerate() {
        let (token, head) = (number / heads, number % heads / (heads / kv_heads));
        let part = |numbers: &Vec<f32>| numbers[head * head_size..][..head_size].to_vec();
        let dot = |at: usize| part(&keys[at]).iter().zip(query).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let weights: Vec<f64> = seen(token).map(|at| (dot(at) / 80_f64.sqrt()).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for (column, found) in found.iter().enumerate() {
            let values = seen(token).map(|at| f64::from(part(&values[at])[column]));
            let mean = values.zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() / sum;
            assert!((f64::from(*found) - mean).abs() < 1e-5, "token {token} head {head}: {found} {mean}");
        }
    }
}
