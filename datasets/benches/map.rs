//! Map lookups on a real map where `TANDEM_DATA` is set, else on a made-up one: what a planning cycle asks by the
//! ten thousand.

#![allow(clippy::expect_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use nalgebra::{Point2, Point3};
use tandem_datasets::{Lane, LaneId, LaneUse, Map, MapParts, Polygon, Pose2, scenarionet};

/// A map and the poses of somebody driving on it.
fn subject(name: &str) -> (Arc<Map>, Vec<Pose2>) {
    let Some(data) = std::env::var_os("TANDEM_DATA") else { return made_up() };
    let path = std::path::Path::new(&data).join("scenarios/scenarionet").join(name);
    let log = scenarionet::read(&path).expect("the log is readable");
    let poses = log.ego.states.iter().map(|state| state.pose()).collect();
    (log.map.expect("the log has a map"), poses)
}

/// Parallel lanes.
fn made_up() -> (Arc<Map>, Vec<Pose2>) {
    let lanes = (0..40).map(|number| {
        let y = f64::from(number) * 3.6;
        let ring = [[0.0, y - 1.8], [400.0, y - 1.8], [400.0, y + 1.8], [0.0, y + 1.8]];
        Lane {
            source_id: number.to_string(),
            usage: LaneUse::Vehicle,
            centerline: (0..=400).map(|x| Point3::new(f64::from(x), y, 0.0)).collect(),
            left_edge: Vec::new(),
            right_edge: Vec::new(),
            surface: Polygon { exterior: ring.map(Point2::from).to_vec(), holes: Vec::new() },
            successors: Vec::new(),
            predecessors: Vec::new(),
            left_neighbor: None,
            right_neighbor: None,
            speed_limit_mps: None,
            in_intersection: false,
        }
    });
    let map = Map::new(MapParts { lanes: lanes.collect(), ..MapParts::default() }).expect("the map is sound");
    (Arc::new(map), (0..200).map(|step| Pose2::new(f64::from(step) * 2.0, 7.0 + f64::from(step) * 0.1, 0.05)).collect())
}

fn lookups(criterion: &mut Criterion) {
    for name in ["nuscenes_scene-0061.json.gz", "waymo_eb4b91b10ca94ff2.json.gz"] {
        let (map, poses) = subject(name);
        // A car's corners around every pose, some of them beside the lane.
        let around = [[3.5, 1.2], [3.5, -1.2], [-1.0, 1.2], [-1.0, -1.2], [10.0, 3.0], [25.0, -2.0]];
        let points: Vec<_> =
            poses.iter().flat_map(|pose| around.map(|[x, y]| pose.transform(Point2::new(x, y)))).collect();
        let lanes: Vec<LaneId> = points.iter().map(|point| map.lanes_near(*point, 50.0)[0].lane).collect();
        let mut group = criterion.benchmark_group(name.split('.').next().unwrap_or(name));
        group.throughput(criterion::Throughput::Elements(points.len() as u64));
        group.bench_function("is_drivable", |bencher| {
            bencher.iter(|| points.iter().filter(|point| map.is_drivable(black_box(**point))).count());
        });
        group.bench_function("in_intersection", |bencher| {
            bencher.iter(|| points.iter().filter(|point| map.in_intersection(black_box(**point))).count());
        });
        group.bench_function("lane_ids_at", |bencher| {
            bencher.iter(|| points.iter().map(|point| map.lane_ids_at(black_box(*point)).count()).sum::<usize>());
        });
        group.bench_function("project", |bencher| {
            let pairs = || points.iter().zip(&lanes);
            bencher.iter(|| pairs().map(|(point, lane)| map.project(*lane, black_box(*point)).along_m).sum::<f64>());
        });
        group.bench_function("lanes_near 5 m", |bencher| {
            bencher.iter(|| points.iter().map(|point| map.lanes_near(black_box(*point), 5.0).len()).sum::<usize>());
        });
    }
}

criterion_group!(benches, lookups);
criterion_main!(benches);
