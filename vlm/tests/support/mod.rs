//! What tests read that is not in the repository.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tandem_vlm::gguf;

/// The model's file; none, said aloud, where `TANDEM_MODELS` names no directory with it.
pub fn model() -> Option<gguf::File> {
    let directory = std::env::var_os("TANDEM_MODELS").map(PathBuf::from);
    let path = directory.map(|path| path.join("smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"));
    let path = path.filter(|path| path.is_file());
    if path.is_none() {
        assert!(std::env::var_os("CI").is_none(), "`tandem models pull` and TANDEM_MODELS are needed in CI");
        eprintln!("skipped: TANDEM_MODELS names no directory with smollm2-135m-instruct");
    }
    path.map(|path| gguf::File::open(&path).unwrap())
}

/// A file of `$TANDEM_DATA/decode`, line by line.
pub fn lines<T: for<'a> Deserialize<'a>>(name: &str) -> Option<Vec<T>> {
    let Some(data) = std::env::var_os("TANDEM_DATA") else {
        assert!(std::env::var_os("CI").is_none(), "TANDEM_DATA is needed in CI");
        eprintln!("skipped: TANDEM_DATA names no directory");
        return None;
    };
    let text = std::fs::read_to_string(Path::new(&data).join("decode").join(name)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What the model answered through llama.cpp, with its weights in Q4_0.
#[derive(Deserialize)]
pub struct Greedy {
    pub prompt_ids: Vec<u32>,
    pub answer_ids: Vec<u32>,
    pub answer: String,
}

/// What a competent model would have answered.
#[derive(Deserialize)]
pub struct Templated {
    pub prompt: String,
    pub answer: String,
}
