//! What matrices become: rows with one scale each, or blocks of Q4_0.

use half::f16;

use super::gptq::{Grid, Row};
use crate::format::{Format, Width, rows};
use crate::kernel::{BLOCK, Matrix};

/// What becomes of the matrices of a model's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Rows of whole numbers with one scale each; their inputs are of eight bits with one scale a token.
    Rows(Width),
    /// Q4_0 of ggml: one scale for every 32 weights.
    Blocks,
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub format: Format,
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// A vector of plain numbers.
    pub fn plain(name: String, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name, shape: vec![values.len()], format: Format::F32, bytes }
    }
}

impl Target {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Rows(Width::Four), Self::Rows(Width::Eight), Self::Blocks];

    /// What command lines call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows(width) => width.name(),
            Self::Blocks => "q4_0",
        }
    }

    /// The target of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// The numbers that rows of so many columns are made of.
    pub(super) fn grid(self, columns: usize) -> Grid {
        match self {
            Self::Rows(width) => Grid { range: width.range(), group: columns, half: false },
            Self::Blocks => Grid { range: Width::Four.range(), group: BLOCK, half: true },
        }
    }

    /// How much of what inputs are larger by than others the weights take over. With few bits they can't take much; where
    /// blocks have scales there is no need.
    pub(super) const fn share(self) -> Option<f64> {
        match self {
            Self::Rows(Width::Eight) => Some(0.5),
            Self::Rows(Width::Four) => Some(0.2),
            Self::Blocks => None,
        }
    }

    /// The matrix of rows, to compute with; `None` as [`Matrix`] says.
    pub(super) fn matrix(self, columns: usize, rows: &[Row]) -> Option<Matrix> {
        let bytes = self.bytes(columns, rows);
        match self {
            Self::Rows(width) => Matrix::of_rows(width, columns, &bytes, &scales(rows)),
            Self::Blocks => Matrix::new(Format::Q4_0, rows.len(), columns, &bytes),
        }
    }

    /// A matrix in a file.
    pub(super) fn tensors(self, name: &str, columns: usize, rows: &[Row]) -> Vec<Tensor> {
        let tensor = |columns: usize, format: Format, bytes: Vec<u8>| Tensor {
            name: name.to_owned(),
            shape: vec![rows.len(), columns],
            format,
            bytes,
        };
        let bytes = self.bytes(columns, rows);
        match self {
            Self::Rows(width) => vec![
                tensor(width.bytes(columns), Format::I8, bytes),
                Tensor::plain(rows::scale_name(name), &scales(rows)),
            ],
            Self::Blocks => vec![tensor(columns, Format::Q4_0, bytes)],
        }
    }

    fn bytes(self, columns: usize, rows: &[Row]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Row { numbers, scales, .. } in rows {
            match self {
                Self::Rows(width) => {
                    bytes.reserve(width.bytes(columns));
                    width.write(numbers, &mut bytes);
                }
                Self::Blocks => {
                    for (numbers, scale) in numbers.as_chunks::<BLOCK>().0.iter().zip(scales) {
                        bytes.extend(f16::from_f32(*scale).to_le_bytes());
                        let (low, high) = numbers.split_at(BLOCK / 2);
                        bytes.extend(low.iter().zip(high).map(|(low, high)| ((low + 8) | ((high + 8) << 4)) as u8));
                    }
                }
            }
        }
        bytes
    }
}

/// Those of rows that have one each.
fn scales(rows: &[Row]) -> Vec<f32> {
    rows.iter().flat_map(|row| &row.scales).copied().collect()
}
