//! Targets become tensors.

use std::borrow::Cow;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::frame::{floats, ints};
use crate::model::NetworkConfig;
use crate::model::heads::{ATTRIBUTES, BOX, CLASSES, FORECAST_STEPS, MAP_CLASSES, SHOWN, TAGS};
use crate::path::{PATHS, SAMPLES, SPEEDS};
use crate::truth::{IGNORED, PathTarget, Targets, UNKNOWN};

/// What the network should say of a batch. `count` objects a frame, padded with unknown ones.
#[derive(Module, Debug)]
pub struct TargetBatch<B: Backend> {
    /// `[batch, 10, cells, cells]`.
    pub heat: Tensor<B, 4>,
    /// `[batch, count]`: cells of the objects.
    pub cells: Tensor<B, 2, Int>,
    /// `[batch, count]`: 1 for objects, 0 for padding.
    pub object_known: Tensor<B, 2>,
    /// `[batch, count, BOX]`.
    pub numbers: Tensor<B, 3>,
    /// `[batch, count, BOX]`: what the numbers count, 0 where they are not known.
    pub numbers_known: Tensor<B, 3>,
    /// `[batch, count]`: numbers of attributes.
    pub attribute: Tensor<B, 2, Int>,
    /// `[batch, count]`.
    pub attribute_known: Tensor<B, 2>,
    /// `[batch, count, 2 · FORECAST_STEPS]`.
    pub future: Tensor<B, 3>,
    /// `[batch, count, 2 · FORECAST_STEPS]`.
    pub future_known: Tensor<B, 3>,
    /// `[batch, 6, cells, cells]`.
    pub map: Tensor<B, 4>,
    /// `[batch]`.
    pub map_known: Tensor<B, 1>,
    /// `[batch · cameras · height / 8 · width / 8]`.
    pub depth: Tensor<B, 1, Int>,
    /// `[batch · cameras · height / 8 · width / 8]`: what each counts, 0 where it is not known.
    pub depth_known: Tensor<B, 1>,
    /// `[batch · cameras · height / 8 · width / 8 · 4, SHOWN]`: 1 for what is shown.
    pub shown: Tensor<B, 2, Int>,
    /// `[batch · cameras · height / 8 · width / 8 · 4]`.
    pub shown_known: Tensor<B, 1>,
    /// `[batch, 16]`.
    pub tags: Tensor<B, 2>,
    /// `[batch]`.
    pub tags_known: Tensor<B, 1>,
    /// `[batch, PATHS · SAMPLES]`: cells that the paths read.
    pub path_cells: Tensor<B, 2, Int>,
    /// `[batch, PATHS]`: shares of the paths.
    pub paths: Tensor<B, 2>,
    /// `[batch]`.
    pub paths_known: Tensor<B, 1>,
    /// `[batch, SPEEDS]`: shares of the changes of speed.
    pub speeds: Tensor<B, 2>,
    /// `[batch]`.
    pub speeds_known: Tensor<B, 1>,
    /// `[batch, PATHS]`: 1 for those that stay on the road.
    pub on_road: Tensor<B, 2>,
    /// `[batch]`.
    pub on_road_known: Tensor<B, 1>,
}

impl<B: Backend> TargetBatch<B> {
    /// Targets on a device.
    pub fn new(targets: &[&Targets], config: &NetworkConfig, device: &Device<B>) -> Self {
        let batch = targets.len();
        let side = config.grid.cells;
        let pixels = config.cameras * (config.image[0] / 8) * (config.image[1] / 8);
        let count = targets.iter().map(|targets| targets.objects.len()).max().unwrap_or(0).max(1);
        let slots = batch * count;
        let (mut cells, mut attribute) = (vec![0; slots], vec![0; slots]);
        let (mut object_known, mut attribute_known) = (vec![0.0; slots], vec![0.0; slots]);
        let (mut numbers, mut numbers_known) = (vec![0.0; slots * BOX], vec![0.0; slots * BOX]);
        let steps = 2 * FORECAST_STEPS;
        let (mut future, mut future_known) = (vec![0.0; slots * steps], vec![0.0; slots * steps]);
        for (frame, targets) in targets.iter().enumerate() {
            for (slot, object) in (frame * count..).zip(&targets.objects) {
                cells[slot] = object.cell as i32;
                object_known[slot] = 1.0;
                if object.attribute != IGNORED {
                    debug_assert!((object.attribute as usize) < ATTRIBUTES);
                    attribute[slot] = object.attribute;
                    attribute_known[slot] = 1.0;
                }
                numbers[slot * BOX..][..BOX].copy_from_slice(&object.numbers);
                numbers_known[slot * BOX..][..BOX].fill(1.0);
                numbers_known[slot * BOX + BOX - 2..][..2].fill(object.velocity_weight);
                for step in 0..FORECAST_STEPS {
                    future[slot * steps + 2 * step..][..2].copy_from_slice(&object.future[step]);
                    future_known[slot * steps + 2 * step..][..2].fill(object.future_known[step]);
                }
            }
        }
        let map_size = (MAP_CLASSES + 2) * side * side;
        let map = concat(targets, |targets| padded(&targets.map, map_size, 0.0));
        let depth = concat(targets, |targets| padded(&targets.depth, pixels, IGNORED));
        let shown = concat(targets, |targets| padded(&targets.shown, 4 * pixels, UNKNOWN));
        let bit = |shown: u16, number: usize| u8::from(shown != UNKNOWN && shown >> number & 1 == 1);
        let bits = |shown: &u16| -> [u8; SHOWN] { std::array::from_fn(|number| bit(*shown, number)) };
        let tags = targets.iter().flat_map(|targets| targets.tags.unwrap_or([0.0; TAGS])).collect();
        let known = |is_known: &dyn Fn(&Targets) -> bool| {
            floats(targets.iter().map(|targets| if is_known(targets) { 1.0 } else { 0.0 }).collect(), device)
        };
        let scores = |part: fn(&PathTarget) -> Option<&[f32]>, count: usize| {
            let values = concat(targets, |targets| padded(part(&targets.path).unwrap_or_default(), count, 0.0));
            floats::<B, 1>(values, device).reshape([batch, count])
        };
        Self {
            heat: floats::<B, 1>(concat(targets, |targets| Cow::Borrowed(&targets.heat[..])), device)
                .reshape([batch, CLASSES, side, side]),
            cells: ints::<B>(cells, device).reshape([batch, count]),
            object_known: floats::<B, 1>(object_known, device).reshape([batch, count]),
            numbers: floats::<B, 1>(numbers, device).reshape([batch, count, BOX]),
            numbers_known: floats::<B, 1>(numbers_known, device).reshape([batch, count, BOX]),
            attribute: ints::<B>(attribute, device).reshape([batch, count]),
            attribute_known: floats::<B, 1>(attribute_known, device).reshape([batch, count]),
            future: floats::<B, 1>(future, device).reshape([batch, count, steps]),
            future_known: floats::<B, 1>(future_known, device).reshape([batch, count, steps]),
            map: floats::<B, 1>(map, device).reshape([batch, MAP_CLASSES + 2, side, side]),
            map_known: known(&|targets| !targets.map.is_empty()),
            depth_known: floats(depth.iter().zip(shown.chunks(4)).map(depth_weight).collect(), device),
            depth: ints(depth.into_iter().map(|bin| bin.max(0)).collect(), device),
            shown_known: floats(shown.iter().map(|shown| if *shown == UNKNOWN { 0.0 } else { 1.0 }).collect(), device),
            shown: {
                let bits = shown.par_iter().map(bits).collect::<Vec<_>>().into_flattened();
                Tensor::from_data(TensorData::new(bits, [batch * 4 * pixels, SHOWN]), (device, DType::U8))
            },
            tags: floats::<B, 1>(tags, device).reshape([batch, TAGS]),
            tags_known: known(&|targets| targets.tags.is_some()),
            path_cells: ints::<B>(concat(targets, |targets| Cow::Borrowed(&targets.path.cells[..])), device)
                .reshape([batch, PATHS * SAMPLES]),
            paths: scores(|path| path.paths.as_deref(), PATHS),
            paths_known: known(&|targets| targets.path.paths.is_some()),
            speeds: scores(|path| path.speeds.as_deref(), SPEEDS),
            speeds_known: known(&|targets| targets.path.speeds.is_some()),
            on_road: scores(|path| path.on_road.as_deref(), PATHS),
            on_road_known: known(&|targets| targets.path.on_road.is_some()),
        }
    }
}

/// How much more the depth of an object counts than that of what lies about.
const OBJECT_DEPTH_WEIGHT: f32 = 4.0;

/// What the depth of a pixel counts: its bin, and what its quarters show.
fn depth_weight((bin, quarters): (&i32, &[u16])) -> f32 {
    let is_object = |shown: &u16| *shown != UNKNOWN && shown & ((1 << CLASSES) - 1) != 0;
    match *bin {
        IGNORED => 0.0,
        _ if quarters.iter().any(is_object) => OBJECT_DEPTH_WEIGHT,
        _ => 1.0,
    }
}

/// The values, or as many of `fill` where there are none.
fn padded<T: Copy>(values: &[T], count: usize, fill: T) -> Cow<'_, [T]> {
    if values.is_empty() { vec![fill; count].into() } else { values.into() }
}

fn concat<T: Copy>(targets: &[&Targets], part: impl Fn(&Targets) -> Cow<'_, [T]>) -> Vec<T> {
    targets.iter().map(|targets| part(targets)).collect::<Vec<_>>().concat()
}
