//! A slow-moving average of the weights, which evaluates better than the weights themselves.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};

/// Moves `average` towards `now`: average = decay · average + (1 − decay) · now (Polyak averaging).
pub fn follow<B: Backend, M: Module<B>>(average: M, now: &M, decay: f64) -> M {
    let mut collected = Collect { values: HashMap::new() };
    now.visit(&mut collected);
    average.map(&mut Mix { values: collected.values, decay })
}

struct Collect<B: Backend> {
    values: HashMap<ParamId, TensorPrimitive<B>>,
}

impl<B: Backend> ModuleVisitor<B> for Collect<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.values.insert(param.id, param.val().into_primitive());
    }
}

struct Mix<B: Backend> {
    values: HashMap<ParamId, TensorPrimitive<B>>,
    decay: f64,
}

impl<B: Backend> ModuleMapper<B> for Mix<B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let now = self.values.remove(&param.id).map(Tensor::<B, D>::from_primitive);
        let decay = self.decay;
        param.map(|average| match now {
            Some(now) => average * decay + now * (1.0 - decay),
            None => average,
        })
    }
}
