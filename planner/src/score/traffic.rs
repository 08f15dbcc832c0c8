//! The others over time, laid out so that the score can skip whoever is far away.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use tandem_datasets::{Box2, Class, Pose2};

use super::bounds::{Bounds, Rectangle};
use crate::state::{Agent, STEP_S};

/// Steps that the time-to-collision test looks ahead at most.
pub(super) const LOOK_AHEAD: usize = 9;

/// Steps that share a bounding box. As many as are looked ahead, so that a block and the next cover all looks.
pub(super) const BLOCK: usize = LOOK_AHEAD;

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
    poses: Vec<Pose2>,
    /// What costs trigonometry and roots, per agent, once someone comes near it.
    movements: Vec<OnceLock<Box<[Movement]>>>,
    /// Agent by agent, one per block of steps, each covering [`LOOK_AHEAD`] steps more.
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
    /// Its speed at the first step, m/s.
    first_speed_mps: f64,
}

/// How an agent looks and moves at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Movement {
    pub cos: f64,
    pub sin: f64,
    pub speed_mps: f64,
}

const ABSENT: (Pose2, f64) = (Pose2::new(f64::NAN, f64::NAN, 0.0), 0.0);

impl Traffic {
    /// The agents of a planning scene over `steps` steps from now on; a path that ends earlier holds its last pose.
    ///
    /// The speed now is the observed one, later ones are those of the path.
    pub fn predicted(agents: &[Agent], steps: usize) -> Self {
        let mut traffic = Self { steps, ..Self::default() };
        traffic.poses.reserve_exact(agents.len() * steps);
        for Agent { id, class, length, width, path, speed_mps } in agents {
            let Some(&last) = path.last() else { continue };
            let row = traffic.poses.len();
            traffic.poses.extend_from_slice(&path[..steps.min(path.len())]);
            traffic.poses.resize(row + steps, last);
            traffic.finish(row, (*id, *class, *length, *width), *speed_mps);
            traffic.movements.push(OnceLock::new());
        }
        traffic
    }

    /// What really happened: the agents of each step of a run. An id that comes twice in a step counts once.
    pub fn observed<Step: IntoIterator<Item = Obstacle>>(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut rows: BTreeMap<u32, (Obstacle, Vec<(Pose2, f64)>)> = BTreeMap::new();
        let mut count = 0;
        for step in steps {
            for seen in step {
                let (_, row) = rows.entry(seen.id).or_insert_with(|| (seen, Vec::new()));
                row.resize(count + 1, ABSENT);
                row[count] = (seen.pose, seen.speed_mps);
            }
            count += 1;
        }
        let mut traffic = Self { steps: count, ..Self::default() };
        for (id, (first, mut seen)) in rows {
            seen.resize(count, ABSENT);
            let row = traffic.poses.len();
            traffic.poses.extend(seen.iter().map(|(pose, _)| *pose));
            traffic.finish(row, (id, first.class, first.length, first.width), first.speed_mps);
            let movements = seen.iter().map(|(pose, speed_mps)| movement(pose, *speed_mps));
            traffic.movements.push(OnceLock::from(movements.collect::<Box<[_]>>()));
        }
        traffic
    }

    /// Adds the body and the boxes for the row of poses that starts at `row`.
    fn finish(&mut self, row: usize, (id, class, length, width): (u32, Class, f64, f64), first_speed_mps: f64) {
        let (half_length, half_width) = (length / 2.0, width / 2.0);
        let radius = half_length.hypot(half_width);
        let poses = &self.poses[row..];
        let first_block = self.blocks.len();
        let mut bounds = Bounds::EMPTY;
        for chunk in poses.chunks(BLOCK) {
            let mut block = Bounds::EMPTY;
            for pose in chunk {
                block.include(pose.x, pose.y);
            }
            bounds.unite(&block);
            self.blocks.push(block.grown(radius));
        }
        for block in first_block + 1..self.blocks.len() {
            let next = self.blocks[block];
            self.blocks[block - 1].unite(&next);
        }
        let mut present = poses.iter().filter(|pose| !pose.x.is_nan());
        let standing = present.next().is_none_or(|first| present.all(|other| other == first));
        let bounds = bounds.grown(radius);
        self.bodies.push(Body { id, class, half_length, half_width, radius, bounds, standing, first_speed_mps });
    }

    /// How many steps it covers.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many agents and objects there are.
    pub fn agents(&self) -> usize {
        self.bodies.len()
    }

    /// The step at which an agent is first there; 0 for one that never is.
    pub(super) fn first_step(&self, agent: usize) -> usize {
        self.poses(agent).iter().position(|pose| !pose.x.is_nan()).unwrap_or(0)
    }

    /// One agent's poses at every step.
    pub(super) fn poses(&self, agent: usize) -> &[Pose2] {
        &self.poses[agent * self.steps..][..self.steps]
    }

    /// One agent's direction and speed at every step.
    pub(super) fn movements(&self, agent: usize) -> &[Movement] {
        self.movements[agent].get_or_init(|| {
            let (poses, body) = (self.poses(agent), &self.bodies[agent]);
            let mut previous: Option<(Pose2, Movement)> = None;
            let of = |pose: &Pose2| {
                let next = match previous {
                    None => movement(pose, body.first_speed_mps),
                    Some((last, known)) => {
                        let (dx, dy) = (pose.x - last.x, pose.y - last.y);
                        let speed_mps = (dx * dx + dy * dy).sqrt() / STEP_S;
                        if pose.yaw == last.yaw { Movement { speed_mps, ..known } } else { movement(pose, speed_mps) }
                    }
                };
                previous = Some((*pose, next));
                next
            };
            poses.iter().map(of).collect()
        })
    }

    /// The boxes of one agent, one per [`BLOCK`] steps, each covering [`LOOK_AHEAD`] steps more.
    pub(super) fn blocks(&self, agent: usize) -> &[Bounds] {
        let per_agent = self.steps.div_ceil(BLOCK);
        &self.blocks[agent * per_agent..][..per_agent]
    }

    /// The outline of one agent at one step; its centre is NaN where it is absent.
    #[inline]
    pub(super) fn rectangle(&self, agent: usize, step: usize) -> Rectangle {
        let (body, pose, Movement { cos, sin, .. }) =
            (&self.bodies[agent], &self.poses(agent)[step], self.movements(agent)[step]);
        Rectangle { x: pose.x, y: pose.y, cos, sin, half_length: body.half_length, half_width: body.half_width }
    }

    /// The outline of one agent at one step; `None` where it is absent.
    pub fn outline(&self, agent: usize, step: usize) -> Option<Box2> {
        let body = self.bodies.get(agent)?;
        let pose = *self.poses(agent).get(step)?;
        (!pose.x.is_nan()).then_some(Box2 { pose, length: 2.0 * body.half_length, width: 2.0 * body.half_width })
    }
}

fn movement(pose: &Pose2, speed_mps: f64) -> Movement {
    let (sin, cos) = pose.yaw.sin_cos();
    Movement { cos, sin, speed_mps }
}

/// The steps of block number `block` out of `steps`.
pub(super) fn block_steps(block: usize, steps: usize) -> Range<usize> {
    block * BLOCK..((block + 1) * BLOCK).min(steps)
}
