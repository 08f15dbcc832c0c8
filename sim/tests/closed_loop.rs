//! Whole runs over generated worlds: the same twice, whole under faults, and safe when something dies.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use tandem_sim::faults::{Death, Faults, Window};
use tandem_sim::suite::{Case, Driver, Results, Shard, Suite};
use tandem_sim::{Course, Driven, Setup, Sight, TrafficMode, drive, world};

fn course(seed: u64) -> Arc<Course> {
    Arc::new(Course::new(&Arc::new(world::generate(seed).unwrap())).unwrap())
}

fn run(course: &Arc<Course>, planner: &str, traffic: TrafficMode, faults: &Faults) -> Driven {
    let (course, planner, faults) = (Arc::clone(course), planner.to_owned(), faults.clone());
    let setup = Setup { course, planner, traffic, sight: Sight::Truth, slow: None, faults };
    drive(&setup, &mut []).unwrap()
}

fn died(node: &str, at_s: f64) -> Faults {
    Faults { dead: Some(Death { node: node.to_owned(), at_s }), ..Faults::default() }
}

#[test]
fn a_run_covers_the_course_and_loses_nothing() {
    let course = course(1);
    let driven = run(&course, "tandem", TrafficMode::Reactive, &Faults::default());
    assert_eq!(driven.states.len(), course.steps() + 1);
    assert_eq!(driven.agents.len(), course.steps() + 1);
    assert_eq!(driven.states[0], course.human_run()[0]);
    assert!(driven.complete, "{:?}", driven.summary);
    assert_eq!((driven.lost_injected, driven.lost_unintended, driven.braked_s), (0, 0, 0.0));
    // A plan a step, the history included.
    assert_eq!(driven.plans.len(), course.human.len());
    assert!(driven.plans.iter().all(|plan| plan.status.is_some()));
}

#[test]
fn two_runs_are_the_same_to_the_last_byte_also_under_faults() {
    let course = course(2);
    let faults = Faults { delay_ms: 40.0, jitter_ms: 80.0, drop: 0.1, seed: 5, ..Faults::default() };
    for planner in ["tandem", "pdm", "human"] {
        for faults in [&Faults::default(), &faults] {
            let [a, b] = [(); 2].map(|()| run(&course, planner, TrafficMode::Reactive, faults));
            assert_eq!((a.states, &a.sha256), (b.states, &b.sha256));
        }
    }
    let reseeded = Faults { seed: 6, ..faults.clone() };
    let [a, b] = [&faults, &reseeded].map(|faults| run(&course, "pdm", TrafficMode::Reactive, faults));
    assert_ne!(a.sha256, b.sha256);
}

#[test]
fn the_human_moves_exactly_as_logged_whatever_fails() {
    let course = course(3);
    for faults in [Faults::default(), died("planner", 1.0), Faults { drop: 0.5, ..Faults::default() }] {
        let driven = run(&course, "human", TrafficMode::Replay, &faults);
        assert_eq!(driven.states, course.human_run());
    }
}

#[test]
fn injected_loss_is_counted_as_such_and_leaves_the_run_complete() {
    let course = course(4);
    let driven = run(&course, "tandem", TrafficMode::Replay, &Faults { drop: 0.2, seed: 1, ..Faults::default() });
    assert!(driven.lost_injected > 0);
    assert_eq!(driven.lost_unintended, 0);
    assert!(driven.complete);
    assert!(!driven.summary.complete);
}

#[test]
fn a_vehicle_whose_planner_dies_brakes_to_a_stop_within_its_lane() {
    let course = course(1);
    let driven = run(&course, "tandem", TrafficMode::Replay, &died("planner", 3.0));
    let alive = run(&course, "tandem", TrafficMode::Replay, &Faults::default());
    // The last plan is that of 2.9 s, by which the vehicle drives to 3.0 s; then it follows it on until it gives up.
    assert!(driven.states[..=30] == alive.states[..=30]);
    let last = driven.states[driven.states.len() - 1];
    assert!(last.speed_mps.abs() < 0.1, "{last:?}");
    assert!(driven.braked_s > 5.0);
    let strongest = driven.states[36..].iter().map(|state| state.acceleration_mps2).fold(0.0, f64::min);
    assert!((-3.5..=-1.5).contains(&strongest), "{strongest}");
    let center = course.body().outline(last.pose).pose;
    assert!(course.map.is_drivable(center.position()));
}

#[test]
fn a_planner_whose_perception_dies_or_freezes_stops_the_vehicle() {
    let course = course(1);
    let frozen = Faults { freeze: Some(Window { from_s: 3.0, to_s: 1000.0 }), ..Faults::default() };
    for faults in [died("perception", 3.0), frozen] {
        let driven = run(&course, "tandem", TrafficMode::Replay, &faults);
        let last = driven.states[driven.states.len() - 1];
        assert!(last.speed_mps.abs() < 0.1, "{faults}: {last:?}");
        // The planner does it: the vehicle hears from it all the time.
        assert_eq!(driven.braked_s, 0.0, "{faults}");
    }
}

fn suite() -> Suite {
    Suite {
        drivers: ["tandem", "pdm", "constant-velocity", "human"].map(|name| Driver::alone(name, Sight::Truth)).to_vec(),
        traffic: vec![TrafficMode::Replay, TrafficMode::Reactive],
        faults: vec![Faults::default(), Faults { delay_ms: 100.0, drop: 0.1, ..Faults::default() }],
    }
}

fn cases(seeds: std::ops::Range<u64>) -> Vec<Case> {
    seeds.map(Case::world).collect()
}

#[test]
fn a_suite_in_parallel_or_in_shards_gives_what_one_thread_gives() {
    let suite = suite();
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let sequential = alone.install(|| suite.run(&cases(0..3), &|_| {}).unwrap());
    let parallel = suite.run(&cases(0..3), &|_| {}).unwrap();
    assert_eq!(parallel, sequential);
    assert_eq!(parallel.runs.len(), suite.runs(3));
    let shard = |text: &str| suite.run(&text.parse::<Shard>().unwrap().select(cases(0..3)), &|_| {}).unwrap();
    assert_eq!(Results::merge(vec![shard("2/2"), shard("1/2")]).unwrap(), sequential);
    for run in &parallel.runs {
        assert!(run.result.scores.recombines(run.result.score), "{run:?}");
    }
}

#[test]
fn a_log_that_cannot_be_driven_is_skipped_with_its_reason() {
    let mapless =
        Case::new("mapless", "nowhere", || Ok(tandem_datasets::Log { map: None, ..world::generate(0).unwrap() }));
    let suite = Suite {
        drivers: vec![Driver::alone("idm", Sight::Truth)],
        traffic: vec![TrafficMode::Replay],
        faults: vec![Faults::default()],
    };
    let results = suite.run(&[mapless], &|_| {}).unwrap();
    assert!(results.runs.is_empty());
    assert!(results.skipped[0].reason.contains("no map"), "{:?}", results.skipped);
}

#[test]
fn an_unknown_planner_is_refused_before_anything_is_driven() {
    let suite = Suite {
        drivers: vec![Driver::alone("racer", Sight::Truth)],
        traffic: vec![TrafficMode::Replay],
        faults: vec![Faults::default()],
    };
    assert!(suite.run(&cases(0..1), &|_| {}).unwrap_err().to_string().contains("racer"));
}
