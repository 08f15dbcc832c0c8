//! The others as seen from the route: which stretch of it they cover, when, and how far to its left.

use crate::frenet::FrenetFrame;
use crate::predict::PREDICTED_STATES;
use crate::proposals::lateral::Line;
use crate::state::{Agent, PLAN_STATES, STEP_S};

/// Plan steps between two looks at an obstacle; in between it is interpolated.
const KNOT_STEPS: usize = 5;

/// Looks at an obstacle.
const KNOTS: usize = (PREDICTED_STATES - 1) / KNOT_STEPS + 1;

/// Obstacles that stay farther than this beside the route are left out, m.
const CORRIDOR_M: f64 = 12.0;

/// The part of the route's frame that an outline covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Where it begins along the route, m.
    pub from_m: f64,
    /// Where it ends along the route, m.
    pub to_m: f64,
    /// Its right edge, m to the left of the centreline.
    pub right_m: f64,
    /// Its left edge, m to the left of the centreline.
    pub left_m: f64,
}

impl Extent {
    fn mix(&self, other: &Self, t: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * t;
        Self {
            from_m: mix(self.from_m, other.from_m),
            to_m: mix(self.to_m, other.to_m),
            right_m: mix(self.right_m, other.right_m),
            left_m: mix(self.left_m, other.left_m),
        }
    }

    fn united(&self, other: &Self) -> Self {
        Self {
            from_m: self.from_m.min(other.from_m),
            to_m: self.to_m.max(other.to_m),
            right_m: self.right_m.min(other.right_m),
            left_m: self.left_m.max(other.left_m),
        }
    }

    /// Whether it reaches into the strip of half-width `half_m` about `offset_m`.
    pub fn is_within(&self, offset_m: f64, half_m: f64) -> bool {
        self.right_m < offset_m + half_m && self.left_m > offset_m - half_m
    }
}

/// One obstacle along the route.
#[derive(Debug, Clone)]
pub struct Obstacle {
    /// Its index among the agents; `None` for a closed region.
    pub agent: Option<usize>,
    knots: [Extent; KNOTS],
    /// Speed along the route now, m/s.
    pub speed_along_mps: f64,
    /// Speed across the route now, m/s, left positive.
    pub speed_across_mps: f64,
    /// Whether it stands and is expected to go on standing.
    pub stands: bool,
    /// What it covers over all the time.
    all: Extent,
}

impl Obstacle {
    /// What it covers at a step of the plan.
    pub fn at_step(&self, step: usize) -> Extent {
        let (knot, part) = (step / KNOT_STEPS, step % KNOT_STEPS);
        if self.stands || part == 0 || knot + 1 >= KNOTS {
            return self.knots[knot.min(KNOTS - 1)];
        }
        self.knots[knot].mix(&self.knots[knot + 1], part as f64 / KNOT_STEPS as f64)
    }

    /// What it covers over all the time that is foreseen.
    pub fn whole(&self) -> Extent {
        self.all
    }
}

/// Fills `obstacles` with the agents that come near the route between `from_m` and `to_m`.
pub fn along_route(frame: &FrenetFrame, agents: &[Agent], from_m: f64, to_m: f64, obstacles: &mut Vec<Obstacle>) {
    obstacles.clear();
    let middle = frame.at((from_m + to_m) / 2.0).position();
    let reach_m = (to_m - from_m) / 2.0 + CORRIDOR_M;
    for (index, agent) in agents.iter().enumerate() {
        let Some(now) = agent.path.first() else { continue };
        // Along a bent route the straight distance is never longer than the one along it.
        let travels_m = agent.speed_mps.abs() * STEP_S * PREDICTED_STATES as f64;
        if (now.position() - middle).norm() > reach_m + travels_m {
            continue;
        }
        let mut place = frame.project_between(now.position(), from_m - travels_m, to_m + travels_m);
        let size = (agent.length / 2.0, agent.width / 2.0);
        let stands = agent.path.len() == 1;
        let first = extent(place, now.yaw - place.yaw, size);
        let mut knots = [first; KNOTS];
        let mut centers = [place; 2];
        if !stands {
            for (knot, slot) in knots.iter_mut().enumerate().skip(1) {
                let pose = agent.path.get(knot * KNOT_STEPS).or(agent.path.last()).unwrap_or(now);
                place = frame.project_near(pose.position(), place.along_m);
                *slot = extent(place, pose.yaw - place.yaw, size);
                if knot == 1 {
                    centers[1] = place;
                }
            }
        }
        let near = |knot: &Extent| knot.to_m >= from_m && knot.from_m <= to_m && knot.is_within(0.0, CORRIDOR_M);
        if knots.iter().any(near) {
            let all = knots.iter().fold(first, |all, knot| all.united(knot));
            let elapsed_s = KNOT_STEPS as f64 * STEP_S;
            obstacles.push(Obstacle {
                agent: Some(index),
                knots,
                speed_along_mps: (centers[1].along_m - centers[0].along_m) / elapsed_s,
                speed_across_mps: (centers[1].left_m - centers[0].left_m) / elapsed_s,
                stands,
                all,
            });
        }
    }
}

/// A standing obstacle that covers `extent` for good: a closed region.
pub fn standing(extent: Extent) -> Obstacle {
    Obstacle {
        agent: None,
        knots: [extent; KNOTS],
        speed_along_mps: 0.0,
        speed_across_mps: 0.0,
        stands: true,
        all: extent,
    }
}

fn extent(place: crate::frenet::Frenet, turn_rad: f64, (half_length, half_width): (f64, f64)) -> Extent {
    let (sin, cos) = (turn_rad.sin().abs(), turn_rad.cos().abs());
    let (along, across) = (half_length * cos + half_width * sin, half_length * sin + half_width * cos);
    Extent {
        from_m: place.along_m - along,
        to_m: place.along_m + along,
        right_m: place.left_m - across,
        left_m: place.left_m + across,
    }
}

/// An obstacle in the way of one lateral plan.
#[derive(Debug, Clone)]
pub struct Blocker {
    /// Index among the obstacles.
    pub obstacle: usize,
    /// Its speed along the route, m/s.
    pub speed_mps: f64,
    /// Where it begins at each step, m; infinite while it is not in the way.
    pub from_m: [f64; PLAN_STATES],
    /// Its middle at each step, m.
    pub middle_m: [f64; PLAN_STATES],
    /// The last step at which it is in the way.
    pub last_step: usize,
    /// Whether it crosses the route, rather than driving along it or standing on it.
    pub crosses: bool,
}

/// Fills `blockers` with the obstacles that come within `half_m` of `line` at some step.
pub fn in_the_way(obstacles: &[Obstacle], line: &Line, half_m: f64, blockers: &mut Vec<Blocker>) {
    blockers.clear();
    let (rightmost_m, leftmost_m) = line.range_m();
    for (index, obstacle) in obstacles.iter().enumerate() {
        if obstacle.all.right_m >= leftmost_m + half_m || obstacle.all.left_m <= rightmost_m - half_m {
            continue;
        }
        let mut blocker = Blocker {
            obstacle: index,
            speed_mps: obstacle.speed_along_mps,
            from_m: [f64::INFINITY; PLAN_STATES],
            middle_m: [0.0; PLAN_STATES],
            last_step: 0,
            crosses: obstacle.speed_across_mps.abs() > 0.4
                && obstacle.speed_across_mps.abs() > 0.6 * obstacle.speed_along_mps.abs(),
        };
        let mut blocks = false;
        for step in 0..PLAN_STATES {
            let extent = obstacle.at_step(step);
            let offset_m = line.at(extent.from_m).left_m;
            let far_offset_m = line.at(extent.to_m).left_m;
            let (low, high) = (offset_m.min(far_offset_m), offset_m.max(far_offset_m));
            if extent.right_m < high + half_m && extent.left_m > low - half_m {
                blocker.from_m[step] = extent.from_m;
                blocker.middle_m[step] = (extent.from_m + extent.to_m) / 2.0;
                blocker.last_step = step;
                blocks = true;
            }
            if obstacle.stands {
                if blocks {
                    blocker.from_m = [extent.from_m; PLAN_STATES];
                    blocker.middle_m = [blocker.middle_m[0]; PLAN_STATES];
                    blocker.last_step = PLAN_STATES - 1;
                }
                break;
            }
        }
        if blocks {
            blockers.push(blocker);
        }
    }
}
