//! Tandem's proposals: finer than PDM-Closed's, with detours, lane changes, waiting and braking.

mod lines;

pub use lines::NUDGES_M;

use tandem_datasets::{LaneId, Pose2, SignalColor};

use super::lateral::Line;
use super::longitudinal::{Limits, Policy, Start, Step, go_on, step_at, unroll};
use super::obstacles::{Blocker, Extent, Obstacle, along_route, in_the_way, standing};
use super::{EgoOnRoute, Maneuver, Proposal, lay_out, stretch};
use crate::guidance::Effects;
use crate::idm::Idm;
use crate::state::{Agent, PLAN_STATES, STEP_S, Scene};

/// How Tandem follows. Gentler and a little keener than PDM-Closed's parameters.
pub const FOLLOWING: Idm =
    Idm { min_gap_m: 2.0, headway_s: 1.3, acceleration_mps2: 1.6, deceleration_mps2: 2.0, exponent: 6 };

/// The speed to make for where neither map nor traffic says otherwise, m/s (50 km/h, the usual urban limit).
pub const UNKNOWN_LIMIT_MPS: f64 = 13.9;

/// Lateral acceleration in curves, m/s². The comfort limit is 4.89.
const CURVE_MPS2: f64 = 2.2;

/// Yaw rate in curves, rad/s. The comfort limit is 0.95.
const CURVE_RADPS: f64 = 0.6;

/// Deceleration with which slower stretches are approached, m/s².
const APPROACH_MPS2: f64 = 1.2;

/// How far ahead proposals look, m.
const AHEAD_M: f64 = 120.0;

/// Sideways room in excess of the body's half-width within which an obstacle is in the way, m.
pub const CLEARANCE_M: f64 = 0.15;

/// A speed cap holds from so far before what it is about, m.
const CAPPED_BEFORE_M: f64 = 2.0;

/// A speed cap is about what comes so near to the route's line, m.
const CAPPED_BESIDE_M: f64 = 2.0;

/// Red lights further behind the front bumper than this are no longer stopped for, m.
const PASSED_LINE_M: f64 = 1.5;

/// Braking harder than this for a yellow light is not asked for, m/s².
const YELLOW_MPS2: f64 = 2.5;

/// The plan in force is given up where it has become faster than following allows by this much, m/s per second ahead.
const TOO_FAST_MPS2: f64 = 0.5;

/// Proposals on the same line that are never farther apart than this, in m and m/s, are one.
const SAME_M: f64 = 0.15;

/// Measured accelerations beyond these are not planned on from: no plan may contain them, m/s².
const START_ACCELERATION_MPS2: f64 = 4.0;
const START_BRAKE_MPS2: f64 = 8.0;

/// Slower than this, braking as hard as possible stops no sooner than braking well, m/s.
const EMERGENCY_ABOVE_MPS: f64 = 1.5;

/// What the planner decided in the cycle before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    /// The lateral plan in force.
    pub line: Option<Line>,
    /// What kind of plan it is.
    pub maneuver: Option<Maneuver>,
    /// Its steps, and how many of them have gone by.
    pub steps: Option<([Step; PLAN_STATES], f64)>,
}

/// Generates the proposals, keeping its buffers from cycle to cycle.
#[derive(Debug, Default)]
pub struct Generator {
    obstacles: Vec<Obstacle>,
    blockers: Vec<Blocker>,
    caps_mps: Vec<f64>,
    stops_m: Vec<f64>,
    lines: Vec<(Line, Maneuver)>,
    proposals: Vec<Proposal>,
    used: usize,
    /// The first proposal of the present line.
    line_start: usize,
    ego: Option<EgoOnRoute>,
    target_mps: f64,
}

impl Generator {
    /// The proposals of a cycle; at least the centreline at several speeds and three ways to brake.
    pub fn generate(
        &mut self,
        scene: &Scene,
        agents: &[Agent],
        signals: &[(LaneId, SignalColor)],
        effects: &Effects,
        before: &Before,
    ) -> &[Proposal] {
        let frame = scene.route.centerline();
        let hint_m = self.ego.map(|ego| ego.along_m);
        let mut ego = EgoOnRoute::find(frame, &scene.ego, &scene.body, hint_m);
        let mut start = Start {
            along_m: ego.along_m,
            speed_mps: scene.ego.speed_mps,
            acceleration_mps2: scene.ego.acceleration_mps2.clamp(-START_BRAKE_MPS2, START_ACCELERATION_MPS2),
        };
        self.ego = Some(ego);
        // Go on from where the plan before wants to be by now, if the vehicle is near enough: plans that agree with
        // each other are what extended comfort asks for.
        let planned = before.steps.as_ref().map(|(steps, age_steps)| step_at(steps, *age_steps));
        let mut is_on_plan = false;
        if let Some(step) = planned
            && (step.speed_mps - start.speed_mps).abs() < 0.5
            && (step.acceleration_mps2 - start.acceleration_mps2).abs() < 1.2
        {
            (start.speed_mps, start.acceleration_mps2) = (step.speed_mps, step.acceleration_mps2);
            is_on_plan = true;
        }
        if let Some(line) = &before.line {
            let planned = line.at(ego.along_m);
            if (planned.left_m - ego.offset.left_m).abs() < 0.3 && (planned.slope - ego.offset.slope).abs() < 0.12 {
                ego.offset = planned;
            } else {
                is_on_plan = false;
            }
        }
        along_route(frame, agents, ego.along_m - 10.0, ego.along_m + AHEAD_M, &mut self.obstacles);
        for region in &effects.regions {
            let corners = region.iter().map(|point| frame.project_near(*point, ego.along_m));
            let extent = corners.fold(None, |extent: Option<Extent>, place| {
                let extent = extent.unwrap_or(Extent {
                    from_m: place.along_m,
                    to_m: place.along_m,
                    right_m: place.left_m,
                    left_m: place.left_m,
                });
                Some(Extent {
                    from_m: extent.from_m.min(place.along_m),
                    to_m: extent.to_m.max(place.along_m),
                    right_m: extent.right_m.min(place.left_m),
                    left_m: extent.left_m.max(place.left_m),
                })
            });
            self.obstacles.extend(extent.map(standing));
        }
        let target_mps = self.find_limits(scene, agents, effects, &ego, &start);
        self.find_stops(scene, signals, &ego, &start);
        self.find_lines(scene, &ego, start.speed_mps, before, effects);
        self.used = 0;
        let caps_mps = std::mem::take(&mut self.caps_mps);
        let stops_m = std::mem::take(&mut self.stops_m);
        let mut idm = FOLLOWING;
        idm.min_gap_m += effects.extra_gap_m;
        idm.headway_s += effects.extra_headway_s;
        let limits = Limits {
            idm,
            target_mps,
            caps_mps: &caps_mps,
            caps_from_m: ego.along_m,
            front_m: scene.body.rear_axle_to_center + scene.body.length / 2.0,
            center_m: scene.body.rear_axle_to_center,
            stops_m: &stops_m,
        };
        for index in 0..self.lines.len() {
            self.propose(scene, index, start, &limits);
        }
        if is_on_plan {
            self.keep(scene, before, start.along_m, &limits);
        }
        (self.caps_mps, self.stops_m) = (caps_mps, stops_m);
        self.target_mps = target_mps;
        self.proposals()
    }

    /// The proposals of this cycle.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals[..self.used]
    }

    /// The speed that a free road would allow in this cycle, m/s.
    pub fn target_mps(&self) -> f64 {
        self.target_mps
    }

    /// The obstacles of this cycle.
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// Fills in speed caps; returns the speed to make for, m/s.
    fn find_limits(
        &mut self,
        scene: &Scene,
        agents: &[Agent],
        effects: &Effects,
        ego: &EgoOnRoute,
        start: &Start,
    ) -> f64 {
        let (route, frame) = (&scene.route, scene.route.centerline());
        // Where the map knows no limit, those who drive ahead on the same road know it.
        let heading = frame.at(ego.along_m).heading();
        let along = |agent: &&Agent| {
            agent.class.is_vehicle()
                && agent.path.first().is_some_and(|pose| {
                    let between = pose.position() - scene.ego.pose.position();
                    between.norm() < 40.0 && pose.heading().dot(&heading) > 0.9
                })
        };
        let fastest_mps = agents.iter().filter(along).map(|agent| agent.speed_mps).fold(0.0, f64::max);
        let unknown_mps = UNKNOWN_LIMIT_MPS.max(fastest_mps.min(1.1 * start.speed_mps));
        let place = self.capped_stretch(agents, effects);
        let limit = |along_m: f64| {
            let limit_mps = route.speed_limit_mps(along_m).unwrap_or(unknown_mps);
            match place {
                Some([from_m, to_m]) if !(from_m..=to_m).contains(&along_m) => limit_mps,
                _ => effects.capped(limit_mps),
            }
        };
        self.caps_mps.clear();
        self.caps_mps.extend((0..AHEAD_M as usize).map(|m| {
            let along_m = ego.along_m + m as f64;
            let bend = frame.curvature(along_m).abs().max(1e-6);
            limit(along_m).min((CURVE_MPS2 / bend).sqrt()).min((CURVE_RADPS / bend).max(1.5))
        }));
        for m in (0..self.caps_mps.len() - 1).rev() {
            let reachable = (self.caps_mps[m + 1].powi(2) + 2.0 * APPROACH_MPS2).sqrt();
            self.caps_mps[m] = self.caps_mps[m].min(reachable);
        }
        limit(ego.along_m)
    }

    /// Where along the route a speed cap holds: about what the judgment is about; `None` for everywhere.
    fn capped_stretch(&self, agents: &[Agent], effects: &Effects) -> Option<[f64; 2]> {
        let is_meant = |obstacle: &&Obstacle| match obstacle.agent {
            Some(index) => effects.regions.is_empty() && effects.about.contains(&agents[index].id),
            None => true,
        };
        let extents = self.obstacles.iter().filter(is_meant).map(Obstacle::whole);
        let near = extents.filter(|extent| extent.is_within(0.0, CAPPED_BESIDE_M));
        near.fold(None, |stretch: Option<[f64; 2]>, extent| {
            let [from_m, to_m] = stretch.unwrap_or([f64::INFINITY, f64::NEG_INFINITY]);
            Some([from_m.min(extent.from_m - CAPPED_BEFORE_M), to_m.max(extent.to_m)])
        })
    }

    /// Fills in where lights demand to stop.
    fn find_stops(&mut self, scene: &Scene, signals: &[(LaneId, SignalColor)], ego: &EgoOnRoute, start: &Start) {
        self.stops_m.clear();
        let front_m = ego.along_m + scene.body.rear_axle_to_center + scene.body.length / 2.0;
        for (lane, color) in signals {
            let Some(stop_m) = scene.route.stop_line_m(*lane) else { continue };
            let ahead_m = stop_m - front_m;
            let stops = match color {
                SignalColor::Red => ahead_m > -PASSED_LINE_M,
                SignalColor::Yellow => ahead_m > start.speed_mps.powi(2) / (2.0 * YELLOW_MPS2),
                SignalColor::Green | SignalColor::Unknown => false,
            };
            if stops {
                self.stops_m.push(stop_m);
            }
        }
    }

    /// Adds the proposals along one line.
    fn propose(&mut self, scene: &Scene, index: usize, start: Start, limits: &Limits) {
        let (line, maneuver) = self.lines[index];
        self.line_start = self.used;
        let half_m = scene.body.width / 2.0 + CLEARANCE_M;
        let mut blockers = std::mem::take(&mut self.blockers);
        in_the_way(&self.obstacles, &line, half_m, &mut blockers);
        let crossed = blockers.iter().any(|blocker| blocker.crosses);
        let along = if index == 0 { &[1.0, 0.8, 0.6, 0.4, 0.2][..] } else { &[1.0, 0.6][..] };
        for &share in along {
            for yields in [false, true] {
                if yields && (!crossed || share < 0.5) {
                    continue;
                }
                let maneuver = match maneuver {
                    Maneuver::KeepLane if yields => Maneuver::Yield,
                    Maneuver::KeepLane if share < 0.9 => Maneuver::SlowDown,
                    other => other,
                };
                self.add(scene, &line, maneuver, Policy::Follow { share, yields }, start, &blockers, limits);
            }
        }
        if index == 0 {
            for deceleration_mps2 in [1.0, 2.5, 5.0] {
                self.add(scene, &line, Maneuver::Stop, Policy::Brake { deceleration_mps2 }, start, &blockers, limits);
            }
            if start.speed_mps > EMERGENCY_ABOVE_MPS {
                self.add(scene, &line, Maneuver::Stop, Policy::Emergency, start, &blockers, limits);
            }
        }
        self.blockers = blockers;
    }

    /// Adds the plan in force, going on as it was: noise in what is seen of the others shall not change it.
    fn keep(&mut self, scene: &Scene, before: &Before, along_m: f64, limits: &Limits) {
        let (Some((steps, age_steps)), Some(line), Some(maneuver)) = (&before.steps, before.line, before.maneuver)
        else {
            return;
        };
        let frame = scene.route.centerline();
        in_the_way(&self.obstacles, &line, scene.body.width / 2.0 + CLEARANCE_M, &mut self.blockers);
        let on_line = |along_m| stretch(frame, along_m, line.at(along_m));
        let steps = go_on(steps, *age_steps, along_m, &self.blockers, limits, on_line);
        let start = Start { along_m, speed_mps: steps[0].speed_mps, acceleration_mps2: steps[0].acceleration_mps2 };
        let follow = Policy::Follow { share: 1.0, yields: false };
        let anew = unroll(follow, start, &self.blockers, limits, on_line);
        if (10..PLAN_STATES)
            .step_by(10)
            .any(|step| steps[step].speed_mps > anew[step].speed_mps + TOO_FAST_MPS2 * step as f64 * STEP_S)
        {
            return;
        }
        let proposal = self.next_slot();
        (proposal.maneuver, proposal.line, proposal.steps) = (maneuver, Some(line), steps);
        proposal.label.clear();
        proposal.label.push_str("as before");
        lay_out(frame, |along_m| line.at(along_m), &steps, &scene.body, &mut proposal.rollout);
    }

    /// The next proposal to fill in; its buffers are used again.
    fn next_slot(&mut self) -> &mut Proposal {
        if self.used == self.proposals.len() {
            self.proposals.push(Proposal::blank());
        }
        self.used += 1;
        &mut self.proposals[self.used - 1]
    }

    #[allow(clippy::too_many_arguments, reason = "one call site above, all of it the proposal's making")]
    fn add(
        &mut self,
        scene: &Scene,
        line: &Line,
        maneuver: Maneuver,
        policy: Policy,
        start: Start,
        blockers: &[Blocker],
        limits: &Limits,
    ) {
        let frame = scene.route.centerline();
        let steps = unroll(policy, start, blockers, limits, |along_m| stretch(frame, along_m, line.at(along_m)));
        let same = |other: &Proposal| {
            [12, 24, PLAN_STATES - 1].iter().all(|step| {
                let (a, b) = (&other.steps[*step], &steps[*step]);
                (a.along_m - b.along_m).abs() < SAME_M && (a.speed_mps - b.speed_mps).abs() < SAME_M
            })
        };
        // Behind a leader, or before a curve, many policies come to the same.
        if self.proposals[self.line_start..self.used].iter().any(same) {
            return;
        }
        let proposal = self.next_slot();
        proposal.maneuver = maneuver;
        proposal.line = Some(*line);
        proposal.steps = steps;
        describe(policy, line, &mut proposal.label);
        lay_out(frame, |along_m| line.at(along_m), &steps, &scene.body, &mut proposal.rollout);
    }
}

/// Writes what a proposal does: `follow 0.8`, `yield 1.0`, `brake 2.5`, `follow 1.0 to -0.9 and back`.
fn describe(policy: Policy, line: &Line, label: &mut String) {
    use std::fmt::Write;
    label.clear();
    // Writing to a string can't fail.
    let _ = match policy {
        Policy::Follow { share, yields: false } => write!(label, "follow {share:.1}"),
        Policy::Follow { share, yields: true } => write!(label, "yield {share:.1}"),
        Policy::Emergency => write!(label, "brake hard"),
        Policy::Brake { deceleration_mps2 } => write!(label, "brake {deceleration_mps2:.1}"),
    };
    if line.target_m() != 0.0 {
        let _ = write!(label, " to {:+.1}", line.target_m());
    }
    if line.comes_back() {
        label.push_str(" and back");
    }
}

/// The poses of a proposal that follows a judgment's waypoints, 0.5 s apart, by straight interpolation.
pub(crate) fn waypoint_poses(ego: Pose2, waypoints: &[nalgebra::Point2<f64>]) -> Vec<Pose2> {
    let points: Vec<_> = std::iter::once(ego.position()).chain(waypoints.iter().copied()).collect();
    let mut poses = Vec::with_capacity(PLAN_STATES);
    let mut yaw = ego.yaw;
    for step in 0..PLAN_STATES {
        let (index, part) = (step / 5, (step % 5) as f64 / 5.0);
        let from = points[index.min(points.len() - 1)];
        let to = points[(index + 1).min(points.len() - 1)];
        let along = to - from;
        if along.norm() > 0.05 {
            yaw = along.y.atan2(along.x);
        }
        let at = from + along * part;
        poses.push(Pose2::new(at.x, at.y, yaw));
    }
    poses
}
