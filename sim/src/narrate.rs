//! Tells a run step by step, for the report.

use tandem_graph::msgs::tandem_msgs::PlanStatus;
use tandem_planner::SubScores;
use tandem_planner::score::RunScore;

use crate::course::step_seconds;
use crate::drive::{Driven, Setup};
use crate::nodes::Planned;
use crate::trace::Seen;
use crate::traffic::signals_at;
use crate::{Frame, RunResult, Sight, Trace};

/// The trace of a run: what was driven, what was planned, what the score says of it.
pub fn trace(setup: &Setup, driven: Driven, score: &RunScore, result: RunResult) -> Trace {
    let course = &setup.course;
    let seen = match &setup.sight {
        Sight::Truth => None,
        Sight::Cameras(sight) => Some(Seen {
            start: course.start,
            rig: sight.rig.clone(),
            pictures: driven.pictures,
            perceived: driven.perceived,
        }),
    };
    let mut plans = driven.plans.iter().peekable();
    let mut events = score.events.iter().peekable();
    let mut plan: Option<&Planned> = None;
    let frames = driven.states.iter().zip(driven.agents).enumerate().map(|(step, (ego, agents))| {
        let now = course.stamp(step);
        while let Some(next) = plans.next_if(|next| next.start <= now) {
            plan = Some(next);
        }
        let mut told = Vec::new();
        while let Some(event) = events.next_if(|event| event.step <= step) {
            told.push(event.clone());
        }
        let status = plan.and_then(|plan| plan.status.as_deref());
        Frame {
            time_s: step_seconds(step),
            ego: *ego,
            human: Some(course.human_at(now).pose),
            agents,
            signals: signals_at(&course.log, now),
            plan: plan.map_or(Vec::new(), |plan| plan.states.iter().map(|s| [s.pose.x, s.pose.y]).collect()),
            proposal: status.map_or(String::new(), |status| status.proposal.clone()),
            scores: status.and_then(sub_scores),
            ttc_s: score.ttc_s.get(step).copied().flatten(),
            events: told,
        }
    });
    Trace {
        result,
        description: course.log.description.clone(),
        injection: setup.faults.to_string(),
        body: *course.body(),
        map: course.map.clone(),
        route: course.route.centerline().points().iter().map(|point| [point.x, point.y]).collect(),
        frames: frames.collect(),
        seen,
    }
}

/// The predicted sub-scores of a plan; `None` if it was not scored.
fn sub_scores(status: &PlanStatus) -> Option<SubScores> {
    let PlanStatus { nc, dac, ddc, tlc, ep, ttc, lk, hc, ec, .. } = *status;
    status.score.is_finite().then_some(SubScores { nc, dac, ddc, tlc, ep, ttc, lk, hc, ec })
}
