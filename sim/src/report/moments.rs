//! The moments of a set of runs that deserve a look, the worst first.

use std::collections::BTreeSet;

use serde::Serialize;
use tandem_planner::score::{Event, LIMITS, Part};

use crate::report::runs::class_name;
use crate::report::signals::Signals;
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
    /// A rule broken: a red light, the road or the route's lanes left.
    Rule,
    /// A short time to collision.
    Ttc,
    /// Comfort or lane keeping.
    Comfort,
}

/// One moment: when, for how long, what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// The run's place in the report.
    pub run: usize,
    /// What kind it is.
    pub kind: Kind,
    /// Since the run's start, s; when it was worst, if it lasted.
    pub time_s: f64,
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
        let mut add = |kind, frame: usize, text: String, severity| {
            moments.push(Moment { run, kind, time_s: trace.frames[frame].time_s, text, severity });
        };
        events(trace, signals, &mut add);
        other_collisions(trace, &mut add);
        near_misses(trace, signals, &mut add);
    }
    moments.sort_by(|a, b| {
        let worse = b.severity.total_cmp(&a.severity);
        a.kind.cmp(&b.kind).then(worse).then(a.run.cmp(&b.run)).then(a.time_s.total_cmp(&b.time_s))
    });
    moments
}

/// What the score says went wrong, but for times to collision.
fn events(trace: &Trace, signals: &Signals, add: &mut impl FnMut(Kind, usize, String, f64)) {
    for (index, frame) in trace.frames.iter().enumerate() {
        let speed_mps = frame.ego.speed_mps.abs();
        for event in &frame.events {
            let (kind, severity) = match event.part {
                Part::Nc => (Kind::AtFault, speed_mps),
                Part::Dac | Part::Ddc | Part::Tlc => (Kind::Rule, speed_mps),
                Part::Lk | Part::Hc | Part::Ec => (Kind::Comfort, discomfort(signals, index)),
                Part::Ttc => continue,
            };
            add(kind, index, event.text.clone(), severity);
        }
    }
}

/// By how much the worst comfort limit is exceeded, as a share of it; negative where all hold.
fn discomfort(signals: &Signals, frame: usize) -> f64 {
    let used = LIMITS.iter().zip(&signals.comfort).map(|(limit, values)| {
        let value = values.get(frame).copied().unwrap_or(0.0);
        (value / limit.high).max(value / limit.low)
    });
    used.fold(0.0, f64::max) - 1.0
}

/// The first overlap with each agent that the score does not hold against the ego; who overlaps at the start is left
/// out, as in the score.
fn other_collisions(trace: &Trace, add: &mut impl FnMut(Kind, usize, String, f64)) {
    let all_events = trace.frames.iter().flat_map(|frame| &frame.events);
    let mut known: BTreeSet<u32> =
        all_events.filter(|event| event.part == Part::Nc).filter_map(|event| event.track).collect();
    for (index, frame) in trace.frames.iter().enumerate() {
        let ego = trace.body.outline(frame.ego.pose);
        for agent in frame.agents.iter().filter(|agent| agent.outline().intersects(&ego)) {
            if known.insert(agent.id) && index > 0 {
                let text = format!("collision with {} {}, not at fault", class_name(agent.class), agent.id);
                add(Kind::Collision, index, text, frame.ego.speed_mps.abs());
            }
        }
    }
}

/// Stretches of short times to collision, and what the score counts as too short.
fn near_misses(trace: &Trace, signals: &Signals, add: &mut impl FnMut(Kind, usize, String, f64)) {
    let breach = |frame: usize| trace.frames[frame].events.iter().find(|event| event.part == Part::Ttc);
    let mut covered = BTreeSet::new();
    episodes(
        &signals.ttc_s,
        |ttc_s| TTC_S - ttc_s,
        |start, worst, end| {
            covered.extend(start..=end);
            let ttc_s = signals.ttc_s[worst];
            let text = match (start..=end).find_map(breach) {
                Some(Event { text, .. }) => format!("{text}: {ttc_s:.1} s at the least"),
                None => format!("{ttc_s:.1} s to collision"),
            };
            add(Kind::Ttc, worst, text, -ttc_s);
        },
    );
    for frame in (0..trace.frames.len()).filter(|frame| !covered.contains(frame)) {
        if let Some(event) = breach(frame) {
            add(Kind::Ttc, frame, event.text.clone(), -1.0);
        }
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
}
