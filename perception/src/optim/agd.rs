//! AGD, which preconditions by how the gradient changes, and becomes plain momentum where it changes little.
//!
//! Yue et al., "AGD: an Auto-switchable Optimizer using Stepwise Gradient Difference for Preconditioning Matrix"
//! (NeurIPS 2023, arXiv 2312.01658), Algorithm 1; weight decay decoupled as in the authors' implementation (dlrover,
//! `atorch/optimizers/agd.py`, without its options `amsgrad` and `win`). With bias-corrected moments
//! `m̂ₜ = mₜ / (1 − β₁ᵗ)` and `m̂₀ = 0`:
//!
//! ```text
//! mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ
//! bₜ = β₂ bₜ₋₁ + (1 − β₂) (m̂ₜ − m̂ₜ₋₁)²
//! wₜ = (1 − η λ) wₜ₋₁ − η √(1 − β₂ᵗ) m̂ₜ / max(√bₜ, δ √(1 − β₂ᵗ))
//! ```

use burn::config::Config;
use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{LearningRate, SimpleOptimizer};
use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

/// The settings of [`Agd`].
#[derive(Config, Debug)]
pub struct AgdConfig {
    /// β₁, the decay of the first moment.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// β₂, the decay of the squared differences.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// δ, the root-mean-square difference below which a weight gets plain momentum, of step η/δ.
    #[config(default = 1e-5)]
    pub delta: f64,
    /// λ, the weight decay, decoupled from the gradient.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

/// The optimiser; see the module.
#[derive(Debug, Clone)]
pub struct Agd {
    config: AgdConfig,
}

/// What [`Agd`] remembers of a tensor of weights.
#[derive(Record, Clone)]
pub struct AgdState<B: Backend, const D: usize> {
    /// Steps done.
    pub time: usize,
    /// mₜ, the first moment.
    pub moment: Tensor<B, D>,
    /// bₜ, the moment of the squared differences.
    pub difference: Tensor<B, D>,
}

impl AgdConfig {
    /// The rule for one tensor.
    pub fn build(&self) -> Agd {
        Agd { config: self.clone() }
    }

    /// The optimiser for a module.
    pub fn init<B: AutodiffBackend, M: AutodiffModule<B>>(&self) -> OptimizerAdaptor<Agd, M, B> {
        OptimizerAdaptor::from(self.build())
    }
}

impl<B: Backend> SimpleOptimizer<B> for Agd {
    type State<const D: usize> = AgdState<B, D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<B, D>,
        grad: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        let AgdConfig { beta_1, beta_2, delta, weight_decay } = self.config;
        let time = state.as_ref().map_or(0, |state| state.time) + 1;
        let correction = |beta: f64, time: usize| 1.0 - beta.powf(time as f64);
        let mut moment = grad.mul_scalar(1.0 - beta_1);
        let (mut change, mut squares) = (None, None);
        if let Some(state) = state {
            moment = moment + state.moment.clone().mul_scalar(beta_1);
            change = Some(state.moment.div_scalar(correction(beta_1, time - 1)));
            squares = Some(state.difference.mul_scalar(beta_2));
        }
        let corrected = moment.clone().div_scalar(correction(beta_1, time));
        let change = match change {
            Some(before) => corrected.clone() - before,
            None => corrected.clone(),
        };
        let mut difference = change.square().mul_scalar(1.0 - beta_2);
        if let Some(squares) = squares {
            difference = difference + squares;
        }
        let scale = correction(beta_2, time).sqrt();
        let preconditioner = difference.clone().sqrt().clamp_min(delta * scale);
        let tensor = tensor.mul_scalar(1.0 - lr * weight_decay) - (corrected / preconditioner).mul_scalar(lr * scale);
        (tensor, Some(AgdState { time, moment, difference }))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &B::Device) -> Self::State<D> {
        state.moment = state.moment.to_device(device);
        state.difference = state.difference.to_device(device);
        state
    }
}
