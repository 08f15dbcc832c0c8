//! The optimisers against their published rules, worked out here in double precision, and on functions to minimise.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, Param, ParamId};
use burn::optim::{GradientsParams, Optimizer};
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Recorder};
use burn::tensor::{Tensor, backend::Backend};

use super::*;

type B = Autodiff<Flex>;

/// Two tensors of weights, to see that norms run over all of them.
#[derive(Module, Debug)]
struct Point<B: Backend> {
    x: Param<Tensor<B, 1>>,
    y: Param<Tensor<B, 2>>,
}

impl Point<B> {
    fn at(x: f32, y: f32) -> Self {
        let device = Default::default();
        let x = Tensor::<B, 1>::from_floats([x], &device).require_grad();
        let y = Tensor::<B, 2>::from_floats([[y]], &device).require_grad();
        Self { x: Param::initialized(ParamId::from(1), x), y: Param::initialized(ParamId::from(2), y) }
    }

    fn values(&self) -> [f64; 2] {
        [self.x.val().into_scalar().into(), self.y.val().into_scalar().into()]
    }
}

/// (1 − x)² + 100 (y − x²)².
fn rosenbrock(point: &Point<B>) -> Tensor<B, 1> {
    let (x, y) = (point.x.val(), point.y.val().reshape([1]));
    let valley = y - x.clone().square();
    x.neg().add_scalar(1.0).square() + valley.square().mul_scalar(100.0)
}

fn rosenbrock_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)]
}

/// x² + ½ y².
fn bowl(point: &Point<B>) -> Tensor<B, 1> {
    point.x.val().square() + point.y.val().reshape([1]).square().mul_scalar(0.5)
}

fn bowl_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    [2.0 * x, y]
}

fn gradients(point: &Point<B>, loss: fn(&Point<B>) -> Tensor<B, 1>) -> GradientsParams {
    GradientsParams::from_grads(loss(point).backward(), point)
}

fn assert_near(actual: [f64; 2], expected: [f64; 2], tolerance: f64) {
    for (actual, expected) in actual.into_iter().zip(expected) {
        assert!((actual - expected).abs() < tolerance * expected.abs().max(1.0), "{actual}, not {expected}");
    }
}

/// Algorithm 1 of the paper, one weight at a time.
struct AgdByHand {
    config: AgdConfig,
    time: i32,
    moment: [f64; 2],
    difference: [f64; 2],
}

impl AgdByHand {
    fn step(&mut self, lr: f64, weights: [f64; 2], gradient: [f64; 2]) -> [f64; 2] {
        let AgdConfig { beta_1, beta_2, delta, weight_decay } = self.config;
        self.time += 1;
        std::array::from_fn(|i| {
            let before = match self.time {
                1 => 0.0,
                time => self.moment[i] / (1.0 - beta_1.powi(time - 1)),
            };
            self.moment[i] = beta_1 * self.moment[i] + (1.0 - beta_1) * gradient[i];
            let s = self.moment[i] / (1.0 - beta_1.powi(self.time)) - before;
            self.difference[i] = beta_2 * self.difference[i] + (1.0 - beta_2) * s * s;
            let root = (1.0 - beta_2.powi(self.time)).sqrt();
            let step = lr * root / (1.0 - beta_1.powi(self.time));
            let decayed = weights[i] * (1.0 - lr * weight_decay);
            decayed - step * self.moment[i] / self.difference[i].sqrt().max(delta * root)
        })
    }
}

#[test]
fn agd_steps_as_published_on_both_sides_of_its_switch() {
    // δ between the two weights' changes: the steep one is adaptive, the flat one gets momentum.
    for (delta, weight_decay) in [(1e-8, 0.0), (0.5, 0.1), (1e3, 0.0)] {
        let config = AgdConfig::new().with_delta(delta).with_weight_decay(weight_decay).with_beta_2(0.99);
        let mut optimizer = config.init::<B, Point<B>>();
        let mut by_hand = AgdByHand { config, time: 0, moment: [0.0; 2], difference: [0.0; 2] };
        let mut point = Point::at(-1.2, 0.8);
        let mut expected = point.values();
        for _ in 0..8 {
            let found = gradients(&point, rosenbrock);
            point = optimizer.step(0.01, point, found);
            expected = by_hand.step(0.01, expected, rosenbrock_gradient(expected));
            assert_near(point.values(), expected, 2e-4);
        }
    }
}

#[test]
fn the_first_agd_step_is_as_long_as_the_rate() {
    let mut optimizer = AgdConfig::new().init::<B, Point<B>>();
    let point = Point::at(3.0, -2.0);
    let found = gradients(&point, bowl);
    // m̂ = g and √b = √(1−β₂) |g|: each weight moves by the rate against its gradient.
    assert_near(optimizer.step(0.1, point, found).values(), [2.9, -1.9], 1e-5);
}

#[test]
fn agd_goes_on_from_a_record_as_if_never_stopped() {
    let steps = |optimizer: &mut burn::optim::adaptor::OptimizerAdaptor<Agd, Point<B>, B>, mut point: Point<B>| {
        for _ in 0..3 {
            let found = gradients(&point, rosenbrock);
            point = optimizer.step(0.01, point, found);
        }
        point
    };
    let config = AgdConfig::new().with_delta(0.1);
    let mut optimizer = config.init();
    let middle = steps(&mut optimizer, Point::at(-1.2, 0.8));
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    let bytes = Recorder::<B>::record(&recorder, optimizer.to_record(), ()).unwrap();
    let record = Recorder::<B>::load(&recorder, bytes, &Default::default()).unwrap();
    let mut restored = config.init().load_record(record);
    let [x, y] = steps(&mut restored, middle.clone()).values();
    assert_eq!([x, y], steps(&mut optimizer, middle.clone()).values());
    let forgetful = steps(&mut config.init(), middle).values();
    assert_ne!([x, y], forgetful, "the state matters here");
}

#[test]
fn agd_finds_the_minimum_of_a_bowl_and_of_a_bent_valley() {
    let minimise = |loss: fn(&Point<B>) -> Tensor<B, 1>, delta: f64, lr: f64, steps: usize| {
        let mut optimizer = AgdConfig::new().with_delta(delta).init::<B, Point<B>>();
        let mut point = Point::at(-1.2, 0.8);
        for step in 0..steps {
            let found = gradients(&point, loss);
            let rate = lr * (1.0 - step as f64 / steps as f64);
            point = optimizer.step(rate, point, found);
        }
        point.values()
    };
    assert_near(minimise(bowl, 1e-5, 0.05, 500), [0.0, 0.0], 1e-2);
    assert_near(minimise(rosenbrock, 1e-2, 0.05, 3000), [1.0, 1.0], 5e-2);
}

fn uphill([x, y]: [f64; 2], gradient: [f64; 2], rho: f64) -> [f64; 2] {
    let norm = gradient[0].hypot(gradient[1]);
    [x + rho * gradient[0] / norm, y + rho * gradient[1] / norm]
}

#[test]
fn perturbing_goes_rho_uphill_over_all_weights_together() {
    let wsam = WsamConfig::new().with_rho(0.1).init();
    let point = Point::at(1.5, -2.0);
    let found = gradients(&point, bowl);
    let expected = uphill(point.values(), bowl_gradient(point.values()), 0.1);
    let moved = wsam.perturb(point, &found);
    assert_near(moved.values(), expected, 1e-6);
    assert!(moved.x.is_require_grad(), "a gradient can be taken there");
}

#[test]
fn wsam_steps_as_published_coupled_and_decoupled() {
    let (rho, gamma, lr) = (0.2, 0.8, 0.05);
    let weight = gamma / (1.0 - gamma);
    let wsam = WsamConfig::new().with_rho(rho).with_gamma(gamma).init();
    for is_decoupled in [true, false] {
        let mut optimizer = burn::optim::SgdConfig::new().init::<B, Point<B>>();
        let mut point = Point::at(1.5, -2.0);
        let mut expected = point.values();
        for _ in 0..5 {
            let first = gradients(&point, bowl);
            let higher = wsam.perturb(point.clone(), &first);
            let second = gradients(&higher, bowl);
            point = if is_decoupled {
                let sharpness = wsam.sharpness(&point, &first, second);
                let stepped = optimizer.step(lr, point, first);
                wsam.flatten(stepped, sharpness, lr)
            } else {
                let both = wsam.combine(&point, &first, second);
                optimizer.step(lr, point, both)
            };
            let g = bowl_gradient(expected);
            let higher_g = bowl_gradient(uphill(expected, g, rho));
            // The base being plain gradient descent, both forms are the same.
            expected = std::array::from_fn(|i| expected[i] - lr * (g[i] + weight * (higher_g[i] - g[i])));
            assert_near(point.values(), expected, 1e-5);
        }
    }
}

#[test]
fn decoupled_wsam_on_agd_keeps_the_sharpness_out_of_the_moments() {
    let (rho, gamma, lr) = (0.05, 0.9, 0.01);
    let wsam = WsamConfig::new().init();
    let config = AgdConfig::new();
    let mut optimizer = config.init::<B, Point<B>>();
    let mut by_hand = AgdByHand { config, time: 0, moment: [0.0; 2], difference: [0.0; 2] };
    let mut point = Point::at(1.5, -2.0);
    let mut expected = point.values();
    for _ in 0..5 {
        let first = gradients(&point, bowl);
        let second = gradients(&wsam.perturb(point.clone(), &first), bowl);
        let sharpness = wsam.sharpness(&point, &first, second);
        point = wsam.flatten(optimizer.step(lr, point, first), sharpness, lr);

        let g = bowl_gradient(expected);
        let higher_g = bowl_gradient(uphill(expected, g, rho));
        let stepped = by_hand.step(lr, expected, g);
        expected = std::array::from_fn(|i| stepped[i] - lr * gamma / (1.0 - gamma) * (higher_g[i] - g[i]));
        assert_near(point.values(), expected, 1e-4);
    }
}

#[test]
fn frozen_weights_stay() {
    let wsam = WsamConfig::new().init();
    let frozen = Point::at(1.0, 1.0).no_grad();
    assert_eq!(wsam.perturb(frozen.clone(), &GradientsParams::new()).values(), frozen.values());
    assert!(AutodiffModule::<B>::valid(&frozen).x.val().into_scalar() == 1.0);
}
