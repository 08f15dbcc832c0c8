//! The tower and its connector: from the pixels of a tile to features among the text's tokens.
//!
//! Source: transformers 4.57.1, `models/idefics3/modeling_idefics3.py`, but for the places of patches (see
//! [`Tower::embed`]).

use super::Config;
use crate::kernel::{Dense, InstructionSet, Then, Within, attend_within, layer_norm};

/// A tower with its connector.
#[derive(Debug, Clone)]
pub struct Tower {
    pub(super) config: Config,
    pub(super) patches: Dense,
    /// `[places · places, hidden]`.
    pub(super) places: Vec<f32>,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Norm,
    pub(super) connector: Dense,
    pub(super) set: InstructionSet,
}

/// A layer's weights.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub attention_norm: Norm,
    /// Queries, keys and values.
    pub attention: Dense,
    pub attention_out: Dense,
    pub inner_norm: Norm,
    pub inner: Dense,
    pub out: Dense,
}

/// A layer norm's weights.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// The patches of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Patches from top to bottom, and of these the first that are no padding.
    pub rows: [usize; 2],
    /// Patches from left to right, and of these the first that are no padding.
    pub columns: [usize; 2],
}

impl Grid {
    /// A square without padding.
    pub fn whole(side: usize) -> Self {
        Self { rows: [side; 2], columns: [side; 2] }
    }

    fn count(&self) -> usize {
        self.rows[0] * self.columns[0]
    }

    /// Row and column of every patch.
    fn each(&self) -> impl Iterator<Item = [usize; 2]> {
        let Self { rows, columns } = *self;
        (0..rows[0]).flat_map(move |row| (0..columns[0]).map(move |column| [row, column]))
    }

    fn is_real(&self, [row, column]: [usize; 2]) -> bool {
        row < self.rows[1] && column < self.columns[1]
    }
}

impl Tower {
    /// What it is like.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// With other instructions than the fastest.
    pub fn with_instructions(mut self, set: InstructionSet) -> Self {
        self.set = set;
        self
    }

    /// The features of a tile, `[rows · columns / scale², text_hidden]`. `pixels` are `[channels, height, width]`, as many
    /// as the patches of `grid` cover, which the connector's scale must divide.
    pub fn features(&self, pixels: &[f32], grid: Grid) -> Vec<f32> {
        let mut hidden = self.embed(pixels, grid);
        self.read(&mut hidden, grid);
        self.connect(&hidden, grid)
    }

    /// The embeddings of patches, `[patches, hidden]`, with those of their places.
    ///
    /// Images of other sizes share the places out: of `n` patches along a side, patch `i` has place `⌊i · places / n⌋`.
    /// That is what released models were taught with. transformers 4.55.1 to 4.57.1 compute it in floating point with a
    /// factor of 1 − 10⁻⁶, and so place all but the first patch one too low (its issue 41190).
    pub(super) fn embed(&self, pixels: &[f32], grid: Grid) -> Vec<f32> {
        let Config { hidden, channels, patch, places, .. } = self.config;
        let (height, width) = (grid.rows[0] * patch, grid.columns[0] * patch);
        assert_eq!(pixels.len(), channels * height * width, "pixels and patches do not fit");
        assert!(grid.is_real([0, 0]) && grid.rows[1] <= grid.rows[0] && grid.columns[1] <= grid.columns[0]);
        let mut inputs = Vec::with_capacity(pixels.len());
        for [row, column] in grid.each() {
            for channel in 0..channels {
                for y in 0..patch {
                    let first = (channel * height + row * patch + y) * width + column * patch;
                    inputs.extend_from_slice(&pixels[first..first + patch]);
                }
            }
        }
        let mut out = vec![0.0; grid.count() * hidden];
        self.patches.product(self.set, &inputs, Then::Set, &mut out);
        for (values, at) in out.chunks_exact_mut(hidden).zip(grid.each()) {
            let place = match at {
                [row, column] if grid.is_real(at) => {
                    row * places / grid.rows[1] * places + column * places / grid.columns[1]
                }
                _ => 0,
            };
            add(values, &self.places[place * hidden..][..hidden]);
        }
        out
    }

    /// The layers and the norm behind them, `[patches, hidden]`. Padding is not attended to.
    pub(super) fn read(&self, hidden: &mut [f32], grid: Grid) {
        let Config { heads, inner, epsilon, .. } = self.config;
        let count = grid.count();
        let real = grid.each().enumerate().filter(|(_, at)| grid.is_real(*at));
        let seen: Vec<usize> = real.map(|(number, _)| number).collect();
        let mut normed = vec![0.0; hidden.len()];
        let mut attention = vec![0.0; 3 * hidden.len()];
        let mut widened = vec![0.0; count * inner];
        let norm = |norm: &Norm, values: &[f32], out: &mut [f32]| {
            layer_norm(self.set, values, &norm.weight, &norm.bias, epsilon, out);
        };
        for layer in &self.layers {
            norm(&layer.attention_norm, hidden, &mut normed);
            layer.attention.product(self.set, &normed, Then::Set, &mut attention);
            let within = Within { values: &attention, heads, seen: &seen };
            attend_within(self.set, &within, count, &mut normed);
            layer.attention_out.product(self.set, &normed, Then::Add, hidden);
            norm(&layer.inner_norm, hidden, &mut normed);
            layer.inner.product(self.set, &normed, Then::Gelu, &mut widened);
            layer.out.product(self.set, &widened, Then::Add, hidden);
        }
        normed.copy_from_slice(hidden);
        norm(&self.norm, &normed, hidden);
    }

    /// Squares of neighbours, side by side, become features (pixel shuffle: Shi et al. 2016).
    pub(super) fn connect(&self, hidden: &[f32], grid: Grid) -> Vec<f32> {
        let Config { hidden: size, scale, .. } = self.config;
        let [rows, columns] = [grid.rows[0], grid.columns[0]];
        assert!(rows.is_multiple_of(scale) && columns.is_multiple_of(scale), "{rows} × {columns} patches by {scale}");
        let mut shuffled = Vec::with_capacity(hidden.len());
        for row in (0..rows).step_by(scale) {
            for column in (0..columns).step_by(scale) {
                for line in row..row + scale {
                    shuffled.extend_from_slice(&hidden[(line * columns + column) * size..][..scale * size]);
                }
            }
        }
        let mut out = vec![0.0; shuffled.len() / self.connector.columns() * self.connector.rows()];
        self.connector.product(self.set, &shuffled, Then::Set, &mut out);
        out
    }
}

fn add(values: &mut [f32], others: &[f32]) {
    values.iter_mut().zip(others).for_each(|(value, other)| *value += other);
}
