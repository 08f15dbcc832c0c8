//! Stopping well when there is nothing better to do: along the path that was planned, or the arc that is driven.

use tandem_datasets::{EgoBody, Pose2};

use crate::plan::{Fallback, Plan};
use crate::proposals::set_turning;
use crate::state::{PLAN_STATES, Rollout, STEP_S, VehicleState};
use crate::validate::{ACCELERATION_MPS2, validate};

/// Deceleration and the jerk it comes on with, m/s² and m/s³, both positive.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Braking {
    deceleration_mps2: f64,
    jerk_mps3: f64,
}

impl Fallback {
    /// Autoware's values (`mrm_comfortable_stop_operator`: −1.0 m/s², its jerk of 0.3 raised to 1.0 so that the stop
    /// begins at once; `mrm_emergency_stop_operator`: −2.5 m/s², −1.5 m/s³).
    fn braking(self) -> Braking {
        match self {
            Self::ComfortableStop => Braking { deceleration_mps2: 1.0, jerk_mps3: 1.0 },
            Self::EmergencyStop => Braking { deceleration_mps2: 2.5, jerk_mps3: 1.5 },
        }
    }
}

/// A stop from `ego` along `path` (earlier planned poses from about here on), or along the present arc without one.
pub fn stop(fallback: Fallback, ego: &VehicleState, path: &[VehicleState], body: &EgoBody) -> Plan {
    let proposal = match fallback {
        Fallback::ComfortableStop => "comfortable stop",
        Fallback::EmergencyStop => "emergency stop",
    };
    let brake = |way: Way| brake(fallback.braking(), ego, &way, body);
    // The path planned may bend away from where the vehicle points, and the arc driven may be tighter than it can
    // keep to; straight on can always be driven.
    let rollout = [path, &[]]
        .into_iter()
        .map(|path| brake(Way::new(ego, path, body)))
        .find(|rollout| validate(rollout, ego, body, None).is_ok())
        .unwrap_or_else(|| brake(Way::straight(ego)));
    Plan { rollout, proposal: proposal.to_owned(), scores: None, fallback: Some(fallback) }
}

/// Braking from the state `ego` along `way`.
fn brake(braking: Braking, ego: &VehicleState, way: &Way, body: &EgoBody) -> Rollout {
    let (mut along_m, mut speed_mps) = (0.0, ego.speed_mps.max(0.0));
    // The throttle is let go at once, and nothing brakes harder than a car can, whatever was measured.
    let mut acceleration_mps2 = ego.acceleration_mps2.clamp(*ACCELERATION_MPS2.start(), 0.0);
    let mut rollout = Rollout::with_capacity(PLAN_STATES);
    for _ in 0..PLAN_STATES {
        let state = VehicleState { pose: way.at(along_m), speed_mps, acceleration_mps2, ..Default::default() };
        rollout.push(state);
        // Braking fades so that it ends at standstill: v = a² / 2j.
        let wanted = -braking.deceleration_mps2.min((2.0 * braking.jerk_mps3 * speed_mps).sqrt());
        let change = (wanted - acceleration_mps2).clamp(-braking.jerk_mps3 * STEP_S, 4.0 * STEP_S);
        acceleration_mps2 += change;
        let next_mps = (speed_mps + acceleration_mps2 * STEP_S).max(0.0);
        along_m += (speed_mps + next_mps) / 2.0 * STEP_S;
        if next_mps == 0.0 {
            acceleration_mps2 = 0.0;
        }
        speed_mps = next_mps;
    }
    set_turning(&mut rollout, body);
    rollout
}

/// The path to stop along.
struct Way<'a> {
    ego: Pose2,
    curvature_pm: f64,
    /// Poses ahead of the ego, with their distance from it along the path, m.
    path: Vec<(f64, &'a VehicleState)>,
}

impl<'a> Way<'a> {
    fn new(ego: &VehicleState, path: &'a [VehicleState], body: &EgoBody) -> Self {
        let mut ahead: Vec<(f64, &VehicleState)> = Vec::new();
        let (mut last, mut along_m) = (ego.pose, 0.0);
        // A path that does not pass by the ego is no path for it.
        let nearest = path
            .iter()
            .enumerate()
            .map(|(index, state)| (index, (state.pose.position() - ego.pose.position()).norm()))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let from = nearest.filter(|(_, gap_m)| *gap_m < 1.0).map_or(path.len(), |(index, _)| index);
        for state in &path[from..] {
            let moved = state.pose.position() - last.position();
            if moved.norm() > 0.2 && moved.dot(&last.heading()) > 0.0 {
                along_m += moved.norm();
                ahead.push((along_m, state));
                last = state.pose;
            }
        }
        Self { ego: ego.pose, curvature_pm: ego.steering_rad.tan() / body.wheelbase, path: ahead }
    }

    /// Straight on.
    fn straight(ego: &VehicleState) -> Self {
        Self { ego: ego.pose, curvature_pm: 0.0, path: Vec::new() }
    }

    fn at(&self, along_m: f64) -> Pose2 {
        let (mut before, mut before_m) = (self.ego, 0.0);
        for (to_m, state) in &self.path {
            if along_m <= *to_m {
                return before.lerp(&state.pose, (along_m - before_m) / (to_m - before_m));
            }
            (before, before_m) = (state.pose, *to_m);
        }
        let rest_m = along_m - before_m;
        let curvature_pm = if self.path.is_empty() { self.curvature_pm } else { 0.0 };
        // The chord of the arc, which for a small turn is as long as the arc.
        let turn = curvature_pm * rest_m;
        let halfway = Pose2 { yaw: before.yaw + turn / 2.0, ..before };
        let chord_m = if turn.abs() > 1e-6 { 2.0 * (turn / 2.0).sin() / curvature_pm } else { rest_m };
        Pose2 { yaw: before.yaw + turn, ..halfway.ahead(chord_m) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_stops_are_valid_plans_and_brake_as_named() {
        for (fallback, deceleration) in [(Fallback::ComfortableStop, 1.0), (Fallback::EmergencyStop, 2.5)] {
            for speed_mps in [0.0, 0.3, 2.0, 12.0] {
                let ego = VehicleState { speed_mps, steering_rad: 0.05, ..Default::default() };
                let plan = stop(fallback, &ego, &[], &EgoBody::default());
                assert_eq!(validate(&plan.rollout, &ego, &EgoBody::default(), None), Ok(()));
                let strongest = plan.rollout.iter().map(|s| s.acceleration_mps2).fold(0.0, f64::min);
                assert!(strongest >= -deceleration - 1e-9, "{strongest}");
                assert!(speed_mps < 12.0 || strongest < -deceleration + 1e-9);
                assert!(plan.rollout.windows(2).all(|pair| pair[1].speed_mps <= pair[0].speed_mps));
            }
        }
    }

    proptest! {
        #[test]
        fn a_stop_is_fit_whatever_the_state_and_the_path(
            speed_mps in 0.0..40.0,
            acceleration_mps2 in -20.0..20.0,
            steering_rad in -1.0..1.0,
            path in prop::collection::vec((-3.0..3.0, -1.0..1.0, -1.5..1.5), 0..4),
        ) {
            let ego = VehicleState { speed_mps, acceleration_mps2, steering_rad, ..Default::default() };
            let planned = path.into_iter().map(|(x, y, yaw)| Pose2::new(x, y, yaw));
            let path: Vec<_> = planned.map(|pose| VehicleState { pose, ..Default::default() }).collect();
            for fallback in [Fallback::ComfortableStop, Fallback::EmergencyStop] {
                let plan = stop(fallback, &ego, &path, &EgoBody::default());
                prop_assert_eq!(validate(&plan.rollout, &ego, &EgoBody::default(), None), Ok(()));
            }
        }
    }

    #[test]
    fn an_emergency_stop_takes_the_distance_of_its_closed_form() {
        let ego = VehicleState { speed_mps: 6.0, ..Default::default() };
        let plan = stop(Fallback::EmergencyStop, &ego, &[], &EgoBody::default());
        assert!(plan.rollout[40].speed_mps < 0.05);
        // v²/2a, and half the time that the braking takes to come on and to fade, at full speed and none.
        let distance_m = plan.rollout[40].pose.x;
        let (onset_s, full) = (2.5 / 1.5, 2.5);
        let closed_m = 6.0 * 6.0 / (2.0 * full) + 6.0 * onset_s / 2.0 - full * onset_s * onset_s / 24.0;
        assert!((distance_m - closed_m).abs() < 0.4, "{distance_m} is not {closed_m}");
    }

    #[test]
    fn the_stop_follows_the_path_that_was_planned() {
        let path: Vec<VehicleState> = (0..PLAN_STATES)
            .map(|k| k as f64 * 0.05)
            .map(|a| VehicleState { pose: Pose2::new(20.0 * a.sin(), 20.0 * (1.0 - a.cos()), a), ..Default::default() })
            .collect();
        let ego = VehicleState { pose: path[4].pose, speed_mps: 8.0, ..Default::default() };
        let plan = stop(Fallback::ComfortableStop, &ego, &path, &EgoBody::default());
        for state in &plan.rollout {
            let radius_m = state.pose.x.hypot(state.pose.y - 20.0);
            assert!((radius_m - 20.0).abs() < 0.05, "{radius_m}");
        }
    }
}
