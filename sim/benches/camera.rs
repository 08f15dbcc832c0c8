//! The rendering of one moment of a town by the six cameras of nuScenes, at the size of its images and at that of the
//! network for processors, on all cores.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tandem_sim::camera::{Look, Scenery, rig, subjects};
use tandem_sim::world;

/// States of tracks no farther apart than this are filled in between, ns.
const MAX_GAP_NS: i64 = 250_000_000;

fn moment(criterion: &mut Criterion) {
    #[allow(clippy::unwrap_used)]
    let log = world::town(1).unwrap();
    let scenery = Scenery::new(&log, &Look::of(1));
    let ego = log.ego.states[log.ego.states.len() / 2];
    let there = subjects(&log, ego.stamp, MAX_GAP_NS);
    for ([width, height], with_truth) in [([1600, 900], false), ([448, 160], false), ([448, 160], true)] {
        let cameras = rig::nuscenes(width, height);
        let what = if with_truth { ", with depth and semantics" } else { "" };
        criterion.bench_function(&format!("six cameras of {width} × {height}{what}"), |bencher| {
            bencher.iter(|| black_box(scenery.shots(&cameras, &ego.map_from_ego, &there, ego.stamp, with_truth)));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = moment
}
criterion_main!(benches);
