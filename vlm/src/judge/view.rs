//! A moment of a log as a planner sees it: for training, evaluation, and looking at logs.

use std::sync::Arc;

use nalgebra::Vector2;
use tandem_graph::Stamp;
use tandem_planner::guidance::Guidance;
use tandem_planner::{Agent, Scene};
use tandem_sim::Course;

/// States of tracks farther apart than this are no motion, ns.
const MAX_GAP_NS: i64 = 600_000_000;

/// What the log holds at `stamp`, as far as `is_seen` says of a track that the fast system knows it.
pub fn scene_at(course: &Course, stamp: Stamp, is_seen: impl Fn(u32) -> bool) -> Scene {
    let ego = course.human_at(stamp);
    let agents = (0..).zip(&course.log.tracks).filter(|(id, _)| is_seen(*id)).filter_map(|(id, track)| {
        let state = track.at(stamp, MAX_GAP_NS)?;
        let velocity_mps = Vector2::from(state.velocity_mps);
        Some(Agent {
            id,
            class: track.class,
            length: track.size[0],
            width: track.size[1],
            path: vec![state.pose],
            speed_mps: velocity_mps.norm().copysign(state.pose.heading().dot(&velocity_mps)),
        })
    });
    Scene {
        now: stamp,
        ego,
        body: *course.body(),
        history: vec![ego],
        agents: agents.collect(),
        signals: course.log.signals.iter().map(|signal| (signal.lane, signal.at(stamp))).collect(),
        map: Arc::clone(&course.map),
        route: Arc::clone(&course.route),
        guidance: Guidance::default(),
    }
}
