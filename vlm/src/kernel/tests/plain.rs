//! Products of plain weights, layer norms and attention within an image, against their formulas.

use super::{by_all, noise};
use crate::kernel::*;

#[test]
fn plain_products_are_sums_over_columns_by_all_instruction_sets_and_in_any_company() {
    // More columns than are summed at a time, more inputs than a thread takes, and panels in groups of four, two and one.
    for (rows, columns, count) in [(112, 300, 100), (16, 5, 1), (80, 257, 8)] {
        let (weights, bias): (Vec<f32>, Vec<f32>) =
            (noise(1).take(rows * columns).collect(), noise(2).take(rows).collect());
        let inputs: Vec<f32> = noise(3).take(count * columns).collect();
        let dense = Dense::new(columns, &weights, bias.clone());
        let before: Vec<f32> = noise(4).take(count * rows).collect();
        for then in [Then::Set, Then::Add, Then::Gelu] {
            let product = |set, inputs: &[f32], out: &mut [f32]| {
                out.copy_from_slice(&before[..out.len()]);
                dense.product(set, inputs, then, out);
            };
            let found = by_all(|set, out| product(set, &inputs, out), count * rows);
            let mut alone = vec![0.0; rows];
            product(InstructionSet::best(), &inputs[..columns], &mut alone);
            assert_eq!(alone, found[..rows]);
            for (at, found) in found.iter().enumerate() {
                let (input, row) = (at / rows, at % rows);
                let terms = weights[row * columns..].iter().zip(&inputs[input * columns..][..columns]);
                let x = terms.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() + f64::from(bias[row]);
                let wanted = match then {
                    Then::Set => x,
                    Then::Add => x + f64::from(before[at]),
                    Then::Gelu => {
                        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                        0.5 * x * (1.0 + u.tanh())
                    }
                };
                assert!((f64::from(*found) - wanted).abs() < 2e-5, "{then:?} {rows} × {columns}: {found} {wanted}");
            }
        }
    }
}

#[test]
fn a_layer_norm_is_that_of_its_formula_by_all_instruction_sets() {
    let values: Vec<f32> = noise(1).take(96).map(|x| 40.0 * x + 7.0).collect();
    let (weight, bias): (Vec<f32>, Vec<f32>) = (noise(2).take(48).collect(), noise(3).take(48).collect());
    let normed = by_all(|set, out| layer_norm(set, &values, &weight, &bias, 1e-6, out), 96);
    for (values, normed) in values.chunks_exact(48).zip(normed.chunks_exact(48)) {
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / 48.0;
        let variance = values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 48.0;
        for (at, value) in values.iter().enumerate() {
            let wanted = (f64::from(*value) - mean) / (variance + 1e-6).sqrt() * f64::from(weight[at]);
            assert!((f64::from(normed[at]) - wanted - f64::from(bias[at])).abs() < 1e-5);
        }
    }
}

#[test]
fn attention_within_an_image_is_the_mean_of_seen_values_by_their_softmax() {
    // Heads that fill no whole panels, keys neither, and more queries than are answered at a time.
    let (tokens, heads, size) = (53, 2, 24);
    let hidden = heads * size;
    let values: Vec<f32> = noise(6).take(tokens * 3 * hidden).map(|x| 3.0 * x).collect();
    let seen: Vec<usize> = (0..tokens).filter(|token| token % 7 != 3).collect();
    let within = Within { values: &values, heads, seen: &seen };
    let found = by_all(|set, out| attend_within(set, &within, tokens, out), tokens * hidden);
    for (number, found) in found.chunks_exact(size).enumerate() {
        let (token, head) = (number / heads, number % heads);
        let part = |token: usize, part: usize| &values[(token * 3 + part) * hidden + head * size..][..size];
        let dot = |key: usize| part(token, 0).iter().zip(part(key, 1)).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let weights: Vec<f64> = seen.iter().map(|key| (dot(*key) / (size as f64).sqrt()).exp()).collect();
        for (column, found) in found.iter().enumerate() {
            let terms = seen.iter().zip(&weights).map(|(key, weight)| weight * f64::from(part(*key, 2)[column]));
            let mean = terms.sum::<f64>() / weights.iter().sum::<f64>();
            assert!((f64::from(*found) - mean).abs() < 1e-5, "token {token} head {head}: {found} {mean}");
        }
    }
}
