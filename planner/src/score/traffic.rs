//! The others over time, laid out so that the score can skip whoever is far away.

use std::collections::BTreeMap;
use std::ops::Range;

use tandem_datasets::{Box2, Class, Pose2};

use super::bounds::{Bounds, Rectangle};
use crate::state::{Agent, STEP_S};

/// Steps that share a bounding box.
pub(super) const BLOCK: usize = 7;

/// Steps that the time-to-collision test looks ahead at most; a block's box covers them too.
pub(super) const LOOK_AHEAD: usize = 9;

/// One agent or object at one step of a driven run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Obstacle {
    /// Its number, stable over time.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// Box centre and heading in the map.
    pub pose: Pose2,
    /// Length along its heading, m; that of the first step it is seen at counts.
    pub length: f64,
    /// Width, m; that of the first step it is seen at counts.
    pub width: f64,
    /// Speed, m/s.
    pub speed_mps: f64,
}

/// Everyone but the ego at steps of [`STEP_S`], predicted or as they really moved. Agents may come and go.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    steps: usize,
    pub(super) bodies: Vec<Body>,
    /// Agent by agent, [`Self::steps`] each; `x` is NaN where the agent is absent.
    placements: Vec<Placement>,
    /// Agent by agent, one per block of steps.
    blocks: Vec<Bounds>,
}

/// What stays the same about an agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Body {
    pub id: u32,
    pub class: Class,
    pub half_length: f64,
    pub half_width: f64,
    /// Half the diagonal, m.
    pub radius: f64,
    /// The whole of its way.
    pub bounds: Bounds,
    /// Whether it never moves or turns while it is there.
    pub standing: bool,
}

/// An agent at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    pub x: f64,
    pub y: f64,
    pub cos: f64,
    pub sin: f64,
    pub speed_mps: f64,
}

const ABSENT: Placement = Placement { x: f64::NAN, y: f64::NAN, cos: 1.0, sin: 0.0, speed_mps: 0.0 };

impl Traffic {
    /// The agents of a planning scene over `steps` steps from now on; a path that ends earlier holds its last pose.
    ///
    /// The speed now is the observed one, later ones are those of the path.
    pub fn predicted(agents: &[Agent], steps: usize) -> Self {
        let mut traffic = Self { steps, ..Self::default() };
        traffic.placements.reserve_exact(agents.len() * steps);
        for agent in agents {
            let Some(&first) = agent.path.first() else { continue };
            let (mut pose, (mut sin, mut cos)) = (first, first.yaw.sin_cos());
            let row = traffic.placements.len();
            for step in 0..steps {
                let next = agent.path.get(step).copied().unwrap_or(pose);
                if next.yaw != pose.yaw {
                    (sin, cos) = next.yaw.sin_cos();
                }
                let speed_mps =
                    if step == 0 { agent.speed_mps } else { (next.x - pose.x).hypot(next.y - pose.y) / STEP_S };
                traffic.placements.push(Placement { x: next.x, y: next.y, cos, sin, speed_mps });
                pose = next;
            }
            traffic.finish(row, agent.id, agent.class, agent.length, agent.width);
        }
        traffic
    }

    /// What really happened: the agents of each step of a run. An id that comes twice in a step counts once.
    pub fn observed<Step: IntoIterator<Item = Obstacle>>(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut rows: BTreeMap<u32, (Obstacle, Vec<Placement>)> = BTreeMap::new();
        let mut count = 0;
        for step in steps {
            for seen in step {
                let (_, row) = rows.entry(seen.id).or_insert_with(|| (seen, Vec::new()));
                row.resize(count + 1, ABSENT);
                let (sin, cos) = seen.pose.yaw.sin_cos();
                row[count] = Placement { x: seen.pose.x, y: seen.pose.y, cos, sin, speed_mps: seen.speed_mps };
            }
            count += 1;
        }
        let mut traffic = Self { steps: count, ..Self::default() };
        for (id, (first, mut row)) in rows {
            row.resize(count, ABSENT);
            let start = traffic.placements.len();
            traffic.placements.append(&mut row);
            traffic.finish(start, id, first.class, first.length, first.width);
        }
        traffic
    }

    /// Adds the body and the boxes for the row of placements that starts at `row`.
    fn finish(&mut self, row: usize, id: u32, class: Class, length: f64, width: f64) {
        let (half_length, half_width) = (length / 2.0, width / 2.0);
        let radius = half_length.hypot(half_width);
        let row = &self.placements[row..];
        let mut bounds = Bounds::EMPTY;
        for from in (0..self.steps).step_by(BLOCK) {
            let mut block = Bounds::EMPTY;
            for placement in &row[from..(from + BLOCK + LOOK_AHEAD).min(self.steps)] {
                block.include(placement.x, placement.y);
            }
            bounds.unite(&block);
            self.blocks.push(block.grown(radius));
        }
        let mut present = row.iter().filter(|placement| !placement.x.is_nan());
        let standing = present.next().is_none_or(|first| {
            present.all(|other| (other.x, other.y, other.cos, other.sin) == (first.x, first.y, first.cos, first.sin))
        });
        let bounds = bounds.grown(radius);
        self.bodies.push(Body { id, class, half_length, half_width, radius, bounds, standing });
    }

    /// How many steps it covers.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many agents and objects there are.
    pub fn agents(&self) -> usize {
        self.bodies.len()
    }

    /// One agent at every step.
    pub(super) fn row(&self, agent: usize) -> &[Placement] {
        &self.placements[agent * self.steps..][..self.steps]
    }

    /// The boxes of one agent, one per [`BLOCK`] steps, each covering [`LOOK_AHEAD`] steps more.
    pub(super) fn blocks(&self, agent: usize) -> &[Bounds] {
        let per_agent = self.steps.div_ceil(BLOCK);
        &self.blocks[agent * per_agent..][..per_agent]
    }

    /// The outline of one agent at one step; its centre is NaN where it is absent.
    pub(super) fn rectangle(&self, agent: usize, step: usize) -> Rectangle {
        let (body, at) = (&self.bodies[agent], &self.row(agent)[step]);
        let Body { half_length, half_width, .. } = *body;
        Rectangle { x: at.x, y: at.y, cos: at.cos, sin: at.sin, half_length, half_width }
    }

    /// The outline of one agent at one step; `None` where it is absent.
    pub fn outline(&self, agent: usize, step: usize) -> Option<Box2> {
        let (body, at) = (self.bodies.get(agent)?, self.row(agent).get(step)?);
        let pose = Pose2::new(at.x, at.y, at.sin.atan2(at.cos));
        (!at.x.is_nan()).then_some(Box2 { pose, length: 2.0 * body.half_length, width: 2.0 * body.half_width })
    }
}

/// The steps of block number `block` out of `steps`.
pub(super) fn block_steps(block: usize, steps: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(steps)
}
