//! Eyes for the language model: images become features that stand among a prompt's tokens.
//!
//! Models of the Idefics3 family (Laurençon et al. 2024; SmolVLM: Marafioti et al. 2025): an image is cut into square
//! tiles, a SigLIP tower (Zhai et al. 2023) reads each of them, and a connector makes a few features as wide as a token's
//! embedding out of it.
//!
//! ```no_run
//! use std::path::Path;
//! use tandem_vlm::text::Tokenizer;
//! use tandem_vlm::vision::{Picture, Placed, Vision};
//!
//! # fn main() -> Result<(), tandem_vlm::Error> {
//! let directory = Path::new("smolvlm-256m-instruct");
//! let tokenizer = Tokenizer::open(&directory.join("tokenizer.json"))?;
//! let vision = Vision::of_directory(directory, &tokenizer)?.expect("SmolVLM sees");
//!
//! let tiles = vision.cut(&Picture::open(Path::new("front.jpg"))?);
//! let features = vision.look(&tiles);
//! // Of an engine that was shown the features: the tokens that stand for them.
//! let placed = Placed { rows: tiles.rows, columns: tiles.columns, first: 49_280 };
//! let prompt = vision.expand(&tokenizer, &["User:<image>What is ahead?\nAssistant:"], &[placed])?;
//! # Ok(())
//! # }
//! ```

mod config;
mod load;
mod picture;
mod prompt;
mod recipe;
mod resample;
#[cfg(test)]
mod tests;
mod tower;

use std::path::Path;

use sha2::{Digest, Sha256};

pub use self::config::Config;
pub use self::picture::Picture;
use self::prompt::Markers;
pub use self::prompt::Placed;
pub use self::recipe::{Recipe, Tiles};
pub use self::tower::{Grid, Tower};
use crate::Error;
use crate::engine::ImageKey;
use crate::text::Tokenizer;

/// All that a model needs to see.
#[derive(Debug, Clone)]
pub struct Vision {
    recipe: Recipe,
    tower: Tower,
    markers: Markers,
}

impl Vision {
    /// From the directory of a model whose text is cut by `tokenizer`; `None` if it only reads.
    ///
    /// # Errors
    /// If a file cannot be read, lacks a field or says something that is not known here; for tensors that are not there
    /// or of another shape; if the tokenizer has no token for images, or another one than the model.
    pub fn of_directory(directory: &Path, tokenizer: &Tokenizer) -> Result<Option<Self>, Error> {
        let Some(config) = Config::of_json(&directory.join("config.json"))? else { return Ok(None) };
        let recipe = Recipe::of_json(&directory.join("preprocessor_config.json"))?;
        let path = directory.join("processor_config.json");
        let markers = Markers::new(&path, &config, recipe.side, tokenizer)?;
        Ok(Some(Self { recipe, tower: Tower::of_directory(directory, &config)?, markers }))
    }

    /// With images as one tile each: less is seen of them, and at a fraction of the cost.
    pub fn whole(mut self) -> Self {
        self.recipe.splits = false;
        self
    }

    /// What names a picture as this model sees it: the same for the same picture alone.
    pub fn key(&self, picture: &Picture) -> ImageKey {
        let sides = [picture.width(), picture.height(), usize::from(self.recipe.splits)];
        let sides: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
        ImageKey(Sha256::new().chain_update(sides).chain_update(picture.rgb()).finalize().into())
    }

    /// How many tokens stand for the features of a picture of so many rows and columns of tiles.
    pub fn tokens(&self, grid: [usize; 2]) -> usize {
        self.markers.tokens(grid)
    }

    /// Into how many rows and columns of tiles a picture is cut; none where it is one tile.
    pub fn grid(&self, picture: &Picture) -> [usize; 2] {
        self.recipe.grid(picture)
    }

    /// A picture as the tower takes it.
    pub fn cut(&self, picture: &Picture) -> Tiles {
        self.recipe.cut(picture)
    }

    /// The features of all tiles, in their order, `[tiles · features of a tile, hidden numbers of the text]`.
    pub fn look(&self, tiles: &Tiles) -> Vec<f32> {
        let grid = Grid::whole(self.tower.config().patches(tiles.side));
        tiles.each().flat_map(|pixels| self.tower.features(pixels, grid)).collect()
    }

    /// The tokens of a prompt in which a template wrote `<image>` where an image is, with what stands for the images. The
    /// text comes in pieces: what stands astride two of them is no markup.
    ///
    /// # Errors
    /// If there are not as many images as the text says.
    pub fn expand(&self, tokenizer: &Tokenizer, text: &[&str], images: &[Placed]) -> Result<Vec<u32>, Error> {
        self.markers.expand(tokenizer, text, images)
    }
}
