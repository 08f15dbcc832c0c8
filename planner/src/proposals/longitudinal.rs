//! The lengthwise half of a proposal: how fast to be at each step, never changing acceleration abruptly.

use crate::idm::{Idm, Leader};
use crate::proposals::obstacles::Blocker;
use crate::state::{PLAN_STATES, STEP_S};

/// How quickly the wanted acceleration is taken on, s (time constant).
const RESPONSE_S: f64 = 0.4;

/// Strongest rise of acceleration, m/s³.
const JERK_UP: f64 = 1.5;

/// Strongest fall of acceleration in normal driving, m/s³.
const JERK_DOWN: f64 = 2.0;

/// Strongest fall of acceleration when a collision is near; the comfort limit is 4.13 m/s³.
const JERK_HARD: f64 = 4.0;

/// Jerk with which braking ends at standstill, m/s³.
const JERK_STOP: f64 = 1.5;

/// Braking at most in normal driving, m/s².
const BRAKE: f64 = 3.5;

/// Braking at most when a collision is near; the comfort limit is 4.05 m/s².
const BRAKE_HARD: f64 = 6.0;

/// Braking in an emergency, and the jerk with which it comes on, m/s² and m/s³: what a car on a dry road can do.
pub const EMERGENCY: (f64, f64) = (8.0, 20.0);

/// Wanting to brake by more than this is an emergency, m/s².
const HARD_FROM: f64 = 3.2;

/// Time ahead at which the speed cap of curves is looked up, s.
const CAP_AHEAD_S: f64 = 1.0;

/// Gap kept before a line to stop at, m.
const STOP_LINE_GAP_M: f64 = 1.0;

/// Gap kept before a place that someone crosses, besides the model's own, m.
const YIELD_GAP_M: f64 = 1.0;

/// Who stands this near to a stop line does not move up to it, m.
const HOLD_WITHIN_M: f64 = 3.0;

/// Slower than this is standing, m/s.
const STANDING_MPS: f64 = 0.15;

/// What a lengthwise plan starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Along the centreline, m.
    pub along_m: f64,
    /// Along the path, m/s.
    pub speed_mps: f64,
    /// Along the path, m/s².
    pub acceleration_mps2: f64,
}

/// How to drive along a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// Follow at a share of the permitted speed.
    Follow {
        /// Share of the speed limit.
        share: f64,
        /// Whether to wait before places that someone will cross, rather than only behind who is there.
        yields: bool,
    },
    /// Brake to a stop, harder where following would.
    Brake {
        /// Deceleration, m/s², positive.
        deceleration_mps2: f64,
    },
    /// Brake as hard as the vehicle can, comfort aside.
    Emergency,
}

/// What holds for all proposals of a cycle.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The follower's model.
    pub idm: Idm,
    /// The speed to make for on a free road, m/s, before the policy's share.
    pub target_mps: f64,
    /// Speeds not to exceed because of curves and limits, 1 m apart from `caps_from_m` on, m/s.
    pub caps_mps: &'a [f64],
    /// Where the caps begin, m.
    pub caps_from_m: f64,
    /// From the reference point to the front bumper, m.
    pub front_m: f64,
    /// From the reference point to the body's centre, m.
    pub center_m: f64,
    /// Places to stop before (red lights), m along the centreline.
    pub stops_m: &'a [f64],
}

impl Limits<'_> {
    fn cap_mps(&self, along_m: f64) -> f64 {
        let index = (along_m - self.caps_from_m).max(0.0) as usize;
        self.caps_mps.get(index).or(self.caps_mps.last()).copied().unwrap_or(f64::INFINITY)
    }
}

/// One step of a lengthwise plan.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Along the centreline, m.
    pub along_m: f64,
    /// Along the path, m/s.
    pub speed_mps: f64,
    /// Along the path, m/s².
    pub acceleration_mps2: f64,
}

/// The lengthwise plan of `policy` behind `blockers`; `stretch(along)` is metres of path per metre of centreline.
pub fn unroll(
    policy: Policy,
    start: Start,
    blockers: &[Blocker],
    limits: &Limits,
    stretch: impl Fn(f64) -> f64,
) -> [Step; PLAN_STATES] {
    let mut steps = [Step::default(); PLAN_STATES];
    let mut now = Step {
        along_m: start.along_m,
        speed_mps: start.speed_mps.max(0.0),
        acceleration_mps2: start.acceleration_mps2,
    };
    for (step, slot) in steps.iter_mut().enumerate() {
        *slot = now;
        let wanted = match policy {
            Policy::Follow { share, yields } => wanted(share, yields, step, &now, blockers, limits),
            Policy::Emergency => {
                now = advance_within(&now, -EMERGENCY.0, stretch(now.along_m), EMERGENCY.1, EMERGENCY.0);
                continue;
            }
            Policy::Brake { deceleration_mps2 } => {
                wanted(1.0, false, step, &now, blockers, limits).min(-deceleration_mps2)
            }
        };
        now = advance(&now, wanted, stretch(now.along_m));
    }
    steps
}

/// The plan in force, anchored at `along_m`: its steps from `age_steps` on, then one more behind `blockers` for each that
/// it lacks.
pub fn go_on(
    before: &[Step; PLAN_STATES],
    age_steps: f64,
    along_m: f64,
    blockers: &[Blocker],
    limits: &Limits,
    stretch: impl Fn(f64) -> f64,
) -> [Step; PLAN_STATES] {
    let last = PLAN_STATES - 1;
    let moved_m = along_m - step_at(before, age_steps).along_m;
    let mut steps = [Step::default(); PLAN_STATES];
    for index in 0..PLAN_STATES {
        let position = age_steps + index as f64;
        steps[index] = if index == 0 || position <= last as f64 {
            let step = step_at(before, position);
            Step { along_m: step.along_m + moved_m, ..step }
        } else {
            let now = steps[index - 1];
            advance(&now, wanted(1.0, false, index, &now, blockers, limits), stretch(now.along_m))
        };
    }
    steps
}

/// A plan's step at a position between its steps; the last one beyond its end.
pub fn step_at(steps: &[Step; PLAN_STATES], position: f64) -> Step {
    let last = PLAN_STATES - 1;
    let (index, part) = ((position as usize).min(last), position.fract());
    let (a, b) = (&steps[index], &steps[(index + 1).min(last)]);
    let mix = |a: f64, b: f64| a + (b - a) * part;
    Step {
        along_m: mix(a.along_m, b.along_m),
        speed_mps: mix(a.speed_mps, b.speed_mps),
        acceleration_mps2: mix(a.acceleration_mps2, b.acceleration_mps2),
    }
}

/// One step on, the acceleration moving towards `wanted` as quickly as is comfortable.
pub fn advance(now: &Step, wanted: f64, stretch: f64) -> Step {
    let hard = wanted < -HARD_FROM;
    let (jerk_down, brake) = if hard { (JERK_HARD, BRAKE_HARD) } else { (JERK_DOWN, BRAKE) };
    advance_within(now, wanted, stretch, jerk_down, brake)
}

fn advance_within(now: &Step, wanted: f64, stretch: f64, jerk_down: f64, brake: f64) -> Step {
    // Braking fades towards standstill so that it ends there: v = a² / 2j.
    let jerk_stop = if jerk_down > JERK_DOWN { jerk_down } else { JERK_STOP };
    let stopping = -(2.0 * jerk_stop * now.speed_mps).sqrt();
    let wanted = wanted.max(-brake).max(stopping.min(-0.05));
    let jerk = ((wanted - now.acceleration_mps2) / RESPONSE_S).clamp(-jerk_down, JERK_UP);
    // Easing off is allowed to be quicker where braking on would go past standstill.
    let acceleration_mps2 = (now.acceleration_mps2 + jerk * STEP_S).max(stopping.min(-0.05));
    let speed_mps = now.speed_mps + acceleration_mps2 * STEP_S;
    if speed_mps <= 0.0 || now.speed_mps < 0.05 && wanted < 0.1 {
        return Step { along_m: now.along_m, speed_mps: 0.0, acceleration_mps2: acceleration_mps2.max(0.0) };
    }
    let moved_m = (now.speed_mps + speed_mps) / 2.0 * STEP_S;
    Step { along_m: now.along_m + moved_m / stretch, speed_mps, acceleration_mps2 }
}

fn wanted(share: f64, yields: bool, step: usize, now: &Step, blockers: &[Blocker], limits: &Limits) -> f64 {
    let idm = &limits.idm;
    let free = idm.free_acceleration(now.speed_mps, share * limits.target_mps);
    let ahead_m = now.along_m + now.speed_mps * CAP_AHEAD_S;
    let capped = (limits.cap_mps(ahead_m) - now.speed_mps) / CAP_AHEAD_S;
    let free = free.min(capped.max(-idm.deceleration_mps2));
    let front_m = now.along_m + limits.front_m;
    let mut lowest = free;
    let follow = |gap_m: f64, speed_mps: f64| idm.following_acceleration(now.speed_mps, Leader { gap_m, speed_mps });
    for blocker in blockers {
        let from_m = blocker.from_m[step];
        if from_m.is_finite() {
            if blocker.middle_m[step] > now.along_m + limits.center_m {
                lowest = lowest.min(follow(from_m - front_m, blocker.speed_mps));
            }
        } else if yields && blocker.crosses && step < blocker.last_step {
            // Not there yet: wait before the nearest place that it will cover.
            let nearest_m = blocker.from_m[step..=blocker.last_step].iter().copied().fold(f64::INFINITY, f64::min);
            if nearest_m > front_m {
                lowest = lowest.min(follow(nearest_m - front_m - YIELD_GAP_M, 0.0));
            }
        }
    }
    for &stop_m in limits.stops_m {
        // A line that could only be kept by braking very hard has been passed already, in effect.
        let gap_m = stop_m - front_m;
        if gap_m > 0.0 || now.speed_mps < 0.5 && gap_m > -2.0 {
            lowest = lowest.min(follow(gap_m + idm.min_gap_m - STOP_LINE_GAP_M, 0.0));
        }
        if gap_m < HOLD_WITHIN_M && gap_m > -HOLD_WITHIN_M && now.speed_mps < STANDING_MPS {
            lowest = lowest.min(-0.1);
        }
    }
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        idm: Idm { min_gap_m: 2.0, headway_s: 1.4, acceleration_mps2: 1.6, deceleration_mps2: 2.0, exponent: 4 },
        target_mps: 12.0,
        caps_mps: &[],
        caps_from_m: 0.0,
        front_m: 4.0,
        center_m: 1.5,
        stops_m: &[],
    };

    const FOLLOW: Policy = Policy::Follow { share: 1.0, yields: false };

    /// Unrolls plan after plan, each from where the one before was after a step.
    fn drive(seconds: f64, mut start: Start, limits: &Limits) -> Vec<Step> {
        let mut driven = Vec::new();
        for _ in 0..(seconds / STEP_S) as usize {
            let plan = unroll(FOLLOW, start, &[], limits, |_| 1.0);
            driven.push(plan[0]);
            start = Start {
                along_m: plan[1].along_m,
                speed_mps: plan[1].speed_mps,
                acceleration_mps2: plan[1].acceleration_mps2,
            };
        }
        driven
    }

    fn assert_smooth(steps: &[Step]) {
        for pair in steps.windows(2) {
            let jerk = (pair[1].acceleration_mps2 - pair[0].acceleration_mps2) / STEP_S;
            assert!(jerk.abs() < 4.13, "jerk {jerk} at {:?}", pair[0]);
            assert!((-4.05..2.4).contains(&pair[1].acceleration_mps2), "{:?}", pair[1]);
        }
    }

    #[test]
    fn starting_cruising_and_stopping_at_a_line_is_smooth_and_ends_before_it() {
        let limits = Limits { stops_m: &[150.0], ..LIMITS };
        let driven = drive(60.0, Start { along_m: 0.0, speed_mps: 0.0, acceleration_mps2: 0.0 }, &limits);
        assert_smooth(&driven);
        let fastest = driven.iter().map(|step| step.speed_mps).fold(0.0, f64::max);
        assert!(fastest > 9.0, "{fastest}");
        let end = driven.last().unwrap();
        let gap_m = 150.0 - end.along_m - limits.front_m;
        assert!(end.speed_mps == 0.0 && (0.0..2.0).contains(&gap_m), "{end:?}");
    }

    #[test]
    fn replanning_every_step_drives_the_first_plan() {
        let limits = Limits { stops_m: &[60.0], ..LIMITS };
        let start = Start { along_m: 0.0, speed_mps: 8.0, acceleration_mps2: 0.3 };
        let plan = unroll(FOLLOW, start, &[], &limits, |_| 1.0);
        for (planned, driven) in plan.iter().zip(drive(4.0, start, &limits)) {
            assert!((planned.along_m - driven.along_m).abs() < 1e-9);
            assert!((planned.acceleration_mps2 - driven.acceleration_mps2).abs() < 1e-9);
        }
    }

    #[test]
    fn caps_are_reached_where_they_begin() {
        let caps: Vec<f64> = (0..200).map(|m| if m < 60 { 12.0 } else { 5.0 }).collect();
        let mut eased = caps.clone();
        for m in (0..199).rev() {
            eased[m] = eased[m].min((eased[m + 1].powi(2) + 2.0 * 1.2).sqrt());
        }
        let limits = Limits { caps_mps: &eased, ..LIMITS };
        let driven = drive(20.0, Start { along_m: 0.0, speed_mps: 10.0, acceleration_mps2: 0.0 }, &limits);
        assert_smooth(&driven);
        for step in &driven {
            let cap = caps[step.along_m as usize];
            assert!(step.speed_mps < cap + 0.6, "{step:?} over {cap}");
        }
    }

    #[test]
    fn braking_ends_at_standstill_without_going_backwards() {
        for deceleration_mps2 in [1.0, 2.5, 6.0] {
            let start = Start { along_m: 0.0, speed_mps: 3.0, acceleration_mps2: 0.0 };
            let plan = unroll(Policy::Brake { deceleration_mps2 }, start, &[], &LIMITS, |_| 1.0);
            assert!(plan.windows(2).all(|pair| pair[1].along_m >= pair[0].along_m && pair[1].speed_mps >= 0.0));
            assert!(deceleration_mps2 < 2.0 || plan[40].speed_mps == 0.0, "{:?}", plan[40]);
        }
    }

    #[test]
    fn a_plan_in_force_goes_on_as_it_was() {
        let start = Start { along_m: 0.0, speed_mps: 8.0, acceleration_mps2: 0.3 };
        let plan = unroll(FOLLOW, start, &[], &LIMITS, |_| 1.0);
        let next = go_on(&plan, 2.5, plan[2].along_m, &[], &LIMITS, |_| 1.0);
        for (step, now) in next.iter().enumerate().take(PLAN_STATES - 4) {
            let expected = step_at(&plan, step as f64 + 2.5);
            assert!((now.speed_mps - expected.speed_mps).abs() < 1e-9);
            assert!((now.acceleration_mps2 - expected.acceleration_mps2).abs() < 1e-9);
        }
        assert!((next[0].along_m - plan[2].along_m).abs() < 1e-9);
        assert_smooth(&next);
    }

    #[test]
    fn who_stands_at_a_stop_line_stays() {
        for gap_m in [-1.0, 0.2, 2.0] {
            let limits = Limits { stops_m: &[50.0], ..LIMITS };
            let start = Start { along_m: 50.0 - limits.front_m - gap_m, speed_mps: 0.0, acceleration_mps2: 0.0 };
            let end = drive(10.0, start, &limits).last().unwrap().along_m;
            assert!((end - start.along_m).abs() < 1e-9, "moved {} m", end - start.along_m);
        }
    }

    #[test]
    fn an_emergency_stop_is_the_shortest() {
        let start = Start { along_m: 0.0, speed_mps: 9.0, acceleration_mps2: 0.7 };
        let stop = |policy| unroll(policy, start, &[], &LIMITS, |_| 1.0)[PLAN_STATES - 1];
        let (hard, well) = (stop(Policy::Emergency), stop(Policy::Brake { deceleration_mps2: 5.0 }));
        assert!(hard.speed_mps == 0.0 && hard.along_m < 9.0 && hard.along_m < well.along_m - 3.0, "{hard:?} {well:?}");
    }
}
