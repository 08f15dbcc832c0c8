//! The plan of a town: a jittered grid of streets, some stretches of it missing, as nodes and the links between them.

use nalgebra::{Point2, Rotation2, Vector2};
use tandem_datasets::Pose2;
use tandem_datasets::geometry::wrap_angle;

use super::super::curve::{Curve, beside};
use super::super::road::Layout;
use super::super::stage::Stage;

/// Nodes along either side of the grid.
const SIDE: usize = 3;

/// The node in the middle, around which everything happens.
pub(super) const CENTER: usize = SIDE * SIDE / 2;

/// How long a link stays straight before a node, m, so that stop lines and crossings lie across it.
const STRAIGHT_M: f64 = 14.0;

/// What runs beside the outer lanes of a street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strip {
    /// The kerb at once.
    None,
    /// A strip to park on.
    Parking,
    /// A strip for bicycles.
    Cycles,
}

/// One street of the grid: all links along a row or a column are alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Street {
    pub layout: Layout,
    pub strip: Strip,
    /// The street of the higher rank goes first where no light rules.
    pub rank: f64,
}

impl Street {
    /// From the middle of the street to its kerb, m.
    pub fn half_m(&self) -> f64 {
        self.layout.forward as f64 * self.layout.lane_m + self.layout.parking_m
    }
}

/// A stretch of a street between two nodes.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The nodes at its start and end.
    pub nodes: [usize; 2],
    pub street: usize,
    /// Its middle, from the edge of one node's junction to that of the other.
    pub reference: Curve,
}

/// Where a link meets a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arm {
    pub link: usize,
    /// 0 where the link starts here, 1 where it ends here.
    pub end: usize,
    /// The street's middle at the edge of the junction, looking away from the node.
    pub outward: Pose2,
}

/// A town's streets.
#[derive(Debug)]
pub(super) struct Plan {
    pub streets: Vec<Street>,
    pub links: Vec<Link>,
    /// The arms of each node, counter-clockwise; a single one where a street leaves the town.
    pub arms: Vec<Vec<Arm>>,
}

/// Draws a plan.
pub(super) fn draw(stage: &mut Stage) -> Plan {
    let streets = streets(stage);
    let mut places = places(stage);
    let pairs = pairs(stage, &mut places);
    // Each arm leaves its node roughly towards the other end.
    let mut arms: Vec<Vec<Arm>> = vec![Vec::new(); places.len()];
    for (link, &(nodes, _)) in pairs.iter().enumerate() {
        for end in 0..2 {
            let (here, there) = (places[nodes[end]], places[nodes[1 - end]]);
            let towards = there - here;
            let yaw = wrap_angle(towards.y.atan2(towards.x) + stage.draw(-0.12, 0.12));
            arms[nodes[end]].push(Arm { link, end, outward: Pose2::new(here.x, here.y, yaw) });
        }
    }
    for around in &mut arms {
        around.sort_by(|a, b| a.outward.yaw.total_cmp(&b.outward.yaw));
        let radius_m = radius(around, stage.draw(8.0, 11.0), |arm| streets[pairs[arm.link].1].half_m());
        around.iter_mut().for_each(|arm| arm.outward = arm.outward.ahead(radius_m));
    }
    let outward = |node: usize, link: usize| {
        let arm = arms[node].iter().find(|arm| arm.link == link);
        arm.map_or_else(Pose2::default, |arm| arm.outward)
    };
    let link = |(index, &(nodes, street)): (usize, &([usize; 2], usize))| {
        let (from, to) = (outward(nodes[0], index), outward(nodes[1], index));
        let to = Pose2::new(to.x, to.y, wrap_angle(to.yaw + std::f64::consts::PI));
        Link { nodes, street, reference: reference(stage, from, to) }
    };
    let links = pairs.iter().enumerate().map(link).collect();
    Plan { streets, links, arms }
}

/// Rows first, then columns.
fn streets(stage: &mut Stage) -> Vec<Street> {
    let wide = [stage.chance(0.6), stage.chance(0.4)].map(|is| is.then(|| stage.draw(0.0, SIDE as f64) as usize));
    let street = |index: usize| {
        let is_wide = wide[index / SIDE] == Some(index % SIDE);
        let lanes = if is_wide { 2 } else { 1 };
        let (strip, parking_m) = match stage.draw(0.0, 1.0) {
            p if p < 0.6 => (Strip::Parking, stage.draw(2.4, 2.8)),
            p if p < 0.8 => (Strip::Cycles, stage.draw(1.6, 2.0)),
            _ => (Strip::None, 0.0),
        };
        let limit_mps = if is_wide { stage.draw(10.5, 14.0) } else { stage.draw(8.0, 11.5) };
        let layout = Layout { forward: lanes, backward: lanes, lane_m: stage.draw(3.3, 3.8), parking_m, limit_mps };
        Street { layout, strip, rank: lanes as f64 + stage.draw(0.0, 0.5) }
    };
    (0..2 * SIDE).map(street).collect()
}

/// The nodes of the grid: blocks of all sizes, moved a little each, and the whole of it sheared and turned.
fn places(stage: &mut Stage) -> Vec<Point2<f64>> {
    let mut cuts = || {
        let mut at_m = 0.0;
        (0..SIDE)
            .map(|_| {
                let here = at_m;
                at_m += stage.draw(92.0, 150.0);
                here
            })
            .collect::<Vec<f64>>()
    };
    let (columns, rows) = (cuts(), cuts());
    let (shear, turned) = (stage.draw(-0.2, 0.2), Rotation2::new(stage.draw(-3.1, 3.1)));
    let origin = Point2::new(stage.draw(200.0, 1200.0), stage.draw(200.0, 1200.0));
    let place = |index: usize| {
        let (x, y) = (columns[index % SIDE] + stage.draw(-8.0, 8.0), rows[index / SIDE] + stage.draw(-8.0, 8.0));
        origin + turned * Vector2::new(x + shear * y, y)
    };
    (0..SIDE * SIDE).map(place).collect()
}

/// The pairs of nodes that are linked, with the street; adds nodes outside the grid where streets leave it.
fn pairs(stage: &mut Stage, places: &mut Vec<Point2<f64>>) -> Vec<([usize; 2], usize)> {
    let mut pairs = Vec::new();
    for (index, step, along) in (0..SIDE * SIDE).flat_map(|node| [(node, 1, node % SIDE), (node, SIDE, node / SIDE)]) {
        let street = if step == 1 { index / SIDE } else { SIDE + index % SIDE };
        if along + 1 < SIDE {
            let keeps = [index, index + step].contains(&CENTER) || stage.chance(0.88);
            if keeps {
                pairs.push(([index, index + step], street));
            }
            if along > 0 {
                continue;
            }
        }
        if stage.chance(0.85) {
            let inner = if along == 0 { index + step } else { index - step };
            let out = (places[index] - places[inner]).normalize() * stage.draw(75.0, 110.0);
            places.push(places[index] + out);
            pairs.push(([index, places.len() - 1], street));
        }
    }
    if stage.chance(0.35) {
        let at_center: Vec<_> = (0..pairs.len()).filter(|&pair| pairs[pair].0.contains(&CENTER)).collect();
        let missing = stage.draw(0.0, at_center.len() as f64) as usize;
        pairs.remove(at_center[missing]);
    }
    pairs
}

/// How far from the node the arms have to end for kerbs with a radius of `corner_m` to fit between them, m.
fn radius(arms: &[Arm], corner_m: f64, half_m: impl Fn(&Arm) -> f64) -> f64 {
    if arms.len() < 2 {
        return 0.0;
    }
    let between = |(index, arm): (usize, &Arm)| {
        let next = &arms[(index + 1) % arms.len()];
        let angle = (next.outward.yaw - arm.outward.yaw).rem_euclid(std::f64::consts::TAU);
        let widest_m = half_m(arm).max(half_m(next));
        // The kerbs cross where two strips of the same half width do: w / tan(angle / 2).
        if angle < 2.6 { widest_m / (angle / 2.0).tan() } else { 0.0 }
    };
    let crossing_m = arms.iter().enumerate().map(between).fold(0.0, f64::max);
    (crossing_m + corner_m).clamp(12.0, 30.0)
}

/// A line from one pose to another, straight at its ends and with a bend or two between.
fn reference(stage: &mut Stage, from: Pose2, to: Pose2) -> Curve {
    let start = Curve::start(from).straight(STRAIGHT_M);
    let end = to.ahead(-STRAIGHT_M);
    let way = end.position() - start.end().position();
    let bent = if way.norm() > 50.0 && stage.chance(0.6) {
        let middle = start.end().lerp(&end, 0.5);
        let swerve_m = stage.draw(-5.0, 5.0);
        start.bend(beside(Pose2::new(middle.x, middle.y, way.y.atan2(way.x)), swerve_m)).bend(end)
    } else {
        start.bend(end)
    };
    bent.straight(STRAIGHT_M)
}
