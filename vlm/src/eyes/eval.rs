//! How much of what images show the eyes see.

use serde::Serialize;
use tandem_datasets::Camera;
use tandem_perception::kernel::Kernels;
use tandem_perception::rig::Pixels;

use super::place::{Place, Shown};
use super::view::{View, cameras};
use super::words::WORDS;
use super::{Eyes, Glance};
use crate::Error;

/// A world is looked at from its first to its last of these moments, s, so far apart, s.
const FIRST_S: f64 = 1.0;
const LAST_S: f64 = 19.0;
const EVERY_S: f64 = 1.5;

/// A box is found by one with so much of the area of both in common.
const OVERLAP: f32 = 0.3;

/// Where ranges end, m.
pub const RANGES_M: [f32; 3] = [20.0, 40.0, f32::INFINITY];

/// How well things of some kind are seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// How many show clearly.
    pub shown: usize,
    /// The share of these that is said.
    pub recall: f64,
    /// The share of what is said that shows.
    pub precision: f64,
    /// Recall up to each of [`RANGES_M`], where something shows.
    pub by_range: [Option<f64>; RANGES_M.len()],
}

/// What was seen and what was to be seen.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Things that show clearly: what they are, how far away, and with what score they were found.
    shown: Vec<(usize, f32, Option<f32>)>,
    /// Things that were seen where there are none of the kind: what was said, and with what score.
    wrong: Vec<(usize, f32)>,
    /// Front images whose weather, light and kind of road were told, and of how many.
    told: [usize; 3],
    fronts: usize,
}

impl Tally {
    /// Looks around in a world.
    ///
    /// # Errors
    /// For cameras that are none; those of [`cameras`] are.
    pub fn of<B: Kernels>(eyes: &Eyes<B>, place: &Place) -> Result<Self, Error> {
        let mut tally = Self::default();
        let rig = cameras();
        let mut at_s = FIRST_S;
        while at_s <= LAST_S {
            let stamp = place.stamp(at_s);
            let map_from_ego = place.map_from_ego(stamp);
            let shots = place.shots(&rig, &map_from_ego, stamp);
            for (camera, shot) in rig.iter().zip(&shots) {
                let shown = place.shown(camera, &map_from_ego, stamp, shot);
                if let Some(glance) = eyes.glance(camera, Pixels::from(&shot.image))? {
                    tally.add(&glance, &shown, place, camera);
                }
            }
            at_s += EVERY_S;
        }
        Ok(tally)
    }

    /// Adds a look at an image.
    fn add(&mut self, glance: &Glance, shown: &[Shown], place: &Place, camera: &Camera) {
        if View::of(camera) == Some(View::Front) {
            let environment = &place.staging.environment;
            let wanted = [environment.weather as usize, environment.light as usize, environment.road as usize];
            let said = glance.surroundings();
            self.fronts += 1;
            (0..3).for_each(|part| self.told[part] += usize::from(said[part] == wanted[part]));
        }
        let mut found: Vec<Option<f32>> = vec![None; shown.len()];
        let mut said: Vec<_> = glance.sightings.iter().map(|sighting| (sighting.word(), sighting.bounds)).collect();
        said.sort_by(|a, b| b.0.1.total_cmp(&a.0.1));
        for ((word, score), bounds) in said {
            let overlaps = |index: usize| overlap(shown[index].bounds, bounds);
            let candidates = (0..shown.len()).filter(|index| shown[*index].word == word && overlaps(*index) >= OVERLAP);
            let free = candidates.clone().filter(|index| found[*index].is_none());
            match free.max_by(|a, b| overlaps(*a).total_cmp(&overlaps(*b))) {
                Some(index) => found[index] = Some(score),
                None => self.wrong.push((word, score)),
            }
        }
        let clear = shown.iter().zip(found).filter(|(shown, _)| shown.is_clear);
        self.shown.extend(clear.map(|(shown, found)| (shown.word, shown.depth_m, found)));
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.shown.extend(other.shown);
        self.wrong.extend(other.wrong);
        self.fronts += other.fronts;
        (0..3).for_each(|part| self.told[part] += other.told[part]);
    }

    /// Figures of the words that `is_of` takes, with scores of at least `least`.
    pub fn figures(&self, is_of: impl Fn(usize) -> bool, least: f32) -> Figures {
        let (mut shown, mut found) = ([0; RANGES_M.len()], [0; RANGES_M.len()]);
        for (_, depth_m, score) in self.shown.iter().filter(|(word, ..)| is_of(*word)) {
            let range = RANGES_M.iter().position(|end_m| depth_m < end_m).unwrap_or_default();
            shown[range] += 1;
            found[range] += usize::from(score.is_some_and(|score| score >= least));
        }
        let wrong = self.wrong.iter().filter(|(word, score)| is_of(*word) && *score >= least).count();
        let (all, right) = (shown.iter().sum(), found.iter().sum::<usize>());
        Figures {
            shown: all,
            recall: share(right, all),
            precision: share(right, right + wrong),
            by_range: std::array::from_fn(|range| (shown[range] > 0).then(|| share(found[range], shown[range]))),
        }
    }

    /// The shares of front images whose weather, light and kind of road are told rightly.
    pub fn environment(&self) -> [f64; 3] {
        self.told.map(|told| share(told, self.fronts))
    }

    /// Words of which something was shown.
    pub fn words(&self) -> Vec<usize> {
        (0..WORDS.len()).filter(|word| self.shown.iter().any(|(shown, ..)| shown == word)).collect()
    }
}

/// The intersection of two boxes over their union.
fn overlap(a: [f32; 4], b: [f32; 4]) -> f32 {
    let side = |from: usize| (a[from + 2].min(b[from + 2]) - a[from].max(b[from])).max(0.0);
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left) * (bottom - top);
    let shared = side(0) * side(1);
    shared / (area(a) + area(b) - shared).max(f32::MIN_POSITIVE)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn boxes_share_what_they_have_in_common() {
        assert_eq!(overlap([0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5]), 1.0);
        assert_eq!(overlap([0.0, 0.0, 0.5, 0.5], [0.25, 0.0, 0.75, 0.5]), 1.0 / 3.0);
        assert_eq!(overlap([0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]), 0.0);
    }
}
