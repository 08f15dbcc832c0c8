//! One frame as the network reads it, on the host, and how frames become tensors.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::kernel::Kernels;
use crate::model::bev::{HISTORY_PLANES, Warp};
use crate::model::lift::LiftIndices;
use crate::model::{Input, NetworkConfig};
use crate::rig::{LiftTable, MIDDLE, RAYS, STEPS, WarpTable};

/// What the network reads of one frame, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// `[cameras · 3 · height · width]`, normalised; zero where a camera is missing.
    pub images: Vec<f32>,
    /// Which pixel every voxel reads.
    pub lift: Arc<LiftTable>,
    /// Where the previous grid is read.
    pub warp: WarpTable,
    /// Seconds since the previous frame, and 1 if there is one.
    pub history: [f32; 2],
}

/// What the network reads of a batch of frames but the past, with images in bytes: a quarter of what would have to move to
/// a device.
#[derive(Module, Debug)]
pub struct Views<B: Backend> {
    /// `[batch, cameras, 3, height, width]`: RGB, 0 to 255.
    images: Tensor<B, 5, Int>,
    lift: LiftIndices<B>,
    warp: Warp<B>,
    history: Tensor<B, 2>,
}

impl<B: Backend> Views<B> {
    /// Of frames on a device.
    pub fn new(frames: &[&Frame], config: &NetworkConfig, device: &Device<B>) -> Self {
        Self {
            images: bytes(frames, config, device),
            lift: lift(frames, config, device),
            warp: warp(frames, config, device),
            history: history(frames, device),
        }
    }

    /// With the grids of the frames' predecessors `[batch, fine, cells / 2, cells / 2]`.
    pub fn input(&self, previous: Tensor<B, 4>) -> Input<B> {
        let Self { images, lift, warp, history } = self.clone();
        Input { images: values(images), lift, previous, warp, history }
    }
}

impl Frame {
    /// Frames on a device, with the grids of their predecessors `[batch, fine, cells / 2, cells / 2]`, and their lift
    /// where it is there already.
    pub fn input<B: Kernels>(
        frames: &[&Self],
        known: Option<LiftIndices<B>>,
        previous: Tensor<B, 4>,
        config: &NetworkConfig,
        device: &Device<B>,
    ) -> Input<B> {
        let images = if B::IS_HOST {
            floats::<B, 1>(concat(frames, |frame| &frame.images), device).reshape(shape(frames, config))
        } else {
            values(bytes(frames, config, device))
        };
        Input {
            images,
            lift: known.unwrap_or_else(|| lift(frames, config, device)),
            previous,
            warp: warp(frames, config, device),
            history: history(frames, device),
        }
    }
}

/// Images as bytes, `[batch, cameras, 3, height, width]`.
fn bytes<B: Backend>(frames: &[&Frame], config: &NetworkConfig, device: &Device<B>) -> Tensor<B, 5, Int> {
    let byte = |value: &f32| (value * STEPS + MIDDLE).round() as u8;
    let bytes = frames.iter().map(|frame| frame.images.iter().map(byte).collect::<Vec<u8>>());
    let bytes = bytes.collect::<Vec<_>>().concat();
    Tensor::from_data(TensorData::new(bytes, shape(frames, config)), (device, DType::U8))
}

/// Bytes as the network's values.
fn values<B: Backend>(bytes: Tensor<B, 5, Int>) -> Tensor<B, 5> {
    (bytes.float() - MIDDLE) / STEPS
}

/// Of the images of frames.
fn shape(frames: &[&Frame], config: &NetworkConfig) -> [usize; 5] {
    let [height, width] = config.image;
    [frames.len(), config.cameras, 3, height, width]
}

/// Which image feature every voxel of frames reads.
fn lift<B: Backend>(frames: &[&Frame], config: &NetworkConfig, device: &Device<B>) -> LiftIndices<B> {
    let [height, width] = config.image;
    let pixels = config.cameras * (height / 8) * (width / 8);
    let rays = [frames.len() * config.cameras, RAYS, height / 8, width / 8];
    LiftIndices {
        context: gather(frames, |frame| &frame.lift.context, pixels * 4, device),
        depth: gather(frames, |frame| &frame.lift.depth, pixels * config.depth.count, device),
        seen: floats(concat(frames, |frame| &frame.lift.seen), device),
        rays: floats::<B, 1>(concat(frames, |frame| &frame.lift.rays), device).reshape(rays),
    }
}

fn warp<B: Backend>(frames: &[&Frame], config: &NetworkConfig, device: &Device<B>) -> Warp<B> {
    Warp {
        index: gather(frames, |frame| &frame.warp.index, config.grid.cells * config.grid.cells / 4, device),
        weight: floats(concat(frames, |frame| &frame.warp.weight), device),
    }
}

fn history<B: Backend>(frames: &[&Frame], device: &Device<B>) -> Tensor<B, 2> {
    floats::<B, 1>(concat(frames, |frame| &frame.history), device).reshape([frames.len(), HISTORY_PLANES])
}

/// Indices of frames one after the other; those of each into `rows` of its own.
fn gather<B: Backend>(
    frames: &[&Frame],
    table: fn(&Frame) -> &[i32],
    rows: usize,
    device: &Device<B>,
) -> Tensor<B, 1, Int> {
    let shifted = |(frame, number): (&&Frame, i32)| -> Vec<i32> {
        table(frame).iter().map(|index| index + number * rows as i32).collect()
    };
    ints(frames.iter().zip(0..).map(shifted).collect::<Vec<_>>().concat(), device)
}

fn concat(frames: &[&Frame], part: fn(&Frame) -> &[f32]) -> Vec<f32> {
    frames.iter().map(|frame| part(frame)).collect::<Vec<_>>().concat()
}

/// Numbers on a device.
pub(crate) fn floats<B: Backend, const D: usize>(values: Vec<f32>, device: &Device<B>) -> Tensor<B, D> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// Whole numbers on a device.
pub(crate) fn ints<B: Backend>(values: Vec<i32>, device: &Device<B>) -> Tensor<B, 1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
