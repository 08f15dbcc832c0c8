//! What computes a network: the tensor library, or onnxruntime.

use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::backend::Flex;
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Tensor, TensorData};

use crate::decode::Numbers;
use crate::frame::Frame;
use crate::kernel::Kernels;
use crate::model::{Network, NetworkConfig};
use crate::{Error, weights};

/// What a network says of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What its objects, map and embedding are read from.
    pub numbers: Numbers,
    /// `[fine, cells / 2, cells / 2]`: the grid, for the next frame.
    pub current: Vec<f32>,
}

/// A network that answers one frame at a time.
pub trait Engine: Send {
    /// What the network is like.
    fn config(&self) -> &NetworkConfig;

    /// One frame, with the grid that an earlier one gave, `[fine, cells / 2, cells / 2]`.
    ///
    /// # Errors
    /// If the frame is of another network's shape, or the library that computes fails.
    fn answer(&mut self, frame: &Frame, previous: Option<&[f32]>) -> Result<Answer, Error>;
}

/// A network whose nodes take turns.
pub type Shared = Arc<Mutex<dyn Engine>>;

/// A network on a backend of burn.
pub struct Burn<B: Backend> {
    network: Network<B>,
    config: NetworkConfig,
    device: Device<B>,
}

impl<B: Kernels> Burn<B> {
    /// With its weights, on their device.
    pub fn new(network: Network<B>, config: NetworkConfig, device: Device<B>) -> Self {
        Self { network, config, device }
    }

    /// From a weights file.
    ///
    /// # Errors
    /// As [`weights::load`].
    pub fn load(path: &Path, device: Device<B>) -> Result<Self, Error> {
        let (network, config) = weights::load(path, &device)?;
        Ok(Self::new(network, config, device))
    }

    /// To be handed to several nodes.
    pub fn shared(self) -> Shared {
        Arc::new(Mutex::new(self))
    }
}

impl<B: Kernels> Engine for Burn<B> {
    fn config(&self) -> &NetworkConfig {
        &self.config
    }

    fn answer(&mut self, frame: &Frame, previous: Option<&[f32]>) -> Result<Answer, Error> {
        let half = self.config.grid.cells / 2;
        let shape = [1, self.config.encoder[0], half, half];
        let previous = match previous {
            Some(grid) => Tensor::from_data(TensorData::new(grid.to_vec(), shape), &self.device),
            None => Tensor::zeros(shape, &self.device),
        };
        let output = self.network.forward(Frame::input(&[frame], previous, &self.config, &self.device));
        let current = output.current.clone().into_data().iter::<f32>().collect();
        Ok(Answer { numbers: Numbers::of(&output), current })
    }
}

/// The network that comes with the program, on the processor.
///
/// # Errors
/// As [`weights::own`].
pub fn own() -> Result<Shared, Error> {
    let device = Device::<Flex>::default();
    let (network, config) = weights::own::<Flex>(&device)?;
    Ok(Burn::new(network, config, device).shared())
}

/// The network of a file: weights on the processor, or, of a name that ends in `.onnx`, a model on onnxruntime.
///
/// # Errors
/// As [`weights::load`] and `onnx::Session::load`; for a model, if this was built without onnxruntime.
pub fn open(path: &Path) -> Result<Shared, Error> {
    if path.extension().is_some_and(|extension| extension == "onnx") {
        return model(path);
    }
    Ok(Burn::<Flex>::load(path, Device::<Flex>::default())?.shared())
}

#[cfg(feature = "ort")]
fn model(path: &Path) -> Result<Shared, Error> {
    Ok(crate::onnx::Session::load(path, crate::onnx::Options::default())?.shared())
}

#[cfg(not(feature = "ort"))]
fn model(path: &Path) -> Result<Shared, Error> {
    Err(Error::weights(path, "this program was built without onnxruntime (feature `ort`)"))
}
