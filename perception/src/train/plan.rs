//! What is trained and how.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::loss::LossWeights;
use super::sample::Augmentation;
use super::schedule::rate;
use crate::Error;
use crate::model::NetworkConfig;

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// AdamW (Loshchilov and Hutter 2019).
    #[default]
    AdamW,
    /// AGD, see [`crate::optim::agd`].
    Agd,
    /// AdamW with decoupled WSAM around it, see [`crate::optim::wsam`]; each step takes two passes.
    Wsam,
}

/// Everything that decides what training comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The network.
    pub network: NetworkConfig,
    /// Steps in all.
    pub steps: u64,
    /// Clips that go through the network at once.
    pub batch: usize,
    /// Batches whose gradients make one step, side by side on as many threads.
    pub accumulate: usize,
    /// How gradients become steps.
    #[serde(default)]
    pub rule: Rule,
    /// The highest learning rate, reached after `warmup` steps; it falls off as half a cosine.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises.
    pub warmup: u64,
    /// How much slower a pretrained backbone learns than the rest.
    pub backbone_rate: f64,
    /// Steps for which the backbone keeps its weights, while all that comes after it learns to read it.
    pub frozen: u64,
    /// Decoupled weight decay (Loshchilov and Hutter 2019).
    pub weight_decay: f32,
    /// Gradients are cut at this norm, tensor by tensor.
    pub clip_norm: f32,
    /// How much of the average of the weights remains at each step.
    pub average_decay: f64,
    /// What each part of the loss counts.
    pub loss: LossWeights,
    /// What is varied.
    pub augmentation: Augmentation,
    /// What everything drawn starts from.
    pub seed: u64,
}

impl Plan {
    /// A plan for a network, of a length that suits a processor.
    pub fn new(network: NetworkConfig) -> Self {
        Self {
            network,
            steps: 12_000,
            batch: 1,
            accumulate: 2,
            rule: Rule::AdamW,
            learning_rate: 6e-4,
            warmup: 100,
            backbone_rate: 0.3,
            frozen: 600,
            weight_decay: 0.01,
            clip_norm: 1.0,
            average_decay: 0.998,
            loss: LossWeights::default(),
            augmentation: Augmentation::default(),
            seed: 0,
        }
    }

    /// A plan from a JSON file.
    ///
    /// # Errors
    /// For a file that cannot be read, does not parse, or describes no network.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(Error::io(path))?;
        let plan: Self = serde_json::from_slice(&text).map_err(Error::json(path))?;
        plan.network.check().map_err(|reason| Error::Config { path: path.into(), reason })?;
        Ok(plan)
    }

    /// The learning rate of a step.
    pub(super) fn learning_rate(&self, step: u64) -> f64 {
        self.learning_rate * rate(step, self.steps, self.warmup, 0.01)
    }
}
