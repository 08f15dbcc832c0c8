//! The others on the road: as the log has them, or reacting to the ego.
//!
//! Reactive traffic follows nuPlan's IDM agents (nuplan-devkit `observation/idm`): vehicles on lanes move along a fixed
//! path and choose their speed by the intelligent driver model, all others are replayed. It differs where a log without
//! traffic lights would make nuPlan's rules run red lights: the path is the logged one (extended along the lanes), the
//! desired speed is the vehicle's own highest, and a place where it stood in the log is left no earlier than in the log.
//! Vehicles that enter the scene later enter here as well, once their place is free.

mod driver;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_datasets::messages::Object;
use tandem_datasets::{Box2, LaneId, Log, SignalColor, Track, TrackState};
use tandem_graph::Stamp;

use crate::FrameAgent;
use driver::{Driver, speed};

/// How far from the ego a reactive vehicle leaves the scene, m.
const LEAVE_M: f64 = 120.0;

/// Longest gap in a track that is filled by interpolation: nuScenes' keyframes lie up to 0.6 s apart.
const MAX_GAP_NS: i64 = 650_000_000;

/// How the others move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficMode {
    /// As recorded, whatever the ego does.
    Replay,
    /// Vehicles on lanes keep their distance to the ego and to each other.
    Reactive,
}

impl TrafficMode {
    /// Its name on the command line and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Reactive => "reactive",
        }
    }
}

impl std::fmt::Display for TrafficMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for TrafficMode {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Replay, Self::Reactive]
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| crate::Error::UnknownTraffic { name: name.to_owned() })
    }
}

/// Whether a reactive vehicle is there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Presence {
    Awaited,
    Here,
    Gone,
}

/// All others of a log, moved along step by step.
#[derive(Debug)]
pub struct Traffic {
    log: Arc<Log>,
    /// The reactive tracks: index in the log's tracks, by rising index.
    drivers: Vec<(usize, Driver, Presence)>,
    now: Stamp,
    objects: Vec<Object>,
    agents: Vec<FrameAgent>,
}

impl Traffic {
    /// The traffic of a log at `start`.
    pub fn new(log: &Arc<Log>, mode: TrafficMode, start: Stamp) -> Self {
        let driver = |(index, track): (usize, &Track)| {
            let map = log.map.as_deref().filter(|_| mode == TrafficMode::Reactive)?;
            Some((index, Driver::new(log, map, track)?, Presence::Awaited))
        };
        let drivers = log.tracks.iter().enumerate().filter_map(driver).collect();
        let mut traffic = Self { log: Arc::clone(log), drivers, now: start, objects: Vec::new(), agents: Vec::new() };
        traffic.enter(None);
        traffic.collect();
        traffic
    }

    /// The others as they are now, by rising id; an id is the index in the log's tracks.
    pub fn agents(&self) -> &[FrameAgent] {
        &self.agents
    }

    /// The same as perception would report them.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// How many of the log's tracks react.
    pub fn reactive_count(&self) -> usize {
        self.drivers.len()
    }

    /// Moves on to `now`, with the ego where it was at the time of the last step.
    pub fn advance(&mut self, now: Stamp, ego: &Box2, ego_speed_mps: f64) {
        if !self.drivers.is_empty() {
            let step_s = now.seconds_since(self.now);
            let mut others: Vec<_> = self.agents.iter().map(|agent| (agent.outline(), agent.speed_mps)).collect();
            others.push((*ego, ego_speed_mps));
            // All decide on the same state before any of them moves, so that their order does not matter.
            let decisions: Vec<_> = (self.drivers.iter())
                .map(|(track, driver, presence)| {
                    let itself = self.agents.binary_search_by_key(&(*track as u32), |agent| agent.id);
                    match (presence, itself) {
                        (Presence::Here, Ok(itself)) => driver.decide(self.now, &self.log, &others, itself),
                        _ => 0.0,
                    }
                })
                .collect();
            for ((_, driver, presence), acceleration_mps2) in self.drivers.iter_mut().zip(decisions) {
                if *presence == Presence::Here {
                    driver.advance(acceleration_mps2, step_s);
                    let pose = driver.pose();
                    if driver.arrived() || (pose.x - ego.pose.x).hypot(pose.y - ego.pose.y) > LEAVE_M {
                        *presence = Presence::Gone;
                    }
                }
            }
        }
        self.now = now;
        self.enter(Some(ego));
        self.collect();
    }

    /// Lets the awaited vehicles in which the log shows now; after the start only where there is room.
    fn enter(&mut self, ego: Option<&Box2>) {
        for (index, driver, presence) in &mut self.drivers {
            if *presence != Presence::Awaited {
                continue;
            }
            let track = &self.log.tracks[*index];
            if let Some(state) = track.at(self.now, MAX_GAP_NS) {
                driver.place(self.now, speed(state.velocity_mps));
                let outline = driver.outline();
                let is_free = ego.is_none_or(|ego| {
                    let others = self.agents.iter().filter(|agent| agent.id as usize != *index);
                    !outline.intersects(ego) && !others.map(FrameAgent::outline).any(|other| outline.intersects(&other))
                });
                if is_free {
                    *presence = Presence::Here;
                }
            } else if track.states.last().is_some_and(|last| last.stamp < self.now) {
                *presence = Presence::Gone;
            }
        }
    }

    fn collect(&mut self) {
        self.objects.clear();
        let mut drivers = self.drivers.iter().peekable();
        for (index, track) in self.log.tracks.iter().enumerate() {
            let driver = drivers.next_if(|(driven, ..)| *driven == index);
            let state = match driver {
                Some((_, driver, Presence::Here)) => Some(driver.state(self.now)),
                Some(_) => None,
                None => track.at(self.now, MAX_GAP_NS),
            };
            if let Some(state) = state {
                self.objects.push(Object { number: index as u32, class: track.class, size: track.size, state });
            }
        }
        self.agents.clear();
        self.agents.extend(self.objects.iter().map(frame_agent));
    }
}

fn frame_agent(object: &Object) -> FrameAgent {
    let Object { number: id, class, size: [length, width, _], state: TrackState { pose, velocity_mps, .. } } = *object;
    FrameAgent { id, class, pose, length, width, speed_mps: speed(velocity_mps) }
}

/// The colour of every light of a log at `stamp`.
pub fn signals_at(log: &Log, stamp: Stamp) -> Vec<(LaneId, SignalColor)> {
    log.signals.iter().map(|signal| (signal.lane, signal.at(stamp))).collect()
}

#[cfg(test)]
mod tests;
