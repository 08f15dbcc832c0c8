//! How much of an object the cameras see.

use std::collections::BTreeMap;

use super::Shot;

/// How much of an object is in one picture, in samples: quarters of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The object's number.
    pub number: u32,
    /// Samples that show it.
    pub visible: u32,
    /// Samples that would show it if nothing hid it.
    pub covered: u32,
}

/// How much of an object a rig sees.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Visibility {
    /// Pixels that show it.
    pub pixels: f64,
    /// Their share in those that would show it if nothing hid it, 0 to 1; what lies outside all frames does not count.
    pub share: f64,
}

impl Visibility {
    /// nuScenes' level: 1 up to 40 % of the pixels, 2 up to 60 %, 3 up to 80 %, 4 above (nuScenes `visibility.json`).
    pub fn level(&self) -> u8 {
        match self.share {
            share if share > 0.8 => 4,
            share if share > 0.6 => 3,
            share if share > 0.4 => 2,
            _ => 1,
        }
    }
}

/// What the shots of a rig see of each object in any of their frames, by its number.
pub fn visibility(shots: &[Shot]) -> BTreeMap<u32, Visibility> {
    let mut samples: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for seen in shots.iter().flat_map(|shot| &shot.seen) {
        let (visible, covered) = samples.entry(seen.number).or_default();
        *visible += u64::from(seen.visible);
        *covered += u64::from(seen.covered);
    }
    let share = |(visible, covered): (u64, u64)| Visibility {
        pixels: visible as f64 / 4.0,
        share: if covered > 0 { (visible as f64 / covered as f64).min(1.0) } else { 0.0 },
    };
    samples.into_iter().map(|(number, counts)| (number, share(counts))).collect()
}
