//! An exported network on onnxruntime: the same frames in, the same numbers out as in burn.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::runtime::{Given, Model, Options};
use crate::Error;
use crate::decode::Numbers;
use crate::engine::{Engine, Kept, Shared};
use crate::frame::Frame;
use crate::model::NetworkConfig;
use crate::model::bev::HISTORY_PLANES;
use crate::rig::RAYS;
use crate::weights::CONFIG;

const INPUTS: [&str; 9] =
    ["images", "lift_context", "lift_depth", "lift_seen", "rays", "previous", "warp_index", "warp_weight", "history"];

/// The scores are in the boxes once more, class by class.
const OUTPUTS: [&str; 8] = ["cells", "boxes", "forecasts", "map", "embedding", "paths", "speeds", "current"];

/// A network from a file that [`super::write`] made, for one frame at a time.
#[derive(Debug)]
pub struct Session {
    model: Model,
    config: NetworkConfig,
    /// The grid of no frame.
    nothing: Vec<f32>,
}

impl Session {
    /// Loads a model.
    ///
    /// # Errors
    /// [`Error::Runtime`] without onnxruntime's library, [`Error::Model`] for a file that is no network of ours or that
    /// the execution provider cannot take.
    pub fn load(path: &Path, options: Options) -> Result<Self, Error> {
        let model = Model::load(path, options)?;
        let text = model.metadata(CONFIG);
        let text = text.ok_or_else(|| Error::model(path, "it does not say which network it is"))?;
        let config: NetworkConfig =
            serde_json::from_str(&text).map_err(|error| Error::model(path, &error.to_string()))?;
        config.check().map_err(|reason| Error::model(path, &reason))?;
        model.has(&INPUTS, &OUTPUTS)?;
        let nothing = vec![0.0; config.kept(1).iter().product()];
        Ok(Self { model, config, nothing })
    }

    /// To be handed to several nodes.
    pub fn shared(self) -> Shared {
        Arc::new(Mutex::new(self))
    }
}

impl Engine for Session {
    fn config(&self) -> &NetworkConfig {
        &self.config
    }

    fn answer(&mut self, frame: &Frame, previous: Option<&Kept>, numbers: &mut Numbers) -> Result<Kept, Error> {
        let previous = previous.and_then(|kept| kept.downcast_ref()).unwrap_or(&self.nothing);
        let [height, width] = self.config.image;
        let (voxels, taps) = (frame.lift.seen.len(), frame.warp.weight.len());
        let shapes: [&[usize]; 9] = [
            &[1, self.config.cameras, 3, height, width],
            &[voxels],
            &[voxels],
            &[voxels],
            &[self.config.cameras, RAYS, height / 8, width / 8],
            &self.config.kept(1),
            &[taps],
            &[taps],
            &[1, HISTORY_PLANES],
        ];
        let given = [
            Given::Floats(&frame.images),
            Given::Ints(&frame.lift.context),
            Given::Ints(&frame.lift.depth),
            Given::Floats(&frame.lift.seen),
            Given::Floats(&frame.lift.rays),
            Given::Floats(previous),
            Given::Ints(&frame.warp.index),
            Given::Floats(&frame.warp.weight),
            Given::Floats(&frame.history),
        ];
        let inputs: Vec<_> =
            INPUTS.into_iter().zip(shapes).zip(given).map(|((name, shape), given)| (name, shape, given)).collect();
        let [cells, boxes, forecasts, map, embedding, paths, speeds, current] = self.model.run(&inputs, OUTPUTS)?;
        *numbers = Numbers {
            cells: cells.ints(),
            boxes: boxes.floats(),
            forecasts: forecasts.floats(),
            map: map.floats(),
            embedding: embedding.floats(),
            paths: paths.floats(),
            speeds: speeds.floats(),
        };
        Ok(Arc::new(current.floats()))
    }
}
