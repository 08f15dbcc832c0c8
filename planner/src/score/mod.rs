//! The driving score: what both the planner, for its proposals, and the simulator, for driven runs, go by.
//!
//! `docs/driving-score.md` has the definitions and what is done where a log lacks what they need. PDM-style on our
//! logs: these are never NAVSIM or nuPlan scores, since the test sets differ.

mod bounds;
mod collision;
mod comfort;
mod direction;
mod formulas;
mod incidents;
mod lane;
mod motion;
mod run;
mod savgol;
mod scorer;
mod signal;
#[cfg(test)]
mod tests;
mod traffic;
mod ttc;

pub use collision::{Collision, CollisionKind};
pub use comfort::{EC_STEPS, LIMITS, Limit, comfort_series};
pub use formulas::{RssResponse, neuro_ncap, rss_distance_m};
pub use incidents::{IncidentRate, incidents_per_km};
pub use lane::ego_progress;
pub use run::{Event, Part, Run, RunScore, score_run};
pub use savgol::SavitzkyGolay;
pub use scorer::{Scored, Scorer, Setting};
pub use traffic::{Obstacle, Traffic};
pub use ttc::MAX_TTC_S;

use serde::{Deserialize, Serialize};

/// The sub-scores of one plan or one run, each in [0, 1]; see `docs/driving-score.md` for the definitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SubScores {
    /// No at-fault collision.
    pub nc: f64,
    /// Drivable-area compliance.
    pub dac: f64,
    /// Driving-direction compliance.
    pub ddc: f64,
    /// Traffic-light compliance.
    pub tlc: f64,
    /// Ego progress.
    pub ep: f64,
    /// Time to collision.
    pub ttc: f64,
    /// Lane keeping.
    pub lk: f64,
    /// History comfort.
    pub hc: f64,
    /// Extended comfort.
    pub ec: f64,
}

impl SubScores {
    /// All ones.
    pub const PERFECT: Self =
        Self { nc: 1.0, dac: 1.0, ddc: 1.0, tlc: 1.0, ep: 1.0, ttc: 1.0, lk: 1.0, hc: 1.0, ec: 1.0 };

    /// The product of the multiplying sub-scores.
    pub fn multipliers(&self) -> f64 {
        self.nc * self.dac * self.ddc * self.tlc
    }

    /// EPDMS = NC · DAC · DDC · TLC · (5·TTC + 5·EP + 2·LK + 2·HC + 2·EC) / 16 (NAVSIM v2).
    pub fn total(&self) -> f64 {
        self.multipliers() * (5.0 * self.ttc + 5.0 * self.ep + 2.0 * self.lk + 2.0 * self.hc + 2.0 * self.ec) / 16.0
    }

    /// PDMS = NC · DAC · (5·TTC + 5·EP + 2·C) / 12 (NAVSIM v1), C being the comfort of the plan alone.
    pub fn pdms(&self, comfort: f64) -> f64 {
        self.nc * self.dac * (5.0 * self.ttc + 5.0 * self.ep + 2.0 * comfort) / 12.0
    }

    /// The human filter: 1 where the human's own sub-score is exactly 0, else unchanged. Take [`Self::total`] after it.
    pub fn human_filter(&self, human: &Self) -> Self {
        let filter = |own: f64, human: f64| if human == 0.0 { 1.0 } else { own };
        Self {
            nc: filter(self.nc, human.nc),
            dac: filter(self.dac, human.dac),
            ddc: filter(self.ddc, human.ddc),
            tlc: filter(self.tlc, human.tlc),
            ep: filter(self.ep, human.ep),
            ttc: filter(self.ttc, human.ttc),
            lk: filter(self.lk, human.lk),
            hc: filter(self.hc, human.hc),
            ec: filter(self.ec, human.ec),
        }
    }

    /// Whether a total is the one that these parts make, to 1e-9. Whoever stores both asserts this: filtering parts
    /// after the total was taken is the classic mistake (NAVSIM issues 151, 158, 172, 178).
    pub fn recombines(&self, total: f64) -> bool {
        (self.total() - total).abs() <= 1e-9
    }
}
