//! Another engine that answers the same requests in turn with ours.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::vlm::peer::Peer;

/// What it is asked.
#[derive(Serialize)]
struct Question<'a> {
    model: &'a Path,
    prompt: &'a [u32],
    most: usize,
    ends: &'a [u32],
    lookup: usize,
}

/// What it answered; how long it took until the first token, and from there on.
#[derive(Deserialize)]
pub struct Reply {
    pub said: Vec<u32>,
    pub read_s: f64,
    pub said_s: f64,
}

/// A peer that answers for a model in a file.
pub struct Answerer {
    peer: Peer,
    model: PathBuf,
    /// Tokens a step that it drafts by its own prompt lookup.
    pub lookup: usize,
}

impl Answerer {
    /// Starts a command.
    pub fn start(command: &str, model: &Path, lookup: usize) -> anyhow::Result<Self> {
        Ok(Self { peer: Peer::start(command)?, model: model.to_owned(), lookup })
    }

    /// Its answer to a prompt.
    pub fn answer(&mut self, prompt: &[u32], most: usize, ends: &[u32]) -> anyhow::Result<Reply> {
        self.peer.ask(&Question { model: &self.model, prompt, most, ends, lookup: self.lookup })
    }
}
