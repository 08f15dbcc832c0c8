//! What a network learns from or is shown.

use std::path::PathBuf;
use std::str::FromStr;

use tandem_perception::Error;
use tandem_perception::model::NetworkConfig;
use tandem_perception::train::drives::Drives;

/// Generated worlds, or recorded drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Worlds by seed.
    Worlds,
    /// The logs of a nuScenes directory.
    NuScenes(PathBuf),
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "worlds" => Ok(Self::Worlds),
            Some(("nuscenes", path)) if !path.is_empty() => Ok(Self::NuScenes(path.into())),
            _ => Err("neither worlds nor nuscenes:DIR".into()),
        }
    }
}

impl Data {
    /// The drives, if that is what is meant.
    ///
    /// # Errors
    /// For logs that cannot be read.
    pub fn drives(&self, network: &NetworkConfig) -> Result<Option<Drives>, Error> {
        match self {
            Self::Worlds => Ok(None),
            Self::NuScenes(path) => Drives::open(path, network).map(Some),
        }
    }
}
