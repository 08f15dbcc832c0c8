//! Numbers moved to another order of their axes, on a processor.

use rayon::prelude::*;

/// Numbers that one task moves, at least.
const TASK: usize = 1 << 14;

/// `values` of a shape → the same with axis `order[0]` first, then `order[1]`, …
pub fn reorder(values: &[f32], shape: &[usize], order: &[usize]) -> Vec<f32> {
    let mut steps = vec![1; shape.len()];
    (1..shape.len()).rev().for_each(|axis| steps[axis - 1] = steps[axis] * shape[axis]);
    let sizes: Vec<usize> = order.iter().map(|axis| shape[*axis]).collect();
    let steps: Vec<usize> = order.iter().map(|axis| steps[*axis]).collect();
    let mut out = vec![0.0; values.len()];
    // The last two axes are moved as a plane, plane by plane.
    let last = sizes.len() - 2;
    let ([rows, columns], [down, right]) = ([sizes[last], sizes[last + 1]], [steps[last], steps[last + 1]]);
    let plane = rows * columns;
    // Bands of rows of a plane where one plane is much, else several planes.
    let band = (TASK / columns.max(1)).clamp(1, rows);
    let start = |number: usize| {
        let mut rest = number;
        let at = |(size, step): (&usize, &usize)| {
            let index = rest % size;
            rest /= size;
            index * step
        };
        sizes[..last].iter().zip(&steps[..last]).rev().map(at).sum::<usize>()
    };
    out.par_chunks_mut(plane).with_min_len((TASK / plane).max(1)).enumerate().for_each(|(number, out)| {
        let from = &values[start(number)..];
        out.par_chunks_mut(band * columns).enumerate().for_each(|(number, out)| {
            let from = &from[number * band * down..];
            if right == 1 {
                for (row, out) in out.chunks_exact_mut(columns).enumerate() {
                    out.copy_from_slice(&from[row * down..][..columns]);
                }
            } else {
                for (row, out) in out.chunks_exact_mut(columns).enumerate() {
                    out.iter_mut().zip(from[row * down..].iter().step_by(right)).for_each(|(out, value)| *out = *value);
                }
            }
        });
    });
    out
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::{Tensor, TensorData};

    use super::reorder;

    #[test]
    fn every_order_is_that_of_the_tensor_library() {
        let shape = [3, 4, 2, 5];
        let values: Vec<f32> = (0..120).map(|value| value as f32).collect();
        let tensor = Tensor::<Flex, 4>::from_data(TensorData::new(values.clone(), shape), &Default::default());
        for code in 0..256 {
            let order: [usize; 4] = std::array::from_fn(|place| code >> (2 * place) & 3);
            if (0..4).all(|axis| order.contains(&axis)) {
                let wanted: Vec<f32> =
                    tensor.clone().permute(order.map(|axis| axis as isize)).into_data().iter().collect();
                assert_eq!(reorder(&values, &shape, &order), wanted, "{order:?}");
            }
        }
    }
}
