//! What the eyes see of a moment, as rows for a language model to read.

use std::f32::consts::PI;

use serde::{Deserialize, Serialize};
use tandem_datasets::Pose2;

use super::glance::{Glance, Sighting};
use super::network::{ENVIRONMENT, FEATURES, POOLED, SURROUNDINGS};
use super::view::View;
use super::words::{WORDS, is_ordinary, most};
use crate::kernel;

/// Things ahead, to either side, and ahead at each earlier time.
const AHEAD: usize = 12;
const BESIDE: usize = 4;
const BEFORE: usize = 4;

/// How many seconds before now the earlier times are.
pub const EARLIER_S: [f64; 3] = [1.0, 2.0, 3.0];

/// Numbers of the fast system's embedding of the scene.
pub const EMBEDDING: usize = tandem_perception::model::heads::EMBEDDING;

/// Numbers that a quantity becomes.
const WAVES: usize = 5;

/// What places are measured by, m.
const PLACE_UNIT_M: f32 = 50.0;

/// Numbers of a thing: features, scores, box and place, camera, and how many seconds ago.
const THING: usize = FEATURES + WORDS.len() + 6 * WAVES + View::ALL.len() + 1;

/// Numbers of a row: those of a thing, of the surroundings, of the embedding; those of what the row does not tell are 0,
/// as are a few behind them, with which rows are as long as products take them.
pub const WIDTH: usize = (THING + POOLED + SURROUNDINGS + EMBEDDING).next_multiple_of(kernel::ROWS);

/// Rows of a moment: things ahead, left and right, things ahead earlier, the surroundings, the embedding.
pub const ROWS: usize = AHEAD + 2 * BESIDE + EARLIER_S.len() * BEFORE + 2;

/// What eyes see of a moment: `[rows, width]`; those of [`super::Eyes`] are `[ROWS, WIDTH]`, and 0 for what is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Numbers of a row.
    pub width: usize,
    /// All rows, one after the other.
    pub values: Vec<f32>,
}

/// A thing of which a row tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// The word that is most probable of those for which looks are needed.
    pub word: &'static str,
    /// How probable it is.
    pub score: f32,
    /// Which image shows it.
    pub view: View,
    /// Left, top, right and bottom as shares of the image's width and height.
    pub bounds: [f32; 4],
    /// Where it is in the ego frame of now, x ahead and y left, m.
    pub place_m: [f32; 2],
    /// How many seconds ago it was seen there.
    pub ago_s: f32,
}

/// What was seen ahead, from where.
#[derive(Debug, Clone)]
pub(super) struct Earlier<'a> {
    pub glance: &'a Glance,
    pub map_from_ego: Pose2,
}

impl Rows {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The most probable weather, light and kind of road, by their numbers; `None` without an image ahead.
    pub fn surroundings(&self) -> Option<[usize; ENVIRONMENT.len()]> {
        let row = self.values.chunks_exact(self.width).nth(ROWS - 2)?;
        let mut scores = row.get(THING + POOLED..THING + POOLED + SURROUNDINGS)?;
        let mut best = [0; ENVIRONMENT.len()];
        for (best, count) in best.iter_mut().zip(ENVIRONMENT) {
            let (part, others) = scores.split_at(count);
            *best = most(part.iter().copied().enumerate()).filter(|(_, score)| *score > 0.0)?.0;
            scores = others;
        }
        Some(best)
    }

    /// The things, as far as it needs looks to tell them: what goes by its class alone is left out.
    pub fn told(&self) -> Vec<Told> {
        let tell = |row: &[f32]| {
            let scores = row[FEATURES..].iter().copied().enumerate().take(WORDS.len());
            let (word, score) = most(scores.filter(|(word, _)| !is_ordinary(*word)))?;
            let (quantities, others) = row[FEATURES + WORDS.len()..THING].split_at(6 * WAVES);
            let quantity = |number: usize| quantities[number * WAVES];
            let view = View::ALL.into_iter().zip(others).find(|(_, is_its)| **is_its > 0.5)?.0;
            Some(Told {
                word: WORDS[word],
                score,
                view,
                bounds: [0, 1, 2, 3].map(quantity),
                place_m: [4, 5].map(|number| quantity(number) * PLACE_UNIT_M),
                ago_s: others[View::ALL.len()] * EARLIER_S[2] as f32,
            })
        };
        // Behind them are the surroundings and the embedding.
        self.values.chunks_exact(self.width).take(ROWS - 2).filter(|row| row.len() >= THING).filter_map(tell).collect()
    }

    /// Of what cameras show now, from `map_from_ego`; of what the front camera showed at each of [`EARLIER_S`]; and of the
    /// fast system's embedding, `[EMBEDDING]`.
    pub(super) fn new(
        now: &[Glance],
        map_from_ego: Pose2,
        earlier: [Option<Earlier<'_>>; EARLIER_S.len()],
        embedding: Option<&[f32]>,
    ) -> Self {
        let mut values = vec![0.0; ROWS * WIDTH];
        let mut rows = values.chunks_exact_mut(WIDTH);
        let mut things =
            |glance: Option<&Glance>, count: usize, ago_s: f64, now_from_then: &dyn Fn([f32; 2]) -> [f32; 2]| {
                for (number, row) in rows.by_ref().take(count).enumerate() {
                    if let Some((glance, sighting)) =
                        glance.and_then(|glance| Some((glance, glance.sightings.get(number)?)))
                    {
                        thing(&mut row[..THING], sighting, glance.view, ago_s, now_from_then(sighting.place_m));
                    }
                }
            };
        let seen = |view: View| now.iter().find(|glance| glance.view == view);
        for (view, count) in [(View::Front, AHEAD), (View::FrontLeft, BESIDE), (View::FrontRight, BESIDE)] {
            things(seen(view), count, 0.0, &|place_m| place_m);
        }
        for (earlier, ago_s) in earlier.iter().zip(EARLIER_S) {
            let moved = |[x, y]: [f32; 2]| {
                let then = earlier.as_ref().map_or(map_from_ego, |earlier| earlier.map_from_ego);
                let in_map = then.transform(nalgebra::Point2::new(f64::from(x), f64::from(y)));
                let here = map_from_ego.inverse_transform(in_map);
                [here.x as f32, here.y as f32]
            };
            things(earlier.as_ref().map(|earlier| earlier.glance), BEFORE, ago_s, &moved);
        }
        if let (Some(front), Some(row)) = (seen(View::Front), rows.next()) {
            let environment = front.environment.iter().flatten();
            row[THING..].iter_mut().zip(front.pooled.iter().chain(environment)).for_each(|(to, from)| *to = *from);
        }
        if let (Some(embedding), Some(row)) = (embedding, values.chunks_exact_mut(WIDTH).next_back()) {
            row[THING + POOLED + SURROUNDINGS..].iter_mut().zip(embedding).for_each(|(to, from)| *to = *from);
        }
        Self { width: WIDTH, values }
    }
}

/// A thing in a row.
fn thing(row: &mut [f32], sighting: &Sighting, view: View, ago_s: f64, [ahead_m, left_m]: [f32; 2]) {
    let quantities = sighting.bounds.into_iter().chain([ahead_m / PLACE_UNIT_M, left_m / PLACE_UNIT_M]);
    let views = View::ALL.into_iter().map(|one| if one == view { 1.0 } else { 0.0 });
    let numbers = (sighting.features.iter().copied())
        .chain(sighting.scores.iter().copied())
        .chain(quantities.flat_map(waves))
        .chain(views)
        .chain([(ago_s / EARLIER_S[2]) as f32]);
    row.iter_mut().zip(numbers).for_each(|(to, from)| *to = from);
}

/// A quantity of about one with two of its waves, which tell small differences (after Mildenhall et al. 2020).
fn waves(value: f32) -> [f32; WAVES] {
    let (sin, cos) = (PI * value).sin_cos();
    let (fine_sin, fine_cos) = (4.0 * PI * value).sin_cos();
    [value, sin, cos, fine_sin, fine_cos]
}
