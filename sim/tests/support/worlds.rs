//! Generated worlds with their reference driver at the wheel, told as runs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use tandem_planner::VehicleState;
use tandem_planner::route::Route;
use tandem_planner::score::{self, Obstacle, RunScore, score_run};
use tandem_sim::traffic::{Traffic, signals_at};
use tandem_sim::{Frame, FrameAgent, RunResult, Trace, TrafficMode, world};

const STEP_NS: i64 = 100_000_000;

/// What the reference driver of a world did.
pub fn reference_drive(seed: u64) -> Trace {
    let log = Arc::new(world::generate(seed).unwrap());
    let map = Arc::clone(log.map.as_ref().unwrap());
    let (start, end) = log.span().unwrap();
    let stamps: Vec<_> = (0..=end.ns_since(start) / STEP_NS).map(|step| start.offset_ns(step * STEP_NS)).collect();
    let speed_mps = |index: usize| log.ego_at(stamps[index.min(stamps.len() - 1)]).unwrap().speed_mps;
    let states: Vec<VehicleState> = stamps
        .iter()
        .enumerate()
        .map(|(index, &stamp)| {
            let state = log.ego_at(stamp).unwrap();
            let curvature = state.yaw_rate_radps / state.speed_mps.max(0.1);
            VehicleState {
                pose: state.pose(),
                speed_mps: state.speed_mps,
                acceleration_mps2: (speed_mps(index + 1) - state.speed_mps) / 0.1,
                steering_rad: (log.ego.body.wheelbase * curvature).atan(),
                yaw_rate_radps: state.yaw_rate_radps,
            }
        })
        .collect();
    let mut traffic = Traffic::new(&log, TrafficMode::Replay, start);
    let agents: Vec<Vec<FrameAgent>> = stamps
        .iter()
        .zip(&states)
        .map(|(&stamp, state)| {
            traffic.advance(stamp, &log.ego.body.outline(state.pose), state.speed_mps);
            traffic.agents().to_vec()
        })
        .collect();
    let signals: Vec<_> = stamps.iter().map(|&stamp| signals_at(&log, stamp)).collect();
    let poses: Vec<_> = states.iter().map(|state| state.pose).collect();
    let route = Route::from_path(&map, &poses).unwrap();
    let score = score_run(&score::Run {
        body: log.ego.body,
        map: &map,
        route: &route,
        states: &states,
        history: &[],
        traffic: &score::Traffic::observed(agents.iter().map(|step| step.iter().map(obstacle))),
        signals: &signals,
        plans: &[],
        reference_progress_m: None,
    });
    let frames = agents.into_iter().zip(signals).enumerate().map(|(step, (agents, signals))| Frame {
        time_s: step as f64 * 0.1,
        ego: states[step],
        human: None,
        agents,
        signals,
        plan: poses[step..].iter().take(41).map(|pose| [pose.x, pose.y]).collect(),
        proposal: "reference".into(),
        scores: None,
        ttc_s: score.ttc_s[step],
        events: score.events.iter().filter(|event| event.step == step).cloned().collect(),
    });
    Trace {
        frames: frames.collect(),
        seen: None,
        result: result(&log.id, &score),
        description: log.description.clone(),
        injection: String::new(),
        body: log.ego.body,
        route: route.centerline().points().iter().map(|point| [point.x, point.y]).collect(),
        map,
    }
}

fn obstacle(agent: &FrameAgent) -> Obstacle {
    let FrameAgent { id, class, pose, length, width, speed_mps } = *agent;
    Obstacle { id, class, pose, length, width, speed_mps }
}

fn result(log: &str, score: &RunScore) -> RunResult {
    RunResult {
        log: log.into(),
        planner: "reference".into(),
        traffic: "replay".into(),
        perception: "truth".into(),
        score: score.raw.total(),
        scores: score.raw,
        distance_m: score.distance_m,
        at_fault_collisions: score.at_fault_collisions() as u32,
        duration_s: 0.1 * score.ttc_s.len() as f64,
        notes: Vec::new(),
    }
}
