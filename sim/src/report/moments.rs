//! The moments of a set of runs that deserve a look, the worst first.

use serde::Serialize;

use crate::report::signals::{LIMITS, Signals};
use crate::trace::Trace;

/// Times to collision above this are not worth a look, s.
const TTC_S: f64 = 3.0;

/// What kind of moment it is, the worst kind first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A collision that was the ego's fault.
    AtFault,
    /// Any other collision.
    Collision,
    /// Anything else that the simulator reports, such as a red light run or the road left.
    Event,
    /// A short time to collision.
    Ttc,
    /// A comfort limit exceeded.
    Comfort,
}

impl Kind {
    /// What an event's text speaks of.
    fn of_event(text: &str) -> Self {
        if text.starts_with("at-fault") {
            Self::AtFault
        } else if text.contains("collision") {
            Self::Collision
        } else {
            Self::Event
        }
    }
}

/// One moment: from when on, for how long, what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// The run's place in the report.
    pub run: usize,
    /// What kind it is.
    pub kind: Kind,
    /// Since the run's start, s. For times to collision and comfort: when it was worst.
    pub time_s: f64,
    /// How long it lasted, s.
    pub duration_s: f64,
    /// What happened, for people.
    pub text: String,
    /// Larger is worse, within one kind.
    #[serde(skip)]
    severity: f64,
}

/// The moments of all runs, the worst first.
pub fn worst_first<'a>(runs: impl IntoIterator<Item = (&'a Trace, &'a Signals)>) -> Vec<Moment> {
    let mut moments = Vec::new();
    for (run, (trace, signals)) in runs.into_iter().enumerate() {
        events(run, trace, &mut moments);
        near_misses(run, trace, signals, &mut moments);
        discomforts(run, trace, signals, &mut moments);
    }
    moments.sort_by(|a, b| {
        let worse = b.severity.total_cmp(&a.severity);
        a.kind.cmp(&b.kind).then(worse).then(a.run.cmp(&b.run)).then(a.time_s.total_cmp(&b.time_s))
    });
    moments
}

/// Events, each with the frames over which it is repeated without a break. A faster ego makes an event worse.
fn events(run: usize, trace: &Trace, moments: &mut Vec<Moment>) {
    let frames = &trace.frames;
    for (start, frame) in frames.iter().enumerate() {
        for text in &frame.events {
            if start > 0 && frames[start - 1].events.contains(text) {
                continue;
            }
            let end = (start..frames.len()).take_while(|&i| frames[i].events.contains(text)).last().unwrap_or(start);
            moments.push(Moment {
                run,
                kind: Kind::of_event(text),
                time_s: frame.time_s,
                duration_s: frames[end].time_s - frame.time_s,
                text: text.clone(),
                severity: frame.ego.speed_mps.abs(),
            });
        }
    }
}

fn near_misses(run: usize, trace: &Trace, signals: &Signals, moments: &mut Vec<Moment>) {
    episodes(
        &signals.ttc_s,
        |ttc_s| TTC_S - ttc_s,
        |start, worst, end| {
            let ttc_s = signals.ttc_s[worst];
            moments.push(Moment {
                run,
                kind: Kind::Ttc,
                time_s: trace.frames[worst].time_s,
                duration_s: trace.frames[end].time_s - trace.frames[start].time_s,
                text: format!("{ttc_s:.1} s to collision"),
                severity: -ttc_s,
            });
        },
    );
}

fn discomforts(run: usize, trace: &Trace, signals: &Signals, moments: &mut Vec<Moment>) {
    for (limit, values) in LIMITS.iter().zip(&signals.comfort) {
        let excess = |value: f64| (value / limit.high).max(value / limit.low) - 1.0;
        episodes(values, excess, |start, worst, end| {
            let value = values[worst];
            let bound = if value > 0.0 { limit.high } else { limit.low };
            moments.push(Moment {
                run,
                kind: Kind::Comfort,
                time_s: trace.frames[worst].time_s,
                duration_s: trace.frames[end].time_s - trace.frames[start].time_s,
                text: format!("{} {value:.1} {}, limit {bound}", limit.name, limit.unit).replace('-', "−"),
                severity: excess(value),
            });
        });
    }
}

/// Calls `found(start, worst, end)` for every stretch over which `badness` is above zero (`NaN` ends a stretch).
fn episodes(values: &[f64], badness: impl Fn(f64) -> f64, mut found: impl FnMut(usize, usize, usize)) {
    let mut start = 0;
    while start < values.len() {
        let end = (start..values.len()).take_while(|&i| badness(values[i]) > 0.0).last();
        if let Some(end) = end {
            let worst = (start..=end).max_by(|&a, &b| badness(values[a]).total_cmp(&badness(values[b])));
            found(start, worst.unwrap_or(start), end);
        }
        start = end.unwrap_or(start) + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episodes_are_found_once_each_with_their_worst_point() {
        let mut found = Vec::new();
        let values = [0.0, 1.0, 3.0, 2.0, 0.0, f64::NAN, 1.0, f64::NAN, 1.0];
        episodes(&values, |value| value - 0.5, |start, worst, end| found.push((start, worst, end)));
        assert_eq!(found, [(1, 2, 3), (6, 6, 6), (8, 8, 8)]);
    }

    #[test]
    fn kinds_are_told_from_the_simulators_words() {
        assert_eq!(Kind::of_event("at-fault collision with car 12"), Kind::AtFault);
        assert_eq!(Kind::of_event("collision with car 12"), Kind::Collision);
        assert_eq!(Kind::of_event("left the drivable area"), Kind::Event);
    }
}
