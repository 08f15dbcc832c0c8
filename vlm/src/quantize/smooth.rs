//! Columns made alike, so that one scale suits them all.
//!
//! SmoothQuant (Xiao et al. 2023, arXiv 2211.10438, equation 4): a column of weights times a factor and its inputs over
//! it give the same results. Where inputs come from a norm, its weights take up the factor, where they were gated, the
//! rows that made them; it costs nothing. Inputs that are large among their token's no longer make its steps coarse, and
//! weights that meet them get finer ones.

use crate::Error;
use crate::gguf;
use crate::model::{Model, Part, Plain, Walk};

/// Makes the columns of all matrices alike that norms or gates are before, by what the model's matrices are given when it
/// reads texts. `share` is how much of what inputs are larger by goes over to the weights; the paper's alpha.
///
/// # Errors
/// As [`Model::of_gguf`].
pub(super) fn smooth(file: &gguf::File, plain: &mut Plain, texts: &[Vec<u32>], share: f64) -> Result<(), Error> {
    let mut walk = Walk::new(Model::of_gguf(file)?, texts);
    for (number, layer) in plain.layers.iter_mut().enumerate() {
        for part in Part::ALL {
            let columns = part.shape(&plain.config)[1];
            let sizes = largest(walk.inputs().flat_map(|inputs| inputs.chunks_exact(columns)), columns);
            walk.pass(number, part);
            // What is gathered is of values that several heads share.
            if part == Part::AttentionOut {
                continue;
            }
            let weights = &mut layer.parts[part as usize];
            let factors = factors(&sizes, &largest(weights.chunks_exact(columns), columns), share);
            for row in weights.chunks_exact_mut(columns) {
                row.iter_mut().zip(&factors).for_each(|(weight, factor)| *weight *= factor);
            }
            let divide = |values: &mut [f32]| {
                let each = values.len() / factors.len();
                let values = values.chunks_exact_mut(each).zip(&factors);
                values.for_each(|(values, factor)| values.iter_mut().for_each(|value| *value /= factor));
            };
            match part {
                Part::Attention => divide(&mut layer.attention_norm),
                Part::Gated => divide(&mut layer.inner_norm),
                // What is gated is in the second half, below the gates.
                Part::Out => {
                    let gated = &mut layer.parts[Part::Gated as usize];
                    let half = gated.len() / 2;
                    divide(&mut gated[half..]);
                }
                Part::AttentionOut => {}
            }
        }
    }
    Ok(())
}

/// The largest magnitude of each column.
fn largest<'a>(rows: impl Iterator<Item = &'a [f32]>, columns: usize) -> Vec<f32> {
    rows.fold(vec![0.0_f32; columns], |mut largest, row| {
        largest.iter_mut().zip(row).for_each(|(largest, value)| *largest = largest.max(value.abs()));
        largest
    })
}

fn factors(inputs: &[f32], weights: &[f32], share: f64) -> Vec<f32> {
    let factor = |(input, weight): (&f32, &f32)| match *input > 0.0 && *weight > 0.0 {
        true => (f64::from(*input).powf(share) / f64::from(*weight).powf(1.0 - share)) as f32,
        false => 1.0,
    };
    inputs.iter().zip(weights).map(factor).collect()
}
