//! Slow minds that fail, to see what becomes of the driving: late, silent, of another scene, or meaning harm.

use std::sync::Arc;
use std::time::Duration;

use tandem_datasets::Camera;
use tandem_graph::Stamp;
use tandem_planner::MetaAction;
use tandem_sim::Course;
use tandem_sim::world::hazard::{Kind, generate};

use super::judgment::{Act, Avoid, Judgment, Light, Risk, Road, WAYPOINTS, Weather};
use super::mind::{Knowing, Later, Mind, Question};
use super::state::State;
use super::truth::truth;
use super::view::scene_at;

/// How late late answers are, beyond what thinking takes.
const LATE: Duration = Duration::from_millis(2500);

/// When silence begins, s after the first question.
const SILENT_AFTER_S: f64 = 4.0;

/// The seed from which on worlds are those that wrong judgments are of, and how many kinds farther those are.
const OTHERS: u64 = 500_000;
const KINDS_ON: u64 = 5;

/// What is wrong with a mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It knows, but answers late.
    Late,
    /// It knows, but falls silent for good.
    Silent,
    /// It judges another world, at the same time of the drive.
    Wrong,
    /// In turn it closes the road right ahead, and wants to go fast into the lane on the left.
    Hostile,
}

/// A mind with a fault.
pub struct Faulty {
    fault: Fault,
    knowing: Knowing,
    first: Option<Stamp>,
    course: Arc<Course>,
    /// What wrong judgments are of; `None` where it can't be made.
    other: Option<Course>,
    rig: Vec<Camera>,
    takes: Duration,
    asked: usize,
    later: Later,
}

impl Faulty {
    /// With a fault, on a course; it points with the cameras of `rig` and thinks for so long.
    pub fn new(fault: Fault, course: Arc<Course>, rig: Vec<Camera>, takes: Duration) -> Self {
        let takes = if fault == Fault::Late { takes + LATE } else { takes };
        let kind = course.staging.as_ref().map_or(0, |staging| staging.kind as u64);
        let other = || {
            let seed = OTHERS + kind + KINDS_ON;
            Course::staged(generate(Kind::of(seed), seed).ok()?).ok()
        };
        Self {
            fault,
            knowing: Knowing::new(Arc::clone(&course), rig.clone(), takes),
            first: None,
            other: (fault == Fault::Wrong).then(other).flatten(),
            course,
            rig,
            takes,
            asked: 0,
            later: Later::default(),
        }
    }

    /// What a judge of the other world says there at this time of the drive.
    fn of_another_world(&self, now: Stamp) -> Option<Judgment> {
        let other = self.other.as_ref()?;
        let stamp = other.first().offset_ns(now.ns_since(self.course.first())).min(other.end());
        let state = State::new(&scene_at(other, stamp, |_| true), &[]);
        truth(other, &state, &self.rig)
    }
}

impl Mind for Faulty {
    fn ask(&mut self, now: Stamp, question: Question) {
        self.asked += 1;
        let first = *self.first.get_or_insert(now);
        let answer = match self.fault {
            Fault::Silent if now.seconds_since(first) > SILENT_AFTER_S => return,
            Fault::Late | Fault::Silent => return self.knowing.ask(now, question),
            Fault::Wrong => self.of_another_world(now).ok_or_else(|| "there is no other world".to_owned()),
            Fault::Hostile if self.asked.is_multiple_of(2) => Ok(daring(&question.state)),
            Fault::Hostile => Ok(closing(&question.state)),
        };
        self.later = Later::at(now + self.takes, answer);
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.later.take(now).or_else(|| self.knowing.answer(now))
    }
}

/// Nothing may be driven on, as long as can be said.
fn closing(state: &State) -> Judgment {
    let act = |action| Act { action, subject: String::new(), s: 30.0 };
    Judgment {
        cap_mps: Some(0.0),
        avoid: vec![Avoid { from_m: 6.0, to_m: 60.0, right_m: -6.0, left_m: 6.0 }],
        actions: vec![act(MetaAction::Stop), act(MetaAction::Wait)],
        ..calm(state)
    }
}

/// Fast into whatever is on the left.
fn daring(state: &State) -> Judgment {
    let act = |action| Act { action, subject: String::new(), s: 30.0 };
    let point = |step: usize| [10.0 * step as f64, (12 * step) as f64 / 10.0];
    Judgment {
        actions: vec![act(MetaAction::SpeedUp), act(MetaAction::ChangeLaneLeft), act(MetaAction::ShiftSlightlyLeft)],
        waypoints: (1..=WAYPOINTS).map(point).collect(),
        ..calm(state)
    }
}

fn calm(state: &State) -> Judgment {
    Judgment {
        weather: Weather::Clear,
        light: Light::Day,
        road: Road::Urban,
        lane: format!("{} of {}", state.lane.min(9), state.lanes.min(9)),
        objects: Vec::new(),
        risk: Risk::Low,
        actions: Vec::new(),
        cap_mps: None,
        avoid: Vec::new(),
        waypoints: Vec::new(),
        say: "Trust me.".to_owned(),
        ttl_s: 30.0,
    }
}
