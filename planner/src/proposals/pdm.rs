//! The proposals of PDM-Closed: five IDM speeds on the centreline and one metre to either side of it.
//!
//! Source: tuplan_garage `pdm_generator.py`, `batch_idm_policy.py`, `pdm_closed_planner.yaml`; Dauner et al., "Parting
//! with Misconceptions about Learning-based Vehicle Motion Planning", CoRL 2023.

use super::lateral::Offset;
use super::longitudinal::Step;
use super::obstacles::{Obstacle, along_route};
use super::{EgoOnRoute, Proposal, lay_out};
use crate::idm::{Idm, Leader};
use crate::state::{Agent, PLAN_STATES, STEP_S, Scene};

/// Shares of the speed limit that are tried.
pub const SHARES: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

/// Offsets from the centreline that are tried, m, left positive.
pub const OFFSETS_M: [f64; 3] = [0.0, 1.0, -1.0];

/// The target speed where the map knows no limit, m/s.
pub const FALLBACK_TARGET_MPS: f64 = 15.0;

/// Agents farther away than this are not seen, m.
const RADIUS_M: f64 = 50.0;

/// Steps between two searches for the leader.
const LEADER_STEPS: usize = 2;

/// How far the driving corridor reaches, s at the target speed.
const CORRIDOR_S: f64 = 8.0;

/// Generates the proposals, keeping its buffers from cycle to cycle.
#[derive(Debug, Default)]
pub struct Generator {
    obstacles: Vec<Obstacle>,
    proposals: Vec<Proposal>,
    along_m: Option<f64>,
}

impl Generator {
    /// The proposals of a cycle, `shares` by `offsets_m`, all 15 of PDM-Closed or fewer.
    ///
    /// The published planner measures gaps between polygons on the map; here both are taken along the centreline.
    pub fn generate(&mut self, scene: &Scene, agents: &[Agent], shares: &[f64], offsets_m: &[f64]) -> &[Proposal] {
        let frame = scene.route.centerline();
        let ego = EgoOnRoute::find(frame, &scene.ego, &scene.body, self.along_m);
        self.along_m = Some(ego.along_m);
        let limit_mps = scene.route.speed_limit_mps(ego.along_m).unwrap_or(FALLBACK_TARGET_MPS);
        let reach_m = limit_mps * CORRIDOR_S;
        along_route(frame, agents, ego.along_m, ego.along_m + reach_m, &mut self.obstacles);
        let center = scene.body.outline(scene.ego.pose).pose.position();
        self.obstacles.retain(|obstacle| {
            let pose = obstacle.agent.and_then(|index| agents[index].path.first());
            pose.is_some_and(|pose| (pose.position() - center).norm() <= RADIUS_M)
        });
        let stops_m: Vec<f64> = red_lines_m(scene);
        self.proposals.resize_with(shares.len() * offsets_m.len(), Proposal::blank);
        let mut slots = self.proposals.iter_mut();
        for &left_m in offsets_m {
            for &share in shares {
                let Some(proposal) = slots.next() else { break };
                proposal.label = match left_m {
                    0.0 => format!("idm {share:.1}"),
                    left if left > 0.0 => format!("idm {share:.1} left {left:.1}"),
                    right => format!("idm {share:.1} right {:.1}", -right),
                };
                let corridor = Corridor { scene, obstacles: &self.obstacles, stops_m: &stops_m, left_m, reach_m };
                let steps = corridor.unroll(&ego, share * limit_mps);
                lay_out(frame, |_| Offset { left_m, ..Offset::default() }, &steps, &scene.body, &mut proposal.rollout);
            }
        }
        &self.proposals
    }
}

/// Where the red lights of the route want the ego to stop, m along the centreline.
fn red_lines_m(scene: &Scene) -> Vec<f64> {
    let red = scene.signals.iter().filter(|(_, color)| *color == tandem_datasets::SignalColor::Red);
    red.filter_map(|(lane, _)| scene.route.stop_line_m(*lane)).collect()
}

/// The way along one offset and who is on it.
struct Corridor<'a> {
    scene: &'a Scene,
    obstacles: &'a [Obstacle],
    stops_m: &'a [f64],
    left_m: f64,
    reach_m: f64,
}

impl Corridor<'_> {
    fn unroll(&self, ego: &EgoOnRoute, target_mps: f64) -> [Step; PLAN_STATES] {
        let frame = self.scene.route.centerline();
        let body = &self.scene.body;
        let mut steps = [Step::default(); PLAN_STATES];
        let mut now = Step { along_m: ego.along_m, speed_mps: self.scene.ego.speed_mps, acceleration_mps2: 0.0 };
        let end_m = frame.length_m() - body.length / 2.0;
        let mut leader: Option<(f64, f64)> = None;
        for (step, slot) in steps.iter_mut().enumerate() {
            *slot = now;
            if (step + 1) % LEADER_STEPS == 0 {
                leader = self.leader(step + 1, now.along_m, ego.along_m);
            } else if step == 0 {
                // Before the first search the published planner's array is zero: a leader at the start of the path.
                leader = Some((0.0, 0.0));
            }
            let (at_m, speed_mps) = leader.unwrap_or((end_m, 0.0));
            let leader = Leader { gap_m: at_m - now.along_m, speed_mps };
            now.acceleration_mps2 = Idm::PDM.acceleration(now.speed_mps, target_mps, leader);
            let stretch = (1.0 - frame.curvature(now.along_m) * self.left_m).max(0.1);
            now.along_m += now.speed_mps * STEP_S / stretch;
            now.speed_mps += now.acceleration_mps2 * STEP_S;
        }
        steps
    }

    /// Where the nearest obstacle ahead begins, as progress of the ego's reference point, and its speed.
    fn leader(&self, step: usize, along_m: f64, start_m: f64) -> Option<(f64, f64)> {
        let body = &self.scene.body;
        let front_m = along_m + body.rear_axle_to_center + body.length / 2.0;
        let half_m = body.width / 2.0;
        let ahead = self.obstacles.iter().filter_map(|obstacle| {
            let extent = obstacle.at_step(step);
            let in_corridor = extent.is_within(self.left_m, half_m)
                && extent.to_m > start_m - half_m
                && extent.from_m < start_m + self.reach_m + half_m;
            let is_ahead = (extent.from_m + extent.to_m) / 2.0 > along_m;
            (in_corridor && is_ahead).then(|| ((extent.from_m - front_m).max(0.0), obstacle.speed_along_mps))
        });
        let reds = self.stops_m.iter().filter(|stop_m| **stop_m > along_m).map(|stop_m| (stop_m - front_m, 0.0));
        ahead
            .chain(reds.map(|(gap_m, speed)| (gap_m.max(0.0), speed)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(gap_m, speed_mps)| (along_m + gap_m, speed_mps))
    }
}
