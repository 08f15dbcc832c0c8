//! The norm of layers that have biases.

#![allow(unsafe_code)]

use rayon::prelude::*;

use super::simd::{Simd, Task};
use super::{InstructionSet, ROWS};

/// Layer norm (Ba et al. 2016): every token's values, less their mean, over the root of their variance, times `weight`
/// plus `bias`. `values` and `out` are `[tokens, columns]`, with as many columns as there are weights, a multiple of
/// [`ROWS`].
pub fn layer_norm(set: InstructionSet, values: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
    assert!(InstructionSet::available().contains(&set), "this processor has no {set:?}");
    assert!(weight.len().is_multiple_of(ROWS) && bias.len() == weight.len() && out.len() == values.len());
    assert!(values.len().is_multiple_of(weight.len()));
    (values.par_chunks_exact(weight.len()).zip(out.par_chunks_exact_mut(weight.len()))).for_each(|(values, out)| {
        // SAFETY: the set is there; all have as many numbers, whole vectors.
        unsafe { set.run(Norm { values, weight, bias, epsilon, out }) }
    });
}

struct Norm<'a> {
    values: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl Task for Norm<'_> {
    type Result = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { values, weight, bias, epsilon, out } = self;
        let each = || (0..values.len()).step_by(ROWS);
        let count = values.len() as f32;
        // SAFETY: as for this function.
        unsafe {
            let whole = |sums: S::Floats| {
                let mut lanes = [0.0; ROWS];
                S::store(sums, lanes.as_mut_ptr());
                lanes.iter().sum::<f32>()
            };
            let mut sum = S::zero();
            for at in each() {
                sum = S::sum(S::load(values.as_ptr().add(at)), sum);
            }
            let mean = S::splat(-whole(sum) / count);
            let mut squares = S::zero();
            for at in each() {
                let value = S::sum(S::load(values.as_ptr().add(at)), mean);
                S::store(value, out.as_mut_ptr().add(at));
                squares = S::add_product(value, value, squares);
            }
            let factor = S::splat(1.0 / (whole(squares) / count + epsilon).sqrt());
            for at in each() {
                let value = S::product(S::load(out.as_ptr().add(at)), factor);
                let value = S::add_product(value, S::load(weight.as_ptr().add(at)), S::load(bias.as_ptr().add(at)));
                S::store(value, out.as_mut_ptr().add(at));
            }
        }
    }
}
