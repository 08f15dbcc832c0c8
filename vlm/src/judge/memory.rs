//! Short-term knowledge: what was judged in the last minutes, in a few lines.

use std::collections::VecDeque;

use tandem_graph::Stamp;

use super::judgment::{Judgment, Risk};
use super::prompt::summary;

/// How long it is remembered, s.
const REMEMBERED_S: f64 = 180.0;

/// Lines that a prompt gets of it.
const LINES: usize = 3;

/// What was judged in the last minutes. Judgments that say the same one after the other are one event.
#[derive(Debug, Clone, Default)]
pub struct Memory(VecDeque<Event>);

#[derive(Debug, Clone)]
struct Event {
    from: Stamp,
    to: Stamp,
    risk: Risk,
    summary: String,
}

impl Memory {
    /// Takes in a judgment of a scene captured at `stamp`.
    pub fn add(&mut self, stamp: Stamp, judgment: &Judgment) {
        let summary = summary(judgment);
        match self.0.back_mut() {
            Some(last) if last.summary == summary => last.to = stamp,
            _ => self.0.push_back(Event { from: stamp, to: stamp, risk: judgment.risk, summary }),
        }
        while self.0.front().is_some_and(|event| stamp.seconds_since(event.to) > REMEMBERED_S) {
            self.0.pop_front();
        }
    }

    /// What a prompt is told of it at `now`: of what is over, the riskiest, the latest of equals, in order of time.
    pub fn lines(&self, now: Stamp) -> Vec<String> {
        // The last event is the judgment before, which a prompt tells anyway.
        let over = self.0.iter().take(self.0.len().saturating_sub(1));
        let mut told: Vec<(usize, &Event)> = over.enumerate().filter(|(_, event)| event.risk > Risk::Low).collect();
        told.sort_by(|(a, x), (b, y)| y.risk.cmp(&x.risk).then(b.cmp(a)));
        told.truncate(LINES);
        told.sort_by_key(|(number, _)| *number);
        let line = |(_, event): (usize, &Event)| {
            let ago_s = now.seconds_since(event.to);
            let for_s = event.to.seconds_since(event.from);
            format!("{ago_s:.0} s ago for {for_s:.0} s: {}", event.summary)
        };
        told.into_iter().map(line).collect()
    }
}
