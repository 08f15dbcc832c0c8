//! Pictures in another size, to the bit as Pillow's `Image.resize` with `LANCZOS` makes them.
//!
//! Two passes, along rows and then along columns; weights are rounded to 22 bits and every pass to eight (Pillow 11.3,
//! `src/libImaging/Resample.c`; Pillow 13 makes the other pass first where that is cheaper, and so rounds otherwise).
//! Where the result is smaller, the filter is as much wider.

use rayon::prelude::*;

/// Bits behind the point of a weight.
const PRECISION: u32 = 32 - 8 - 2;

/// How far the filter reaches, in pixels of whichever picture is smaller.
const REACH: f64 = 3.0;

/// What a pixel is made of: the first source pixel and the weights from there on.
struct Sources {
    first: usize,
    weights: Vec<i32>,
}

/// `rgb`, `[height, width, 3]`, in another size.
pub fn resample(rgb: &[u8], [width, height]: [usize; 2], [new_width, new_height]: [usize; 2]) -> Vec<u8> {
    let mut rows = rgb.to_vec();
    if new_width != width {
        let sources = sources(width, new_width);
        rows = vec![0; height * new_width * 3];
        rows.par_chunks_exact_mut(new_width * 3).zip(rgb.par_chunks_exact(width * 3)).for_each(|(row, given)| {
            for (pixel, Sources { first, weights }) in row.as_chunks_mut::<3>().0.iter_mut().zip(&sources) {
                let mut sums = [HALF; 3];
                for (given, weight) in given[first * 3..].as_chunks::<3>().0.iter().zip(weights) {
                    for (sum, given) in sums.iter_mut().zip(given) {
                        *sum += i32::from(*given) * weight;
                    }
                }
                *pixel = sums.map(rounded);
            }
        });
    }
    if new_height == height {
        return rows;
    }
    let stride = new_width * 3;
    let mut out = vec![0; new_height * stride];
    let sources = sources(height, new_height);
    out.par_chunks_exact_mut(stride).zip(&sources).for_each_init(
        || vec![0; stride],
        |sums, (row, Sources { first, weights })| {
            sums.fill(HALF);
            for (given, weight) in rows[first * stride..].chunks_exact(stride).zip(weights) {
                for (sum, given) in sums.iter_mut().zip(given) {
                    *sum += i32::from(*given) * weight;
                }
            }
            row.iter_mut().zip(sums).for_each(|(value, sum)| *value = rounded(*sum));
        },
    );
    out
}

const HALF: i32 = 1 << (PRECISION - 1);

fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn sources(count: usize, new_count: usize) -> Vec<Sources> {
    let scale = count as f64 / new_count as f64;
    let wide = scale.max(1.0);
    let support = REACH * wide;
    let of = |pixel: usize| {
        let center = (pixel as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(count);
        let weight = |at: usize| lanczos((at as f64 - center + 0.5) * (1.0 / wide));
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let round = |weight: f64| (weight / sum * f64::from(1_u32 << PRECISION)).round() as i32;
        Sources { first, weights: weights.into_iter().map(round).collect() }
    };
    (0..new_count).map(of).collect()
}

/// Lanczos' window of three lobes (Duchon 1979).
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    if (-REACH..REACH).contains(&x) { sinc(x) * sinc(x / REACH) } else { 0.0 }
}
