//! What computes a network: the tensor library, or onnxruntime.

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::backend::Flex;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Element, Tensor};

use crate::decode::Numbers;
use crate::frame::Frame;
use crate::kernel::Kernels;
use crate::model::lift::LiftIndices;
use crate::model::{Network, NetworkConfig};
use crate::rig::LiftTable;
use crate::{Error, weights};

/// The grid of a frame, for a later one, where and as the engine has it that made it and alone can read it.
pub type Kept = Arc<dyn Any + Send + Sync>;

/// A network that answers one frame at a time.
pub trait Engine: Send {
    /// What the network is like.
    fn config(&self) -> &NetworkConfig;

    /// One frame, with the grid that an earlier one gave: what the network says of it goes into `numbers`, in place of
    /// what was there, and what it keeps for a later frame comes back.
    ///
    /// # Errors
    /// If the frame is of another network's shape, or the library that computes fails.
    fn answer(&mut self, frame: &Frame, previous: Option<&Kept>, numbers: &mut Numbers) -> Result<Kept, Error>;
}

/// A network whose nodes take turns.
pub type Shared = Arc<Mutex<dyn Engine>>;

/// A network, also after a panic in another node: nothing that it keeps between frames is ever half made.
pub fn lock(engine: &Shared) -> MutexGuard<'_, dyn Engine + 'static> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A network on a backend of burn.
pub struct Burn<B: Backend> {
    network: Network<B>,
    config: NetworkConfig,
    device: Device<B>,
    /// What the calibration of the last frame became.
    lift: Option<(Arc<LiftTable>, LiftIndices<B>)>,
}

impl<B: Kernels> Burn<B> {
    /// With its weights, on their device; weights come into the backend's own precision.
    pub fn new(network: Network<B>, config: NetworkConfig, device: Device<B>) -> Self {
        struct Cast;
        impl<B: Backend> ModuleMapper<B> for Cast {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
                param.map(|value| value.cast(B::FloatElem::dtype()))
            }
        }
        Self { network: network.map(&mut Cast), config, device, lift: None }
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

    fn answer(&mut self, frame: &Frame, previous: Option<&Kept>, numbers: &mut Numbers) -> Result<Kept, Error> {
        let nothing = || Tensor::zeros(self.config.kept(1), &self.device);
        let previous = previous.and_then(|kept| kept.downcast_ref::<Tensor<B, 4>>()).cloned().unwrap_or_else(nothing);
        let known = self.lift.take().filter(|(table, _)| Arc::ptr_eq(table, &frame.lift)).map(|(_, lift)| lift);
        let input = Frame::input(&[frame], known, previous, &self.config, &self.device);
        self.lift = Some((Arc::clone(&frame.lift), input.lift.clone()));
        let output = self.network.forward(input);
        numbers.read(&output);
        Ok(Arc::new(output.current))
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
