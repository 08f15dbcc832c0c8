//! The last look at a plan before it is published: what fails here is never sent to the vehicle.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{DrivableSource, EgoBody, Map};

use crate::state::{PLAN_STATES, STEP_S, VehicleState};

/// The plan may begin this far from the vehicle, m.
const MAX_START_GAP_M: f64 = 1.5;

/// The plan may begin turned from the vehicle by this much, rad.
const MAX_START_TURN_RAD: f64 = 0.5;

/// A step may be this much longer or shorter than its speeds say, m.
const MAX_STEP_ERROR_M: f64 = 0.3;

/// Sharpest curve, 1/m: a radius of 4 m, about what a car with its wheels at the stop can do.
const MAX_CURVATURE_PM: f64 = 0.25;

/// Turning that is always allowed within a step, rad: at walking pace, curvature is not measurable.
const FREE_TURN_RAD: f64 = 0.02;

/// Strongest lengthwise acceleration, m/s²: full braking on a dry road, and no car's full throttle.
pub(crate) const ACCELERATION_MPS2: std::ops::RangeInclusive<f64> = -9.0..=5.0;

/// Strongest sideways acceleration, m/s².
const MAX_LATERAL_MPS2: f64 = 6.5;

/// Why a plan is not fit to be driven.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// It has not [`PLAN_STATES`] states.
    #[error("the plan has {0} states instead of {PLAN_STATES}")]
    Length(usize),
    /// A value is NaN or infinite.
    #[error("step {0}: a value is not finite")]
    NotFinite(usize),
    /// It begins away from the vehicle.
    #[error("the plan begins {0:.1} m from the vehicle")]
    Start(f64),
    /// Two states are farther apart, or nearer, than their speeds allow.
    #[error("step {step}: a gap of {gap_m:.2} m to the step before")]
    Gap {
        /// The later step.
        step: usize,
        /// The distance, m.
        gap_m: f64,
    },
    /// A curve that the vehicle can't drive.
    #[error("step {step}: a curvature of {curvature_pm:.2} 1/m")]
    Curvature {
        /// Where.
        step: usize,
        /// How sharp, 1/m.
        curvature_pm: f64,
    },
    /// An acceleration that the vehicle can't or shall not reach.
    #[error("step {step}: an acceleration of {acceleration_mps2:.1} m/s²")]
    Acceleration {
        /// Where.
        step: usize,
        /// How strong, lengthwise or sideways, m/s².
        acceleration_mps2: f64,
    },
    /// It leaves the drivable area.
    #[error("step {0}: off the drivable area")]
    OffMap(usize),
}

/// Checks that a plan has all its states and no value that is not finite.
///
/// # Errors
/// [`Invalid::Length`] or [`Invalid::NotFinite`].
pub fn is_whole(plan: &[VehicleState]) -> Result<(), Invalid> {
    if plan.len() != PLAN_STATES {
        return Err(Invalid::Length(plan.len()));
    }
    let is_finite = |state: &VehicleState| {
        let VehicleState { pose, speed_mps, acceleration_mps2, steering_rad, yaw_rate_radps } = *state;
        let values = [pose.x, pose.y, pose.yaw, speed_mps, acceleration_mps2, steering_rad, yaw_rate_radps];
        values.iter().all(|value| value.is_finite())
    };
    match plan.iter().position(|state| !is_finite(state)) {
        Some(step) => Err(Invalid::NotFinite(step)),
        None => Ok(()),
    }
}

/// Checks a plan from `ego` on; with a map, also that the vehicle's centre stays on it if it is on it now.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn validate(plan: &[VehicleState], ego: &VehicleState, body: &EgoBody, map: Option<&Map>) -> Result<(), Invalid> {
    is_whole(plan)?;
    let strong = |state: &VehicleState| !ACCELERATION_MPS2.contains(&state.acceleration_mps2);
    if let Some(step) = plan.iter().position(strong) {
        return Err(Invalid::Acceleration { step, acceleration_mps2: plan[step].acceleration_mps2 });
    }
    let start_gap_m = (plan[0].pose.position() - ego.pose.position()).norm();
    // Negated, so that an ego pose that is not finite fails too.
    if !(start_gap_m <= MAX_START_GAP_M && wrap_angle(plan[0].pose.yaw - ego.pose.yaw).abs() <= MAX_START_TURN_RAD) {
        return Err(Invalid::Start(start_gap_m));
    }
    for step in 1..plan.len() {
        let (from, to) = (&plan[step - 1], &plan[step]);
        let gap_m = (to.pose.position() - from.pose.position()).norm();
        let expected_m = (from.speed_mps.abs() + to.speed_mps.abs()) / 2.0 * STEP_S;
        if (gap_m - expected_m).abs() > MAX_STEP_ERROR_M {
            return Err(Invalid::Gap { step, gap_m });
        }
        let turn = wrap_angle(to.pose.yaw - from.pose.yaw).abs();
        if turn > FREE_TURN_RAD + MAX_CURVATURE_PM * gap_m {
            return Err(Invalid::Curvature { step, curvature_pm: turn / gap_m.max(1e-3) });
        }
        let lateral = (to.speed_mps * turn / STEP_S).abs();
        if lateral > MAX_LATERAL_MPS2 {
            return Err(Invalid::Acceleration { step, acceleration_mps2: lateral });
        }
    }
    if let Some(map) = map.filter(|map| map.drivable_source() != DrivableSource::None) {
        let is_off = |state: &VehicleState| !map.is_drivable(body.outline(state.pose).pose.position());
        if !is_off(ego)
            && let Some(step) = (0..plan.len()).step_by(4).find(|step| is_off(&plan[*step]))
        {
            return Err(Invalid::OffMap(step));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tandem_datasets::Pose2;

    use super::*;
    use crate::maps;

    fn plan() -> Vec<VehicleState> {
        let at = |k: usize| Pose2::new(0.8 * k as f64, 0.0, 0.0);
        (0..PLAN_STATES).map(|k| VehicleState { pose: at(k), speed_mps: 8.0, ..Default::default() }).collect()
    }

    fn check(change: impl FnOnce(&mut Vec<VehicleState>)) -> Result<(), Invalid> {
        let mut plan = plan();
        change(&mut plan);
        validate(&plan, &VehicleState { speed_mps: 8.0, ..Default::default() }, &EgoBody::default(), None)
    }

    #[test]
    fn a_sound_plan_passes_and_each_fault_is_named() {
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|plan| plan.truncate(40)), Err(Invalid::Length(40)));
        assert_eq!(check(|plan| plan[7].steering_rad = f64::NAN), Err(Invalid::NotFinite(7)));
        assert_eq!(check(|plan| plan[3].pose.y = f64::INFINITY), Err(Invalid::NotFinite(3)));
        assert!(matches!(check(|plan| plan.iter_mut().for_each(|s| s.pose.y = 2.0)), Err(Invalid::Start(_))));
        assert!(matches!(check(|plan| plan[9].pose.x += 0.5), Err(Invalid::Gap { step: 9, .. })));
        assert!(matches!(check(|plan| plan[9].pose.yaw = 0.4), Err(Invalid::Curvature { step: 9, .. })));
        let braking = check(|plan| plan[2].acceleration_mps2 = -12.0);
        assert!(matches!(braking, Err(Invalid::Acceleration { step: 2, .. })));
    }

    #[test]
    fn a_plan_that_leaves_the_map_fails_unless_the_vehicle_is_off_it_already() {
        let mut map = maps::MapBuilder::default();
        map.lane(&maps::straight([-10.0, 0.0], [20.0, 0.0]));
        let map = map.build();
        let ego = VehicleState { speed_mps: 8.0, ..Default::default() };
        let body = EgoBody::default();
        assert!(matches!(validate(&plan(), &ego, &body, Some(&map)), Err(Invalid::OffMap(_))));
        assert_eq!(validate(&plan(), &ego, &body, None), Ok(()));
        let mut beside = plan();
        beside.iter_mut().for_each(|state| state.pose.y = 50.0);
        let ego = VehicleState { pose: Pose2::new(0.0, 50.0, 0.0), ..ego };
        assert_eq!(validate(&beside, &ego, &body, Some(&map)), Ok(()));
    }

    #[test]
    fn an_ego_that_is_nowhere_fails() {
        let ego = VehicleState { pose: Pose2::new(f64::NAN, 0.0, 0.0), ..Default::default() };
        assert!(validate(&plan(), &ego, &EgoBody::default(), None).is_err());
    }
}
