//! Runs made by hand for the tests of the report: a curved street with everything on it that the report can draw.

#![allow(clippy::unwrap_used)]

pub mod worlds;

use std::f64::consts::PI;
use std::sync::Arc;

use nalgebra::{Point2, Point3};
use tandem_datasets::{
    Class, EgoBody, Lane, LaneId, LaneUse, Line, LineKind, Map, MapParts, Polygon, Pose2, SignalColor,
};
use tandem_planner::score::{Event, Part};
use tandem_planner::{SubScores, VehicleState};
use tandem_sim::{Frame, FrameAgent, RunResult, Trace};

const STEP_S: f64 = 0.1;
const LANE_M: f64 = 3.5;
const LENGTH_M: f64 = 320.0;
const CROSSING_M: f64 = 112.0;

/// What one run of the street is like.
#[derive(Clone, Copy)]
pub struct Drive<'a> {
    pub log: &'a str,
    pub planner: &'a str,
    pub traffic: &'a str,
    pub injection: &'a str,
    /// How fast the planner drives; above 1 it hits the pedestrian on the crossing.
    pub haste: f64,
    pub frames: usize,
    /// Parked cars beside the street, besides the actors.
    pub parked: usize,
}

impl Default for Drive<'_> {
    fn default() -> Self {
        let (log, planner, traffic) = ("street-0001", "tandem", "replay");
        Self { log, planner, traffic, injection: "", haste: 0.8, frames: 200, parked: 12 }
    }
}

/// A pose on the street: straight, then a left bend of radius 70 m, then straight again.
fn on_street(along_m: f64, left_m: f64) -> Pose2 {
    const BEND: (f64, f64, f64) = (90.0, 70.0, PI / 2.0);
    let (start, radius, turn) = BEND;
    let yaw = ((along_m - start) / radius).clamp(0.0, turn);
    let beyond = (along_m - start - radius * turn).max(0.0);
    let x = along_m.min(start) + radius * yaw.sin() + beyond * yaw.cos() - left_m * yaw.sin();
    let y = radius * (1.0 - yaw.cos()) + beyond * yaw.sin() + left_m * yaw.cos();
    Pose2::new(1000.0 + x, -500.0 + y, yaw)
}

fn along(from_m: f64, to_m: f64, left_m: f64) -> Vec<Point2<f64>> {
    let steps = 80;
    let at = |i| from_m + (to_m - from_m) * f64::from(i) / f64::from(steps);
    (0..=steps).map(|i| on_street(at(i), left_m).position()).collect()
}

fn strip(from_m: f64, to_m: f64, right_m: f64, left_m: f64) -> Polygon {
    let mut exterior = along(from_m, to_m, right_m);
    exterior.extend(along(from_m, to_m, left_m).into_iter().rev());
    Polygon { exterior, holes: Vec::new() }
}

fn lane(from_m: f64, to_m: f64, left_m: f64, usage: LaneUse, is_oncoming: bool) -> Lane {
    let mut centerline = along(from_m, to_m, left_m);
    if is_oncoming {
        centerline.reverse();
    }
    Lane {
        source_id: format!("{from_m} {left_m}"),
        usage,
        centerline: centerline.iter().map(|point| Point3::new(point.x, point.y, 0.0)).collect(),
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: strip(from_m, to_m, left_m - LANE_M / 2.0, left_m + LANE_M / 2.0),
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: Some(13.9),
        in_intersection: false,
    }
}

/// Two lanes with the ego's direction, two against it, a bicycle lane, a crossing with lights, an island.
pub fn street() -> Map {
    let split = CROSSING_M - 4.0;
    let mut lanes = Vec::new();
    for (from, to) in [(-60.0, split), (split, LENGTH_M)] {
        lanes.extend([-1.5, -0.5].map(|lane_left| lane(from, to, lane_left * LANE_M, LaneUse::Vehicle, false)));
    }
    lanes.extend([0.5, 1.5].map(|lane_left| lane(-60.0, LENGTH_M, lane_left * LANE_M, LaneUse::Vehicle, true)));
    lanes.push(lane(-60.0, LENGTH_M, -2.5 * LANE_M, LaneUse::Bike, false));
    let line = |kind, left_m| Line { kind, points: along(-60.0, LENGTH_M, left_m) };
    let stop = [-2.0, 0.0].map(|left| on_street(split - 1.0, left * LANE_M).position());
    let mut road = strip(-60.0, LENGTH_M, -3.0 * LANE_M, 2.0 * LANE_M);
    road.holes.push(strip(180.0, 200.0, -0.6, 0.6).exterior);
    let parts = MapParts {
        lanes,
        lines: vec![
            line(LineKind::RoadEdge, -3.0 * LANE_M),
            line(LineKind::Solid, -2.0 * LANE_M),
            line(LineKind::Dashed, -LANE_M),
            line(LineKind::Solid, 0.0),
            line(LineKind::Dashed, LANE_M),
            line(LineKind::RoadEdge, 2.0 * LANE_M),
            Line { kind: LineKind::Stop, points: stop.to_vec() },
        ],
        crossings: vec![strip(CROSSING_M - 2.0, CROSSING_M + 2.0, -3.0 * LANE_M, 2.0 * LANE_M)],
        intersections: vec![strip(CROSSING_M + 4.0, CROSSING_M + 22.0, -3.0 * LANE_M, 2.0 * LANE_M)],
        drivable: vec![road, strip(40.0, 75.0, -30.0, -3.0 * LANE_M)],
        stop_signs: Vec::new(),
    };
    Map::new(parts).unwrap()
}

/// Everyone on the street at one time.
fn actors(time_s: f64, parked: usize) -> Vec<FrameAgent> {
    let mut agents = Vec::new();
    let mut add = |class, pose: Pose2, length: f64, width: f64, speed_mps: f64| {
        agents.push(FrameAgent { id: agents.len() as u32 + 1, class, pose, length, width, speed_mps });
    };
    let turned = |pose: Pose2, by: f64| Pose2::new(pose.x, pose.y, pose.yaw + by);
    add(Class::Car, on_street(30.0 + 11.0 * time_s, -0.5 * LANE_M), 4.6, 1.9, 11.0);
    add(Class::Car, on_street(-25.0 + 9.5 * time_s, -1.5 * LANE_M), 4.4, 1.85, 9.5);
    add(Class::Truck, turned(on_street(250.0 - 8.0 * time_s, 0.5 * LANE_M), PI), 8.5, 2.5, 8.0);
    add(Class::Bus, turned(on_street(200.0 - 6.0 * time_s, 1.5 * LANE_M), PI), 12.0, 2.9, 6.0);
    add(Class::Trailer, on_street(58.0, -20.0), 9.0, 2.5, 0.0);
    add(Class::Motorcycle, turned(on_street(300.0 - 12.0 * time_s, 0.5 * LANE_M), PI), 2.1, 0.8, 12.0);
    add(Class::Bicycle, on_street(20.0 + 5.0 * time_s, -2.5 * LANE_M), 1.8, 0.6, 5.0);
    let walked = -14.0 + 1.4 * time_s;
    add(Class::Pedestrian, turned(on_street(CROSSING_M, walked), PI / 2.0), 0.7, 0.7, 1.4);
    add(Class::Pedestrian, turned(on_street(CROSSING_M + 1.0, 12.0 - 1.2 * time_s), -PI / 2.0), 0.7, 0.7, 1.2);
    if time_s > 4.0 {
        add(Class::Animal, on_street(150.0, -13.0), 1.0, 0.4, 0.0);
    }
    for i in 0..5 {
        add(Class::Cone, on_street(205.0 + 3.0 * f64::from(i), -1.9 * LANE_M), 0.4, 0.4, 0.0);
    }
    add(Class::Barrier, on_street(222.0, -1.7 * LANE_M), 0.6, 2.2, 0.0);
    add(Class::Other, on_street(52.0, -24.0), 1.2, 1.2, 0.0);
    for i in 0..parked {
        add(Class::Car, on_street(-40.0 + 6.0 * i as f64, 2.4 * LANE_M), 4.5, 1.8, 0.0);
    }
    agents
}

fn signal(time_s: f64) -> SignalColor {
    match time_s {
        t if t < 3.0 => SignalColor::Green,
        t if t < 4.5 => SignalColor::Yellow,
        t if t < 11.0 => SignalColor::Red,
        _ => SignalColor::Green,
    }
}

/// The ego's speed: the careful one stops at the line while the light is red, the hasty one does not.
fn target_speed_mps(along_m: f64, time_s: f64, haste: f64) -> f64 {
    let to_line = CROSSING_M - 12.0 - along_m;
    let must_stop = haste <= 1.0 && signal(time_s) != SignalColor::Green && to_line > 0.0;
    let cruise = 11.0 * haste;
    if must_stop { cruise.min((2.0 * 2.2 * to_line).sqrt() * 0.9) } else { cruise }
}

/// A whole run.
pub fn drive(map: &Arc<Map>, drive: &Drive) -> Trace {
    let body = EgoBody { length: 4.9, width: 1.95, height: 1.6, wheelbase: 2.9, rear_axle_to_center: 1.4 };
    let (mut along_m, mut speed_mps, mut acceleration) = (0.0, 8.0 * drive.haste, 0.0);
    let mut frames: Vec<Frame> = Vec::new();
    for i in 0..drive.frames {
        let time_s = i as f64 * STEP_S;
        let agents = actors(time_s, drive.parked);
        let wanted = ((target_speed_mps(along_m, time_s, drive.haste) - speed_mps) * 1.2).clamp(-5.5, 1.8);
        acceleration += (wanted - acceleration) * 0.35;
        let left_m = -0.5 * LANE_M + 0.15 * (time_s * 0.7).sin();
        let pose = on_street(along_m, left_m);
        let curvature = (on_street(along_m + 1.0, left_m).yaw - pose.yaw).max(0.0);
        let ego = VehicleState {
            pose,
            speed_mps,
            acceleration_mps2: acceleration,
            steering_rad: (body.wheelbase * curvature).atan(),
            yaw_rate_radps: speed_mps * curvature,
        };
        let walker = body.outline(pose).pose.position() - agents[7].pose.position();
        let is_hit = walker.norm() < 2.4;
        let ttc_s = (walker.norm() < 5.0 * speed_mps && along_m < CROSSING_M).then(|| walker.norm() / speed_mps);
        let mut events = Vec::new();
        let has_been = |part| frames.iter().flat_map(|frame| &frame.events).any(|event| event.part == part);
        let mut say = |part, text: &str, track| {
            if !has_been(part) {
                events.push(Event { step: i, part, text: text.to_owned(), track });
            }
        };
        if is_hit {
            say(Part::Nc, "at-fault collision with pedestrian 8", Some(8));
        }
        if along_m > CROSSING_M - 5.0 && along_m < CROSSING_M && signal(time_s) == SignalColor::Red {
            say(Part::Tlc, "in a lane with a red light", None);
        }
        frames.push(Frame {
            time_s,
            ego,
            human: Some(on_street(8.8 * time_s, -0.5 * LANE_M)),
            agents,
            signals: vec![(LaneId(2), signal(time_s)), (LaneId(3), signal(time_s))],
            plan: (0..41)
                .map(|k| on_street(along_m + speed_mps * 0.1 * f64::from(k), left_m))
                .map(|p| [p.x, p.y])
                .collect(),
            proposal: format!("idm {:.1} left 0.0", if acceleration < -0.5 { 0.4 } else { 1.0 }),
            scores: Some(SubScores {
                nc: if is_hit { 0.0 } else { 1.0 },
                ttc: if ttc_s.is_some_and(|ttc| ttc < 0.9) { 0.0 } else { 1.0 },
                ep: (speed_mps / 11.0).clamp(0.0, 1.0),
                ..all(1.0)
            }),
            ttc_s,
            events,
        });
        speed_mps = (speed_mps + acceleration * STEP_S).max(0.0);
        along_m += speed_mps * STEP_S;
    }
    let route = along(-20.0, LENGTH_M, -0.5 * LANE_M);
    Trace {
        result: result(drive, &frames, along_m),
        description: "A street with a crossing, a bend and a bus <b>coming</b> the other way".into(),
        injection: drive.injection.into(),
        body,
        map: Arc::clone(map),
        route: route.iter().map(|point| [point.x, point.y]).collect(),
        frames,
        seen: None,
    }
}

fn all(value: f64) -> SubScores {
    let v = value;
    SubScores { nc: v, dac: v, ddc: v, tlc: v, ep: v, ttc: v, lk: v, hc: v, ec: v }
}

fn result(drive: &Drive, frames: &[Frame], distance_m: f64) -> RunResult {
    let has = |part| frames.iter().flat_map(|frame| &frame.events).any(|event| event.part == part);
    let scores = SubScores {
        nc: if has(Part::Nc) { 0.0 } else { 1.0 },
        tlc: if has(Part::Tlc) { 0.0 } else { 1.0 },
        ttc: if frames.iter().any(|frame| frame.ttc_s.is_some_and(|ttc| ttc < 0.9)) { 0.0 } else { 1.0 },
        ep: (distance_m / 175.0).clamp(0.0, 1.0),
        hc: if drive.haste < 0.8 { 0.5 } else { 1.0 },
        ec: 0.86,
        ..all(1.0)
    };
    RunResult {
        log: drive.log.into(),
        planner: drive.planner.into(),
        traffic: drive.traffic.into(),
        perception: "truth".into(),
        score: scores.total(),
        scores,
        distance_m,
        at_fault_collisions: u32::from(has(Part::Nc)),
        duration_s: drive.frames as f64 * STEP_S,
        notes: if drive.log.ends_with('1') { vec!["the log has no signal states".into()] } else { Vec::new() },
    }
}
