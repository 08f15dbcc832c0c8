//! What the network should say of an image.

use tandem_datasets::Camera;

use super::super::network::{DEPTH_UNIT_M, NUMBERS, STRIDE};
use super::super::place::Shown;
use super::super::words::WORDS;

/// Spread of a thing's heat, as a share of its width and height, and the least, in places (elliptic as in TTFNet, Liu et
/// al. 2020).
const SPREAD: f32 = 1.0 / 6.0;
const LEAST_SPREAD: f32 = 0.5;
const MOST_SPREAD: f32 = 4.0;

/// Where a thing hardly shows, saying so is no fault, and not saying so is none: its heat gets only so high.
const UNCLEAR: f32 = 0.95;

/// The smallest side of a box that is learnt, in places.
const LEAST_SIDE: f32 = 0.1;

/// What the network should say of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// `[WORDS, rows, columns]`: 1 at the middle of each thing.
    pub heat: Vec<f32>,
    /// Places of the things that show clearly, with their numbers.
    pub things: Vec<(usize, [f32; NUMBERS])>,
}

impl Target {
    /// Of what an image of a camera shows.
    pub fn new(shown: &[Shown], camera: &Camera) -> Self {
        let [columns, rows] = camera.image_size.map(|side| side as usize / STRIDE);
        let mut target = Self { heat: vec![0.0; WORDS.len() * rows * columns], things: Vec::new() };
        for thing in shown {
            let [left, top, right, bottom] = thing.bounds;
            let (x, y) = ((left + right) / 2.0 * columns as f32, (top + bottom) / 2.0 * rows as f32);
            let (width, height) = ((right - left) * columns as f32, (bottom - top) * rows as f32);
            let (column, row) = ((x as usize).min(columns - 1), (y as usize).min(rows - 1));
            let peak = if thing.is_clear { 1.0 } else { UNCLEAR };
            let spread = [width, height].map(|side| (side * SPREAD).clamp(LEAST_SPREAD, MOST_SPREAD));
            let plane = &mut target.heat[thing.word * rows * columns..][..rows * columns];
            for (at, heat) in plane.iter_mut().enumerate() {
                let off = [(at % columns) as f32 - column as f32, (at / columns) as f32 - row as f32];
                let squares = off.iter().zip(spread).map(|(off, spread)| (off / spread).powi(2)).sum::<f32>();
                *heat = heat.max(peak * (-0.5 * squares).exp());
            }
            if thing.is_clear {
                let log = |side: f32| side.max(LEAST_SIDE).ln();
                let depth = (thing.depth_m / DEPTH_UNIT_M as f32).ln();
                let off = [x - column as f32 - 0.5, y - row as f32 - 0.5];
                target.things.push((row * columns + column, [off[0], off[1], log(width), log(height), depth]));
            }
        }
        target
    }
}
