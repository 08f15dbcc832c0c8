//! One whole planning cycle of Tandem among 60 agents, with at least 15 proposals: mean by criterion, and p50 and p99
//! over 3,000 cycles of a drive, on one core.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use support::maps::{MapBuilder, arc, straight};
use support::{Actor, Stage};
use tandem_datasets::{EgoBody, LaneId, Map, Pose2};
use tandem_planner::planners::Tandem;
use tandem_planner::{Planner, STEP_S, VehicleState, vehicle};

const CYCLES: usize = 3_000;

/// Two lanes each way over 600 m, with a bend.
fn map() -> Map {
    let mut map = MapBuilder::default();
    let mut rows: Vec<[LaneId; 3]> = Vec::new();
    for (row, left) in [0.0, 3.5, 7.0, 10.5].into_iter().enumerate() {
        let back = row >= 2;
        let pieces = [straight([-50.0, left], [150.0, left]), arc([150.0, left], 0.0, 60.0 - left, 0.8), {
            let (sin, cos) = 0.8f64.sin_cos();
            let from = [150.0 + (60.0 - left) * sin, 60.0 - (60.0 - left) * cos];
            straight(from, [from[0] + 400.0 * cos, from[1] + 400.0 * sin])
        }];
        let lanes = pieces.map(|mut points| {
            if back {
                points.reverse();
            }
            map.lane(&points)
        });
        for pair in lanes.windows(2) {
            if back { map.connect(pair[1], pair[0]) } else { map.connect(pair[0], pair[1]) }
        }
        rows.push(lanes);
    }
    for (right, left) in rows[0].iter().zip(&rows[1]) {
        map.beside(*left, *right);
    }
    // The road itself is drawn, as in most logs.
    let (sin, cos) = 0.8f64.sin_cos();
    let edge = |left: f64| {
        let mut points = straight([-50.0, left], [150.0, left]);
        points.extend(arc([150.0, left], 0.0, 60.0 - left, 0.8));
        let from = points[points.len() - 1];
        points.push([from[0] + 400.0 * cos, from[1] + 400.0 * sin]);
        points
    };
    let right = edge(-4.5);
    map.drivable(&right.into_iter().chain(edge(12.5).into_iter().rev()).collect::<Vec<_>>());
    map.build()
}

/// Sixty others: a leader, cars in the next lane and coming back, parked cars and pedestrians.
fn stage() -> Stage {
    let start = VehicleState { pose: Pose2::new(0.0, 0.0, 0.0), speed_mps: 8.0, ..Default::default() };
    let mut stage = Stage::new(map(), &[LaneId(0), LaneId(1), LaneId(2)], start);
    stage.actors.push(Actor::driving(35.0, 0.0, 6.0));
    for k in 0..19 {
        stage.actors.push(Actor::driving(-40.0 + 14.0 * f64::from(k), 3.5, 7.0 + f64::from(k % 4)));
    }
    for k in 0..20 {
        stage.actors.push(Actor::parked(-10.0 + 9.0 * f64::from(k), -2.6));
    }
    for k in 0..20 {
        stage.actors.push(Actor::crossing(5.0 + 8.0 * f64::from(k), -6.0, if k % 5 == 0 { 1.2 } else { -0.8 }, 0.5));
    }
    stage
}

fn cycle(criterion: &mut Criterion) {
    let stage = stage();
    let scene = stage.scene(1.0, stage.start, &[stage.start]);
    let mut planner = Tandem::default();
    planner.plan(&scene);
    println!("{} proposals, {} agents", planner.proposal_count(), scene.agents.len());
    criterion.bench_function("cycle", |bencher| bencher.iter(|| black_box(planner.plan(black_box(&scene)))));
    percentiles(&stage);
}

/// Drives again and again for 6 s, so that every cycle sees another scene.
fn percentiles(stage: &Stage) {
    let mut times_us: Vec<f64> = Vec::with_capacity(CYCLES);
    let (mut fewest, mut most) = (usize::MAX, 0);
    while times_us.len() < CYCLES {
        let mut planner = Tandem::default();
        let mut states = vec![stage.start];
        for step in 0..60 {
            let ego = states[step];
            let scene = stage.scene(step as f64 * STEP_S, ego, &states[step.saturating_sub(20)..]);
            let begin = Instant::now();
            let plan = black_box(planner.plan(black_box(&scene)));
            times_us.push(begin.elapsed().as_secs_f64() * 1e6);
            (fewest, most) = (fewest.min(planner.proposal_count()), most.max(planner.proposal_count()));
            states.push(vehicle::step(&ego, &plan.rollout, 0.0, STEP_S, &EgoBody::default()));
        }
    }
    times_us.sort_by(f64::total_cmp);
    let at = |share: f64| times_us[((times_us.len() - 1) as f64 * share) as usize];
    println!(
        "cycle over {} scenes, {fewest} to {most} proposals, 60 agents: p50 {:.0} µs, p99 {:.0} µs, most {:.0} µs",
        times_us.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

criterion_group!(benches, cycle);
criterion_main!(benches);
