//! A world in the making: map, actors and lights, then played through once to become a log.

use std::path::PathBuf;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::log::upright;
use tandem_datasets::{
    Class, Ego, EgoBody, EgoState, Format, LaneId, Log, Map, MapError, Pose2, SignalColor, SignalTrack, Track,
    TrackState,
};
use tandem_graph::Stamp;

use super::actor::{Actor, Light, Motion, STEP_S, want};
use super::curve::{Curve, beside};
use super::road::Builder;

/// Seconds of a world.
pub(super) const DURATION_S: f64 = 20.0;

/// Number of the recording vehicle among the actors.
pub(super) const EGO: usize = 0;

/// Everything that a scene function puts into a world.
pub(super) struct Stage {
    pub rng: ChaCha8Rng,
    pub map: Builder,
    pub actors: Vec<Actor>,
    pub lights: Vec<Light>,
    /// Which lane each light is for, and where to stop.
    pub light_lanes: Vec<(usize, LaneId, [f64; 2])>,
}

impl Stage {
    /// An empty world.
    pub fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, map: Builder::default(), actors: Vec::new(), lights: Vec::new(), light_lanes: Vec::new() }
    }

    /// A random number in a range; its start where the range is empty.
    pub fn draw(&mut self, from: f64, to: f64) -> f64 {
        if from < to { self.rng.random_range(from..to) } else { from }
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    /// The recording vehicle; to be placed before all others.
    pub fn ego(&mut self, curve: Curve, along_m: f64, speed_mps: f64, desired_mps: f64) -> &mut Actor {
        let body = EgoBody::default();
        let size = [body.length, body.width, body.height];
        let mut ego = Actor::new(Class::Car, size, Motion::Drive, curve, along_m, speed_mps);
        ego.center_m = body.rear_axle_to_center;
        ego.desired = vec![(0.0, desired_mps)];
        self.add(ego)
    }

    /// Adds somebody.
    pub fn add(&mut self, actor: Actor) -> &mut Actor {
        self.actors.push(actor);
        let last = self.actors.len() - 1;
        &mut self.actors[last]
    }

    /// A vehicle that drives along `curve`.
    pub fn car(&mut self, curve: &Curve, along_m: f64, speed_mps: f64, desired_mps: f64) -> &mut Actor {
        let (class, size) = self.vehicle();
        let mut car = Actor::new(class, size, Motion::Drive, curve.clone(), along_m, speed_mps);
        car.desired = vec![(0.0, desired_mps)];
        self.add(car)
    }

    /// A stream of vehicles along `curve` with gaps drawn from `gap_m`, from `from_m` on up to `to_m`.
    pub fn stream(&mut self, curve: &Curve, from_m: f64, to_m: f64, gap_m: (f64, f64), speed_mps: f64) {
        let mut along_m = from_m + self.draw(0.0, gap_m.0 / 2.0);
        while along_m < to_m {
            let speed = speed_mps * self.draw(0.85, 1.05);
            let length = self.car(curve, along_m, speed, speed).size[0];
            along_m += length + self.draw(gap_m.0, gap_m.1);
        }
    }

    /// Something that stands at `along_m` of `curve`, `left_m` beside it.
    pub fn still(&mut self, class: Class, size: [f64; 3], curve: &Curve, along_m: f64, left_m: f64) {
        let pose = beside(curve.at(along_m), left_m);
        let lean = self.draw(-0.03, 0.03);
        let pose = Pose2::new(pose.x, pose.y, wrap_angle(pose.yaw + lean));
        self.add(Actor::new(class, size, Motion::Still, Curve::start(pose).straight(1.0), 0.0, 0.0));
    }

    /// A parked vehicle, its centre `left_m` beside the curve.
    pub fn parked(&mut self, curve: &Curve, along_m: f64, left_m: f64) {
        let (class, size) = self.vehicle();
        let class = if class == Class::Motorcycle { Class::Car } else { class };
        self.still(class, size, curve, along_m, left_m);
    }

    /// A person who stands until `start_s` and then walks from one side of `curve` to the other at `along_m`.
    pub fn walks_across(
        &mut self,
        curve: &Curve,
        along_m: f64,
        from_left_m: f64,
        to_left_m: f64,
        start_s: f64,
    ) -> usize {
        let from = beside(curve.at(along_m), from_left_m);
        let to = beside(curve.at(along_m), to_left_m);
        let way = to.position() - from.position();
        self.walks(Curve::start(Pose2::new(from.x, from.y, way.y.atan2(way.x))).straight(way.norm()), start_s)
    }

    /// A person who walks along `curve`, `left_m` beside it.
    pub fn walks_along(&mut self, curve: &Curve, along_m: f64, left_m: f64) {
        let path = curve.between(along_m, along_m + 40.0).shifted(left_m);
        let path = if self.chance(0.5) { path.reversed() } else { path };
        self.walks(path, 0.0);
    }

    fn walks(&mut self, path: Curve, start_s: f64) -> usize {
        let (speed, height) = (self.draw(1.1, 1.7), self.draw(1.55, 1.9));
        let walker = Actor::new(Class::Pedestrian, [0.6, 0.6, height], Motion::Walk, path, 0.0, speed);
        self.add(walker).start_s = start_s;
        self.actors.len() - 1
    }

    /// A vehicle's class with a size that fits it.
    fn vehicle(&mut self) -> (Class, [f64; 3]) {
        match self.draw(0.0, 1.0) {
            p if p < 0.80 => (Class::Car, [self.draw(4.0, 5.1), self.draw(1.75, 2.0), self.draw(1.4, 1.9)]),
            p if p < 0.90 => (Class::Truck, [self.draw(6.0, 8.5), self.draw(2.2, 2.5), self.draw(2.6, 3.4)]),
            p if p < 0.94 => (Class::Bus, [11.8, 2.55, 3.1]),
            _ => (Class::Motorcycle, [2.1, 0.8, 1.5]),
        }
    }

    /// Lets `who` give way to `other` wherever their paths meet.
    pub fn give_way(&mut self, who: usize, other: usize) {
        let first = self.actors[other].clone();
        self.actors[who].give_way(other, &first);
    }

    /// Plays the world through and writes down what happened.
    pub fn play(mut self, id: String, description: String, tags: Vec<String>) -> Result<Log, MapError> {
        self.drop_overlapping();
        let states = perform(&mut self.actors, &self.lights);
        self.write_down(&states, id, description, tags)
    }

    /// The log of what happened: for each actor its time, pose and speed at each step.
    pub fn write_down(
        self,
        states: &[Vec<(f64, Pose2, f64)>],
        id: String,
        description: String,
        tags: Vec<String>,
    ) -> Result<Log, MapError> {
        let ego = Ego { body: EgoBody::default(), states: ego_states(&states[EGO]) };
        let tracks = self.actors.iter().zip(states).enumerate().skip(1);
        let tracks = tracks.filter(|(_, (_, states))| !states.is_empty());
        let tracks = tracks.map(|(index, (actor, states))| track(index, actor, states)).collect();
        let signals = self.light_lanes.iter().map(|&(light, lane, stop_point)| SignalTrack {
            lane,
            stop_point: Some(stop_point),
            states: self.lights[light].phases.iter().map(|&(s, color)| (Stamp::from_seconds(s), color)).collect(),
        });
        Ok(Log {
            source: PathBuf::from(&id),
            id,
            format: Format::World,
            location: "generated".to_owned(),
            description,
            tags,
            ego,
            tracks,
            signals: signals.collect(),
            map: Some(Arc::new(Map::new(self.map.parts)?)),
            cameras: Vec::new(),
            images: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Takes out whoever was placed on top of somebody else.
    pub fn drop_overlapping(&mut self) {
        for index in 1..self.actors.len() {
            let mut grown = self.actors[index].outline();
            grown.length += 0.3;
            grown.width += 0.2;
            if self.actors[..index].iter().any(|earlier| !earlier.is_gone() && earlier.outline().intersects(&grown)) {
                // Removing it would renumber those that others give way to.
                self.actors[index].leave();
            }
        }
    }
}

/// For each actor its time, pose and speed at each step of a world in which all of them act.
pub(super) fn perform(actors: &mut [Actor], lights: &[Light]) -> Vec<Vec<(f64, Pose2, f64)>> {
    let steps = (DURATION_S / STEP_S).round() as usize;
    let mut states: Vec<Vec<(f64, Pose2, f64)>> = vec![Vec::new(); actors.len()];
    for step in 0..=steps {
        let time_s = step as f64 * STEP_S;
        for (actor, states) in actors.iter().zip(&mut states) {
            if !actor.is_gone() {
                states.push((time_s, actor.pose(), actor.pace_mps(time_s)));
            }
        }
        let wants: Vec<_> = (0..actors.len())
            .map(|index| match actors[index].motion {
                Motion::Drive if !actors[index].is_gone() => want(index, actors, lights, time_s),
                _ => 0.0,
            })
            .collect();
        actors.iter_mut().zip(wants).for_each(|(actor, acceleration)| actor.step(time_s, acceleration));
    }
    states
}

fn stamp_of(time_s: f64) -> Stamp {
    Stamp::from_seconds(time_s)
}

fn ego_states(states: &[(f64, Pose2, f64)]) -> Vec<EgoState> {
    let state = |index: usize| {
        let (time_s, pose, speed_mps) = states[index];
        let (before, after) = (states[index.saturating_sub(1)], states[(index + 1).min(states.len() - 1)]);
        let turned = wrap_angle(after.1.yaw - before.1.yaw);
        EgoState {
            stamp: stamp_of(time_s),
            map_from_ego: upright(pose),
            speed_mps,
            yaw_rate_radps: turned / (after.0 - before.0).max(STEP_S),
        }
    };
    (0..states.len()).map(state).collect()
}

fn track(index: usize, actor: &Actor, states: &[(f64, Pose2, f64)]) -> Track {
    let state = |&(time_s, pose, speed_mps): &(f64, Pose2, f64)| {
        let velocity = pose.heading() * speed_mps;
        TrackState { stamp: stamp_of(time_s), pose, z: actor.size[2] / 2.0, velocity_mps: [velocity.x, velocity.y] }
    };
    Track {
        source_id: index.to_string(),
        class: actor.class,
        source_class: actor.category.map_or_else(|| format!("{:?}", actor.class).to_lowercase(), str::to_owned),
        size: actor.size,
        states: states.iter().map(state).collect(),
    }
}

/// A light's phases: `red_s` of red first, then green.
pub(super) fn red_then_green(red_s: f64) -> Light {
    Light { phases: vec![(0.0, SignalColor::Red), (red_s, SignalColor::Green)] }
}

/// A light's phases: green until `green_s`, three seconds of yellow, then red.
pub(super) fn green_then_red(green_s: f64) -> Light {
    let red_s = green_s + 3.0;
    Light { phases: vec![(0.0, SignalColor::Green), (green_s, SignalColor::Yellow), (red_s, SignalColor::Red)] }
}
