//! Worlds with a staged corner case: for the slow system to learn from, to be judged on, and to show whether it helps.
//!
//! A seed becomes a street, an ego, and one hazard that an ego who goes on regardless would hit or drive into; or none.
//! What was staged comes with the world as data ([`Staging`]). What the fast system has no class for is there, shows and
//! is collided with, but no one tells the planner of it; of a stretch that can't be driven the published map knows
//! nothing.
//!
//! ```
//! use tandem_planner::MetaAction;
//! use tandem_sim::world::hazard::{self, Kind};
//!
//! let staged = hazard::generate(Kind::of(7), 7)?;
//! assert_eq!(staged.log.id, "hazard-0007-animal");
//! let hazard = staged.staging.hazard.ok_or("calm")?;
//! assert!(hazard.visible_from_s < hazard.over_s && hazard.reaction.actions.contains(&MetaAction::Stop));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calm;
mod closed;
mod crossing;
mod lying;
mod moving;
mod play;
mod presence;
mod staging;
mod street;
mod things;

#[cfg(test)]
mod tests;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tandem_datasets::{Error, MapError};

use super::stage::Stage;
use crate::camera::{Look, Weather};
use street::{Plot, Street};

pub use presence::Over;
pub use staging::{Environment, Hazard, Reaction, Ring, Road, Staged, Staging};

/// A world that is not as it should be is drawn anew, so often.
const DRAFTS: u64 = 24;

/// What a world is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing happens.
    Calm,
    /// Fallen cargo, a tyre or a branch on the lane.
    Debris,
    /// A construction site takes the lane or narrows it.
    Construction,
    /// An emergency vehicle comes from behind, or stands on the lane.
    Emergency,
    /// Somebody steps out from behind a parked lorry or van.
    Jaywalker,
    /// A car broke down on the lane.
    Stalled,
    /// Water stands on the lane or the road.
    Flood,
    /// A deer or a dog runs across.
    Animal,
    /// A car comes towards the ego in its lane.
    WrongWay,
    /// Signs and boards close the road.
    ClosedRoad,
    /// A ball rolls onto the road, a child runs after it.
    Ball,
    /// Children cross in front of a school bus.
    SchoolBus,
    /// A cyclist swerves into the lane.
    Cyclist,
}

impl Kind {
    /// All kinds, in the order in which seeds go through them.
    pub const ALL: [Self; 13] = [
        Self::Calm,
        Self::Debris,
        Self::Construction,
        Self::Emergency,
        Self::Jaywalker,
        Self::Stalled,
        Self::Flood,
        Self::Animal,
        Self::WrongWay,
        Self::ClosedRoad,
        Self::Ball,
        Self::SchoolBus,
        Self::Cyclist,
    ];

    /// The kind that a seed makes: thirteen seeds in a row make all of them.
    pub fn of(seed: u64) -> Self {
        Self::ALL[(seed % Self::ALL.len() as u64) as usize]
    }

    /// Its name in log ids and tags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Debris => "debris",
            Self::Construction => "construction",
            Self::Emergency => "emergency",
            Self::Jaywalker => "jaywalker",
            Self::Stalled => "stalled",
            Self::Flood => "flood",
            Self::Animal => "animal",
            Self::WrongWay => "wrong-way",
            Self::ClosedRoad => "closed-road",
            Self::Ball => "ball",
            Self::SchoolBus => "school-bus",
            Self::Cyclist => "cyclist",
        }
    }
}

/// The id of the world of a kind and a seed, such as `hazard-0007-animal`.
pub fn id(kind: Kind, seed: u64) -> String {
    format!("hazard-{seed:04}-{}", kind.name())
}

/// The world of a kind and a seed: 20 s at 10 Hz with map, traffic, what was staged, and the track of a driver as ego who
/// knows of it and acts well.
///
/// The same kind and seed always make the same world, to the last bit.
///
/// # Errors
/// If the map is not a valid one, which would be a fault of the generator.
pub fn generate(kind: Kind, seed: u64) -> Result<Staged, Error> {
    let made = (0..DRAFTS).find_map(|draft| draw(kind, seed, draft).transpose());
    // The last draft is always taken.
    made.unwrap_or(Err(MapError::Empty)).map_err(|reason| Error::Map { path: id(kind, seed).into(), reason })
}

/// One of the worlds that a seed could make; `None` for one to be drawn anew.
fn draw(kind: Kind, seed: u64, draft: u64) -> Result<Option<Staged>, MapError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(draft);
    let stage = Stage::new(rng);
    let (street, plot) = match kind {
        Kind::Calm => (calm::calm(stage), None),
        Kind::Debris => staged(lying::debris(stage)),
        Kind::Construction => staged(closed::construction(stage)),
        Kind::Emergency => staged(moving::emergency(stage)),
        Kind::Jaywalker => staged(crossing::jaywalker(stage)),
        Kind::Stalled => staged(lying::stalled(stage)),
        Kind::Flood => staged(closed::flood(stage)),
        Kind::Animal => staged(crossing::animal(stage)),
        Kind::WrongWay => staged(moving::wrong_way(stage)),
        Kind::ClosedRoad => staged(closed::closed_road(stage)),
        Kind::Ball => staged(crossing::ball(stage)),
        Kind::SchoolBus => staged(crossing::school_bus(stage)),
        Kind::Cyclist => staged(moving::cyclist(stage)),
    };
    let look = look(seed, street.road, plot.as_ref().and_then(|plot| plot.weather));
    play::play(kind, id(kind, seed), street, plot, look, draft + 1 == DRAFTS)
}

fn staged((street, plot): (Street, Plot)) -> (Street, Option<Plot>) {
    (street, Some(plot))
}

/// The look of a seed on a kind of road, in the weather that belongs to the hazard.
fn look(seed: u64, road: Road, weather: Option<Weather>) -> Look {
    let usual = Look::of(seed);
    let mut look = match weather {
        Some(weather) if weather != usual.weather => Look::with(seed, usual.light, weather),
        _ => usual,
    };
    if weather.is_some() {
        // The water came from somewhere; on a road less wet it is told from what is wet only.
        look.wetness = 0.3;
    }
    match road {
        Road::Rural => (look.built, look.planted) = (0.05, look.planted.max(0.5)),
        Road::Residential | Road::Urban => look.built = look.built.max(0.5),
        Road::Main => {}
    }
    look
}
