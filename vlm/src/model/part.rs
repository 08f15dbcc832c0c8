//! The matrices of a layer, those with the same inputs as one.

use super::Config;

/// A matrix of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// To queries, keys and values.
    Attention,
    /// From what was attended to.
    AttentionOut,
    /// To gates, and to what they gate.
    Gated,
    /// From what was gated.
    Out,
}

impl Part {
    /// All of them, in the order in which a token goes through.
    pub const ALL: [Self; 4] = [Self::Attention, Self::AttentionOut, Self::Gated, Self::Out];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::AttentionOut => "attention_out",
            Self::Gated => "gated",
            Self::Out => "out",
        }
    }

    /// Rows and columns.
    pub fn shape(self, config: &Config) -> [usize; 2] {
        let rows = self.tensors(0, config).iter().map(|(_, rows)| rows).sum();
        let columns = match self {
            Self::Attention | Self::Gated => config.hidden,
            Self::AttentionOut => config.heads * config.head_size,
            Self::Out => config.inner,
        };
        [rows, columns]
    }

    /// The tensors of a layer that it is made of, by their names in GGUF, with their rows.
    pub(crate) fn tensors(self, layer: usize, config: &Config) -> Vec<(String, usize)> {
        let Config { hidden, heads, kv_heads, head_size, inner, .. } = *config;
        let (query, key) = (heads * head_size, kv_heads * head_size);
        let parts: &[(&str, usize)] = match self {
            Self::Attention => &[("attn_q", query), ("attn_k", key), ("attn_v", key)],
            Self::AttentionOut => &[("attn_output", hidden)],
            Self::Gated => &[("ffn_gate", inner), ("ffn_up", inner)],
            Self::Out => &[("ffn_down", hidden)],
        };
        parts.iter().map(|(name, rows)| (format!("blk.{layer}.{name}.weight"), *rows)).collect()
    }
}
