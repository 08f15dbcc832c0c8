//! Full convolutions on a processor: patches of the image as columns of a matrix, tile by tile, and one matrix product
//! a tile (Chellapilla et al. 2006).

use std::ops::Range;

use rayon::prelude::*;

use super::geometry::{Activation, Geometry, sum_planes};
use super::product::{Matrix, product};

/// Numbers of a tile's columns: what the second-level cache of a core holds beside the weights.
const TILE: usize = 40_000;

/// Parts of a single image whose gradients of the weights are summed apart, in this order whatever the machine.
const PARTS: usize = 4;

/// `x`: `[images, inputs, height, width]`, `weight`: `[outputs, inputs, kernel, kernel]`, `bias`: `[outputs]` →
/// `[images, outputs, height, width]`.
pub fn forward(g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation) -> Vec<f32> {
    let mut y = vec![0.0; g.images * g.outputs * g.plane_out()];
    let tiles = tiles(g, 0..g.to[0]);
    let tile = |x: &[f32], rows: &Range<usize>, y: &mut [f32], stride: usize, columns: &mut Vec<f32>| {
        let width = rows.len() * g.to[1];
        for (row, bias) in y.chunks_mut(stride).zip(bias) {
            row[..width].fill(*bias);
        }
        let patches = patches(g, x, rows, columns);
        let weight = Matrix::rows(weight, [g.outputs, g.patch()]);
        product(y, stride, weight, patches, true);
        for row in y.chunks_mut(stride).take(g.outputs) {
            activation.apply(&mut row[..width]);
        }
    };
    let x_size = g.inputs * g.plane_in();
    if g.images > 1 {
        y.par_chunks_mut(g.outputs * g.plane_out()).zip(x.par_chunks(x_size)).for_each_init(
            Vec::new,
            |columns, (y, x)| {
                for rows in &tiles {
                    tile(x, rows, &mut y[rows.start * g.to[1]..], g.plane_out(), columns);
                }
            },
        );
    } else {
        let done: Vec<Vec<f32>> = tiles
            .par_iter()
            .map_init(Vec::new, |columns, rows| {
                let width = rows.len() * g.to[1];
                let mut part = vec![0.0; g.outputs * width];
                tile(x, rows, &mut part, width, columns);
                part
            })
            .collect();
        for (part, rows) in done.iter().zip(&tiles) {
            let width = rows.len() * g.to[1];
            for (y, part) in y.chunks_mut(g.plane_out()).zip(part.chunks(width)) {
                y[rows.start * g.to[1]..][..width].copy_from_slice(part);
            }
        }
    }
    y
}

/// The gradient of the input from that of the output (before the activation).
pub fn to_input(g: &Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut x = vec![0.0; g.images * g.inputs * g.plane_in()];
    // The channels of a single image are shared out.
    let chunk = if g.images > 1 { g.inputs } else { g.inputs.div_ceil(2) };
    let taps = g.kernel * g.kernel;
    let tiles = tiles(g, 0..g.to[0]);
    x.par_chunks_mut(chunk * g.plane_in()).enumerate().for_each_init(
        Vec::new,
        |columns: &mut Vec<f32>, (number, x)| {
            let (image, first) = if g.images > 1 { (number, 0) } else { (0, number * chunk) };
            let gradient = &gradient[image * g.outputs * g.plane_out()..][..g.outputs * g.plane_out()];
            let channels = x.len() / g.plane_in();
            let weight =
                Matrix { data: &weight[first * taps..], shape: [channels * taps, g.outputs], strides: [1, g.patch()] };
            for rows in &tiles {
                let width = rows.len() * g.to[1];
                let gradient = Matrix {
                    data: &gradient[rows.start * g.to[1]..],
                    shape: [g.outputs, width],
                    strides: [g.plane_out(), 1],
                };
                if g.is_pointwise() {
                    product(&mut x[rows.start * g.to[1]..], g.plane_in(), weight, gradient, false);
                } else {
                    columns.resize(channels * taps * width, 0.0);
                    product(columns, width, weight, gradient, false);
                    scatter(g, columns, rows, x);
                }
            }
        },
    );
    x
}

/// The gradients of the weights and of the bias from that of the output (before the activation).
pub fn to_weights(g: &Geometry, x: &[f32], gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let parts: Vec<(usize, Range<usize>)> = if g.images > 1 {
        (0..g.images).map(|image| (image, 0..g.to[0])).collect()
    } else {
        (0..PARTS).map(|part| (0, part * g.to[0] / PARTS..(part + 1) * g.to[0] / PARTS)).collect()
    };
    let done: Vec<Vec<f32>> = parts
        .into_par_iter()
        .map_init(Vec::new, |columns, (image, rows)| {
            let x = &x[image * g.inputs * g.plane_in()..][..g.inputs * g.plane_in()];
            let gradient = &gradient[image * g.outputs * g.plane_out()..][..g.outputs * g.plane_out()];
            let mut sum = vec![0.0; g.outputs * g.patch()];
            for rows in tiles(g, rows) {
                let columns = patches(g, x, &rows, columns).transposed();
                let gradient = Matrix {
                    data: &gradient[rows.start * g.to[1]..],
                    shape: [g.outputs, rows.len() * g.to[1]],
                    strides: [g.plane_out(), 1],
                };
                product(&mut sum, g.patch(), gradient, columns, true);
            }
            sum
        })
        .collect();
    let mut done = done.into_iter();
    let mut weight = done.next().unwrap_or_default();
    for part in done {
        weight.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    (weight, sum_planes(gradient, g.outputs, g.plane_out()))
}

/// Rows of the output that are computed at once.
fn tiles(g: &Geometry, rows: Range<usize>) -> Vec<Range<usize>> {
    let high = (TILE / (g.patch() * g.to[1]).max(1)).clamp(1, g.to[0]);
    rows.clone().step_by(high).map(|first| first..(first + high).min(rows.end)).collect()
}

/// What each output of some rows reads, a column each: `[inputs · kernel², rows · width]`.
fn patches<'a>(g: &Geometry, x: &'a [f32], rows: &Range<usize>, columns: &'a mut Vec<f32>) -> Matrix<'a> {
    let width = rows.len() * g.to[1];
    if g.is_pointwise() {
        return Matrix { data: &x[rows.start * g.to[1]..], shape: [g.inputs, width], strides: [g.plane_in(), 1] };
    }
    columns.resize(g.patch() * width, 0.0);
    let mut lines = columns.chunks_exact_mut(g.to[1]);
    for plane in x.chunks_exact(g.plane_in()) {
        for tap in 0..g.kernel * g.kernel {
            for row in rows.clone() {
                let Some(line) = lines.next() else { unreachable!("as many lines as rows of patches") };
                match g.source(row, tap / g.kernel) {
                    Some(row) => gather(g, &plane[row * g.from[1]..][..g.from[1]], tap % g.kernel, line),
                    None => line.fill(0.0),
                }
            }
        }
    }
    Matrix::rows(columns, [g.patch(), width])
}

/// One row of the image as the outputs of a row read it with one tap.
fn gather(g: &Geometry, row: &[f32], tap: usize, line: &mut [f32]) {
    let inside = g.inside(tap);
    line[..inside.start].fill(0.0);
    line[inside.end..].fill(0.0);
    let from = inside.start * g.stride + tap - g.pad[1];
    let line = &mut line[inside];
    if g.stride == 1 {
        line.copy_from_slice(&row[from..][..line.len()]);
    } else {
        line.iter_mut().zip(row[from..].iter().step_by(g.stride)).for_each(|(to, from)| *to = *from);
    }
}

/// The other way of [`patches`]: adds every column to what it was read from.
fn scatter(g: &Geometry, columns: &[f32], rows: &Range<usize>, x: &mut [f32]) {
    let mut lines = columns.chunks_exact(g.to[1]);
    for plane in x.chunks_exact_mut(g.plane_in()) {
        for tap in 0..g.kernel * g.kernel {
            let inside = g.inside(tap % g.kernel);
            let from = inside.start * g.stride + tap % g.kernel - g.pad[1];
            for row in rows.clone() {
                let Some(line) = lines.next() else { unreachable!("as many lines as rows of patches") };
                let Some(row) = g.source(row, tap / g.kernel) else { continue };
                let line = &line[inside.clone()];
                let row = &mut plane[row * g.from[1] + from..(row + 1) * g.from[1]];
                if g.stride == 1 {
                    row.iter_mut().zip(line).for_each(|(sum, part)| *sum += part);
                } else {
                    row.iter_mut().step_by(g.stride).zip(line).for_each(|(sum, part)| *sum += part);
                }
            }
        }
    }
}
