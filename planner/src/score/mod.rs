//! The driving score: what both the planner, for its proposals, and the simulator, for driven runs, go by.

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
    /// The product of the multiplying sub-scores.
    pub fn multipliers(&self) -> f64 {
        self.nc * self.dac * self.ddc * self.tlc
    }

    /// EPDMS = NC · DAC · DDC · TLC · (5·TTC + 5·EP + 2·LK + 2·HC + 2·EC) / 16 (NAVSIM v2).
    pub fn total(&self) -> f64 {
        self.multipliers() * (5.0 * self.ttc + 5.0 * self.ep + 2.0 * self.lk + 2.0 * self.hc + 2.0 * self.ec) / 16.0
    }
}
