//! Generated worlds: a seed becomes a road, traffic and a reference driver, written down as a log.
//!
//! ```
//! let log = tandem_sim::world::generate(7)?;
//! assert_eq!(log.id, "world-0007-obstacle");
//! # Ok::<(), tandem_datasets::Error>(())
//! ```

mod actor;
mod curve;
pub mod hazard;
mod road;
mod scenes;
mod stage;
mod town;

#[cfg(test)]
mod tests;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tandem_datasets::{Error, Log};

pub use town::{id as town_id, town};

/// The situation that a world is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A straight road behind a leader.
    Straight,
    /// A winding road behind a leader.
    Curve,
    /// A crossroads, with lights or without.
    Intersection,
    /// A lane that joins another.
    Merge,
    /// Parked cars on both sides.
    ParkedCars,
    /// People on a crossing, or crossing elsewhere.
    Pedestrians,
    /// A car that moves in ahead.
    CutIn,
    /// A lane that is blocked.
    Obstacle,
    /// A passage little wider than the car.
    NarrowPassage,
}

impl Kind {
    /// All kinds, in the order in which seeds go through them.
    pub const ALL: [Self; 9] = [
        Self::Straight,
        Self::Curve,
        Self::Intersection,
        Self::Merge,
        Self::ParkedCars,
        Self::Pedestrians,
        Self::CutIn,
        Self::Obstacle,
        Self::NarrowPassage,
    ];

    /// The kind that a seed makes: nine seeds in a row make all of them.
    pub fn of(seed: u64) -> Self {
        Self::ALL[(seed % 9) as usize]
    }

    /// Its name in log ids and tags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Straight => "straight",
            Self::Curve => "curve",
            Self::Intersection => "intersection",
            Self::Merge => "merge",
            Self::ParkedCars => "parked-cars",
            Self::Pedestrians => "pedestrians",
            Self::CutIn => "cut-in",
            Self::Obstacle => "obstacle",
            Self::NarrowPassage => "narrow-passage",
        }
    }
}

/// The id of the world of a seed, such as `world-0007-obstacle`.
pub fn id(seed: u64) -> String {
    format!("world-{seed:04}-{}", Kind::of(seed).name())
}

/// The world of a seed: 20 s at 10 Hz with map, traffic, lights, and the track of a reference driver as ego.
///
/// The same seed always makes the same world, to the last bit.
///
/// # Errors
/// If the map is not a valid one, which would be a fault of the generator.
pub fn generate(seed: u64) -> Result<Log, Error> {
    let kind = Kind::of(seed);
    let mut stage = stage::Stage::new(ChaCha8Rng::seed_from_u64(seed));
    let description = match kind {
        Kind::Straight => scenes::straight(&mut stage),
        Kind::Curve => scenes::curve(&mut stage),
        Kind::Intersection => scenes::intersection(&mut stage),
        Kind::Merge => scenes::merge(&mut stage),
        Kind::ParkedCars => scenes::parked_cars(&mut stage),
        Kind::Pedestrians => scenes::pedestrians(&mut stage),
        Kind::CutIn => scenes::cut_in(&mut stage),
        Kind::Obstacle => scenes::obstacle(&mut stage),
        Kind::NarrowPassage => scenes::narrow_passage(&mut stage),
    };
    let played = stage.play(id(seed), description.to_owned(), vec![kind.name().to_owned()]);
    played.map_err(|reason| Error::Map { path: id(seed).into(), reason })
}
