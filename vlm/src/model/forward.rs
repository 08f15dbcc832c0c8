//! One pass of new tokens of some sequences through a decoder.

use super::{Config, Layer, Model, Soft};
use crate::cache::Cache;
use crate::kernel::{Activations, Ancestors, Attention, PAGE, Place, attend, normalize, rotate, swiglu};

/// New tokens of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The sequence's pages, with room for the new tokens.
    pub pages: &'a [u32],
    /// Tokens of the sequence in the cache.
    pub before: usize,
    /// The new ones.
    pub tokens: &'a [u32],
    /// Which of the new tokens each of them sees; its place in the sequence is `before` and as many as it sees of the
    /// others.
    pub ancestors: Ancestors<'a>,
    /// The first new token whose logits are wanted.
    pub wanted_from: usize,
}

impl Span<'_> {
    /// Where in the sequence a new token stands.
    fn position(&self, token: usize) -> usize {
        self.before
            + match self.ancestors {
                Ancestors::All => token,
                Ancestors::Of(bits) => bits[token].count_ones() as usize - 1,
            }
    }
}

/// Room that passes use again.
#[derive(Debug, Default)]
pub struct Workspace {
    activations: Activations,
    /// `[tokens, hidden]`.
    pub(super) hidden: Vec<f32>,
    pub(super) normed: Vec<f32>,
    added: Vec<f32>,
    /// `[tokens, queries + keys + values]`.
    attention: Vec<f32>,
    queries: Vec<f32>,
    pub(super) gathered: Vec<f32>,
    /// `[tokens, 2 · inner]`.
    gated: Vec<f32>,
    pub(super) inner: Vec<f32>,
    /// Cosines and sines of every token's angles, `[tokens, head_size / 2]`.
    turns: Vec<[f32; 2]>,
    logits: Vec<f32>,
}

impl Model {
    /// Reads the new tokens of all spans, puts their keys and values behind those before them, and returns the logits
    /// after the wanted ones, `[wanted, vocabulary]`, span by span.
    pub fn forward<'a>(&self, cache: &mut Cache, spans: &[Span<'_>], room: &'a mut Workspace) -> &'a [f32] {
        self.forward_with(cache, spans, &Soft::default(), room)
    }

    /// The same where tokens that are not of the vocabulary stand for rows of `soft`.
    pub fn forward_with<'a>(
        &self,
        cache: &mut Cache,
        spans: &[Span<'_>],
        soft: &Soft,
        room: &'a mut Workspace,
    ) -> &'a [f32] {
        // Within the pool a parallel part begins without waking anybody up.
        rayon::scope(|_| self.pass(cache, spans, soft, room))
    }

    fn pass<'a>(&self, cache: &mut Cache, spans: &[Span<'_>], soft: &Soft, room: &'a mut Workspace) -> &'a [f32] {
        let Config { hidden, vocabulary, .. } = self.config;
        self.embed(spans, soft, room);
        for (number, layer) in self.layers.iter().enumerate() {
            self.normalize_layer(layer, room);
            self.attend(number, layer, cache, spans, room);
            self.add_attention(layer, room);
            self.gate(layer, room);
            self.add_inner(layer, room);
        }
        room.normed.clear();
        let mut first = 0;
        for span in spans {
            let wanted = span.wanted_from.min(span.tokens.len());
            room.normed
                .extend_from_slice(&room.hidden[(first + wanted) * hidden..(first + span.tokens.len()) * hidden]);
            first += span.tokens.len();
        }
        let wanted = room.normed.len() / hidden;
        room.added.resize(room.normed.len(), 0.0);
        normalize(self.set, &room.normed, &self.norm, self.config.epsilon, &mut room.added);
        room.activations.set(wanted, hidden, &room.added, std::slice::from_ref(&self.head));
        room.logits.resize(wanted * vocabulary, 0.0);
        self.head.product(self.set, &room.activations, &mut room.logits, Place { stride: vocabulary, first: 0 });
        &room.logits
    }

    /// The tokens' embeddings and angles.
    pub(super) fn embed(&self, spans: &[Span<'_>], soft: &Soft, room: &mut Workspace) {
        let Config { hidden, vocabulary, head_size, rope_base, .. } = self.config;
        let count: usize = spans.iter().map(|span| span.tokens.len()).sum();
        room.hidden.resize(count * hidden, 0.0);
        room.turns.clear();
        let mut rows = room.hidden.chunks_exact_mut(hidden);
        for span in spans {
            for ((number, token), row) in span.tokens.iter().enumerate().zip(&mut rows) {
                match soft.row(*token) {
                    Some(given) => row.copy_from_slice(given),
                    None => {
                        assert!((*token as usize) < vocabulary, "token {token} is not in the vocabulary");
                        self.embeddings.row(*token as usize, row);
                    }
                }
                let position = span.position(number) as f64;
                room.turns.extend((0..head_size / 2).map(|pair| {
                    let (sin, cos) = (position * rope_base.powf(-2.0 * pair as f64 / head_size as f64)).sin_cos();
                    [cos as f32, sin as f32]
                }));
            }
        }
    }

    /// Out of the hidden numbers, the inputs of a layer's attention.
    pub(super) fn normalize_layer(&self, layer: &Layer, room: &mut Workspace) {
        room.normed.resize(room.hidden.len(), 0.0);
        normalize(self.set, &room.hidden, &layer.attention_norm, self.config.epsilon, &mut room.normed);
    }

    /// Out of those, what a layer's queries gather.
    pub(super) fn attend(
        &self,
        number: usize,
        layer: &Layer,
        cache: &mut Cache,
        spans: &[Span<'_>],
        room: &mut Workspace,
    ) {
        let Config { hidden, heads, kv_heads, head_size, .. } = self.config;
        let (query, key) = (heads * head_size, kv_heads * head_size);
        let count = room.normed.len() / hidden;
        room.activations.set(count, hidden, &room.normed, &layer.attention.0);
        room.attention.resize(count * (query + 2 * key), 0.0);
        layer.attention.product(self.set, &room.activations, &mut room.attention);

        room.queries.resize(count * query, 0.0);
        let mut tokens = (room.attention.chunks_exact_mut(query + 2 * key))
            .zip(room.queries.chunks_exact_mut(query))
            .zip(room.turns.chunks_exact(head_size / 2));
        for span in spans {
            for (token, ((values, queries), turns)) in (0..span.tokens.len()).zip(&mut tokens) {
                let (turned, values) = values.split_at_mut(query + key);
                rotate(self.pairs, turns, turned);
                queries.copy_from_slice(&turned[..query]);
                let at = span.before + token;
                cache.put(number, span.pages[at / PAGE], at % PAGE, &turned[query..], values);
            }
        }
        room.gathered.resize(count * query, 0.0);
        let mut first = 0;
        for span in spans {
            let part = first * query..(first + span.tokens.len()) * query;
            let attention = Attention {
                queries: &room.queries[part.clone()],
                heads,
                kv_heads,
                head_size,
                pages: span.pages,
                before: span.before,
                ancestors: span.ancestors,
            };
            attend(self.set, cache.layer(number), &attention, &mut room.gathered[part]);
            first += span.tokens.len();
        }
    }

    /// Adds what was gathered to the hidden numbers; out of these, the inputs of the layer's gated part.
    pub(super) fn add_attention(&self, layer: &Layer, room: &mut Workspace) {
        let Config { hidden, heads, head_size, epsilon, .. } = self.config;
        let count = room.hidden.len() / hidden;
        room.activations.set(count, heads * head_size, &room.gathered, &layer.attention_out.0);
        room.added.resize(count * hidden, 0.0);
        layer.attention_out.product(self.set, &room.activations, &mut room.added);
        add(&mut room.hidden, &room.added);
        room.normed.resize(room.hidden.len(), 0.0);
        normalize(self.set, &room.hidden, &layer.inner_norm, epsilon, &mut room.normed);
    }

    /// Out of those, what the gates let through.
    pub(super) fn gate(&self, layer: &Layer, room: &mut Workspace) {
        let Config { hidden, inner, .. } = self.config;
        let count = room.normed.len() / hidden;
        room.activations.set(count, hidden, &room.normed, &layer.gated.0);
        room.gated.resize(count * 2 * inner, 0.0);
        layer.gated.product(self.set, &room.activations, &mut room.gated);
        room.inner.resize(count * inner, 0.0);
        swiglu(self.set, &room.gated, inner, &mut room.inner);
    }

    /// Adds that to the hidden numbers.
    pub(super) fn add_inner(&self, layer: &Layer, room: &mut Workspace) {
        let Config { hidden, inner, .. } = self.config;
        let count = room.hidden.len() / hidden;
        room.activations.set(count, inner, &room.inner, &layer.out.0);
        room.added.resize(count * hidden, 0.0);
        layer.out.product(self.set, &room.activations, &mut room.added);
        add(&mut room.hidden, &room.added);
    }
}

fn add(values: &mut [f32], others: &[f32]) {
    values.iter_mut().zip(others).for_each(|(value, other)| *value += other);
}
