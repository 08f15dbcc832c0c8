//! Proposals simulated and scored per second against 60 agents, on one and on two threads.
#![allow(clippy::expect_used, reason = "a benchmark whose fixed scene is unsound shall stop")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::{Point2, Point3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tandem_datasets::{Class, EgoBody, Lane, LaneId, LaneUse, Map, MapParts, Polygon, Pose2};
use tandem_planner::route::Route;
use tandem_planner::score::{Scorer, Setting, Traffic};
use tandem_planner::{Agent, PLAN_STATES, Rollout, STEP_S, VehicleState, vehicle};

const PROPOSALS: usize = 20;
const AGENTS: usize = 60;
const LANE_WIDTH_M: f64 = 3.6;

/// A bend of four lanes, drawn every half metre as Waymo draws them, with 12 lanes of 100 m each way.
fn map() -> Map {
    let point = |along: f64, left: f64| {
        let (radius, angle) = (300.0 - left, along / 300.0);
        Point2::new(radius * angle.sin(), 300.0 - radius * angle.cos())
    };
    let edge = |from: f64, left: f64| -> Vec<Point2<f64>> {
        (0..=200).map(|k| point(from + 0.5 * f64::from(k), left)).collect()
    };
    let mut parts = MapParts::default();
    for row in 0..4u32 {
        for piece in 0..6u32 {
            let (from, left) = (f64::from(piece) * 100.0 - 200.0, f64::from(row) * LANE_WIDTH_M);
            let (left_edge, right_edge) =
                (edge(from, left + LANE_WIDTH_M / 2.0), edge(from, left - LANE_WIDTH_M / 2.0));
            let exterior: Vec<_> = right_edge.iter().chain(left_edge.iter().rev()).copied().collect();
            let id = row * 6 + piece;
            parts.lanes.push(Lane {
                source_id: id.to_string(),
                usage: LaneUse::Vehicle,
                centerline: edge(from, left).into_iter().map(|p| Point3::new(p.x, p.y, 0.0)).collect(),
                left_edge,
                right_edge,
                surface: Polygon { exterior, holes: Vec::new() },
                successors: if piece < 5 { vec![LaneId(id + 1)] } else { Vec::new() },
                predecessors: if piece > 0 { vec![LaneId(id - 1)] } else { Vec::new() },
                left_neighbor: (row < 3).then_some(LaneId(id + 6)),
                right_neighbor: (row > 0).then(|| LaneId(id - 6)),
                speed_limit_mps: Some(14.0),
                in_intersection: piece == 3,
            });
        }
    }
    let (inner, outer) = (4.0 * LANE_WIDTH_M, -LANE_WIDTH_M);
    let right = (0..=600).map(|k| point(f64::from(k) - 200.0, outer));
    let left = (0..=600).rev().map(|k| point(f64::from(k) - 200.0, inner));
    parts.drivable.push(Polygon { exterior: right.chain(left).collect(), holes: Vec::new() });
    Map::new(parts).expect("the bench map is sound")
}

/// Parked, driving and walking agents on and beside the road ahead.
fn agents(route: &Route, random: &mut ChaCha8Rng) -> Vec<Agent> {
    let line = route.centerline();
    (0..AGENTS as u32)
        .map(|id| {
            let along = 150.0 + random.random_range(0.0..200.0);
            let (left, speed_mps) = match id % 3 {
                0 => (-3.2, 0.0),
                1 => (LANE_WIDTH_M * f64::from(random.random_range(1..3u8)), random.random_range(5.0..15.0)),
                _ => (random.random_range(-12.0..-5.0), random.random_range(0.5..1.5)),
            };
            let path =
                (0..PLAN_STATES).map(|step| line.at_offset(along + speed_mps * STEP_S * step as f64, left)).collect();
            let class = if id % 3 == 2 { Class::Pedestrian } else { Class::Car };
            let (length, width) = if id % 3 == 2 { (0.7, 0.7) } else { (4.6, 1.9) };
            Agent { id, class, length, width, path, speed_mps }
        })
        .collect()
}

fn proposals(route: &Route, start: Pose2) -> (VehicleState, Vec<Rollout>) {
    let line = route.centerline();
    let start_m = line.project(start.position()).along_m;
    let ego = VehicleState { pose: start, speed_mps: 9.0, ..VehicleState::default() };
    let plan = |number: usize| -> Rollout {
        let (speed_mps, left_m) = (2.0 + 2.5 * (number % 5) as f64, (number / 5) as f64 * 0.6 - 0.9);
        let state = |step: usize| {
            let t = step as f64 * STEP_S;
            let blend = (t / 3.0).min(1.0);
            let along = start_m + 9.0 * t + (speed_mps - 9.0) * t * t / 8.0;
            VehicleState { pose: line.at_offset(along, left_m * blend * blend * (3.0 - 2.0 * blend)), ..ego }
        };
        (0..PLAN_STATES).map(state).collect()
    };
    (ego, (0..PROPOSALS).map(plan).collect())
}

fn bench(criterion: &mut Criterion) {
    let map = map();
    let lanes: Vec<_> = (0..6).map(LaneId).collect();
    let route = Route::new(&map, &lanes, Pose2::default()).expect("the bench route is sound");
    let agents = agents(&route, &mut ChaCha8Rng::seed_from_u64(7));
    let (ego, plans) = proposals(&route, route.centerline().at(160.0));
    let body = EgoBody::default();
    let driven: Vec<Rollout> = plans.iter().map(|plan| vehicle::simulate(&ego, plan, &body)).collect();
    let history = vec![ego; 15];
    let scorer = || {
        Scorer::new(Setting {
            body,
            map: &map,
            route: &route,
            traffic: Traffic::predicted(&agents, PLAN_STATES),
            signals: &[],
            history: &history,
            previous: None,
            reference_progress_m: None,
        })
    };
    let ready = scorer();
    let threads = |count| rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("a pool of threads");
    let (one, two) = (threads(1), threads(2));

    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(PROPOSALS as u64));
    group.bench_function("simulate 20 proposals", |b| {
        b.iter(|| plans.iter().map(|plan| vehicle::simulate(&ego, black_box(plan), &body)).collect::<Vec<_>>());
    });
    group.bench_function("prepare 60 agents", |b| b.iter(&scorer));
    group.bench_function("score 20 proposals, one core", |b| {
        b.iter(|| one.install(|| ready.score(black_box(&driven))));
    });
    group.bench_function("score 20 proposals, two cores", |b| {
        b.iter(|| two.install(|| ready.score_parallel(black_box(&driven))));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
