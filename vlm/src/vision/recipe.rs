//! How a picture is made ready for the tower: its sizes, tiles and scales, as the model was taught.
//!
//! Source: transformers 4.57.1, `models/smolvlm/image_processing_smolvlm.py`, which is also Idefics3's.

use std::path::Path;

use serde::Deserialize;

use super::Picture;
use super::resample::resample;
use crate::Error;

/// No picture is made larger (`MAX_IMAGE_SIZE`).
const MOST: usize = 4096;

/// No recipe makes more tiles a side; markers have names for six.
const TILES: usize = 64;

/// Pillow's number for the one filter that is known, `Resampling.LANCZOS`.
const LANCZOS: u32 = 1;

/// How pictures are made ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What the longer side of a picture becomes at first, in pixels.
    pub longest: usize,
    /// Pixels of a tile's side.
    pub side: usize,
    /// Whether pictures are cut into tiles.
    pub splits: bool,
    /// The value of every level of every channel.
    levels: [[f32; 256]; 3],
}

/// A picture made ready: its tiles row by row, then all of it as a tile of its own; only that where it is not cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiles {
    /// Rows of tiles; none where the picture is one tile.
    pub rows: usize,
    /// Columns of tiles; none where the picture is one tile.
    pub columns: usize,
    /// Pixels of a tile's side.
    pub side: usize,
    /// `[tiles, 3, side, side]`.
    pub pixels: Vec<f32>,
}

impl Tiles {
    /// The pixels of each.
    pub fn each(&self) -> impl Iterator<Item = &[f32]> {
        self.pixels.chunks_exact(3 * self.side * self.side)
    }
}

impl Recipe {
    /// Of a `preprocessor_config.json`.
    ///
    /// # Errors
    /// If it cannot be read or parsed, and for what is not known or cannot be.
    pub fn of_json(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let json: Json = serde_json::from_str(&text).map_err(|error| Error::model(path, error.to_string()))?;
        let wrong = |reason: String| Err(Error::model(path, reason));
        if json.resample != LANCZOS {
            return wrong(format!("resample: filter {} is not known, only {LANCZOS}, Lanczos", json.resample));
        }
        if !json.do_resize {
            return wrong("do_resize: only pictures that are resized are known".to_owned());
        }
        let (side, longest) = (json.max_image_size.longest_edge, json.size.longest_edge);
        if !(1..=MOST).contains(&side) || longest == 0 || longest.min(MOST).div_ceil(side) > TILES {
            return wrong(format!("size: pictures of {longest} pixels in tiles of {side} cannot be"));
        }
        let numbers = || [&json.image_mean[..], &json.image_std[..], &[json.rescale_factor]].concat();
        if numbers().iter().any(|number| !number.is_finite()) || json.image_std.contains(&0.0) {
            return wrong("image_mean, image_std: no numbers that can be".to_owned());
        }
        // Each step in the precision that transformers has it.
        let level = |channel: usize, level: usize| {
            let scale = if json.do_rescale { json.rescale_factor } else { 1.0 };
            let value = (level as f64 * scale) as f32;
            let (mean, deviation) = (json.image_mean[channel] as f32, json.image_std[channel] as f32);
            if json.do_normalize { (value - mean) / deviation } else { value }
        };
        Ok(Self {
            longest,
            side,
            splits: json.do_image_splitting,
            levels: std::array::from_fn(|channel| std::array::from_fn(|number| level(channel, number))),
        })
    }

    /// Into how many rows and columns of tiles a picture is cut; none where it is one tile.
    pub fn grid(&self, picture: &Picture) -> [usize; 2] {
        let [width, height] = self.sizes([picture.width(), picture.height()]).1;
        match [height / self.side, width / self.side] {
            [1, 1] => [0, 0],
            grid => grid,
        }
    }

    /// A picture as the tower takes it.
    pub fn cut(&self, picture: &Picture) -> Tiles {
        let (side, [rows, columns]) = (self.side, self.grid(picture));
        let given = [picture.width(), picture.height()];
        let (first, second) = self.sizes(given);
        let rgb = resample(&resample(picture.rgb(), given, first), first, second);
        let mut pixels = Vec::with_capacity((rows * columns + 1) * 3 * side * side);
        for tile in 0..rows * columns {
            let corner = tile / columns * side * second[0] + tile % columns * side;
            self.put(&rgb[corner * 3..], second[0], &mut pixels);
        }
        self.put(&resample(&rgb, second, [side, side]), side, &mut pixels);
        Tiles { rows, columns, side, pixels }
    }

    /// Adds the values of a tile of a picture so wide, channel by channel.
    fn put(&self, rgb: &[u8], width: usize, pixels: &mut Vec<f32>) {
        for (channel, levels) in self.levels.iter().enumerate() {
            for row in rgb.chunks(width * 3).take(self.side) {
                let row = row[..self.side * 3].as_chunks::<3>().0;
                pixels.extend(row.iter().map(|pixel| levels[usize::from(pixel[channel])]));
            }
        }
    }

    /// The width and height that a picture gets at first, and those out of which whole tiles are cut.
    fn sizes(&self, given: [usize; 2]) -> ([usize; 2], [usize; 2]) {
        // `_resize_output_size_rescale_to_max_len`, then `_resize_output_size_scale_below_upper_bound`.
        let mut first = scaled(given, self.longest, |shorter| shorter + shorter % 2);
        if first[0].max(first[1]) > MOST {
            first = scaled(first, MOST, |shorter| shorter);
        }
        let up = |length: usize| length.max(1).div_ceil(self.side) * self.side;
        let tiles = if self.splits { scaled(first, up(first[0].max(first[1])), up) } else { [self.side; 2] };
        (first, tiles)
    }
}

/// A width and a height whose longer becomes `longest`, and whose shorter what `then` makes of what keeps the ratio.
fn scaled([width, height]: [usize; 2], longest: usize, then: impl Fn(usize) -> usize) -> [usize; 2] {
    let ratio = width as f64 / height as f64;
    if width >= height {
        [longest, then((longest as f64 / ratio) as usize).max(1)]
    } else {
        [then((longest as f64 * ratio) as usize).max(1), longest]
    }
}

/// What is read of `preprocessor_config.json`; what it does not say is as in transformers.
#[derive(Deserialize)]
#[serde(default)]
struct Json {
    do_resize: bool,
    size: Edge,
    resample: u32,
    do_image_splitting: bool,
    max_image_size: Edge,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f64; 3],
    image_std: [f64; 3],
}

#[derive(Deserialize)]
struct Edge {
    longest_edge: usize,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            do_resize: true,
            size: Edge { longest_edge: 4 * 364 },
            resample: LANCZOS,
            do_image_splitting: true,
            max_image_size: Edge { longest_edge: 364 },
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
        }
    }
}
