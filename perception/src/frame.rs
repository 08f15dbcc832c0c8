//! One frame as the network reads it, on the host, and how frames become tensors.

use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::model::bev::Warp;
use crate::model::lift::LiftIndices;
use crate::model::{Input, NetworkConfig};
use crate::rig::{LiftTable, RAYS, WarpTable};

/// What the network reads of one frame, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// `[cameras · 3 · height · width]`, normalised; zero where a camera is missing.
    pub images: Vec<f32>,
    /// Which pixel every voxel reads.
    pub lift: LiftTable,
    /// Where the previous grid is read.
    pub warp: WarpTable,
    /// Seconds since the previous frame, and 1 if there is one.
    pub history: [f32; 2],
}

impl Frame {
    /// Frames on a device, with the grids of their predecessors `[batch, fine, cells / 2, cells / 2]`.
    pub fn input<B: Backend>(
        frames: &[&Self],
        previous: Tensor<B, 4>,
        config: &NetworkConfig,
        device: &Device<B>,
    ) -> Input<B> {
        let batch = frames.len();
        let [height, width] = config.image;
        let pixels = config.cameras * (height / 8) * (width / 8);
        let cells = config.grid.cells * config.grid.cells / 4;
        let gather = |table: fn(&Self) -> &[i32], rows: usize| {
            let shifted = frames
                .iter()
                .zip(0..)
                .flat_map(|(frame, number)| table(frame).iter().map(move |index| index + number * rows as i32));
            ints::<B>(shifted.collect(), device)
        };
        Input {
            images: floats::<B, 1>(concat(frames, |frame| &frame.images), device).reshape([
                batch,
                config.cameras,
                3,
                height,
                width,
            ]),
            lift: LiftIndices {
                context: gather(|frame| &frame.lift.context, pixels * 4),
                depth: gather(|frame| &frame.lift.depth, pixels * config.depth.count),
                seen: floats(concat(frames, |frame| &frame.lift.seen), device),
                rays: floats::<B, 1>(concat(frames, |frame| &frame.lift.rays), device).reshape([
                    batch * config.cameras,
                    RAYS,
                    height / 8,
                    width / 8,
                ]),
            },
            previous,
            warp: Warp {
                index: gather(|frame| &frame.warp.index, cells),
                weight: floats(concat(frames, |frame| &frame.warp.weight), device),
            },
            history: floats::<B, 1>(concat(frames, |frame| &frame.history), device).reshape([batch, 2]),
        }
    }
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
