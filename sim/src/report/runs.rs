//! A run as columns: the ego, the human, the plan, its predicted scores, the others and the lights.

use std::collections::BTreeMap;

use nalgebra::Point2;
use tandem_datasets::{Class, LaneId, Map, SignalColor};
use tandem_planner::SubScores;

use crate::report::columns::Columns;
use crate::report::sight;
use crate::report::signals::Signals;
use crate::trace::{Frame, FrameAgent, Trace};

/// Steps to which quantities are kept: m, rad, s, m/s (and its derivatives), sub-scores.
const POSITION_M: f64 = 0.01;
const ANGLE_RAD: f64 = 0.001;
const TIME_S: f64 = 0.001;
const RATE: f64 = 0.001;
const SCORE: f64 = 0.001;

/// The classes, in the order that the page knows them by.
pub const CLASSES: [(Class, &str); 11] = [
    (Class::Car, "car"),
    (Class::Truck, "truck"),
    (Class::Bus, "bus"),
    (Class::Trailer, "trailer"),
    (Class::Motorcycle, "motorcycle"),
    (Class::Bicycle, "bicycle"),
    (Class::Pedestrian, "pedestrian"),
    (Class::Animal, "animal"),
    (Class::Cone, "cone"),
    (Class::Barrier, "barrier"),
    (Class::Other, "object"),
];

/// A class's name, for people.
pub fn class_name(class: Class) -> &'static str {
    CLASSES.iter().find(|(other, _)| *other == class).map_or("object", |(_, name)| name)
}

/// A class's place in [`CLASSES`].
pub fn class_number(class: Class) -> usize {
    CLASSES.iter().position(|(other, _)| *other == class).unwrap_or(CLASSES.len() - 1)
}

/// A run's columns, positions counted from `origin`.
pub fn encode(trace: &Trace, signals: &Signals, origin: [f64; 2]) -> Columns {
    let mut columns = Columns::default();
    ego(&mut columns, trace, signals, origin);
    plans(&mut columns, trace);
    agents(&mut columns, &trace.frames, origin);
    lights(&mut columns, trace, origin);
    if let Some(seen) = &trace.seen {
        sight::encode(&mut columns, seen, origin);
    }
    for (axis, name) in ["route.x", "route.y"].into_iter().enumerate() {
        columns.push(name, POSITION_M, trace.route.iter().map(|point| point[axis] - origin[axis]));
    }
    columns
}

fn ego(columns: &mut Columns, trace: &Trace, signals: &Signals, [x, y]: [f64; 2]) {
    let frames = &trace.frames;
    let mut of_ego = |name: &str, step: f64, value: &dyn Fn(&Frame) -> f64| {
        columns.push(name, step, frames.iter().map(value));
    };
    of_ego("time", TIME_S, &|frame| frame.time_s);
    of_ego("ego.x", POSITION_M, &|frame| frame.ego.pose.x - x);
    of_ego("ego.y", POSITION_M, &|frame| frame.ego.pose.y - y);
    of_ego("ego.yaw", ANGLE_RAD, &|frame| frame.ego.pose.yaw);
    of_ego("ego.speed", RATE, &|frame| frame.ego.speed_mps);
    of_ego("ego.steering", ANGLE_RAD, &|frame| frame.ego.steering_rad);
    of_ego("human.x", POSITION_M, &|frame| frame.human.map_or(f64::NAN, |pose| pose.x - x));
    of_ego("human.y", POSITION_M, &|frame| frame.human.map_or(f64::NAN, |pose| pose.y - y));
    of_ego("human.yaw", ANGLE_RAD, &|frame| frame.human.map_or(f64::NAN, |pose| pose.yaw));
    of_ego("limit.speed", RATE, &|frame| speed_limit_mps(&trace.map, frame).unwrap_or(f64::NAN));
    columns.push("human.speed", RATE, signals.human_speed_mps.iter().copied());
    columns.push("ttc", TIME_S, signals.ttc_s.iter().copied());
    for (index, values) in signals.comfort.iter().enumerate() {
        columns.push(&format!("comfort.{index}"), RATE, values.iter().copied());
    }
}

/// The highest limit among the lanes under the ego.
fn speed_limit_mps(map: &Map, frame: &Frame) -> Option<f64> {
    let under = map.lanes_at(Point2::new(frame.ego.pose.x, frame.ego.pose.y));
    under.into_iter().filter_map(|lane| map.lane(lane).speed_limit_mps).reduce(f64::max)
}

/// The proposals that were in force, each once, in the order of their first use.
pub fn proposals(trace: &Trace) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for frame in &trace.frames {
        if !names.contains(&frame.proposal.as_str()) {
            names.push(&frame.proposal);
        }
    }
    names
}

fn plans(columns: &mut Columns, trace: &Trace) {
    let frames = &trace.frames;
    let names = proposals(trace);
    let proposal = |frame: &Frame| names.iter().position(|name| *name == frame.proposal).unwrap_or(0) as f64;
    columns.push("plan.proposal", 1.0, frames.iter().map(proposal));
    columns.push("plan.count", 1.0, frames.iter().map(|frame| frame.plan.len() as f64));
    for (axis, name) in ["plan.x", "plan.y"].into_iter().enumerate() {
        // Counted from the ego, a plan starts near zero and takes few bytes.
        let from_ego = |frame: &Frame| [frame.ego.pose.x, frame.ego.pose.y][axis];
        let points = frames.iter().flat_map(|frame| frame.plan.iter().map(move |point| point[axis] - from_ego(frame)));
        columns.push(name, POSITION_M, points);
    }
    let names = ["nc", "dac", "ddc", "tlc", "ep", "ttc", "lk", "hc", "ec"];
    for (index, name) in names.into_iter().enumerate() {
        let value = |frame: &Frame| frame.scores.as_ref().map_or(f64::NAN, |scores| in_order(scores)[index]);
        columns.push(&format!("predicted.{name}"), SCORE, frames.iter().map(value));
    }
}

fn in_order(scores: &SubScores) -> [f64; 9] {
    let SubScores { nc, dac, ddc, tlc, ep, ttc, lk, hc, ec } = *scores;
    [nc, dac, ddc, tlc, ep, ttc, lk, hc, ec]
}

/// What stays the same of an agent: number, class, length and width in steps of position.
type Body = (u32, usize, i64, i64);

/// Agents one after the other, each as the stretches of frames in which it was there.
fn agents(columns: &mut Columns, frames: &[Frame], origin: [f64; 2]) {
    let mut seen: BTreeMap<Body, Vec<(usize, &FrameAgent)>> = BTreeMap::new();
    for (index, frame) in frames.iter().enumerate() {
        for agent in &frame.agents {
            let steps = |size_m: f64| (size_m / POSITION_M).round() as i64;
            let body = (agent.id, class_number(agent.class), steps(agent.length), steps(agent.width));
            seen.entry(body).or_default().push((index, agent));
        }
    }
    columns.push("agent.id", 1.0, seen.keys().map(|body| f64::from(body.0)));
    columns.push("agent.class", 1.0, seen.keys().map(|body| body.1 as f64));
    columns.push("agent.length", POSITION_M, seen.keys().map(|body| body.2 as f64 * POSITION_M));
    columns.push("agent.width", POSITION_M, seen.keys().map(|body| body.3 as f64 * POSITION_M));

    let stretches: Vec<(usize, usize, usize)> = seen.values().enumerate().flat_map(stretches).collect();
    columns.push("stretch.agent", 1.0, stretches.iter().map(|stretch| stretch.0 as f64));
    columns.push("stretch.first", 1.0, stretches.iter().map(|stretch| stretch.1 as f64));
    columns.push("stretch.count", 1.0, stretches.iter().map(|stretch| stretch.2 as f64));

    let states = || seen.values().flatten().map(|(_, agent)| agent);
    columns.push("agent.x", POSITION_M, states().map(|agent| agent.pose.x - origin[0]));
    columns.push("agent.y", POSITION_M, states().map(|agent| agent.pose.y - origin[1]));
    columns.push("agent.yaw", ANGLE_RAD, states().map(|agent| agent.pose.yaw));
    columns.push("agent.speed", POSITION_M, states().map(|agent| agent.speed_mps));
}

/// Unbroken stretches of frames of one agent: agent, first frame, number of frames.
fn stretches((agent, states): (usize, &Vec<(usize, &FrameAgent)>)) -> Vec<(usize, usize, usize)> {
    let unbroken = states.chunk_by(|a, b| b.0 == a.0 + 1);
    unbroken.map(|stretch| (agent, stretch[0].0, stretch.len())).collect()
}

/// Lights: where each stands (the start of the lane it controls), and its colour over the frames.
fn lights(columns: &mut Columns, trace: &Trace, origin: [f64; 2]) {
    let mut colors: BTreeMap<LaneId, Vec<f64>> = BTreeMap::new();
    for (index, frame) in trace.frames.iter().enumerate() {
        for (lane, color) in &frame.signals {
            let of_lane = colors.entry(*lane).or_insert_with(|| vec![f64::NAN; trace.frames.len()]);
            of_lane[index] = match color {
                SignalColor::Unknown => 0.0,
                SignalColor::Red => 1.0,
                SignalColor::Yellow => 2.0,
                SignalColor::Green => 3.0,
            };
        }
    }
    let start = |lane: &LaneId| {
        let centerline = trace.map.parts().lanes.get(lane.0 as usize).map(|lane| lane.centerline.as_slice());
        match centerline {
            Some([first, second, ..]) => {
                [first.x - origin[0], first.y - origin[1], (second.y - first.y).atan2(second.x - first.x)]
            }
            _ => [f64::NAN; 3],
        }
    };
    columns.push("light.lane", 1.0, colors.keys().map(|lane| f64::from(lane.0)));
    columns.push("light.x", POSITION_M, colors.keys().map(|lane| start(lane)[0]));
    columns.push("light.y", POSITION_M, colors.keys().map(|lane| start(lane)[1]));
    columns.push("light.yaw", ANGLE_RAD, colors.keys().map(|lane| start(lane)[2]));
    columns.push("light.color", 1.0, colors.values().flatten().copied());
}
