//! A decoder's weights as plain numbers, to be learnt beside.

use super::load::{Gguf, Source, with_directory};
use super::{Config, Part, Table};
use crate::Error;
use crate::gguf;
use crate::kernel::Pairs;
use std::path::Path;

/// The weights of a decoder. Matrices are `[rows, columns]`, row by row.
#[derive(Debug, Clone)]
pub struct Plain {
    /// What it is like.
    pub config: Config,
    /// Which numbers of a head are turned together.
    pub pairs: Pairs,
    /// What the layers have.
    pub layers: Vec<PlainLayer>,
    /// Of the last norm, `[hidden]`.
    pub norm: Vec<f32>,
    /// `[vocabulary, hidden]`.
    pub head: Vec<f32>,
    embeddings: Table,
}

/// The weights of a layer.
#[derive(Debug, Clone)]
pub struct PlainLayer {
    /// Of the norm before the attention, `[hidden]`.
    pub attention_norm: Vec<f32>,
    /// Of the norm before the gated part, `[hidden]`.
    pub inner_norm: Vec<f32>,
    /// In the order of [`Part::ALL`].
    pub parts: [Vec<f32>; 4],
}

impl Plain {
    /// Of a GGUF file.
    ///
    /// # Errors
    /// As [`super::Model::of_gguf`].
    pub fn of_gguf(file: &gguf::File) -> Result<Self, Error> {
        Self::of(&Gguf(file), Config::of_gguf(file)?, Pairs::Neighbours)
    }

    /// Of a directory, as [`super::Model::of_directory`] takes it.
    ///
    /// # Errors
    /// As there.
    pub fn of_directory(directory: &Path) -> Result<Self, Error> {
        with_directory(directory, |tensors, config| Self::of(tensors, config, Pairs::Halves))
    }

    fn of(source: &impl Source, config: Config, pairs: Pairs) -> Result<Self, Error> {
        let layer = |number: usize| {
            let norm = |name: &str| source.vector(&format!("blk.{number}.{name}.weight"), config.hidden);
            let part = |part: Part| source.plain(&part.tensors(number, &config), part.shape(&config)[1]);
            let [attention, attention_out, gated, out] = Part::ALL;
            Ok(PlainLayer {
                attention_norm: norm("attn_norm")?,
                inner_norm: norm("ffn_norm")?,
                parts: [part(attention)?, part(attention_out)?, part(gated)?, part(out)?],
            })
        };
        Ok(Self {
            config,
            pairs,
            layers: (0..config.layers).map(layer).collect::<Result<_, Error>>()?,
            norm: source.vector("output_norm.weight", config.hidden)?,
            head: source.plain(&[(source.head()?.to_owned(), config.vocabulary)], config.hidden)?,
            embeddings: source.embeddings(&config)?,
        })
    }

    /// The embedding of a token of the vocabulary, `[hidden]`.
    pub fn embedding(&self, token: u32, values: &mut [f32]) {
        self.embeddings.row(token as usize, values);
    }
}
