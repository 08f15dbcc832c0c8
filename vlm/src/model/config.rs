//! What a decoder is like, as its file says.

use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::gguf;
use crate::kernel::{BLOCK, ROWS};

/// The shapes and constants of a decoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Layers.
    pub layers: usize,
    /// Numbers of a token between layers.
    pub hidden: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Numbers of a head.
    pub head_size: usize,
    /// Numbers of a token within the gated part of a layer.
    pub inner: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Tokens that it was taught to overlook at a time.
    pub context: usize,
    /// What norms add to the mean square.
    pub epsilon: f32,
    /// The base of the rotations' angles.
    pub rope_base: f64,
}

impl Config {
    /// Of a GGUF file.
    ///
    /// # Errors
    /// For another architecture than `llama`, and for shapes that cannot be.
    pub fn of_gguf(file: &gguf::File) -> Result<Self, Error> {
        let architecture = file.text("general.architecture")?;
        if architecture != "llama" {
            return Err(Error::model(file.path(), format!("its architecture is {architecture}, not llama")));
        }
        if let Some(scaling) = file.find::<&str>("llama.rope.scaling.type")?.filter(|scaling| *scaling != "none") {
            return Err(Error::model(
                file.path(),
                format!("its rotations are scaled by {scaling}, which is not known"),
            ));
        }
        let count = |key: &str| Ok(file.number::<u32>(&format!("llama.{key}"))? as usize);
        let (hidden, heads) = (count("embedding_length")?, count("attention.head_count")?);
        let find = |key: &str| Ok(file.find::<u32>(&format!("llama.{key}"))?.map(|count| count as usize));
        let config = Self {
            layers: count("block_count")?,
            hidden,
            heads,
            kv_heads: find("attention.head_count_kv")?.unwrap_or(heads),
            head_size: find("attention.key_length")?.unwrap_or(hidden / heads.max(1)),
            inner: count("feed_forward_length")?,
            vocabulary: file.tensor("token_embd.weight")?.shape.first().copied().unwrap_or(0),
            context: count("context_length")?,
            epsilon: file.number("llama.attention.layer_norm_rms_epsilon")?,
            rope_base: file.find::<f32>("llama.rope.freq_base")?.map_or(10_000.0, f64::from),
        };
        config.check(file.path())
    }

    /// Of a `config.json` as transformers writes it: a Llama's, or that of a larger model whose text part is one.
    ///
    /// # Errors
    /// If it cannot be read or parsed, for other model types, and for shapes that cannot be.
    pub fn of_json(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let wrong = |error: serde_json::Error| Error::model(path, error.to_string());
        let Whole { model_type } = serde_json::from_str(&text).map_err(wrong)?;
        let found: Json = match model_type.as_str() {
            "idefics3" | "smolvlm" => serde_json::from_str::<Part>(&text).map_err(wrong)?.text_config,
            _ => serde_json::from_str(&text).map_err(wrong)?,
        };
        if found.model_type != "llama" {
            return Err(Error::model(path, format!("its model_type is {}, not llama", found.model_type)));
        }
        if found.rope_scaling.is_some_and(|scaling| !scaling.is_null()) {
            return Err(Error::model(path, "its rotations are scaled, which is not known"));
        }
        if found.attention_bias || found.mlp_bias {
            return Err(Error::model(path, "its layers have biases, which are not known"));
        }
        let parameters = found.rope_parameters.unwrap_or_default();
        if parameters.rope_type.as_deref().is_some_and(|kind| kind != "default") {
            return Err(Error::model(path, "its rotations are scaled, which is not known"));
        }
        let config = Self {
            layers: found.num_hidden_layers,
            hidden: found.hidden_size,
            heads: found.num_attention_heads,
            kv_heads: found.num_key_value_heads.unwrap_or(found.num_attention_heads),
            head_size: found.head_dim.unwrap_or(found.hidden_size / found.num_attention_heads.max(1)),
            inner: found.intermediate_size,
            vocabulary: found.vocab_size,
            context: found.max_position_embeddings,
            epsilon: found.rms_norm_eps,
            rope_base: parameters.rope_theta.or(found.rope_theta).unwrap_or(10_000.0),
        };
        config.check(path)
    }

    fn check(self, path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Err(Error::model(path, reason));
        for (name, count, unit) in [
            ("layers", self.layers, 1),
            ("hidden numbers", self.hidden, BLOCK),
            ("inner numbers", self.inner, BLOCK),
            ("numbers of a head", self.head_size, ROWS),
            ("heads", self.heads, 1),
            ("heads of keys", self.kv_heads, 1),
            ("tokens", self.vocabulary, 1),
            ("tokens of context", self.context, 1),
        ] {
            if count == 0 || !count.is_multiple_of(unit) || count > 1 << 24 {
                return wrong(format!("{count} {name}: it should be a multiple of {unit}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong(format!("{} heads do not share {} heads of keys evenly", self.heads, self.kv_heads));
        }
        if !(self.rope_base.is_finite() && self.rope_base > 0.0 && self.epsilon.is_finite() && self.epsilon >= 0.0) {
            return wrong("its constants are no numbers that can be".to_owned());
        }
        Ok(self)
    }
}

/// What every `config.json` says.
#[derive(Deserialize)]
struct Whole {
    model_type: String,
}

/// What a larger model's says of its text part.
#[derive(Deserialize)]
struct Part {
    text_config: Json,
}

/// What is read of `config.json`.
#[derive(Deserialize)]
struct Json {
    model_type: String,
    num_hidden_layers: usize,
    hidden_size: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f32,
    rope_theta: Option<f64>,
    rope_scaling: Option<serde_json::Value>,
    rope_parameters: Option<Rope>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
}

/// Rotations, as newer versions write them.
#[derive(Deserialize, Default)]
struct Rope {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}
