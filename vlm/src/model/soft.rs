//! Embeddings that no token of the vocabulary has: what an image becomes.

use std::collections::BTreeMap;

/// Rows of embeddings by the tokens that stand for them, which are behind those of the vocabulary.
#[derive(Debug, Clone, Default)]
pub struct Soft {
    columns: usize,
    /// By the first token of each run.
    runs: BTreeMap<u32, Vec<f32>>,
}

impl Soft {
    /// Of embeddings of so many numbers; has none yet.
    pub fn new(columns: usize) -> Self {
        Self { columns, runs: BTreeMap::new() }
    }

    /// Adds rows, `[rows, columns]`, for tokens from `first` on, which stand for nothing yet.
    pub fn add(&mut self, first: u32, rows: Vec<f32>) {
        self.runs.insert(first, rows);
    }

    /// Takes away the rows that were added for tokens from `first` on.
    pub fn remove(&mut self, first: u32) {
        self.runs.remove(&first);
    }

    /// The first token of the run that a token is of, if it stands for a row.
    pub fn run_of(&self, token: u32) -> Option<u32> {
        self.find(token).map(|(first, _)| first)
    }

    /// What a token stands for.
    pub fn row(&self, token: u32) -> Option<&[f32]> {
        self.find(token).map(|(_, row)| row)
    }

    fn find(&self, token: u32) -> Option<(u32, &[f32])> {
        let (first, rows) = self.runs.range(..=token).next_back()?;
        let row = rows.chunks_exact(self.columns).nth((token - first) as usize)?;
        Some((*first, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_for_the_rows_of_their_run_and_for_nothing_beside_it() {
        let mut soft = Soft::new(2);
        soft.add(70, vec![1.0, 2.0, 3.0, 4.0]);
        soft.add(61, vec![5.0, 6.0]);
        let rows = [60, 61, 62, 70, 71, 72].map(|token| soft.row(token).map(<[f32]>::to_vec));
        assert_eq!(rows, [None, Some(vec![5.0, 6.0]), None, Some(vec![1.0, 2.0]), Some(vec![3.0, 4.0]), None]);
        assert_eq!((soft.run_of(71), soft.run_of(72)), (Some(70), None));
        soft.remove(70);
        assert_eq!((soft.row(70), soft.run_of(61)), (None, Some(61)));
    }
}
