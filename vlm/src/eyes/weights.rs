//! The eyes' weights: a safetensors file of 16-bit numbers that says what words they belong to.

use std::path::Path;

use burn::tensor::Device;
use burn::tensor::backend::Backend;
use burn_store::{HalfPrecisionAdapter, ModuleSnapshot, SafetensorsStore};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use tandem_perception::kernel::Kernels;

use super::network::Network;
use super::words::WORDS;
use crate::Error;

/// The metadata key under which the words stand.
const KEY: &str = "tandem.eyes";

/// Writes the weights, by way of a file beside it.
///
/// # Errors
/// If the file cannot be written.
pub fn save<B: Backend>(network: &Network<B>, path: &Path) -> Result<(), Error> {
    let unfinished = path.with_extension("unfinished");
    let mut store = SafetensorsStore::from_file(&unfinished)
        .overwrite(true)
        .with_to_adapter(HalfPrecisionAdapter::new())
        .metadata(KEY, WORDS.join(","));
    network.save_into(&mut store).map_err(|error| Error::model(path, first_line(&error.to_string())))?;
    std::fs::rename(&unfinished, path).map_err(Error::io(path))
}

/// Reads the weights, with the SHA-256 of their file in hexadecimal digits.
///
/// # Errors
/// [`Error::Model`] for a file that is damaged, or of other eyes.
pub fn load<B: Kernels>(path: &Path, device: &Device<B>) -> Result<(Network<B>, String), Error> {
    read(path, std::fs::read(path).map_err(Error::io(path))?, device)
}

/// The weights that come with the program.
///
/// # Errors
/// As [`load`]; never for the file as it was committed.
pub fn own<B: Kernels>(device: &Device<B>) -> Result<(Network<B>, String), Error> {
    let bytes = include_bytes!("../../../weights/eyes.safetensors");
    read(Path::new("weights/eyes.safetensors"), bytes.to_vec(), device)
}

fn read<B: Kernels>(path: &Path, bytes: Vec<u8>, device: &Device<B>) -> Result<(Network<B>, String), Error> {
    let wrong = |reason: String| Error::model(path, first_line(&reason));
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| wrong(error.to_string()))?;
    let words = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    if words.map(String::as_str) != Some(WORDS.join(",").as_str()) {
        return Err(wrong("these are no eyes, or they have other words".into()));
    }
    SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut network = Network::new(device);
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).with_from_adapter(HalfPrecisionAdapter::new());
    network.load_from(&mut store).map_err(|error| wrong(error.to_string()))?;
    Ok((network, digest))
}

/// Errors of the store run over many lines; what is said first is what is wrong.
fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("unreadable").trim().to_owned()
}
