//! What a tower and its connector are like, as the model's `config.json` says.

use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::kernel::ROWS;

/// The shapes and constants of a tower and its connector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Layers.
    pub layers: usize,
    /// Numbers of a patch between layers.
    pub hidden: usize,
    /// Heads.
    pub heads: usize,
    /// Numbers of a patch within the second part of a layer.
    pub inner: usize,
    /// Channels of an image.
    pub channels: usize,
    /// Pixels of a patch's side.
    pub patch: usize,
    /// Patches along a side for which there are places; other images share these out.
    pub places: usize,
    /// What norms add to the variance.
    pub epsilon: f32,
    /// Patches along a side that become one feature.
    pub scale: usize,
    /// Numbers of a feature: those of a token between the text's layers.
    pub text_hidden: usize,
    /// Tokens of the text's vocabulary.
    pub vocabulary: usize,
    /// The token that stands for images in a prompt.
    pub image_token: u32,
}

impl Config {
    /// Of the `config.json` of an Idefics3 or a SmolVLM; `None` if it is that of another model.
    ///
    /// # Errors
    /// If it cannot be read or parsed, and for shapes that cannot be.
    pub fn of_json(path: &Path) -> Result<Option<Self>, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let unparsed = |error: serde_json::Error| Error::model(path, error.to_string());
        let Whole { model_type } = serde_json::from_str(&text).map_err(unparsed)?;
        if !["idefics3", "smolvlm"].contains(&model_type.as_str()) {
            return Ok(None);
        }
        let json: Json = serde_json::from_str(&text).map_err(unparsed)?;
        let wrong = |reason: String| Err(Error::model(path, reason));
        let tower = json.vision_config;
        if tower.hidden_act != "gelu_pytorch_tanh" {
            return wrong(format!("vision_config.hidden_act: {} is not known", tower.hidden_act));
        }
        let config = Self {
            layers: tower.num_hidden_layers,
            hidden: tower.hidden_size,
            heads: tower.num_attention_heads,
            inner: tower.intermediate_size,
            channels: tower.num_channels,
            patch: tower.patch_size,
            places: tower.image_size / tower.patch_size.max(1),
            epsilon: tower.layer_norm_eps,
            scale: json.scale_factor,
            text_hidden: json.text_config.hidden_size,
            vocabulary: json.text_config.vocab_size,
            image_token: json.image_token_id,
        };
        for (name, count, unit, most) in [
            ("vision_config.num_hidden_layers", config.layers, 1, 1 << 10),
            ("vision_config.hidden_size", config.hidden, ROWS, 1 << 16),
            ("vision_config.num_attention_heads", config.heads, 1, 1 << 10),
            ("vision_config.intermediate_size", config.inner, ROWS, 1 << 18),
            ("vision_config.num_channels", config.channels, 3, 3),
            ("vision_config.patch_size", config.patch, 1, 1 << 10),
            ("vision_config.image_size", config.places, 1, 1 << 10),
            ("scale_factor", config.scale, 1, 1 << 5),
            ("text_config.hidden_size", config.text_hidden, ROWS, 1 << 16),
        ] {
            if count == 0 || count > most || !count.is_multiple_of(unit) {
                return wrong(format!("{name}: {count} should be a multiple of {unit} up to {most}"));
            }
        }
        if !config.hidden.is_multiple_of(config.heads) {
            return wrong(format!("{} heads do not share {} numbers evenly", config.heads, config.hidden));
        }
        if !(config.epsilon.is_finite() && config.epsilon >= 0.0) {
            return wrong("vision_config.layer_norm_eps: no number that can be".to_owned());
        }
        Ok(Some(config))
    }

    /// Patches along a tile's side.
    pub fn patches(&self, side: usize) -> usize {
        side / self.patch
    }

    /// Features of a square tile; `None` if its patches are no whole ones.
    pub fn features(&self, side: usize) -> Option<usize> {
        let patches = self.patches(side);
        let is_whole = patches > 0 && patches.is_multiple_of(self.scale);
        is_whole.then(|| (patches / self.scale).pow(2))
    }
}

/// What every `config.json` says.
#[derive(Deserialize)]
struct Whole {
    model_type: String,
}

/// What is read of that of a model that sees.
#[derive(Deserialize)]
struct Json {
    vision_config: Tower,
    text_config: Text,
    scale_factor: usize,
    image_token_id: u32,
}

#[derive(Deserialize)]
struct Text {
    hidden_size: usize,
    vocab_size: usize,
}

/// What the file does not say is as in transformers (`configuration_idefics3.py`), for files leave out what is as there.
#[derive(Deserialize)]
#[serde(default)]
struct Tower {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_channels: usize,
    image_size: usize,
    patch_size: usize,
    hidden_act: String,
    layer_norm_eps: f32,
}

impl Default for Tower {
    fn default() -> Self {
        Self {
            hidden_size: 1152,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 16,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: "gelu_pytorch_tanh".to_owned(),
            layer_norm_eps: 1e-6,
        }
    }
}
