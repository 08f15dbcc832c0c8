//! The lateral plans to try: the centreline, nudges, ways round what stands in the way, and the lanes beside.

use super::{Before, CLEARANCE_M, Generator};
use crate::guidance::Effects;
use crate::proposals::lateral::Line;
use crate::proposals::obstacles::{Extent, Obstacle};
use crate::proposals::{EgoOnRoute, Maneuver};
use crate::state::Scene;

/// Sideways room that a detour makes, m: a tight and a generous one.
const DETOUR_ROOM_M: [f64; 2] = [0.4, 0.9];

/// Widest detour, m.
const MAX_DETOUR_M: f64 = 3.8;

/// Offsets within the lane that are tried to make room, m. Up to 0.5 m counts as keeping the lane.
pub const NUDGES_M: [f64; 4] = [0.35, -0.35, 0.9, -0.9];

/// How far a vehicle moves over that is told to make room, m: over the lane's edge where there is road.
const ASIDE_M: f64 = 1.4;

/// Obstacles this close beside the body call for nudges, m.
const NUDGE_WITHIN_M: f64 = 1.0;

/// Obstacles no faster than this may be overtaken, m/s.
const SLOW_MPS: f64 = 1.0;

/// Standing obstacles this near to each other are passed in one detour, m.
const SAME_DETOUR_M: f64 = 15.0;

impl Generator {
    /// Fills in the lateral plans to try.
    pub(super) fn find_lines(
        &mut self,
        scene: &Scene,
        ego: &EgoOnRoute,
        speed_mps: f64,
        before: &Before,
        effects: &Effects,
    ) {
        let from_m = ego.along_m;
        let to = |left_m: f64| Line::to(left_m, from_m, ego.offset, speed_mps);
        self.lines.clear();
        // The line in force goes on as it was; the centreline is always there.
        let kept = before.line.filter(|line| !line.is_done(from_m) && line.at(from_m) == ego.offset);
        match (kept, before.maneuver) {
            (Some(line), Some(maneuver)) if line.target_m() != 0.0 || line.comes_back() => {
                self.lines.push((to(0.0), Maneuver::KeepLane));
                self.lines.push((line, maneuver));
            }
            (Some(line), _) => self.lines.push((line, Maneuver::KeepLane)),
            (None, _) => self.lines.push((to(0.0), Maneuver::KeepLane)),
        }
        let half_m = scene.body.width / 2.0;
        let center = self.lines[0].0;
        let front_m = from_m + scene.body.rear_axle_to_center + scene.body.length / 2.0;
        let beside = self.obstacles.iter().any(|obstacle| {
            (0..=40).step_by(10).any(|step| {
                let extent = obstacle.at_step(step);
                let is_ahead = extent.to_m > from_m && extent.from_m < front_m + 5.0 * speed_mps.max(3.0);
                is_ahead && extent.is_within(center.at(extent.from_m).left_m, half_m + NUDGE_WITHIN_M)
            })
        });
        if beside || ego.offset.left_m.abs() > 0.3 {
            for left_m in NUDGES_M {
                let maneuver = if left_m > 0.0 { Maneuver::NudgeLeft } else { Maneuver::NudgeRight };
                self.lines.push((to(left_m), maneuver));
            }
        }
        for (maneuver, left_m) in [(Maneuver::NudgeLeft, ASIDE_M), (Maneuver::NudgeRight, -ASIDE_M)] {
            if effects.bonus(maneuver) > 0.0 {
                self.lines.push((to(left_m), maneuver));
            }
        }
        self.find_detours(scene, ego, speed_mps, half_m);
        let sides = [Maneuver::ChangeLaneLeft, Maneuver::ChangeLaneRight];
        for (side, maneuver) in scene.route.lanes_beside_m(from_m + 2.0 * speed_mps + 10.0).iter().zip(sides) {
            if let Some(left_m) = side {
                self.lines.push((to(*left_m), maneuver));
            }
        }
    }

    /// Ways round the nearest standing obstacles, left and right, narrow and wide.
    fn find_detours(&mut self, scene: &Scene, ego: &EgoOnRoute, speed_mps: f64, half_m: f64) {
        let front_m = ego.along_m + scene.body.rear_axle_to_center + scene.body.length / 2.0;
        let in_the_lane = |extent: &Extent| extent.is_within(0.0, half_m + CLEARANCE_M);
        let slow = |obstacle: &&Obstacle| obstacle.stands || obstacle.speed_along_mps.abs() < SLOW_MPS;
        let mut extents: Vec<Extent> = self
            .obstacles
            .iter()
            .filter(slow)
            .map(|obstacle| obstacle.at_step(0))
            .filter(|extent| extent.to_m > ego.along_m && extent.from_m < front_m + 60.0)
            .collect();
        extents.sort_by(|a, b| a.from_m.total_cmp(&b.from_m));
        let Some(first) = extents.iter().find(|extent| in_the_lane(extent)) else { return };
        for side in [1.0, -1.0] {
            let edge = |extent: &Extent| if side > 0.0 { extent.left_m } else { -extent.right_m };
            for room_m in DETOUR_ROOM_M {
                // Everything that stands in the way of the detour itself has to be passed too.
                let (mut reach_m, mut width_m) = (first.to_m, edge(first) + half_m + room_m);
                for extent in extents.iter().filter(|extent| extent.to_m > first.from_m) {
                    let touches = extent.is_within(side * width_m, half_m + room_m) || in_the_lane(extent);
                    if touches && extent.from_m < reach_m + SAME_DETOUR_M {
                        reach_m = reach_m.max(extent.to_m);
                        width_m = width_m.max(edge(extent) + half_m + room_m);
                    }
                }
                if (0.2..=MAX_DETOUR_M).contains(&width_m) {
                    let nose_m = scene.body.length / 2.0 + scene.body.rear_axle_to_center;
                    let line = Line::to_by(side * width_m, ego.along_m, ego.offset, speed_mps, first.from_m - nose_m)
                        .and_back(reach_m + scene.body.length / 2.0, speed_mps);
                    self.lines.push((line, Maneuver::Overtake));
                }
            }
        }
    }
}
