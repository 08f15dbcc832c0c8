//! A tower's weights out of a directory of safetensors.

use std::path::Path;

use super::Config;
use super::tower::{Layer, Norm, Tower};
use crate::Error;
use crate::kernel::{Dense, InstructionSet};
use crate::model::Tensors;

impl Tower {
    /// From a directory with `model.safetensors`.
    ///
    /// # Errors
    /// If the weights cannot be read; for tensors that are not there or of another shape.
    pub fn of_directory(directory: &Path, config: &Config) -> Result<Self, Error> {
        let config = *config;
        let Config { hidden, inner, channels, patch, places, scale, text_hidden, .. } = config;
        Tensors::with(directory, |tensors| {
            let get = |name: String, shape: &[usize]| tensors.values(&format!("model.{name}"), shape);
            let of_tower = |name: &str, shape: &[usize]| get(format!("vision_model.{name}"), shape);
            let norm = |name: &str| {
                let part = |part: &str| of_tower(&format!("{name}.{part}"), &[hidden]);
                Ok::<_, Error>(Norm { weight: part("weight")?, bias: part("bias")? })
            };
            // Matrices with the same inputs become one.
            let dense = |names: &[String], rows: usize, columns: usize| {
                let (mut weights, mut bias) = (Vec::new(), Vec::new());
                for name in names {
                    weights.extend(of_tower(&format!("{name}.weight"), &[rows, columns])?);
                    bias.extend(of_tower(&format!("{name}.bias"), &[rows])?);
                }
                Ok::<_, Error>(Dense::new(columns, &weights, bias))
            };
            let layer = |number: usize| {
                let name = |part: &str| format!("encoder.layers.{number}.{part}");
                Ok(Layer {
                    attention_norm: norm(&name("layer_norm1"))?,
                    attention: dense(&["q", "k", "v"].map(|of| name(&format!("self_attn.{of}_proj"))), hidden, hidden)?,
                    attention_out: dense(&[name("self_attn.out_proj")], hidden, hidden)?,
                    inner_norm: norm(&name("layer_norm2"))?,
                    inner: dense(&[name("mlp.fc1")], inner, hidden)?,
                    out: dense(&[name("mlp.fc2")], hidden, inner)?,
                })
            };
            let patches = of_tower("embeddings.patch_embedding.weight", &[hidden, channels, patch, patch])?;
            let bias = of_tower("embeddings.patch_embedding.bias", &[hidden])?;
            let joined = scale * scale * hidden;
            let connector = get("connector.modality_projection.proj.weight".to_owned(), &[text_hidden, joined])?;
            Ok(Self {
                config,
                patches: Dense::new(channels * patch * patch, &patches, bias),
                places: of_tower("embeddings.position_embedding.weight", &[places * places, hidden])?,
                layers: (0..config.layers).map(layer).collect::<Result<_, Error>>()?,
                norm: norm("post_layernorm")?,
                connector: Dense::new(joined, &connector, vec![0.0; text_hidden]),
                set: InstructionSet::best(),
            })
        })
    }
}
