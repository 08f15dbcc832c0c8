//! Where the others will be: along their lanes, round their turns, or straight on.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Class, LaneHit, LaneId, Map, Pose2};
use tandem_graph::Stamp;

use crate::state::{Agent, PLAN_STATES, STEP_S, Scene};

/// States that proposals are scored against: those of a plan and one second more, for the time to collision.
pub const SCORED_STATES: usize = PLAN_STATES + 10;

/// States of a predicted path: as long again as a plan, to see what a plan ends before.
pub const PREDICTED_STATES: usize = 2 * PLAN_STATES - 1;

/// Slower than this is standing, m/s.
const STANDING_MPS: f64 = 0.3;

/// Share of the newest measurement in the running means of velocity and yaw rate.
const NEWEST: f64 = 0.4;

/// Share of a speed's surprise that corrects the speed.
const SPEED_GAIN: f64 = 0.5;

/// Share of a speed's surprise, per step, that corrects the acceleration: critically damped with the gain above
/// (β = 2 − α − 2 √(1 − α)), so that noise of 0.2 m/s makes no more than 0.2 m/s².
const ACCELERATION_GAIN: f64 = 0.086;

/// How long a measured acceleration is believed, s (time constant).
const ACCELERATION_DECAY_S: f64 = 1.0;

/// How long a measured yaw rate is believed, s (time constant).
const TURN_DECAY_S: f64 = 1.5;

/// How long a vehicle keeps drifting across its lane, s (time constant).
const DRIFT_DECAY_S: f64 = 1.0;

/// A vehicle this far off a lane's centre is not taken to follow it, m.
const LANE_OFFSET_M: f64 = 2.0;

/// Nor is one that is turned by more than this, rad.
const LANE_TURN_RAD: f64 = 0.5;

/// Box centres from now on at constant speed and heading: the prediction of the baselines.
///
/// A path that came with the agent is replaced: PDM-Closed knows no other prediction.
pub fn constant_velocity(agent: &mut Agent) {
    let Some(&now) = agent.path.first() else { return };
    let speed_mps = if agent.class.is_agent() { agent.speed_mps } else { 0.0 };
    agent.path.clear();
    agent.path.extend((0..PREDICTED_STATES).map(|step| now.ahead(speed_mps * step as f64 * STEP_S)));
}

/// What is remembered of an agent from cycle to cycle.
#[derive(Debug, Clone, Copy)]
struct Memory {
    id: u32,
    seen: Stamp,
    pose: Pose2,
    /// In the map, m/s.
    velocity_mps: [f64; 2],
    speed_mps: f64,
    acceleration_mps2: f64,
    yaw_rate_radps: f64,
    /// The lane that it was taken to follow.
    lane: Option<LaneId>,
}

/// Predicts agents by what they did in the cycles before.
#[derive(Debug, Default)]
pub struct Predictor {
    /// By rising id.
    memory: Vec<Memory>,
    next: Vec<Memory>,
}

impl Predictor {
    /// Copies the scene's agents into `agents` and gives a path to each that came without one.
    pub fn predict(&mut self, scene: &Scene, agents: &mut Vec<Agent>) {
        agents.truncate(scene.agents.len());
        for (index, agent) in scene.agents.iter().enumerate() {
            match agents.get_mut(index) {
                Some(slot) => slot.clone_from(agent),
                None => agents.push(agent.clone()),
            }
        }
        self.next.clear();
        for agent in agents.iter_mut() {
            let Some(&now) = agent.path.first() else { continue };
            let mut memory = self.remember(agent, now, scene.now);
            if agent.speed_mps.abs() > STANDING_MPS {
                agent.speed_mps = memory.speed_mps;
            }
            if agent.path.len() == 1 {
                fill_path(agent, &mut memory, &scene.map);
            }
            self.next.push(memory);
        }
        self.next.sort_by_key(|memory| memory.id);
        std::mem::swap(&mut self.memory, &mut self.next);
    }

    /// The running means of an agent's motion, with this cycle's measurement.
    fn remember(&self, agent: &Agent, pose: Pose2, now: Stamp) -> Memory {
        let heading = pose.heading();
        let fresh = Memory {
            id: agent.id,
            seen: now,
            pose,
            velocity_mps: [heading.x * agent.speed_mps, heading.y * agent.speed_mps],
            speed_mps: agent.speed_mps,
            acceleration_mps2: 0.0,
            yaw_rate_radps: 0.0,
            lane: None,
        };
        let Ok(index) = self.memory.binary_search_by_key(&agent.id, |memory| memory.id) else { return fresh };
        let known = &self.memory[index];
        let elapsed_s = now.seconds_since(known.seen);
        if !(1e-3..=1.0).contains(&elapsed_s) {
            return fresh;
        }
        let mix = |old: f64, new: f64| old + NEWEST * (new - old);
        let surprise_mps = agent.speed_mps - (known.speed_mps + known.acceleration_mps2 * elapsed_s);
        let moved = pose.position() - known.pose.position();
        // A jump is a new measurement of the place, not a motion.
        let jumped = moved.norm() > (agent.speed_mps.abs() + 3.0) * elapsed_s + 0.5;
        let velocity_mps = if jumped { fresh.velocity_mps } else { [moved.x / elapsed_s, moved.y / elapsed_s] };
        Memory {
            velocity_mps: [mix(known.velocity_mps[0], velocity_mps[0]), mix(known.velocity_mps[1], velocity_mps[1])],
            speed_mps: agent.speed_mps - (1.0 - SPEED_GAIN) * surprise_mps,
            acceleration_mps2: (known.acceleration_mps2 + ACCELERATION_GAIN / elapsed_s.max(STEP_S) * surprise_mps)
                .clamp(-6.0, 3.0),
            yaw_rate_radps: mix(
                known.yaw_rate_radps,
                (wrap_angle(pose.yaw - known.pose.yaw) / elapsed_s).clamp(-1.0, 1.0),
            ),
            lane: known.lane,
            ..fresh
        }
    }
}

fn fill_path(agent: &mut Agent, memory: &mut Memory, map: &Map) {
    let walks = matches!(agent.class, Class::Pedestrian | Class::Animal);
    let measured_mps = memory.velocity_mps[0].hypot(memory.velocity_mps[1]);
    if !agent.class.is_agent() || agent.speed_mps.abs().max(if walks { measured_mps } else { 0.0 }) < STANDING_MPS {
        return;
    }
    if walks {
        // The speed is measured anew each time; only the direction needs a mean.
        let speed_mps = agent.speed_mps.abs();
        let scale = if measured_mps > 0.2 && speed_mps > STANDING_MPS { speed_mps / measured_mps } else { 1.0 };
        let [vx, vy] = match memory.velocity_mps {
            [x, y] if measured_mps > 0.2 => [x * scale, y * scale],
            _ => [memory.pose.heading().x * agent.speed_mps, memory.pose.heading().y * agent.speed_mps],
        };
        let now = memory.pose;
        let at = |step: usize| step as f64 * STEP_S;
        agent.path.extend((1..PREDICTED_STATES).map(|k| Pose2::new(now.x + vx * at(k), now.y + vy * at(k), now.yaw)));
        return;
    }
    let motion = Motion { speed_mps: agent.speed_mps, acceleration_mps2: memory.acceleration_mps2 };
    let follows = if agent.speed_mps > 0.0 { lane_to_follow(map, memory.pose, memory.lane) } else { None };
    memory.lane = follows.map(|(lane, ..)| lane);
    match follows {
        Some((lane, along_m, left_m, turn_rad)) => {
            let mut walk = LaneWalk::new(map, lane, along_m, memory.pose.yaw + 2.0 * memory.yaw_rate_radps);
            for step in 1..PREDICTED_STATES {
                let t = step as f64 * STEP_S;
                let drift_m = agent.speed_mps * turn_rad.sin() * DRIFT_DECAY_S * (1.0 - (-t / DRIFT_DECAY_S).exp());
                let center = walk.at(along_m + motion.distance_m(t));
                let side = center.heading();
                let offset_m = left_m + drift_m;
                let yaw = center.yaw + turn_rad * (-t / DRIFT_DECAY_S).exp();
                agent.path.push(Pose2::new(center.x - side.y * offset_m, center.y + side.x * offset_m, yaw));
            }
        }
        None => {
            let mut pose = memory.pose;
            for step in 1..PREDICTED_STATES {
                let t = step as f64 * STEP_S;
                let turned = STEP_S * memory.yaw_rate_radps * (-t / TURN_DECAY_S).exp();
                pose = Pose2 { yaw: pose.yaw + turned / 2.0, ..pose }
                    .ahead(motion.distance_m(t) - motion.distance_m(t - STEP_S));
                pose.yaw = wrap_angle(pose.yaw + turned / 2.0);
                agent.path.push(pose);
            }
        }
    }
}

/// A speed that goes on changing for a while: a (1 − e^(−t/τ)) τ is gained by time t.
struct Motion {
    speed_mps: f64,
    acceleration_mps2: f64,
}

impl Motion {
    /// How far it gets in `t` seconds, m; a braking vehicle stays where it comes to rest.
    fn distance_m(&self, t: f64) -> f64 {
        let decay = ACCELERATION_DECAY_S;
        let gain = self.acceleration_mps2 * decay;
        let distance_m = |t: f64| self.speed_mps * t + gain * (t - decay * (1.0 - (-t / decay).exp()));
        if self.speed_mps > 0.0 && self.speed_mps + gain < 0.0 {
            // v + gain (1 − e^(−t/τ)) = 0
            let stops_at = -decay * (1.0 + self.speed_mps / gain).ln();
            return distance_m(t.min(stops_at));
        }
        distance_m(t)
    }
}

/// The lane that a vehicle at `pose` follows, where on it, how far to its left, and how far it is turned from it.
///
/// The lane `known` from before is kept as long as the vehicle is well within it.
fn lane_to_follow(map: &Map, pose: Pose2, known: Option<LaneId>) -> Option<(LaneId, f64, f64, f64)> {
    let cost = |left_m: f64, turn: f64| left_m.abs() + 4.0 * turn.abs();
    let place = |hit: LaneHit| (hit.lane, hit.along_m, hit.left_m, wrap_angle(pose.yaw - hit.yaw));
    if let Some(kept) = known.map(|lane| place(map.project(lane, pose.position())))
        && kept.1 > 0.0
        && cost(kept.2, kept.3) < LANE_OFFSET_M / 2.0
    {
        return Some(kept);
    }
    map.lanes_near(pose.position(), LANE_OFFSET_M)
        .into_iter()
        .map(place)
        .filter(|(_, _, _, turn)| turn.abs() <= LANE_TURN_RAD)
        .min_by(|a, b| cost(a.2, a.3).total_cmp(&cost(b.2, b.3)))
}

/// Walks forward along lanes and their successors.
struct LaneWalk<'a> {
    map: &'a Map,
    lane: LaneId,
    segment: usize,
    /// Arc length, from the first lane's start, of the segment's start.
    start_m: f64,
    /// Where the vehicle seems to be heading, rad: decides between successors.
    intent_yaw: f64,
}

impl<'a> LaneWalk<'a> {
    fn new(map: &'a Map, lane: LaneId, along_m: f64, intent_yaw: f64) -> Self {
        let mut walk = Self { map, lane, segment: 0, start_m: 0.0, intent_yaw };
        walk.at(along_m);
        walk
    }

    /// The pose at `along_m`, which must not decrease from call to call; straight on where lanes end.
    fn at(&mut self, along_m: f64) -> Pose2 {
        loop {
            let line = &self.map.lane(self.lane).centerline;
            let (a, b) = (line[self.segment].xy(), line[self.segment + 1].xy());
            let length = (b - a).norm();
            if along_m <= self.start_m + length || !self.advance(length) {
                let direction = b - a;
                let yaw = direction.y.atan2(direction.x);
                return Pose2::new(a.x, a.y, yaw).ahead(along_m - self.start_m);
            }
        }
    }

    /// Steps to the next segment; false at the end of the lanes.
    fn advance(&mut self, length_m: f64) -> bool {
        let lane = self.map.lane(self.lane);
        if self.segment + 2 < lane.centerline.len() {
            self.segment += 1;
        } else {
            let turn = |id: &LaneId| {
                let line = &self.map.lane(*id).centerline;
                let chord = line[line.len() - 1] - line[0];
                wrap_angle(chord.y.atan2(chord.x) - self.intent_yaw).abs()
            };
            let Some(&next) = lane.successors.iter().min_by(|a, b| turn(a).total_cmp(&turn(b))) else { return false };
            (self.lane, self.segment) = (next, 0);
        }
        self.start_m += length_m;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tandem_datasets::EgoBody;

    use super::*;
    use crate::guidance::Guidance;
    use crate::maps;
    use crate::route::Route;
    use crate::state::VehicleState;

    fn agent(class: Class, pose: Pose2, speed_mps: f64) -> Agent {
        Agent { id: 7, class, length: 4.5, width: 1.9, path: vec![pose], speed_mps }
    }

    fn scene(map: Map, agents: Vec<Agent>) -> Scene {
        let map = Arc::new(map);
        let route = Arc::new(Route::new(&map, &[LaneId(0)], Pose2::default()).unwrap());
        Scene {
            now: Stamp::ZERO,
            ego: VehicleState::default(),
            body: EgoBody::default(),
            history: vec![VehicleState::default()],
            agents,
            signals: Vec::new(),
            map,
            route,
            guidance: Guidance::default(),
        }
    }

    fn curve() -> Map {
        let mut map = maps::MapBuilder::default();
        let before = map.lane(&maps::straight([0.0, 0.0], [50.0, 0.0]));
        let turn = map.lane(&maps::arc([50.0, 0.0], 0.0, 20.0, std::f64::consts::FRAC_PI_2));
        let other = map.lane(&maps::straight([50.0, 0.0], [120.0, 0.0]));
        map.connect(before, other);
        map.connect(before, turn);
        map.build()
    }

    /// Predicts at t and t + 0.1 s, the agent moved in between by `next`.
    fn predicted(map: Map, first: Agent, next: Agent) -> Vec<Pose2> {
        let mut scene = scene(map, vec![first]);
        let (mut predictor, mut agents) = (Predictor::default(), Vec::new());
        predictor.predict(&scene, &mut agents);
        for k in 0..6 {
            scene.agents = vec![next.clone()];
            scene.now = Stamp::from_seconds(0.1 * (k + 1) as f64);
            predictor.predict(&scene, &mut agents);
        }
        agents.remove(0).path
    }

    #[test]
    fn a_car_in_a_curve_stays_on_its_lane() {
        let car = agent(Class::Car, Pose2::new(50.0 + 20.0 * 0.3f64.sin(), 20.0 * (1.0 - 0.3f64.cos()), 0.3), 6.0);
        let path = predicted(curve(), car.clone(), car);
        assert_eq!(path.len(), PREDICTED_STATES);
        let radius = (path[40].position() - nalgebra::Point2::new(50.0, 20.0)).norm();
        assert!((radius - 20.0).abs() < 0.3, "{radius}");
        assert!((path[40].yaw - (0.3 + 24.0 / 20.0)).abs() < 0.1, "{}", path[40].yaw);
    }

    #[test]
    fn before_a_fork_a_car_that_does_not_turn_goes_straight() {
        let car = agent(Class::Car, Pose2::new(40.0, 0.0, 0.0), 10.0);
        let path = predicted(curve(), car.clone(), car);
        assert!((path[40].x - 80.0).abs() < 0.1 && path[40].y.abs() < 0.1, "{:?}", path[40]);
    }

    #[test]
    fn off_the_lanes_a_turn_is_continued_and_fades() {
        let map = curve();
        let mut scene = scene(map, Vec::new());
        let (mut predictor, mut agents) = (Predictor::default(), Vec::new());
        for k in 0..10 {
            scene.now = Stamp::from_seconds(0.1 * k as f64);
            let yaw = 0.04 * k as f64;
            scene.agents = vec![agent(Class::Car, Pose2::new(200.0 + 0.5 * k as f64, 100.0, yaw), 5.0)];
            predictor.predict(&scene, &mut agents);
        }
        let path = &agents[0].path;
        let turned = path[50].yaw - path[0].yaw;
        // ∫ 0.4 e^(−t/1.5) dt = 0.6 rad.
        assert!((turned - 0.4 * 1.5 * (1.0 - (-5.0f64 / 1.5).exp())).abs() < 0.03, "{turned}");
    }

    #[test]
    fn a_braking_car_comes_to_rest_and_stays() {
        let motion = Motion { speed_mps: 2.0, acceleration_mps2: -4.0 };
        assert!(motion.distance_m(5.0) > 0.5 && motion.distance_m(5.0) < 2.0);
        assert_eq!(motion.distance_m(3.0), motion.distance_m(5.0));
        let cruising = Motion { speed_mps: 10.0, acceleration_mps2: 1.0 };
        assert!((cruising.distance_m(4.0) - (40.0 + 4.0 - (1.0 - (-4.0f64).exp()))).abs() < 1e-9);
    }

    #[test]
    fn a_pedestrian_walks_on_where_it_walked_whatever_its_heading() {
        let mut scene = scene(curve(), Vec::new());
        let (mut predictor, mut agents) = (Predictor::default(), Vec::new());
        for k in 0..12 {
            scene.now = Stamp::from_seconds(0.1 * k as f64);
            scene.agents = vec![agent(Class::Pedestrian, Pose2::new(30.0, -4.0 + 0.12 * k as f64, 0.0), 1.2)];
            predictor.predict(&scene, &mut agents);
        }
        let (now, later) = (agents[0].path[0], agents[0].path[20]);
        assert!((later.y - now.y - 2.4).abs() < 0.02 && (later.x - now.x).abs() < 0.02, "{now:?} {later:?}");
    }

    #[test]
    fn things_and_standing_cars_stay_and_given_paths_are_kept() {
        let mut given = agent(Class::Car, Pose2::new(5.0, 0.0, 0.0), 3.0);
        given.path.push(Pose2::new(6.0, 0.0, 0.0));
        let agents = vec![
            agent(Class::Cone, Pose2::new(10.0, 0.0, 0.0), 0.0),
            agent(Class::Car, Pose2::new(20.0, 0.0, 0.0), 0.1),
            given.clone(),
        ];
        let mut out = Vec::new();
        Predictor::default().predict(&scene(curve(), agents), &mut out);
        assert_eq!((out[0].path.len(), out[1].path.len()), (1, 1));
        assert_eq!(out[2], given);
    }
}
