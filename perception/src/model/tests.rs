//! Gradients of every part against finite differences, and what the parts promise.

use std::collections::HashMap;

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{ElementConversion, Int, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::heads::{ForecastHead, MapHead, ObjectHead, SceneHead, peaks};
use super::layer::{ResidualBlock, spread};
use super::lift::{Lift, LiftIndices};
use super::neck::Neck;
use super::path::PathHead;
use super::*;
use crate::model::bev::{GridEncoder, Warp};
use crate::rig::RAYS;

type A = Autodiff<Flex>;

/// A network small enough to differentiate by hand.
fn small() -> NetworkConfig {
    NetworkConfig {
        cameras: 2,
        image: [32, 64],
        neck: 6,
        context: 4,
        depth: DepthBins { count: 5, ..NetworkConfig::tiny().depth },
        grid: Grid { extent_m: 8.0, cells: 8, heights_m: vec![0.0, 1.0] },
        lifted: 5,
        encoder: [5, 6, 7],
        blocks: [1, 1, 1],
        head: 6,
        forecast_objects: 4,
        ..NetworkConfig::tiny()
    }
}

/// Numbers about one in size, the same in every run.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.7_f32..1.7)).collect()
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<A, D> {
    let values = numbers(shape.iter().product(), 1);
    Tensor::<A, 1>::from_data(values.as_slice(), &Default::default()).reshape(shape)
}

fn places(count: usize, below: usize) -> Tensor<A, 1, Int> {
    let values: Vec<i32> = (0..count).map(|index| (index * 7919 % below) as i32).collect();
    Tensor::from_data(values.as_slice(), &Default::default())
}

/// Gives every weight a value that is the same in every run, so large that what a layer makes is as large as its input;
/// biases and zeros 0.1.
struct Fix(u64);

impl ModuleMapper<A> for Fix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        self.0 += 1;
        let values = numbers(param.dims().iter().product(), self.0);
        param.map(|value| {
            let most: f32 = value.clone().abs().max().into_scalar().elem();
            let dims = value.dims();
            let inputs = if D == 2 { dims[0] } else { dims.iter().skip(1).product() };
            let rms = if D > 1 && most > 0.0 { (2.0 / inputs as f32).sqrt() } else { 0.1 };
            let fixed = Tensor::<A, 1>::from_data(values.as_slice(), &Default::default()).reshape(dims);
            (fixed * rms).detach().require_grad()
        })
    }
}

/// The gradients of all weights that have one.
struct Collect<'a> {
    gradients: &'a GradientsParams,
    found: HashMap<ParamId, Vec<f32>>,
    /// In the order of the module, which is the same in every run; names of weights are not.
    order: Vec<ParamId>,
}

impl ModuleVisitor<A> for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        if let Some(gradient) = self.gradients.get::<Flex, D>(param.id) {
            self.order.push(param.id);
            self.found.insert(param.id, gradient.into_data().iter::<f32>().collect());
        }
    }
}

/// Moves the weights along a direction.
struct Move<'a> {
    direction: &'a HashMap<ParamId, Vec<f32>>,
    distance: f32,
}

impl ModuleMapper<A> for Move<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let Some(direction) = self.direction.get(&param.id) else { return param };
        let direction = Tensor::<A, 1>::from_data(direction.as_slice(), &Default::default()).reshape(param.dims());
        let distance = self.distance;
        param.map(|value| (value + direction * distance).detach().require_grad())
    }
}

fn length(vectors: &HashMap<ParamId, Vec<f32>>) -> f32 {
    vectors.values().flatten().map(|value| value * value).sum::<f32>().sqrt()
}

/// Compares the gradient of `loss` with how the loss changes along a direction: half the gradient's own, so that there
/// is something to measure, half random, so that every part of it counts.
fn check<M: AutodiffModule<A>>(module: M, loss: impl Fn(&M) -> Tensor<A, 1>) {
    const STEP: f32 = 1e-3;
    let module = module.map(&mut Fix(0));
    let gradients = GradientsParams::from_grads(loss(&module).backward(), &module);
    let mut collect = Collect { gradients: &gradients, found: HashMap::new(), order: Vec::new() };
    module.visit(&mut collect);
    let (gradient, seeds) = (collect.found, collect.order);
    let random: HashMap<ParamId, Vec<f32>> =
        seeds.iter().zip(1000..).map(|(id, seed)| (*id, numbers(gradient[id].len(), seed))).collect();
    let (own, other) = (length(&gradient), length(&random));
    assert!(own > 1e-3, "no gradient to measure: {own}");
    let mix = |id: &ParamId| gradient[id].iter().zip(&random[id]).map(|(g, r)| g / own + r / other).collect();
    let direction: HashMap<ParamId, Vec<f32>> = seeds.iter().map(|id| (*id, mix(id))).collect();
    let value = |distance: f32| -> f64 {
        loss(&module.clone().map(&mut Move { direction: &direction, distance })).into_scalar().elem()
    };
    let difference = (value(STEP) - value(-STEP)) / (2.0 * f64::from(STEP));
    let products = seeds.iter().flat_map(|id| gradient[id].iter().zip(&direction[id]));
    let slope: f64 = products.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
    assert!((slope - difference).abs() < 0.01 * difference.abs() + 1e-3, "gradient {slope} difference {difference}");
}

/// A scalar on which every number has a part of its own.
fn weigh<const D: usize>(x: Tensor<A, D>) -> Tensor<A, 1> {
    let count = x.shape().num_elements();
    let weights: Vec<f32> =
        (0..count).map(|index| ((index * 37 % 101) as f32 / 50.0 - 1.0) / (count as f32).sqrt()).collect();
    (x.reshape([count]) * Tensor::<A, 1>::from_data(weights.as_slice(), &Default::default())).sum()
}

#[test]
fn gradients_of_a_residual_block_are_right() {
    let device = Default::default();
    for (channels, stride) in [([3, 3], 1), ([3, 5], 2)] {
        let x = random([2, channels[0], 6, 8]);
        check(ResidualBlock::new(channels, stride, &device), |block| weigh(block.forward(x.clone())));
    }
}

#[test]
fn gradients_of_the_backbones_are_right() {
    let device = Default::default();
    let x = random([1, 3, 32, 64]);
    for kind in [Backbone::EfficientNetLite0, Backbone::ResNet18] {
        let trunk = backbone::Trunk::<A>::new(kind, &device);
        let loss = |trunk: &backbone::Trunk<A>| {
            let taps = trunk.forward(x.clone()).into_iter().map(weigh);
            taps.reduce(|sum, tap| sum + tap).unwrap()
        };
        check(trunk, loss);
    }
}

#[test]
fn gradients_of_the_neck_are_right() {
    let features = vec![random([2, 5, 4, 8]), random([2, 7, 2, 4])];
    let rays = random([2, RAYS, 4, 8]);
    let neck = Neck::new(&[5, 7], 6, &Default::default());
    check(neck, |neck| weigh(neck.forward(features.clone(), rays.clone())));
}

#[test]
fn gradients_of_the_lift_are_right() {
    let config = small();
    let lift = Lift::<A>::new(&config, &Default::default());
    let features = random([2, config.neck, 4, 8]);
    let voxels = 8 * 8 * 2;
    let indices = LiftIndices {
        context: places(voxels, 2 * 4 * 8 * 4),
        depth: places(voxels, 2 * 4 * 8 * 5),
        seen: places(voxels, 2).float(),
        rays: random([2, RAYS, 4, 8]),
    };
    check(lift, |lift| {
        let depth = lift.depth(features.clone(), indices.rays.clone());
        let context = lift.context(features.clone());
        weigh(lift.shown(context.clone())) + weigh(lift.forward(context, depth, &indices))
    });
}

#[test]
fn gradients_of_the_path_head_are_right() {
    let config = small();
    let head = PathHead::<A>::new(&config, &Default::default());
    let features = random([2, config.head, 4, 4]);
    check(head, |head| {
        let scores = head.ask(features.clone());
        weigh(scores.paths) + weigh(scores.speeds)
    });
}

#[test]
fn gradients_of_the_encoder_are_right() {
    let config = small();
    let encoder = GridEncoder::<A>::new(&config, &Default::default());
    let (lifted, previous) = (random([1, config.lifted, 8, 8]), random(config.kept(1)));
    let warp = Warp { index: places(64, 16), weight: random([64]).abs() };
    let history = random([1, 2]);
    check(encoder, |encoder| {
        weigh(encoder.forward(encoder.shrink(lifted.clone()), previous.clone(), &warp, history.clone()))
    });
}

#[test]
fn gradients_of_the_heads_are_right() {
    let (config, device) = (small(), Default::default());
    let grid = random([1, config.head, 4, 4]);
    check(MapHead::<A>::new(&config, &device), |head| weigh(head.forward(grid.clone())));
    check(ObjectHead::<A>::new(&config, &device), |head| {
        let maps = head.forward(grid.clone());
        weigh(maps.heat) + weigh(maps.boxes) + weigh(maps.attributes)
    });
    // Its weights too are the same in every run, as those that are checked.
    let maps = ObjectHead::<A>::new(&config, &device).map(&mut Fix(40)).forward(grid.clone());
    let cells = places(3, 64).reshape([1, 3]);
    check(ForecastHead::<A>::new(&config, &device), |head| weigh(head.forward(&maps, cells.clone())));
    let images = random([2, config.neck, 4, 8]);
    check(SceneHead::<A>::new(&config, &device), |head| weigh(head.tags(head.forward(grid.clone(), images.clone()))));
}

#[test]
fn spreading_puts_four_channels_into_a_square() {
    let x: Vec<f32> = (0..8).map(|value| value as f32).collect();
    let x = Tensor::<Flex, 1>::from_data(x.as_slice(), &Default::default()).reshape([1, 4, 1, 2]);
    let wide: Vec<f32> = spread(x).into_data().iter::<f32>().collect();
    assert_eq!(wide, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
}

#[test]
fn peaks_are_the_highest_cells_of_their_neighbourhood() {
    let mut heat = vec![-9.0_f32; 10 * 64];
    // Two neighbours of one class, a lone one of another.
    (heat[9 * 2 + 3], heat[9 * 2 + 4]) = (1.0, 2.0);
    heat[5 * 64 + 50] = 1.5;
    let heat = Tensor::<Flex, 1>::from_data(heat.as_slice(), &Default::default()).reshape([1, 10, 8, 8]);
    let (scores, cells) = peaks(heat, 3);
    let cells: Vec<i64> = cells.into_data().iter::<i64>().collect();
    assert_eq!(cells[..2], [22, 50]);
    let scores: Vec<f32> = scores.into_data().iter::<f32>().collect();
    assert!(scores[0] > scores[1] && scores[1] > 0.8 && scores[2] < 0.01, "{scores:?}");
}
