//! The ego over time and the ground it covers: footprints, boxes around them, and lazily what lies beneath.

use std::cell::Cell;

use nalgebra::Point2;
use tandem_datasets::{EgoBody, LaneId, Map};

use super::bounds::{Bounds, Rectangle};
use super::traffic::{BLOCK, LOOK_AHEAD, Traffic, block_steps};
use crate::route::Route;
use crate::state::{STEP_S, VehicleState};

/// Steps by which a track may begin later than its object could be seen: nuScenes names objects every half second.
const UNSEEN_STEPS: usize = 5;

/// Where one is driven and by what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub body: EgoBody,
    pub map: &'a Map,
    pub route: &'a Route,
}

/// A plan or a driven run, made ready to be scored.
#[derive(Debug)]
pub(super) struct Motion<'a> {
    pub place: Place<'a>,
    pub states: &'a [VehicleState],
    /// The outline at each step, reference point its centre.
    pub outlines: Vec<Rectangle>,
    /// Half the outline's diagonal, m.
    pub radius: f64,
    pub bounds: Bounds,
    /// Per [`BLOCK`] steps: all outlines, also those moved on at constant velocity by [`LOOK_AHEAD`] steps.
    blocks: Vec<Bounds>,
    off_road: Vec<Cell<Option<bool>>>,
    several_lanes: Vec<Cell<Option<bool>>>,
}

impl<'a> Motion<'a> {
    pub fn new(states: &'a [VehicleState], place: Place<'a>) -> Self {
        let body = place.body;
        let (half_length, half_width) = (body.length / 2.0, body.width / 2.0);
        let radius = half_length.hypot(half_width);
        let mut outlines = Vec::with_capacity(states.len());
        let mut blocks = Vec::with_capacity(states.len().div_ceil(BLOCK));
        let mut bounds = Bounds::EMPTY;
        for chunk in states.chunks(BLOCK) {
            let mut block = Bounds::EMPTY;
            for state in chunk {
                let (sin, cos) = state.pose.yaw.sin_cos();
                let (x, y) =
                    (state.pose.x + cos * body.rear_axle_to_center, state.pose.y + sin * body.rear_axle_to_center);
                let ahead_m = state.speed_mps * STEP_S * LOOK_AHEAD as f64;
                block.include(x, y);
                block.include(x + cos * ahead_m, y + sin * ahead_m);
                outlines.push(Rectangle { x, y, cos, sin, half_length, half_width });
            }
            let block = block.grown(radius);
            bounds.unite(&block);
            blocks.push(block);
        }
        let unknown = vec![Cell::new(None); states.len()];
        Self { place, states, outlines, radius, bounds, blocks, off_road: unknown.clone(), several_lanes: unknown }
    }

    /// The outline's centre.
    pub fn center(&self, step: usize) -> Point2<f64> {
        Point2::new(self.outlines[step].x, self.outlines[step].y)
    }

    /// Whether a corner is outside the drivable area.
    pub fn is_off_road(&self, step: usize) -> bool {
        memo(&self.off_road[step], || {
            self.outlines[step].corners().iter().any(|corner| !self.place.map.is_drivable(*corner))
        })
    }

    /// Whether corners lie in more than one lane and no lane holds them all.
    pub fn is_in_several_lanes(&self, step: usize) -> bool {
        memo(&self.several_lanes[step], || {
            let corners = self.outlines[step].corners();
            let mut lanes: Vec<LaneId> =
                corners.iter().flat_map(|corner| self.place.map.lane_ids_at(*corner)).collect();
            lanes.sort_unstable();
            let mut counts = lanes.chunk_by(|a, b| a == b).map(<[LaneId]>::len);
            let distinct = counts.clone().count();
            distinct > 1 && counts.all(|count| count < 4)
        })
    }

    /// Whether the ego is where it answers for lateral hits: in several lanes or off the drivable area.
    pub fn answers_for_sides(&self, step: usize) -> bool {
        self.is_in_several_lanes(step) || self.is_off_road(step)
    }

    /// Whether the centre is neither in a lane of the route nor in an intersection.
    pub fn is_off_route(&self, step: usize) -> bool {
        let (center, map, route) = (self.center(step), self.place.map, self.place.route);
        !map.lane_ids_at(center).any(|lane| route.is_on_route(lane)) && !map.in_intersection(center)
    }

    /// Calls `visit` for each agent and each range of steps in which the agent may come near, in rising order, until
    /// it returns false for that agent. Agents that [`Self::appears_upon`] tells of are left out.
    pub fn near(&self, traffic: &Traffic, mut visit: impl FnMut(usize, std::ops::Range<usize>) -> bool) {
        let steps = self.states.len().min(traffic.steps());
        for (agent, body) in traffic.bodies.iter().enumerate() {
            if steps == 0 || !body.bounds.meets(&self.bounds) {
                continue;
            }
            let blocks = self.blocks.iter().zip(traffic.blocks(agent)).enumerate();
            let mut seen = false;
            for (block, (ego, other)) in blocks {
                if !ego.meets(other) {
                    continue;
                }
                if !seen && self.appears_upon(traffic, agent) {
                    break;
                }
                seen = true;
                if !visit(agent, block_steps(block, steps)) {
                    break;
                }
            }
        }
    }

    /// Whether an agent overlaps the ego as it appears: at the start, or later within [`UNSEEN_STEPS`] of where it is
    /// first known.
    pub fn appears_upon(&self, traffic: &Traffic, agent: usize) -> bool {
        let first = traffic.first_step(agent);
        let last = if first == 0 { 0 } else { first + UNSEEN_STEPS };
        (first..=last)
            .take_while(|step| *step < self.states.len().min(traffic.steps()))
            .any(|step| self.overlaps(traffic, agent, step))
    }

    /// Whether the ego and an agent overlap at a step.
    #[inline]
    pub fn overlaps(&self, traffic: &Traffic, agent: usize, step: usize) -> bool {
        let (ego, other, body) = (&self.outlines[step], &traffic.poses(agent)[step], &traffic.bodies[agent]);
        let (dx, dy, reach) = (other.x - ego.x, other.y - ego.y, self.radius + body.radius);
        dx * dx + dy * dy <= reach * reach && ego.meets(&traffic.rectangle(agent, step))
    }
}

fn memo(cell: &Cell<Option<bool>>, find: impl FnOnce() -> bool) -> bool {
    cell.get().unwrap_or_else(|| {
        let found = find();
        cell.set(Some(found));
        found
    })
}
