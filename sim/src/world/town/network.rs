//! The town's plan becomes a map and a graph of ways: lanes, turns across junctions, stop lines, crossings and lights.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{LaneId, Line, LineKind, Polygon, Pose2};

use super::super::curve::{Curve, beside};
use super::super::road::Road;
use super::super::stage::Stage;
use super::lights;
use super::plan::{Arm, Plan};

/// From the edge of a junction to the middle of a crossing, and the crossing's width, m.
const CROSSING_M: (f64, f64) = (4.5, 4.0);

/// Paths nearer to each other than this are not driven at the same time, m.
const APART_M: f64 = 3.0;

/// Beyond the kerb on either side of a crossing, m: where people wait.
pub(super) const WAIT_M: f64 = 1.5;

/// Where a turn leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Left,
    Straight,
    Right,
}

/// Where two ways across a junction cross or join.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conflict {
    pub other: usize,
    /// The stretch of this way that is too near to the other, m along it.
    pub own_m: [f64; 2],
    /// The stretch of the other that is too near to this one, m along it.
    pub other_m: [f64; 2],
}

/// The way across a junction.
#[derive(Debug, Clone)]
pub(super) struct Movement {
    pub turn: Turn,
    /// Who has the lower number goes first.
    pub order: u8,
    /// Ways across the same junction that meet this one.
    pub conflicts: Vec<Conflict>,
    /// Ways that start in the same lane, and how far they share it, m.
    pub siblings: Vec<(usize, f64)>,
}

/// Where on a link a lane is.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkLane {
    pub link: usize,
    /// The node that it leads to.
    pub to: usize,
    /// Whether it is the lane next to the kerb.
    pub outermost: bool,
}

/// A crossing on a way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    pub crossing: usize,
    /// Where it starts and ends, m along the way.
    pub along_m: [f64; 2],
    /// Where the way crosses the crossing, m along the crossing's own line.
    pub across_m: f64,
}

/// A lane or a way across a junction; its number is that of the map's lane.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub curve: Curve,
    pub limit_mps: f64,
    /// The link that it is a lane of; `None` across junctions.
    pub lane: Option<LinkLane>,
    pub next: Vec<usize>,
    pub movement: Option<Movement>,
    /// Where to stop before the junction at its end, m along the way.
    pub stop_m: f64,
    /// The light at its end.
    pub light: Option<usize>,
    pub passages: Vec<Passage>,
}

/// A pedestrian crossing.
#[derive(Debug, Clone)]
pub(super) struct Crossing {
    /// From where people wait on one side to where they arrive on the other.
    pub line: Curve,
    /// The light of those who drive over it.
    pub light: Option<usize>,
}

/// What traffic moves on.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub ways: Vec<Way>,
    pub crossings: Vec<Crossing>,
}

/// Draws the map of a plan and connects it.
pub(super) fn build(stage: &mut Stage, plan: &Plan) -> Network {
    let mut network = Network::default();
    let mut roads = Vec::new();
    for (number, link) in plan.links.iter().enumerate() {
        let street = &plan.streets[link.street];
        let road = stage.map.road(&link.reference, &street.layout);
        for (lanes, to) in [(&road.forward, link.nodes[1]), (&road.backward, link.nodes[0])] {
            for (index, (_, curve)) in lanes.iter().enumerate() {
                let lane = LinkLane { link: number, to, outermost: index + 1 == lanes.len() };
                network.ways.push(Way::new(curve.clone(), street.layout.limit_mps, Some(lane)));
            }
        }
        roads.push(road);
    }
    for arms in plan.arms.iter().filter(|arms| arms.len() > 1) {
        junction(stage, plan, &roads, arms, &mut network);
    }
    network
}

impl Way {
    fn new(curve: Curve, limit_mps: f64, lane: Option<LinkLane>) -> Self {
        let stop_m = curve.length() - 1.5;
        let (next, passages) = (Vec::new(), Vec::new());
        Self { curve, limit_mps, lane, next, movement: None, stop_m, light: None, passages }
    }
}

fn incoming<'a>(roads: &'a [Road], arm: &Arm) -> &'a [(LaneId, Curve)] {
    if arm.end == 0 { &roads[arm.link].backward } else { &roads[arm.link].forward }
}

fn outgoing<'a>(roads: &'a [Road], arm: &Arm) -> &'a [(LaneId, Curve)] {
    if arm.end == 0 { &roads[arm.link].forward } else { &roads[arm.link].backward }
}

fn junction(stage: &mut Stage, plan: &Plan, roads: &[Road], arms: &[Arm], network: &mut Network) {
    surface(stage, plan, arms);
    let street = |arm: &Arm| &plan.streets[plan.links[arm.link].street];
    let wide = arms.iter().any(|arm| street(arm).layout.forward > 1);
    let has_lights = arms.len() > 2 && stage.chance(if wide { 0.75 } else { 0.45 });
    let first_light = stage.lights.len();
    if has_lights {
        let pair = lights::pair(stage);
        stage.lights.extend(pair);
    }
    // The arms of one street share a light.
    let ranks = arms.iter().map(|arm| street(arm).rank);
    let (highest, one_street) = (ranks.fold(0.0, f64::max), plan.links[arms[0].link].street);
    for arm in arms {
        let light = has_lights.then(|| first_light + usize::from(plan.links[arm.link].street != one_street));
        for (lane, _) in incoming(roads, arm) {
            network.ways[lane.0 as usize].light = light;
        }
        if arms.len() > 2 && stage.chance(0.8) {
            crossing(stage, plan, roads, arm, light, network);
        }
        for (lane, curve) in incoming(roads, arm) {
            let (stop_m, half_m) = (network.ways[lane.0 as usize].stop_m, street(arm).layout.lane_m / 2.0);
            let points = [half_m, -half_m].map(|left_m| beside(curve.at(stop_m + 0.4), left_m).position()).to_vec();
            if arms.len() > 2 {
                stage.map.parts.lines.push(Line { kind: LineKind::Stop, points });
            }
        }
    }
    let first_way = network.ways.len();
    for from in arms {
        let major = has_lights || street(from).rank >= highest;
        for (entry, exit, turn) in movements(arms, roads, from) {
            let ((from_lane, from_curve), (to_lane, to_curve)) = (entry, exit);
            let connector = Curve::start(from_curve.end()).bend(to_curve.at(0.0));
            let lane = stage.map.lane(&connector, &street(from).layout, arms.len() > 2);
            stage.map.connect(*from_lane, lane);
            stage.map.connect(lane, *to_lane);
            network.ways[from_lane.0 as usize].next.push(lane.0 as usize);
            if let Some(light) = network.ways[from_lane.0 as usize].light {
                let stop = from_curve.at(network.ways[from_lane.0 as usize].stop_m);
                stage.light_lanes.push((light, lane, [stop.x, stop.y]));
            }
            let order = 2 * u8::from(!major) + u8::from(turn == Turn::Left);
            let mut way = Way::new(connector, street(from).layout.limit_mps, None);
            way.next = vec![to_lane.0 as usize];
            way.movement = Some(Movement { turn, order, conflicts: Vec::new(), siblings: Vec::new() });
            network.ways.push(way);
        }
    }
    relate(network, first_way);
}

/// A lane of a road, by number in the map.
type RoadLane = (LaneId, Curve);

/// The ways that lead from an arm across the junction: entry, exit and turn.
fn movements<'a>(arms: &[Arm], roads: &'a [Road], from: &Arm) -> Vec<(&'a RoadLane, &'a RoadLane, Turn)> {
    let entries = incoming(roads, from);
    let others = || arms.iter().filter(|arm| arm.link != from.link || arm.end != from.end);
    let turn_to = |to: &Arm| {
        let turned = wrap_angle(to.outward.yaw - from.outward.yaw - std::f64::consts::PI);
        match turned {
            turned if turned > 0.6 => Turn::Left,
            turned if turned < -0.6 => Turn::Right,
            _ => Turn::Straight,
        }
    };
    let all_lanes = arms.len() == 2;
    let mut found = Vec::new();
    for to in others() {
        let (exits, turn) = (outgoing(roads, to), turn_to(to));
        let last = (entries.len() - 1, exits.len() - 1);
        let pairs = match turn {
            Turn::Left if !all_lanes => vec![(0, 0)],
            Turn::Right if !all_lanes => vec![last],
            _ => (0..entries.len()).map(|lane| (lane, lane.min(last.1))).collect(),
        };
        found.extend(pairs.into_iter().map(|(entry, exit)| (entry, &exits[exit], turn)));
    }
    // Nobody is to be stuck in a lane without a way on.
    for lane in 0..entries.len() {
        if !found.iter().any(|(entry, ..)| *entry == lane)
            && let Some(to) = others().next()
        {
            let exits = outgoing(roads, to);
            found.push((lane, &exits[lane.min(exits.len() - 1)], turn_to(to)));
        }
    }
    found.into_iter().map(|(entry, exit, turn)| (&entries[entry], exit, turn)).collect()
}

/// Finds out which ways across a junction cross, join or part from one another.
fn relate(network: &mut Network, first_way: usize) {
    let junction = first_way..network.ways.len();
    let starts: Vec<_> = junction.clone().map(|way| network.ways[way].curve.at(0.0).position()).collect();
    let points: Vec<Vec<Pose2>> = junction.clone().map(|way| network.ways[way].curve.points(1.0)).collect();
    let is_near = |a: &Pose2, b: &Pose2| (a.position() - b.position()).norm_squared() < APART_M * APART_M;
    for (a, way) in junction.clone().enumerate() {
        for (b, other) in junction.clone().enumerate().filter(|&(b, _)| b != a) {
            let Some(movement) = network.ways[way].movement.as_mut() else { continue };
            if (starts[a] - starts[b]).norm() < 0.1 {
                let shared = points[a].iter().zip(&points[b]).take_while(|(here, there)| is_near(here, there));
                movement.siblings.push((other, shared.count() as f64 + 3.0));
                continue;
            }
            let (mut own_m, mut other_m) = ([f64::INFINITY, 0.0_f64], [f64::INFINITY, 0.0_f64]);
            for (m, here) in points[a].iter().enumerate() {
                for (n, _) in points[b].iter().enumerate().filter(|(_, there)| is_near(here, there)) {
                    // Points are at most a metre apart.
                    own_m = [own_m[0].min(m as f64 - 1.0), own_m[1].max(m as f64 + 1.0)];
                    other_m = [other_m[0].min(n as f64 - 1.0), other_m[1].max(n as f64 + 1.0)];
                }
            }
            if own_m[0].is_finite() {
                movement.conflicts.push(Conflict { other, own_m, other_m });
            }
        }
    }
}

/// The junction's surface and the kerbs between its arms.
fn surface(stage: &mut Stage, plan: &Plan, arms: &[Arm]) {
    let mut exterior = Vec::new();
    let corner = |arm: &Arm, side: f64| {
        let half_m = plan.streets[plan.links[arm.link].street].half_m();
        beside(arm.outward, side * half_m)
    };
    for (index, arm) in arms.iter().enumerate() {
        let (left, right) = (corner(arm, 1.0), corner(&arms[(index + 1) % arms.len()], -1.0));
        let inward = Pose2::new(left.x, left.y, wrap_angle(left.yaw + std::f64::consts::PI));
        let kerb: Vec<_> = Curve::start(inward).bend(right).points(1.0).iter().map(Pose2::position).collect();
        exterior.push(corner(arm, -1.0).position());
        exterior.extend(&kerb[..kerb.len() - 1]);
        stage.map.parts.lines.push(Line { kind: LineKind::RoadEdge, points: kerb });
    }
    let area = Polygon { exterior, holes: Vec::new() };
    stage.map.parts.drivable.push(area.clone());
    if arms.len() > 2 {
        stage.map.parts.intersections.push(area);
    }
}

/// A crossing over an arm, before which those who come in stop.
fn crossing(stage: &mut Stage, plan: &Plan, roads: &[Road], arm: &Arm, light: Option<usize>, network: &mut Network) {
    let link = &plan.links[arm.link];
    let half_m = plan.streets[link.street].half_m();
    let (middle_m, width_m) = CROSSING_M;
    let along_m = if arm.end == 0 { middle_m } else { link.reference.length() - middle_m };
    stage.map.crossing(&link.reference, along_m, width_m, half_m, -half_m);
    let left = beside(arm.outward.ahead(middle_m), half_m + WAIT_M);
    let from = Pose2::new(left.x, left.y, wrap_angle(left.yaw - std::f64::consts::FRAC_PI_2));
    let line = Curve::start(from).straight(2.0 * (half_m + WAIT_M));
    let crossing = network.crossings.len();
    for (lanes, comes_in) in [(incoming(roads, arm), true), (outgoing(roads, arm), false)] {
        for (lane, curve) in lanes {
            let way = &mut network.ways[lane.0 as usize];
            let near_m = middle_m - width_m / 2.0;
            let along_m = if comes_in { curve.length() - near_m - width_m } else { near_m };
            if comes_in {
                way.stop_m = along_m - 1.2;
            }
            let across_m = line.project(curve.at(along_m + width_m / 2.0).position()).0;
            way.passages.push(Passage { crossing, along_m: [along_m, along_m + width_m], across_m });
        }
    }
    network.crossings.push(Crossing { line, light });
}
