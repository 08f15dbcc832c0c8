//! Points in time and durations.

use crate::Stamp;

message! {
    /// A point in time since the epoch.
    #[derive(Copy, Eq)]
    builtin_interfaces::Time {
        /// Whole seconds, rounded down.
        sec: i32,
        /// Nanoseconds above them, 0 to 999,999,999.
        nanosec: u32,
    }
    stamp |time: &Time| Stamp::from(*time)
}

message! {
    /// A span of time.
    #[derive(Copy, Eq)]
    builtin_interfaces::Duration {
        /// Whole seconds, rounded down.
        sec: i32,
        /// Nanoseconds above them, 0 to 999,999,999.
        nanosec: u32,
    }
}

const NS_PER_S: i64 = 1_000_000_000;

/// The parts of a number of nanoseconds; beyond 68 years, the last whole second that fits.
fn split_ns(ns: i64) -> (i32, u32) {
    let seconds = ns.div_euclid(NS_PER_S).clamp(i32::MIN.into(), i32::MAX.into());
    (seconds as i32, ns.rem_euclid(NS_PER_S) as u32)
}

impl From<Stamp> for Time {
    fn from(stamp: Stamp) -> Self {
        let (sec, nanosec) = split_ns(stamp.ns());
        Self { sec, nanosec }
    }
}

impl From<Time> for Stamp {
    fn from(time: Time) -> Self {
        Self::from_ns(i64::from(time.sec) * NS_PER_S + i64::from(time.nanosec))
    }
}

impl Duration {
    /// A span of so many nanoseconds.
    pub fn from_ns(ns: i64) -> Self {
        let (sec, nanosec) = split_ns(ns);
        Self { sec, nanosec }
    }

    /// The span in nanoseconds.
    pub fn ns(self) -> i64 {
        i64::from(self.sec) * NS_PER_S + i64::from(self.nanosec)
    }
}
