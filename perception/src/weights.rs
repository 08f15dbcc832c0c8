//! Trained weights in a safetensors file that says which network they belong to.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use burn::tensor::backend::Backend;
use burn_store::{ModuleSnapshot, SafetensorsStore};
use safetensors::SafeTensors;

use crate::Error;
use crate::kernel::Kernels;
use crate::model::{Network, NetworkConfig};

/// The metadata key under which the configuration stands.
pub(crate) const CONFIG: &str = "tandem.network";

/// Writes a network's weights with its configuration, by way of a file beside it.
///
/// # Errors
/// If the file cannot be written.
pub fn save<B: Backend>(network: &Network<B>, config: &NetworkConfig, path: &Path) -> Result<(), Error> {
    let text = serde_json::to_string(config).map_err(Error::json(path))?;
    let unfinished = path.with_extension("unfinished");
    let mut store = SafetensorsStore::from_file(&unfinished).overwrite(true).metadata(CONFIG, text);
    network.save_into(&mut store).map_err(|error| Error::weights(path, error.to_string()))?;
    std::fs::rename(&unfinished, path).map_err(Error::io(path))
}

/// Reads a network with its weights and its configuration.
///
/// # Errors
/// [`Error::Weights`] for a file that is damaged, says no configuration, or whose tensors are not those of its
/// configuration.
pub fn load<B: Kernels>(path: &Path, device: &Device<B>) -> Result<(Network<B>, NetworkConfig), Error> {
    read(path, std::fs::read(path).map_err(Error::io(path))?, device)
}

/// The network that comes with the program, see `weights/README.md`.
///
/// # Errors
/// As [`load`]; never for the file as it was committed.
pub fn own<B: Kernels>(device: &Device<B>) -> Result<(Network<B>, NetworkConfig), Error> {
    read(Path::new("weights/tiny.safetensors"), include_bytes!("../../weights/tiny.safetensors").to_vec(), device)
}

fn read<B: Kernels>(path: &Path, bytes: Vec<u8>, device: &Device<B>) -> Result<(Network<B>, NetworkConfig), Error> {
    let wrong = |reason: String| Error::weights(path, reason);
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| wrong(error.to_string()))?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(CONFIG));
    let text = text.ok_or_else(|| wrong("it does not say which network it belongs to".into()))?;
    let config: NetworkConfig = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    config.check().map_err(wrong)?;
    SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let mut network = Network::new(&config, device);
    let mut store = SafetensorsStore::from_bytes(Some(bytes));
    network.load_from(&mut store).map_err(|error| wrong(first_line(&error.to_string())))?;
    Ok((network, config))
}

/// A network with those tensors of a file that are its own in name and shape; the others stay as they are.
///
/// # Errors
/// [`Error::Weights`] for a file that is damaged or holds nothing of the network.
pub fn start<B: Kernels>(mut network: Network<B>, path: &Path) -> Result<Network<B>, Error> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    SafeTensors::deserialize(&bytes).map_err(|error| Error::weights(path, error.to_string()))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).allow_partial(true).validate(false);
    let found = network.load_from(&mut store).map_err(|error| Error::weights(path, first_line(&error.to_string())))?;
    if found.applied.is_empty() {
        return Err(Error::weights(path, "it holds nothing of this network"));
    }
    Ok(network)
}

/// Errors of the store run over many lines; what is said first is what is wrong.
fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("unreadable").trim().to_owned()
}

/// Number of weights, for tables.
pub fn count<B: Backend>(network: &Network<B>) -> usize {
    network.num_params()
}
