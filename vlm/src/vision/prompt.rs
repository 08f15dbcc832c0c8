//! How a prompt says where images are: markers around as many tokens as an image has features.
//!
//! Source: transformers 4.57.1, `models/idefics3/processing_idefics3.py`.

use std::path::Path;

use serde::Deserialize;

use super::Config;
use crate::Error;
use crate::text::{Special, Tokenizer};

/// What a template writes where an image is, and what stands for one of its features.
const IMAGE: &str = "<image>";

/// Stands before every tile and behind the last.
const AROUND: &str = "<fake_token_around_image>";

/// Stands before the tile that shows all of the image.
const WHOLE: &str = "<global-img>";

/// The markers of a model's prompts.
#[derive(Debug, Clone)]
pub(super) struct Markers {
    image_token: u32,
    /// Features of a tile.
    features: usize,
}

/// An image whose features an engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Rows of tiles; none where the image is one tile.
    pub rows: usize,
    /// Columns of tiles; none where the image is one tile.
    pub columns: usize,
    /// The token that stands for its first feature; those of the others follow.
    pub first: u32,
}

impl Markers {
    /// Of the model of `config` with tiles of so many pixels a side; `path` is its `processor_config.json`, which there
    /// need not be.
    pub(super) fn new(path: &Path, config: &Config, side: usize, tokenizer: &Tokenizer) -> Result<Self, Error> {
        let wrong = |reason: String| Err(Error::model(path, reason));
        let json: Json = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::model(path, error.to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Json::default(),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let Some(features) = config.features(side) else {
            return wrong(format!("tiles of {side} pixels are no whole features"));
        };
        if let Some(other) = json.image_seq_len.filter(|other| *other != features) {
            return wrong(format!("image_seq_len: {other}, but a tile has {features} features"));
        }
        if tokenizer.size() > config.vocabulary {
            return wrong(format!("{} tokens of the tokenizer, {} of the model", tokenizer.size(), config.vocabulary));
        }
        match tokenizer.id_of(IMAGE) {
            Some(token) if token == config.image_token => Ok(Self { image_token: token, features }),
            other => {
                wrong(format!("{IMAGE} is token {other:?} of the tokenizer, and {} of the model", config.image_token))
            }
        }
    }

    /// The tokens of a text in pieces, with what stands for the images in it.
    pub(super) fn expand(&self, tokenizer: &Tokenizer, text: &[&str], images: &[Placed]) -> Result<Vec<u32>, Error> {
        let found: usize = text.iter().map(|piece| piece.matches(IMAGE).count()).sum();
        if found != images.len() {
            let reason = format!("the prompt has places for {found} images, and {} are given", images.len());
            return Err(Error::Picture { reason });
        }
        let of_image = |image: &Placed| image.first..image.first + self.tokens([image.rows, image.columns]) as u32;
        let mut places = images.iter().flat_map(of_image);
        let mut images = images.iter();
        let mut tokens = Vec::new();
        for piece in text {
            let mut parts = piece.split(IMAGE);
            let mut expanded = parts.next().unwrap_or_default().to_owned();
            for (after, image) in parts.zip(images.by_ref()) {
                self.write(image, &mut expanded);
                expanded.push_str(after);
            }
            let encoded = tokenizer.encode(&expanded, Special::Markup).into_iter();
            let placed = |token| if token == self.image_token { places.next().unwrap_or(token) } else { token };
            tokens.extend(encoded.map(placed));
        }
        Ok(tokens)
    }

    /// How many features an image of so many rows and columns of tiles has.
    pub(super) fn tokens(&self, [rows, columns]: [usize; 2]) -> usize {
        (rows * columns + 1) * self.features
    }

    fn write(&self, image: &Placed, text: &mut String) {
        let features = IMAGE.repeat(self.features);
        for row in 1..=image.rows {
            for column in 1..=image.columns {
                text.push_str(&format!("{AROUND}<row_{row}_col_{column}>{features}"));
            }
            text.push('\n');
        }
        text.push_str(if image.rows > 0 { "\n" } else { "" });
        text.push_str(&format!("{AROUND}{WHOLE}{features}{AROUND}"));
    }
}

/// What is read of `processor_config.json`.
#[derive(Default, Deserialize)]
struct Json {
    image_seq_len: Option<usize>,
}
