//! The whole network: images of a rig and the previous frame's grid become maps of objects, road and scene.

use std::path::Path;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Int, Tensor};
use rayon::prelude::*;

use super::backbone::{Trunk, load_efficientnet, load_resnet};
use super::bev::{GridEncoder, Warp};
use super::config::NetworkConfig;
use super::heads::{ATTRIBUTES, BOX, ForecastHead, MapHead, ObjectHead, ObjectMaps, SceneHead, at, peaks};
use super::lift::{Lift, LiftIndices};
use super::neck::Neck;
use super::path::{PathHead, PathScores};
use crate::Error;
use crate::kernel::Kernels;

/// What the network reads.
#[derive(Debug, Clone)]
pub struct Input<B: Backend> {
    /// `[batch, cameras, 3, height, width]`: RGB, (value − 127) / 128.
    pub images: Tensor<B, 5>,
    /// Which pixel every voxel reads.
    pub lift: LiftIndices<B>,
    /// `[batch, fine, cells / 2, cells / 2]`: the grid that the network returned for the previous frame.
    pub previous: Tensor<B, 4>,
    /// Where the previous grid is read.
    pub warp: Warp<B>,
    /// `[batch, 2]`: seconds since the previous frame, and 1 if there is one.
    pub history: Tensor<B, 2>,
}

/// What the lift makes of image features.
#[derive(Debug, Clone)]
pub struct Lifted<B: Backend> {
    /// `[batch · cameras · height / 8 · width / 8, bins]`: how likely every depth is.
    pub depth: Tensor<B, 2>,
    /// `[batch · cameras · height / 8 · width / 8 · 4, context]`: what is lifted.
    pub context: Tensor<B, 2>,
    /// `[batch, lifted, cells, cells]`.
    pub grid: Tensor<B, 4>,
}

/// What the images and the grids become before the heads.
#[derive(Debug, Clone)]
pub struct Features<B: Backend> {
    /// `[batch · cameras, neck, height / 8, width / 8]`.
    pub images: Tensor<B, 4>,
    /// `[batch · cameras · height / 8 · width / 8, bins]`: how likely every depth is.
    pub depth: Tensor<B, 2>,
    /// `[batch · cameras · height / 8 · width / 8 · 4, context]`: what is lifted.
    pub context: Tensor<B, 2>,
    /// `[batch, fine, cells / 2, cells / 2]`: for the next frame.
    pub current: Tensor<B, 4>,
    /// `[batch, head, cells / 2, cells / 2]`: for the heads.
    pub grid: Tensor<B, 4>,
}

/// What a vehicle reads off the network.
#[derive(Debug, Clone)]
pub struct Output<B: Backend> {
    /// `[batch, count]`: scores of the most certain objects, falling.
    pub scores: Tensor<B, 2>,
    /// `[batch, count]`: their cells, `row · cells + column`.
    pub cells: Tensor<B, 2, Int>,
    /// `[batch, count, BOX + ATTRIBUTES + CLASSES]`: their boxes, the logits of their attributes and of their classes.
    pub boxes: Tensor<B, 3>,
    /// `[batch, count, MODES · (2 · FORECAST_STEPS + 1)]`: their forecasts.
    pub forecasts: Tensor<B, 3>,
    /// `[batch, 6, cells, cells]`: the map.
    pub map: Tensor<B, 4>,
    /// `[batch, 128]`: the scene's embedding.
    pub embedding: Tensor<B, 2>,
    /// The ego path's scores.
    pub path: PathScores<B>,
    /// `[batch, fine, cells / 2, cells / 2]`: for the next frame.
    pub current: Tensor<B, 4>,
}

/// What training compares with the truth.
#[derive(Debug, Clone)]
pub struct Answers<B: Backend> {
    /// `[batch, 10, cells, cells]`: logits.
    pub heat: Tensor<B, 4>,
    /// `[batch, count, BOX]` at the true objects' cells.
    pub boxes: Tensor<B, 3>,
    /// `[batch, count, ATTRIBUTES]` at the true objects' cells: logits.
    pub attributes: Tensor<B, 3>,
    /// `[batch, count, MODES · (2 · FORECAST_STEPS + 1)]` at the true objects' cells.
    pub forecasts: Tensor<B, 3>,
    /// `[batch, 6, cells, cells]`.
    pub map: Tensor<B, 4>,
    /// `[batch · cameras · height / 8 · width / 8, bins]`: how likely every depth is.
    pub depth: Tensor<B, 2>,
    /// `[batch · cameras · height / 8 · width / 8 · 4, SHOWN]`: logits.
    pub shown: Tensor<B, 2>,
    /// `[batch, 16]`.
    pub tags: Tensor<B, 2>,
    /// The ego path's scores.
    pub path: PathScores<B>,
}

/// The bird's-eye-view network.
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    pub(crate) trunk: Trunk<B>,
    pub(crate) neck: Neck<B>,
    pub(crate) lift: Lift<B>,
    pub(crate) encoder: GridEncoder<B>,
    pub(crate) objects: ObjectHead<B>,
    pub(crate) forecasts: ForecastHead<B>,
    pub(crate) map: MapHead<B>,
    pub(crate) scene: SceneHead<B>,
    pub(crate) path: PathHead<B>,
    forecast_objects: usize,
}

impl<B: Kernels> Network<B> {
    /// With random weights.
    pub fn new(config: &NetworkConfig, device: &Device<B>) -> Self {
        Self {
            trunk: Trunk::new(config.backbone, device),
            neck: Neck::new(Trunk::<B>::channels(config.backbone), config.neck, device),
            lift: Lift::new(config, device),
            encoder: GridEncoder::new(config, device),
            objects: ObjectHead::new(config, device),
            forecasts: ForecastHead::new(config, device),
            map: MapHead::new(config, device),
            scene: SceneHead::new(config, device),
            path: PathHead::new(config, device),
            forecast_objects: config.forecast_objects,
        }
    }

    /// Images `[batch, cameras, 3, height, width]` and their rays → image features
    /// `[batch · cameras, neck, height / 8, width / 8]`.
    pub fn see(&self, images: Tensor<B, 5>, rays: Tensor<B, 4>) -> Tensor<B, 4> {
        let [batch, cameras, channels, height, width] = images.dims();
        let images = images.reshape([batch * cameras, channels, height, width]);
        let see = |(image, rays)| self.neck.forward(self.trunk.forward(image), rays);
        if !B::IS_HOST {
            return see((images, rays));
        }
        // A camera a thread: one after the other, layers too small to share would keep one thread alone busy.
        let each = images.chunk(batch * cameras, 0).into_par_iter().zip(rays.chunk(batch * cameras, 0));
        Tensor::cat(each.map(see).collect(), 0)
    }

    /// All features for one frame.
    pub fn features(&self, input: Input<B>) -> Features<B> {
        let images = self.see(input.images.clone(), input.lift.rays.clone());
        let lifted = self.lift(images.clone(), &input.lift);
        self.encode(images, lifted, &input)
    }

    /// Image features `[batch · cameras, neck, height / 8, width / 8]` → the grid before its encoder.
    pub fn lift(&self, images: Tensor<B, 4>, indices: &LiftIndices<B>) -> Lifted<B> {
        let depth = self.lift.depth(images.clone(), indices.rays.clone());
        let context = self.lift.context(images);
        let grid = self.lift.forward(context.clone(), depth.clone(), indices);
        Lifted { depth, context, grid }
    }

    /// The encoder of the grid.
    pub fn encode(&self, images: Tensor<B, 4>, lifted: Lifted<B>, input: &Input<B>) -> Features<B> {
        let Lifted { depth, context, grid } = lifted;
        let current = self.encoder.shrink(grid);
        let grid = self.encoder.forward(current.clone(), input.previous.clone(), &input.warp, input.history.clone());
        Features { images, depth, context, current, grid }
    }

    /// What the heads say, objects at the cells `[batch, count]` where they truly are, paths at theirs,
    /// `[batch, PATHS · SAMPLES]`.
    pub fn answers(&self, features: Features<B>, cells: Tensor<B, 2, Int>, paths: Tensor<B, 2, Int>) -> Answers<B> {
        let maps = self.objects.forward(features.grid.clone());
        let forecasts = self.forecasts.forward(&maps, cells.clone());
        let read = read(&maps, cells);
        let [batch, count, _] = read.dims();
        Answers {
            heat: maps.heat,
            boxes: read.clone().slice([0..batch, 0..count, 0..BOX]),
            attributes: read.slice([0..batch, 0..count, BOX..BOX + ATTRIBUTES]),
            forecasts,
            map: self.map.forward(features.grid.clone()),
            depth: features.depth,
            shown: self.lift.shown(features.context),
            path: self.path.forward(features.grid.clone(), paths),
            tags: self.scene.tags(self.scene.forward(features.grid, features.images)),
        }
    }

    /// One frame, as a vehicle asks it.
    pub fn forward(&self, input: Input<B>) -> Output<B> {
        self.ask(self.features(input))
    }

    /// What the heads say, objects at the peaks of the heat map.
    pub fn ask(&self, features: Features<B>) -> Output<B> {
        let Features { images, current, grid, .. } = features;
        let maps = self.objects.forward(grid.clone());
        let map = self.map.forward(grid.clone());
        let path = self.path.ask(grid.clone());
        let embedding = self.scene.forward(grid, images);
        let (scores, cells) = peaks(maps.heat.clone(), self.forecast_objects);
        let forecasts = self.forecasts.forward(&maps, cells.clone());
        let boxes = read(&maps, cells.clone());
        Output { scores, cells, boxes, forecasts, map, embedding, path, current }
    }

    /// With the published weights of its backbone, see [`load_efficientnet`] and [`load_resnet`].
    ///
    /// # Errors
    /// For a file that does not hold them.
    pub fn pretrained(self, path: &Path) -> Result<Self, Error> {
        let trunk = match self.trunk {
            Trunk::EfficientNet(trunk) => Trunk::EfficientNet(load_efficientnet(trunk, path)?),
            Trunk::ResNet(trunk) => Trunk::ResNet(load_resnet(trunk, path)?),
        };
        Ok(Self { trunk, ..self })
    }

    /// Its backbone alone, which has learnt what generated worlds and roads look like.
    pub fn into_trunk(self) -> Trunk<B> {
        self.trunk
    }

    /// Keeps the weights of the whole backbone, or of what is costly to train in it, see
    /// [`super::backbone::EfficientNet::freeze`].
    pub fn freeze(self, whole: bool) -> Self {
        Self { trunk: if whole { self.trunk.no_grad() } else { self.trunk.freeze() }, ..self }
    }
}

/// Boxes, attributes and classes at cells `[batch, count]` → `[batch, count, BOX + ATTRIBUTES + CLASSES]`.
fn read<B: Backend>(maps: &ObjectMaps<B>, cells: Tensor<B, 2, Int>) -> Tensor<B, 3> {
    let maps = [&maps.boxes, &maps.attributes, &maps.heat];
    Tensor::cat(maps.map(|map| at(map.clone(), cells.clone())).to_vec(), 2)
}
