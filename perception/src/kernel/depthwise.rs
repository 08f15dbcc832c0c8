//! Convolutions of every channel by itself, on a processor.

use rayon::prelude::*;

use super::geometry::{Activation, Geometry, sum_planes};

/// Numbers that are computed side by side.
const LANES: usize = 16;

/// `x`: `[images, channels, height, width]`, `weight`: `[channels, 1, kernel, kernel]`, `bias`: `[channels]` →
/// `[images, channels, height, width]`.
pub fn forward(g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation) -> Vec<f32> {
    let mut y = vec![0.0; g.images * g.outputs * g.plane_out()];
    let taps = g.kernel * g.kernel;
    y.par_chunks_mut(g.plane_out()).zip(x.par_chunks(g.plane_in())).enumerate().with_min_len(8).for_each_init(
        || Padded::new(g),
        |padded, (number, (y, x))| {
            let channel = number % g.outputs;
            padded.fill(g, x);
            padded.correlate(g, &weight[channel * taps..][..taps], bias[channel], y);
            activation.apply(y);
        },
    );
    y
}

/// The gradient of the input from that of the output (before the activation).
pub fn to_input(g: &Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    // A correlation with the turned kernel over the gradient, whose numbers lie as far apart as the stride says.
    let wide = [(g.to[0] - 1) * g.stride + 1, (g.to[1] - 1) * g.stride + 1];
    let back = Geometry { from: wide, to: g.from, stride: 1, pad: g.pad.map(|pad| g.kernel - 1 - pad), ..*g };
    let mut x = vec![0.0; g.images * g.inputs * g.plane_in()];
    let taps = g.kernel * g.kernel;
    x.par_chunks_mut(g.plane_in()).zip(gradient.par_chunks(g.plane_out())).enumerate().with_min_len(8).for_each_init(
        || (Padded::new(&back), vec![0.0; wide[0] * wide[1]]),
        |(padded, spread), (number, (x, gradient))| {
            let channel = number % g.inputs;
            let turned: Vec<f32> = weight[channel * taps..][..taps].iter().rev().copied().collect();
            for (row, gradient) in
                spread.chunks_exact_mut(wide[1]).step_by(g.stride).zip(gradient.chunks_exact(g.to[1]))
            {
                row.iter_mut().step_by(g.stride).zip(gradient).for_each(|(to, from)| *to = *from);
            }
            padded.fill(&back, spread);
            padded.correlate(&back, &turned, 0.0, x);
        },
    );
    x
}

/// The gradients of the weights and of the bias from that of the output (before the activation).
pub fn to_weights(g: &Geometry, x: &[f32], gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let taps = g.kernel * g.kernel;
    let mut all = vec![0.0; g.images * g.outputs * taps];
    all.par_chunks_mut(taps)
        .zip(x.par_chunks(g.plane_in()).zip(gradient.par_chunks(g.plane_out())))
        .with_min_len(8)
        .for_each_init(
            || Padded::new(g),
            |padded, (sums, (x, gradient))| {
                padded.fill(g, x);
                for (tap, sum) in sums.iter_mut().enumerate() {
                    *sum = padded.dot(g, tap, gradient);
                }
            },
        );
    let size = g.outputs * taps;
    let mut weight = all[..size].to_vec();
    for image in all[size..].chunks_exact(size) {
        weight.iter_mut().zip(image).for_each(|(sum, part)| *sum += part);
    }
    (weight, sum_planes(gradient, g.outputs, g.plane_out()))
}

/// A plane with its zeros around it. At stride 2 a row holds first its even columns, then its odd ones, so that what
/// neighbouring outputs read lies side by side.
struct Padded {
    values: Vec<f32>,
    /// Numbers of a row for one remainder of the column by the stride.
    part: usize,
    /// Numbers of a row.
    width: usize,
}

impl Padded {
    fn new(g: &Geometry) -> Self {
        // Whole lanes may be read and written past the end of a row.
        let part = g.to[1].next_multiple_of(LANES) + g.kernel.div_ceil(g.stride);
        let width = part * g.stride;
        let height = (g.to[0] - 1) * g.stride + g.kernel;
        Self { values: vec![0.0; height * width], part, width }
    }

    /// Where the outputs of a row begin to read with a tap.
    fn start(&self, g: &Geometry, row: usize, tap: usize) -> usize {
        let [down, right] = [tap / g.kernel, tap % g.kernel];
        (row * g.stride + down) * self.width + right % g.stride * self.part + right / g.stride
    }

    fn fill(&mut self, g: &Geometry, x: &[f32]) {
        let rows = self.values.chunks_exact_mut(self.width).skip(g.pad[0]);
        for (row, x) in rows.zip(x.chunks_exact(g.from[1])) {
            for remainder in 0..g.stride {
                // The first column of the plane that has this remainder once the zeros lie before it.
                let first = (remainder + g.stride - g.pad[1] % g.stride) % g.stride;
                let place = (first + g.pad[1]) / g.stride;
                let to = &mut row[remainder * self.part..][..self.part][place..];
                if g.stride == 1 {
                    let count = x.len().min(to.len());
                    to[..count].copy_from_slice(&x[..count]);
                } else {
                    to.iter_mut().zip(x[first..].iter().step_by(g.stride)).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }

    fn correlate(&self, g: &Geometry, weight: &[f32], bias: f32, y: &mut [f32]) {
        match g.kernel {
            3 => self.correlate_taps::<9>(g, weight, bias, y),
            5 => self.correlate_taps::<25>(g, weight, bias, y),
            kernel => unreachable!("no depthwise kernels of side {kernel}"),
        }
    }

    fn correlate_taps<const TAPS: usize>(&self, g: &Geometry, weight: &[f32], bias: f32, y: &mut [f32]) {
        let weight: [f32; TAPS] = std::array::from_fn(|tap| weight[tap]);
        let starts: [usize; TAPS] = std::array::from_fn(|tap| self.start(g, 0, tap));
        let reach = starts.iter().max().map_or(0, |start| start + LANES);
        let down = g.stride * self.width;
        for (row, y) in y.chunks_exact_mut(g.to[1]).enumerate() {
            for (number, y) in y.chunks_mut(LANES).enumerate() {
                let values = &self.values[row * down + number * LANES..][..reach];
                let mut sum = [bias; LANES];
                for tap in 0..TAPS {
                    let read = &values[starts[tap]..][..LANES];
                    for lane in 0..LANES {
                        sum[lane] += weight[tap] * read[lane];
                    }
                }
                y.copy_from_slice(&sum[..y.len()]);
            }
        }
    }

    fn dot(&self, g: &Geometry, tap: usize, gradient: &[f32]) -> f32 {
        let mut sums = [0.0; LANES];
        let mut rest = 0.0;
        for (row, gradient) in gradient.chunks_exact(g.to[1]).enumerate() {
            let read = &self.values[self.start(g, row, tap)..][..g.to[1]];
            let (lanes, values) = (gradient.chunks_exact(LANES), read.chunks_exact(LANES));
            rest += lanes.remainder().iter().zip(values.remainder()).map(|(a, b)| a * b).sum::<f32>();
            for (gradient, read) in lanes.zip(values) {
                sums.iter_mut().zip(gradient.iter().zip(read)).for_each(|(sum, (a, b))| *sum += a * b);
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}
