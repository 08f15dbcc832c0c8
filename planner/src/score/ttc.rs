//! TTC, time to collision: would the ego hit someone within a second if it just went on?
//!
//! Source: NAVSIM v2 `pdm_scorer.py` (`_calculate_ttc`). It sees the agent's future place from where the ego is now, so
//! that whoever drives up from behind is ahead by then; nuPlan's own metric (`time_to_collision_within_bound.py`)
//! leaves out who is behind now, and so does this one.

use super::bounds::Rectangle;
use super::collision::{is_ahead, is_behind};
use super::motion::Motion;
use super::traffic::{LOOK_AHEAD, Traffic};
use crate::state::STEP_S;

/// Below this speed the ego has no time to collision, m/s.
const STANDS_MPS: f64 = 0.005;

/// Steps between the looks ahead: 0, 0.3, 0.6 and 0.9 s.
const STRIDE: usize = 3;

/// The longest time to collision that is told, s.
pub const MAX_TTC_S: f64 = 5.0;

/// Calls `report` with step and agent index of each breach until it returns false for that agent.
///
/// An agent that is met where it does not count is left out from then on, as the devkit does.
pub(super) fn breaches(motion: &Motion, traffic: &Traffic, mut report: impl FnMut(usize, usize) -> bool) {
    let looks = motion.states.len().min(traffic.steps()).saturating_sub(LOOK_AHEAD);
    motion.near(traffic, |agent, steps| {
        for step in steps.start..steps.end.min(looks) {
            match look(motion, traffic, agent, step) {
                Look::Clear => {}
                Look::Harmless => return false,
                Look::Breach => {
                    if !report(step, agent) {
                        return false;
                    }
                }
            }
        }
        true
    });
}

enum Look {
    Clear,
    Harmless,
    Breach,
}

fn look(motion: &Motion, traffic: &Traffic, agent: usize, step: usize) -> Look {
    let (ego, body, poses) = (&motion.outlines[step], &traffic.bodies[agent], traffic.poses(agent));
    let speed_mps = motion.states[step].speed_mps;
    if speed_mps.abs() < STANDS_MPS {
        return Look::Clear;
    }
    let reach = motion.radius + body.radius;
    if body.standing {
        // One test for all looks at an agent that stays where it is: the ego stretched over its way.
        let swept_m = speed_mps * STEP_S * LOOK_AHEAD as f64;
        let stretched = Rectangle {
            x: ego.x + ego.cos * swept_m / 2.0,
            y: ego.y + ego.sin * swept_m / 2.0,
            half_length: ego.half_length + swept_m.abs() / 2.0,
            ..*ego
        };
        if !stretched.meets(&traffic.rectangle(agent, step)) && !poses[step].x.is_nan() {
            return Look::Clear;
        }
    }
    let mut met = false;
    for ahead in (0..=LOOK_AHEAD).step_by(STRIDE) {
        let moved_m = speed_mps * STEP_S * ahead as f64;
        let moved = Rectangle { x: ego.x + ego.cos * moved_m, y: ego.y + ego.sin * moved_m, ..*ego };
        let other = &poses[step + ahead];
        let (dx, dy) = (other.x - moved.x, other.y - moved.y);
        if dx * dx + dy * dy <= reach * reach && moved.meets(&traffic.rectangle(agent, step + ahead)) {
            if counts(motion, traffic, step, agent, step + ahead) {
                return Look::Breach;
            }
            met = true;
            break;
        }
    }
    if met { Look::Harmless } else { Look::Clear }
}

/// Whether an agent met at `agent_step` is the ego's to mind at `step`.
fn counts(motion: &Motion, traffic: &Traffic, step: usize, agent: usize, agent_step: usize) -> bool {
    if is_behind(motion, traffic, step, agent, step) {
        return false;
    }
    is_ahead(motion, traffic, step, agent, agent_step)
        || (!is_behind(motion, traffic, step, agent, agent_step)
            && (motion.answers_for_sides(step)
                || motion.place.map.in_intersection(motion.states[step].pose.position())))
}

/// Time until the ego first touches an agent if both keep velocity and heading, s; `None` beyond [`MAX_TTC_S`].
///
/// For plots: exact instead of every 0.3 s. Only agents that are the ego's to mind at contact count, and none that
/// appears upon it.
pub(super) fn time_to_collision_s(motion: &Motion, traffic: &Traffic, step: usize) -> Option<f64> {
    let (ego, state) = (&motion.outlines[step], &motion.states[step]);
    if state.speed_mps.abs() < STANDS_MPS || step >= traffic.steps() {
        return None;
    }
    let mut soonest: Option<f64> = None;
    for (agent, body) in traffic.bodies.iter().enumerate() {
        let (pose, at) = (&traffic.poses(agent)[step], &traffic.movements(agent)[step]);
        let (dx, dy) = (pose.x - ego.x, pose.y - ego.y);
        let (vx, vy) =
            (at.speed_mps * at.cos - state.speed_mps * ego.cos, at.speed_mps * at.sin - state.speed_mps * ego.sin);
        let limit_s = soonest.unwrap_or(MAX_TTC_S);
        let reach = motion.radius + body.radius + vx.hypot(vy) * limit_s;
        if pose.x.is_nan()
            || dx * dx + dy * dy > reach * reach
            || motion.overlaps(traffic, agent, traffic.first_step(agent))
        {
            continue;
        }
        let contact_s = ego.first_contact_s(&traffic.rectangle(agent, step), vx, vy);
        if let Some(time_s) = contact_s.filter(|time_s| *time_s <= limit_s)
            && counts(motion, traffic, step, agent, step)
        {
            soonest = Some(time_s);
        }
    }
    soonest
}
