//! WSAM, which seeks flat minima: the loss plus the weighted rise of the loss on the way uphill.
//!
//! Yue et al., "Sharpness-Aware Minimization Revisited: Weighted Sharpness as a Regularization Term" (KDD 2023, arXiv
//! 2305.15817), and the authors' implementation (dlrover, `atorch/optimizers/wsam.py`, without its adaptive radius and
//! its clipping). With the gradient g at the weights w, and g̃ at `w + ρ g / (‖g‖ + ε)`, the norm being over all
//! weights together, and the base optimiser's update u:
//!
//! ```text
//! coupled:    w − η u(g + γ/(1−γ) (g̃ − g))
//! decoupled:  w − η u(g) − η γ/(1−γ) (g̃ − g)
//! ```
//!
//! γ = 0 is the base optimiser, γ = ½ coupled is SAM. The decoupled form is the authors' default: the sharpness of this
//! step alone counts, and does not enter the moments. A training step in it:
//!
//! ```no_run
//! # use burn::module::AutodiffModule;
//! # use burn::optim::{GradientsParams, LearningRate, Optimizer};
//! # use burn::tensor::{Tensor, backend::AutodiffBackend};
//! # use tandem_perception::optim::Wsam;
//! # fn step<B: AutodiffBackend, M: AutodiffModule<B>>(
//! #     wsam: &Wsam, optimizer: &mut impl Optimizer<M, B>, loss: impl Fn(&M) -> Tensor<B, 1>, model: M, lr: LearningRate,
//! # ) -> M {
//! let gradients = GradientsParams::from_grads(loss(&model).backward(), &model);
//! let uphill = wsam.perturb(model.clone(), &gradients);
//! let uphill_gradients = GradientsParams::from_grads(loss(&uphill).backward(), &uphill);
//! let sharpness = wsam.sharpness(&model, &gradients, uphill_gradients);
//! let model = optimizer.step(lr, model, gradients);
//! wsam.flatten(model, sharpness, lr)
//! # }
//! ```
//!
//! Running statistics, as of batch normalisation, should be those of the first pass: the model that is stepped is the
//! one before [`Wsam::perturb`], which holds them.

use std::marker::PhantomData;

use burn::config::Config;
use burn::module::{AutodiffModule, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LearningRate};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

/// Added to the gradient's norm before dividing by it.
const NORM_EPSILON: f64 = 1e-12;

/// The settings of [`Wsam`].
#[derive(Config, Debug)]
pub struct WsamConfig {
    /// ρ, how far uphill the second gradient is taken.
    #[config(default = 0.05)]
    pub rho: f64,
    /// γ in [0, 1), the weight of the sharpness against that of the loss.
    #[config(default = 0.9)]
    pub gamma: f64,
}

/// The two passes around a base optimiser's step; see the module.
#[derive(Debug, Clone)]
pub struct Wsam {
    rho: f64,
    /// γ / (1 − γ).
    weight: f64,
}

impl WsamConfig {
    /// The functions for these settings.
    pub fn init(&self) -> Wsam {
        Wsam { rho: self.rho, weight: self.gamma / (1.0 - self.gamma) }
    }
}

impl Wsam {
    /// The model ρ uphill along its gradients; weights without a gradient stay.
    pub fn perturb<B: AutodiffBackend, M: AutodiffModule<B>>(&self, model: M, gradients: &GradientsParams) -> M {
        let mut squares = SquareSum::<B> { gradients, sum: None };
        model.visit(&mut squares);
        let Some(sum) = squares.sum else { return model };
        let factor = sum.sqrt().add_scalar(NORM_EPSILON).recip().mul_scalar(self.rho);
        model.map(&mut AddScaled::<B> { gradients, factor: Factor::Tensor(factor) })
    }

    /// The gradients' change on the way uphill, `g̃ − g`; those of weights that have both.
    pub fn sharpness<B: AutodiffBackend, M: AutodiffModule<B>>(
        &self,
        model: &M,
        gradients: &GradientsParams,
        uphill: GradientsParams,
    ) -> GradientsParams {
        combined::<B, M>(model, gradients, uphill, -1.0, 1.0)
    }

    /// The gradients that the base optimiser gets in the coupled form, `g + γ/(1−γ) (g̃ − g)`.
    pub fn combine<B: AutodiffBackend, M: AutodiffModule<B>>(
        &self,
        model: &M,
        gradients: &GradientsParams,
        uphill: GradientsParams,
    ) -> GradientsParams {
        combined::<B, M>(model, gradients, uphill, 1.0 - self.weight, self.weight)
    }

    /// The model after the base optimiser's step, moved against the sharpness: the decoupled form's second half.
    pub fn flatten<B: AutodiffBackend, M: AutodiffModule<B>>(
        &self,
        model: M,
        sharpness: GradientsParams,
        lr: LearningRate,
    ) -> M {
        model.map(&mut AddScaled::<B> { gradients: &sharpness, factor: Factor::Number(-lr * self.weight) })
    }
}

/// `a first + b second` for each weight that has both.
fn combined<B: AutodiffBackend, M: AutodiffModule<B>>(
    model: &M,
    first: &GradientsParams,
    second: GradientsParams,
    a: f64,
    b: f64,
) -> GradientsParams {
    let mut combine =
        Combine::<B> { first, second, factors: (a, b), out: GradientsParams::new(), backend: PhantomData };
    model.visit(&mut combine);
    combine.out
}

/// Sums the squares of all gradients, on their device.
struct SquareSum<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<B::InnerBackend, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for SquareSum<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) {
            let square = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

/// Combines two gradients of each weight.
struct Combine<'a, B: AutodiffBackend> {
    first: &'a GradientsParams,
    second: GradientsParams,
    factors: (f64, f64),
    out: GradientsParams,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Combine<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let first = self.first.get::<B::InnerBackend, D>(param.id);
        let second = self.second.remove::<B::InnerBackend, D>(param.id);
        if let (Some(first), Some(second)) = (first, second) {
            let (a, b) = self.factors;
            self.out.register::<B::InnerBackend, D>(param.id, first.mul_scalar(a) + second.mul_scalar(b));
        }
    }
}

/// A number, known here or on the device only; reading it back would wait for the device.
enum Factor<B: AutodiffBackend> {
    Number(f64),
    Tensor(Tensor<B::InnerBackend, 1>),
}

/// Adds a multiple of its gradient to each weight.
struct AddScaled<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    factor: Factor<B>,
}

impl<B: AutodiffBackend> ModuleMapper<B> for AddScaled<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (id, tensor, mapper) = param.consume();
        let tensor = match self.gradients.get::<B::InnerBackend, D>(id) {
            Some(gradient) => {
                let is_require_grad = tensor.is_require_grad();
                let step = match &self.factor {
                    Factor::Number(factor) => gradient.mul_scalar(*factor),
                    Factor::Tensor(factor) => gradient * factor.clone().reshape([1; D]),
                };
                let moved = Tensor::from_inner(tensor.inner() + step);
                if is_require_grad { moved.require_grad() } else { moved }
            }
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
