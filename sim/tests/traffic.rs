//! Traffic of real logs: replayed as recorded, or reacting.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;

use std::sync::Arc;
use std::time::Instant;

use data::data;
use tandem_datasets::discover;
use tandem_sim::course::Course;
use tandem_sim::traffic::{Traffic, TrafficMode};

#[test]
fn reactive_traffic_behind_the_logs_own_driver_keeps_close_to_the_log() {
    let Some(data) = data() else { return };
    for log in discover(data.join("scenarios/scenarionet")).unwrap() {
        let log = Arc::new(log.read().unwrap());
        let course = Course::new(&log).unwrap();
        let started = Instant::now();
        let mut reactive = Traffic::new(&log, TrafficMode::Reactive, course.start);
        let mut replayed = Traffic::new(&log, TrafficMode::Replay, course.start);
        let mut hits = std::collections::BTreeSet::new();
        let mut was_hit = std::collections::BTreeSet::new();
        let mut apart = Vec::new();
        for step in 1..=course.steps() {
            let before = course.human_at(course.stamp(step - 1));
            let ego = course.body().outline(before.pose);
            reactive.advance(course.stamp(step), &ego, before.speed_mps);
            replayed.advance(course.stamp(step), &ego, before.speed_mps);
            let now = course.body().outline(course.human_at(course.stamp(step)).pose);
            hits.extend(reactive.agents().iter().filter(|a| a.outline().intersects(&now)).map(|a| a.id));
            was_hit.extend(replayed.agents().iter().filter(|a| a.outline().intersects(&now)).map(|a| a.id));
            for agent in reactive.agents() {
                if let Ok(index) = replayed.agents().binary_search_by_key(&agent.id, |a| a.id) {
                    let other = &replayed.agents()[index];
                    apart.push((agent.pose.x - other.pose.x).hypot(agent.pose.y - other.pose.y));
                }
            }
        }
        apart.sort_by(f64::total_cmp);
        println!(
            "{}: {} steps {} reactive of {}, hits {hits:?} was {was_hit:?} apart p50 {:.2} p90 {:.2} p99 {:.2} max {:.2} in {:?} {:?}",
            log.id,
            course.steps(),
            reactive.reactive_count(),
            log.tracks.len(),
            apart[apart.len() / 2],
            apart[apart.len() * 9 / 10],
            apart[apart.len() * 99 / 100],
            apart[apart.len() - 1],
            started.elapsed(),
            course.route.notes()
        );
    }
}
