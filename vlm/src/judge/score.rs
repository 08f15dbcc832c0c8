//! How good judgments are, beside what they should have said.

use tandem_planner::MetaAction;
use tandem_planner::guidance::NO_TRACK;

use super::judgment::Judgment;

/// What a missing action costs, and one too many; one too many that only makes the drive more careful costs half.
const MISSING: f64 = 1.0;
const REDUNDANT: f64 = 1.0;
const CONSERVATIVE: f64 = 0.5;

/// DriveVLM's score of a sequence of meta-actions (Tian et al. 2024, appendix on evaluation): the best alignment of what
/// was said with what should have been, one point for every action that agrees, less for those that are missing or too
/// many; divided by the length of what should have been said, and no less than 0.
pub fn sequence_score(said: &[MetaAction], wanted: &[MetaAction]) -> f64 {
    if wanted.is_empty() {
        return if said.is_empty() { 1.0 } else { 0.0 };
    }
    let redundant = |action: MetaAction| if action.is_conservative() { CONSERVATIVE } else { REDUNDANT };
    // best[j]: of what was said so far against the first j wanted.
    let mut best: Vec<f64> = (0..=wanted.len()).map(|count| -MISSING * count as f64).collect();
    for action in said {
        let mut before = best[0];
        best[0] -= redundant(*action);
        for (number, wanted) in wanted.iter().enumerate() {
            let agrees = if action == wanted { before + 1.0 } else { f64::NEG_INFINITY };
            before = best[number + 1];
            best[number + 1] = agrees.max(before - redundant(*action)).max(best[number] - MISSING);
        }
    }
    (best[wanted.len()] / wanted.len() as f64).max(0.0)
}

/// Figures of many judgments.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    judged: usize,
    first_action: usize,
    sequence: f64,
    environment: usize,
    risk: usize,
    found: usize,
    named: usize,
    critical: usize,
}

impl Score {
    /// Adds a judgment with what it should have been; `None` for an answer that could not be read.
    pub fn add(&mut self, said: Option<&Judgment>, wanted: &Judgment) {
        self.judged += 1;
        self.critical += wanted.objects.len();
        let Some(said) = said else { return };
        let actions = |judgment: &Judgment| judgment.actions.iter().map(|act| act.action).collect::<Vec<_>>();
        let (said_actions, wanted_actions) = (actions(said), actions(wanted));
        self.first_action += usize::from(said_actions.first() == wanted_actions.first());
        self.sequence += sequence_score(&said_actions, &wanted_actions);
        let agree = [
            said.weather == wanted.weather,
            said.light == wanted.light,
            said.road == wanted.road,
            said.lane == wanted.lane,
        ];
        self.environment += agree.into_iter().filter(|agrees| *agrees).count();
        self.risk += usize::from(said.risk == wanted.risk);
        self.named += said.objects.len();
        // Every wanted object is found by one of those that were named: the track's number, or where no track is, the
        // word for it.
        let mut left: Vec<_> = wanted.objects.iter().collect();
        for object in &said.objects {
            let is_same = |other: &&super::Critical| match (object.id, other.id) {
                (Some(a), Some(b)) => a == b && a != NO_TRACK,
                (None, None) => object.what == other.what,
                _ => false,
            };
            if let Some(at) = left.iter().position(is_same) {
                left.remove(at);
                self.found += 1;
            }
        }
    }

    /// How many there were.
    pub fn judged(&self) -> usize {
        self.judged
    }

    /// The share whose first meta-action is right.
    pub fn action_accuracy(&self) -> f64 {
        share(self.first_action, self.judged)
    }

    /// The mean of [`sequence_score`].
    pub fn sequence(&self) -> f64 {
        if self.judged == 0 { 0.0 } else { self.sequence / self.judged as f64 }
    }

    /// The share of the four fields of the environment that are right.
    pub fn environment(&self) -> f64 {
        share(self.environment, 4 * self.judged)
    }

    /// The share whose risk is right.
    pub fn risk(&self) -> f64 {
        share(self.risk, self.judged)
    }

    /// The share of the critical objects that were named.
    pub fn recall(&self) -> f64 {
        share(self.found, self.critical)
    }

    /// The share of the named objects that are critical.
    pub fn precision(&self) -> f64 {
        share(self.found, self.named)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
