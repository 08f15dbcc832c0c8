//! Candidate plans: a lateral plan, a lengthwise policy, and the states they lead through.

pub mod lateral;
pub mod longitudinal;
pub mod obstacles;
pub mod pdm;
pub mod tandem;

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{EgoBody, Pose2};

use crate::frenet::FrenetFrame;
use crate::state::{PLAN_STATES, Rollout, STEP_S, VehicleState};
use lateral::{Line, Offset};
use longitudinal::Step;

/// What a proposal does, in the words that a judgment may prefer or veto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Maneuver {
    /// Drive on in the lane at the permitted speed.
    KeepLane,
    /// Drive on more slowly.
    SlowDown,
    /// Brake to a stop.
    Stop,
    /// Wait for someone who will cross.
    Yield,
    /// Make room to the left within the own lane.
    NudgeLeft,
    /// Make room to the right within the own lane.
    NudgeRight,
    /// Change to the lane on the left.
    ChangeLaneLeft,
    /// Change to the lane on the right.
    ChangeLaneRight,
    /// Go round a standing obstacle and come back.
    Overtake,
    /// Follow the waypoints of a judgment.
    Waypoints,
}

impl Proposal {
    /// An empty one, to be filled in.
    pub(crate) fn blank() -> Self {
        Self {
            label: String::new(),
            maneuver: Maneuver::KeepLane,
            line: None,
            steps: [Step::default(); PLAN_STATES],
            rollout: Rollout::with_capacity(PLAN_STATES),
        }
    }
}

impl Maneuver {
    /// All of them, with the words for them.
    const WORDS: [(Self, &'static str); 10] = [
        (Self::KeepLane, "keep_lane"),
        (Self::SlowDown, "slow_down"),
        (Self::Stop, "stop"),
        (Self::Yield, "yield"),
        (Self::NudgeLeft, "nudge_left"),
        (Self::NudgeRight, "nudge_right"),
        (Self::ChangeLaneLeft, "change_lane_left"),
        (Self::ChangeLaneRight, "change_lane_right"),
        (Self::Overtake, "overtake"),
        (Self::Waypoints, "waypoints"),
    ];

    /// The manoeuvre that a judgment's `action` names; `None` for a word that is not known.
    pub fn from_action(action: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word)| *word == action).map(|(maneuver, _)| *maneuver)
    }

    /// The word for it in a judgment's `action`.
    pub fn action(self) -> &'static str {
        Self::WORDS.iter().find(|(maneuver, _)| *maneuver == self).map_or("", |(_, word)| word)
    }
}

/// One candidate plan.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// For people: `idm 0.8 left 1.0`.
    pub label: String,
    /// What it does.
    pub maneuver: Maneuver,
    /// Its lateral plan along the route; `None` for one that does not follow the route.
    pub line: Option<Line>,
    /// Its lengthwise plan along the route.
    pub steps: [Step; PLAN_STATES],
    /// Its states, [`PLAN_STATES`] of them, the first one now.
    pub rollout: Rollout,
}

/// Places a lengthwise plan along a line on the map; `rollout` is overwritten.
///
/// Yaw rate and front-wheel angle are those of the path at the planned speed.
pub(crate) fn lay_out(
    frame: &FrenetFrame,
    line: impl Fn(f64) -> Offset,
    steps: &[Step; PLAN_STATES],
    body: &EgoBody,
    rollout: &mut Rollout,
) {
    rollout.clear();
    rollout.extend(steps.iter().map(|step| {
        let offset = line(step.along_m);
        let center = frame.at(step.along_m);
        let (heading, stretch) = (center.heading(), 1.0 - frame.curvature(step.along_m) * offset.left_m);
        VehicleState {
            pose: Pose2::new(
                center.x - heading.y * offset.left_m,
                center.y + heading.x * offset.left_m,
                if offset.slope == 0.0 {
                    center.yaw
                } else {
                    wrap_angle(center.yaw + offset.slope.atan2(stretch.max(0.1)))
                },
            ),
            speed_mps: step.speed_mps,
            acceleration_mps2: step.acceleration_mps2,
            ..VehicleState::default()
        }
    }));
    set_turning(rollout, body);
}

/// Fills in yaw rates by central differences, and the front-wheel angles that belong to them.
pub(crate) fn set_turning(rollout: &mut Rollout, body: &EgoBody) {
    let last = rollout.len().saturating_sub(1);
    for index in 0..rollout.len() {
        let (from, to) = (index.saturating_sub(1), (index + 1).min(last));
        let elapsed_s = (to - from) as f64 * STEP_S;
        let turned = wrap_angle(rollout[to].pose.yaw - rollout[from].pose.yaw);
        let state = &mut rollout[index];
        state.yaw_rate_radps = if elapsed_s > 0.0 { turned / elapsed_s } else { 0.0 };
        state.steering_rad = (body.wheelbase * state.yaw_rate_radps).atan2(state.speed_mps.max(0.5));
    }
}

/// Metres of path per metre of centreline at an offset.
pub(crate) fn stretch(frame: &FrenetFrame, along_m: f64, offset: Offset) -> f64 {
    if offset.left_m == 0.0 && offset.slope == 0.0 {
        return 1.0;
    }
    let straight = (1.0 - frame.curvature(along_m) * offset.left_m).max(0.1);
    (straight * straight + offset.slope * offset.slope).sqrt()
}

/// The ego vehicle as seen from the route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EgoOnRoute {
    /// Along the centreline, m.
    pub along_m: f64,
    /// Where it is beside the centreline, and how it moves across it.
    pub offset: Offset,
}

impl EgoOnRoute {
    /// Finds the ego near `hint_m`, or anywhere if there is no hint or the hint leads astray.
    pub fn find(frame: &FrenetFrame, ego: &VehicleState, body: &EgoBody, hint_m: Option<f64>) -> Self {
        let anywhere = || frame.project(ego.pose.position());
        let place = match hint_m.map(|hint_m| frame.project_near(ego.pose.position(), hint_m)) {
            // More than a few lanes off: the hint may have led up a dead end.
            Some(near) if near.left_m.abs() < 8.0 => near,
            _ => anywhere(),
        };
        let curvature_pm = frame.curvature(place.along_m);
        let turn = wrap_angle(ego.pose.yaw - place.yaw).clamp(-1.2, 1.2);
        let offset = Offset {
            left_m: place.left_m,
            slope: turn.tan() * (1.0 - curvature_pm * place.left_m).max(0.1),
            bend_pm: (ego.steering_rad.tan() / body.wheelbase - curvature_pm).clamp(-0.1, 0.1),
        };
        Self { along_m: place.along_m, offset }
    }
}
