//! Many sequences through a decoder part by part, so that a part's weights can be replaced once its inputs are known,
//! and what follows is computed with the new ones.

use std::mem::swap;

use super::{Model, Part, Soft, Span, Stack, Workspace};
use crate::cache::{Cache, Precision};
use crate::kernel::{Ancestors, Matrix, PAGE};

/// Sequences on their way.
pub(crate) struct Walk {
    model: Model,
    cache: Cache,
    room: Workspace,
    sequences: Vec<Sequence>,
}

struct Sequence {
    tokens: Vec<u32>,
    /// `[tokens, hidden]`.
    hidden: Vec<f32>,
    /// Of the part that is next, `[tokens, columns]`.
    inputs: Vec<f32>,
}

impl Walk {
    /// Before the first layer's first part. The tokens must be the model's.
    pub fn new(model: Model, texts: &[Vec<u32>]) -> Self {
        let longest = texts.iter().max_by_key(|text| text.len());
        let pages = longest.map_or(0, |text| text.len().div_ceil(PAGE));
        let cache = Cache::new(model.shape(), Precision::default(), pages);
        let mut walk = Self { model, cache, room: Workspace::default(), sequences: Vec::new() };
        // The longest comes last, so that the angles of all its places are left, where the others have the same.
        for text in texts.iter().chain(longest) {
            let pages = walk.pages();
            walk.model.embed(&[span(&pages, text)], &Soft::default(), &mut walk.room);
            if let Some(layer) = walk.model.layers.first() {
                walk.model.normalize_layer(layer, &mut walk.room);
            }
            let (hidden, inputs) = (walk.room.hidden.clone(), walk.room.normed.clone());
            walk.sequences.push(Sequence { tokens: text.clone(), hidden, inputs });
        }
        walk.sequences.truncate(texts.len());
        walk
    }

    fn pages(&self) -> Vec<u32> {
        (0..self.cache.pages() as u32).collect()
    }

    /// The sequences' inputs of the next part, `[tokens, columns]` each.
    pub fn inputs(&self) -> impl Iterator<Item = &[f32]> {
        self.sequences.iter().map(|sequence| sequence.inputs.as_slice())
    }

    /// Puts a matrix, all its results in their order, in the place of a part of a layer.
    pub fn replace(&mut self, layer: usize, part: Part, matrix: Matrix) {
        let layer = &mut self.model.layers[layer];
        *match part {
            Part::Attention => &mut layer.attention,
            Part::AttentionOut => &mut layer.attention_out,
            Part::Gated => &mut layer.gated,
            Part::Out => &mut layer.out,
        } = Stack(vec![matrix]);
    }

    /// All sequences through a part: after it, [`Self::inputs`] are those of the one that follows.
    pub fn pass(&mut self, layer: usize, part: Part) {
        let pages = self.pages();
        let Self { model, cache, room, sequences } = self;
        let weights = &model.layers[layer];
        for Sequence { tokens, hidden, inputs } in sequences {
            swap(&mut room.hidden, hidden);
            match part {
                Part::Attention => {
                    swap(&mut room.normed, inputs);
                    model.attend(layer, weights, cache, &[span(&pages, tokens)], room);
                    swap(&mut room.gathered, inputs);
                }
                Part::AttentionOut => {
                    swap(&mut room.gathered, inputs);
                    model.add_attention(weights, room);
                    swap(&mut room.normed, inputs);
                }
                Part::Gated => {
                    swap(&mut room.normed, inputs);
                    model.gate(weights, room);
                    swap(&mut room.inner, inputs);
                }
                Part::Out => {
                    swap(&mut room.inner, inputs);
                    model.add_inner(weights, room);
                    if let Some(next) = model.layers.get(layer + 1) {
                        model.normalize_layer(next, room);
                        swap(&mut room.normed, inputs);
                    }
                }
            }
            swap(&mut room.hidden, hidden);
        }
    }
}

impl Model {
    /// Puts other weights of norms, `[hidden]` each, in the place of a layer's.
    pub(crate) fn replace_norms(&mut self, layer: usize, attention: &[f32], inner: &[f32]) {
        let layer = &mut self.layers[layer];
        layer.attention_norm.copy_from_slice(attention);
        layer.inner_norm.copy_from_slice(inner);
    }
}

/// A whole sequence at once.
fn span<'a>(pages: &'a [u32], tokens: &'a [u32]) -> Span<'a> {
    Span { pages, before: 0, tokens, ancestors: Ancestors::All, wanted_from: tokens.len() }
}
