//! From image features to the grid on a processor: the voxels of some columns at a time are gathered and folded, so that
//! those of the whole grid never lie in memory together.

use rayon::prelude::*;

use super::geometry::sum_planes;
use super::product::{Matrix, product};

/// Columns of the grid that are gathered at a time.
const TILE: usize = 256;

/// What the voxels of a grid read, see [`crate::model::lift::LiftIndices`], and how they are folded.
#[derive(Debug, Clone, Copy)]
pub struct Voxels<'a> {
    /// Row of the features for each voxel; a column's voxels lie together.
    pub context: &'a [i32],
    /// Place of the weight for each voxel.
    pub depth: &'a [i32],
    /// 1 where a voxel is seen, else 0.
    pub seen: &'a [f32],
    /// Voxels of a column.
    pub heights: usize,
    /// Columns of one grid.
    pub cells: usize,
    /// Factor of all weights.
    pub gain: f32,
}

/// The features, `[rows, channels]`, the weights, and the fold `[heights · channels, outputs]` with its bias.
#[derive(Debug, Clone, Copy)]
pub struct Folded<'a> {
    /// `[rows, channels]`.
    pub features: &'a [f32],
    /// Channels of a row.
    pub channels: usize,
    /// Weights of voxels.
    pub weights: &'a [f32],
    /// `[heights · channels, outputs]`.
    pub fold: &'a [f32],
    /// Channels after the fold.
    pub outputs: usize,
}

impl Folded<'_> {
    /// Numbers of a column before the fold.
    fn column(&self, voxels: &Voxels<'_>) -> usize {
        voxels.heights * self.channels
    }

    /// The features of the voxels of some columns, each times its weight: `[columns, heights · channels]`.
    fn gather(&self, voxels: &Voxels<'_>, columns: std::ops::Range<usize>, gathered: &mut Vec<f32>) {
        gathered.clear();
        gathered.resize(columns.len() * self.column(voxels), 0.0);
        let first = columns.start * voxels.heights;
        for (place, out) in gathered.chunks_exact_mut(self.channels).enumerate() {
            let voxel = first + place;
            if let Some((row, weight)) = self.read(voxels, voxel) {
                out.iter_mut().zip(row).for_each(|(out, feature)| *out = feature * weight);
            }
        }
    }

    /// The feature of a voxel and its weight; `None` where it is not seen.
    fn read(&self, voxels: &Voxels<'_>, voxel: usize) -> Option<(&[f32], f32)> {
        let seen = voxels.seen[voxel];
        let row = &self.features[voxels.context[voxel] as usize * self.channels..][..self.channels];
        (seen != 0.0).then(|| (row, self.weights[voxels.depth[voxel] as usize] * seen * voxels.gain))
    }
}

/// The tiles of all grids: grid, and columns in it.
fn tiles(voxels: &Voxels<'_>) -> Vec<(usize, std::ops::Range<usize>)> {
    let grids = voxels.context.len() / (voxels.cells * voxels.heights);
    let tile = |first: usize| first..(first + TILE).min(voxels.cells);
    (0..grids).flat_map(|grid| (0..voxels.cells).step_by(TILE).map(move |first| (grid, tile(first)))).collect()
}

/// → `[grids, outputs, cells]`.
pub fn forward(voxels: &Voxels<'_>, folded: &Folded<'_>, bias: &[f32]) -> Vec<f32> {
    let tiles = tiles(voxels);
    let fold = Matrix::rows(folded.fold, [folded.column(voxels), folded.outputs]).transposed();
    let done: Vec<Vec<f32>> = tiles
        .par_iter()
        .map_init(Vec::new, |gathered, (grid, columns)| {
            let all = grid * voxels.cells;
            folded.gather(voxels, all + columns.start..all + columns.end, gathered);
            let gathered = Matrix::rows(gathered, [columns.len(), folded.column(voxels)]);
            let mut part: Vec<f32> = bias.iter().flat_map(|bias| std::iter::repeat_n(*bias, columns.len())).collect();
            product(&mut part, columns.len(), fold, gathered.transposed(), true);
            part
        })
        .collect();
    let grids = voxels.context.len() / (voxels.cells * voxels.heights);
    let mut out = vec![0.0; grids * folded.outputs * voxels.cells];
    for (part, (grid, columns)) in done.iter().zip(tiles) {
        let planes = out.chunks_exact_mut(voxels.cells).skip(grid * folded.outputs);
        for (plane, part) in planes.zip(part.chunks_exact(columns.len())) {
            plane[columns.clone()].copy_from_slice(part);
        }
    }
    out
}

/// The gradients of features, weights, fold and bias from that of the result.
pub fn back(voxels: &Voxels<'_>, folded: &Folded<'_>, gradient: &[f32]) -> [Vec<f32>; 4] {
    let column = folded.column(voxels);
    let mut features = vec![0.0; folded.features.len()];
    let mut weights = vec![0.0; folded.weights.len()];
    let mut fold = vec![0.0; folded.fold.len()];
    let (mut gathered, mut moved) = (Vec::new(), Vec::new());
    for (grid, columns) in tiles(voxels) {
        let all = grid * voxels.cells;
        let wide = columns.len();
        folded.gather(voxels, all + columns.start..all + columns.end, &mut gathered);
        let there = Matrix {
            data: &gradient[grid * folded.outputs * voxels.cells + columns.start..],
            shape: [folded.outputs, wide],
            strides: [voxels.cells, 1],
        };
        let rows = Matrix::rows(&gathered, [wide, column]);
        product(&mut fold, folded.outputs, rows.transposed(), there.transposed(), true);
        moved.resize(wide * column, 0.0);
        let back = Matrix::rows(folded.fold, [column, folded.outputs]).transposed();
        product(&mut moved, column, there.transposed(), back, false);
        for (place, moved) in moved.chunks_exact(folded.channels).enumerate() {
            let voxel = (all + columns.start) * voxels.heights + place;
            let Some((row, weight)) = folded.read(voxels, voxel) else { continue };
            let dot: f32 = row.iter().zip(moved).map(|(a, b)| a * b).sum();
            weights[voxels.depth[voxel] as usize] += dot * voxels.seen[voxel] * voxels.gain;
            let sums = &mut features[voxels.context[voxel] as usize * folded.channels..][..folded.channels];
            sums.iter_mut().zip(moved).for_each(|(sum, part)| *sum += part * weight);
        }
    }
    [features, weights, fold, sum_planes(gradient, folded.outputs, voxels.cells)]
}
