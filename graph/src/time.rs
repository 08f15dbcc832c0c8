//! A point in time, in nanoseconds, the same under simulated and wall time.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time in nanoseconds since the epoch of its log or of Unix.
///
/// Stamps are only ever compared with stamps of the same run; the epoch is the log's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(i64);

impl Stamp {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// The last point in time that there is.
    pub const MAX: Self = Self(i64::MAX);

    /// A stamp from nanoseconds since the epoch.
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// A stamp from seconds since the epoch, rounded to the nanosecond.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e9).round() as i64)
    }

    /// Nanoseconds since the epoch.
    pub const fn ns(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch; exact to about 0.2 µs for Unix stamps.
    pub fn seconds(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// Signed nanoseconds from `earlier` to `self`.
    pub const fn ns_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Signed seconds from `earlier` to `self`.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.ns_since(earlier) as f64 * 1e-9
    }

    /// This stamp moved by a signed number of nanoseconds.
    pub const fn offset_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

impl Add<Duration> for Stamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        self.offset_ns(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl AddAssign<Duration> for Stamp {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub<Duration> for Stamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}
