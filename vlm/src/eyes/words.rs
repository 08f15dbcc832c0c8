//! What the eyes have words for.

use tandem_datasets::Track;

use crate::judge::what;

/// What stands, lies or goes on a road, by the words that judgments have for it.
pub const WORDS: [&str; 30] = [
    "car",
    "truck",
    "bus",
    "trailer",
    "motorcycle",
    "digger",
    "bicycle",
    "person",
    "child",
    "worker",
    "cone",
    "barrier",
    "police car",
    "ambulance",
    "fire engine",
    "school bus",
    "stalled car",
    "stalled truck",
    "debris",
    "tyre",
    "planks",
    "branch",
    "ball",
    "warning triangle",
    "closure",
    "closed sign",
    "works sign",
    "deer",
    "dog",
    "water",
];

/// From here on words are of what the fast system has a class for, but can't tell by its look.
const FIRST_GUISED: usize = 12;

/// Up to here they are of what has lights of its own.
const FIRST_DARK: usize = 6;

/// From here on they are of what it has no class for.
const FIRST_UNKNOWN: usize = 18;

/// The word for water that stands on the road.
pub const WATER: usize = WORDS.len() - 1;

/// The number of the most probable, and how probable it is; of equals the last.
pub(super) fn most(scores: impl Iterator<Item = (usize, f32)>) -> Option<(usize, f32)> {
    scores.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The word for a track; `None` for what there is none for.
pub fn word(track: &Track) -> Option<usize> {
    let find = |word: String| WORDS.iter().position(|known| *known == word);
    // Categories are finer than words; then the class has one.
    find(what(Some(&track.source_class), track.class)).or_else(|| find(what(None, track.class)))
}

/// Whether the fast system tells of what a word stands for.
pub fn is_told(word: usize) -> bool {
    word < FIRST_UNKNOWN
}

/// Whether it tells of that by all that its look says.
pub fn is_ordinary(word: usize) -> bool {
    word < FIRST_GUISED
}

/// Whether what a word stands for has lights of its own.
pub fn has_light(word: usize) -> bool {
    word < FIRST_DARK || (FIRST_GUISED..FIRST_UNKNOWN).contains(&word)
}

#[cfg(test)]
mod tests {
    use tandem_datasets::DetectionClass;
    use tandem_sim::world::hazard::{self, Kind};

    use super::*;

    #[test]
    fn whatever_is_staged_has_a_word_that_says_whether_the_fast_system_tells_of_it() {
        let mut met = [false; WORDS.len()];
        for seed in 0..52 {
            for track in &hazard::generate(Kind::of(seed), seed).unwrap().log.tracks {
                let word = word(track).unwrap_or_else(|| panic!("no word for {}", track.source_class));
                assert_eq!(is_told(word), DetectionClass::of(track).is_some(), "{}", track.source_class);
                met[word] = true;
            }
        }
        assert!(met.iter().filter(|met| **met).count() > 20, "{met:?}");
    }
}
