//! What messages tell of the ego and what is around it, put together into a scene.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tandem_datasets::{EgoBody, Map, Pose2, messages};
use tandem_graph::msgs::autoware_perception_msgs::PredictedObjects;
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::topics::{ACCELERATION, JUDGMENT, MAP, OBJECTS, ODOMETRY, ROUTE, SIGNALS, STEERING};
use tandem_graph::{Inputs, Sample, Stamp};

use crate::guidance::Guidance;
use crate::route::Route;
use crate::state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
use crate::validate::ACCELERATION_MPS2;
use crate::vehicle;

/// How much of the past a scene has, states.
const HISTORY_STATES: usize = 21;

/// What is known so far of the ego and what is around it, from messages as they come.
///
/// It reads the topics of odometry, acceleration, steering, objects, signals, map, route and judgment, as far as a node
/// has them among its inputs.
#[derive(Debug)]
pub struct Surroundings {
    body: EgoBody,
    propagation: Duration,
    map: Option<(u64, Arc<Map>)>,
    route: Option<(u64, Arc<Route>)>,
    guidance: Option<(u64, Guidance)>,
    /// Ego states as they were captured, by rising stamp.
    past: VecDeque<(Stamp, VehicleState)>,
}

impl Surroundings {
    /// Of a vehicle of dimensions `body`; what is moved on by more than `propagation` is left where it would be by then.
    pub fn new(body: EgoBody, propagation: Duration) -> Self {
        Self { body, propagation, map: None, route: None, guidance: None, past: VecDeque::new() }
    }

    /// Takes in what is new; what can't be used is reported and left out.
    pub fn take(&mut self, inputs: &Inputs) {
        self.take_world(inputs);
        self.take_ego(inputs);
    }

    /// When the newest ego state was captured.
    pub fn newest_ego(&self) -> Option<Stamp> {
        self.past.back().map(|(stamp, _)| *stamp)
    }

    /// The judgment that came last, as the planner understands it.
    pub fn guidance(&self) -> Option<&Guidance> {
        self.guidance.as_ref().map(|(_, guidance)| guidance)
    }

    /// All of it at `now` with the ego as given; `None` while map, route or objects are missing. `agents` is room that is
    /// used again.
    pub fn scene(&self, now: Stamp, ego: VehicleState, inputs: &Inputs, mut agents: Vec<Agent>) -> Option<Scene> {
        let objects = inputs.latest(&OBJECTS)?;
        let ((_, map), (_, route)) = (self.map.as_ref()?, self.route.as_ref()?);
        self.move_on(&objects, now, &mut agents);
        let signals = inputs.latest(&SIGNALS).map_or_else(Vec::new, |sample| {
            sample.message.traffic_light_groups.iter().filter_map(messages::color_of).collect()
        });
        Some(Scene {
            now,
            ego,
            body: self.body,
            history: self.history(now, ego),
            agents,
            signals,
            map: Arc::clone(map),
            route: Arc::clone(route),
            guidance: self.guidance.as_ref().map_or_else(Guidance::default, |(_, guidance)| guidance.clone()),
        })
    }

    /// The ego at `now`: the newest state, moved on along a plan by the vehicle model.
    pub fn ego_at(&self, now: Stamp, plan: Option<&(Stamp, Rollout)>) -> Option<VehicleState> {
        let (mut stamp, mut state) = *self.past.back()?;
        let until = now.min(stamp + self.propagation);
        while stamp < until {
            let dt_s = until.seconds_since(stamp).min(STEP_S);
            state = match plan {
                Some((start, plan)) if *start <= stamp => {
                    vehicle::step(&state, plan, stamp.seconds_since(*start), dt_s, &self.body)
                }
                _ => vehicle::propagate(&state, vehicle::Command::default(), dt_s, &self.body),
            };
            stamp = stamp.offset_ns((dt_s * 1e9).round().max(1.0) as i64);
        }
        Some(state)
    }

    /// Takes in map, route and judgment where a new one came; what can't be used is reported and left out.
    fn take_world(&mut self, inputs: &Inputs) {
        if let Some(sample) = newer(inputs.latest(&MAP), self.map.as_ref().map(|(sequence, _)| *sequence)) {
            match messages::map_parts(&sample.message).and_then(Map::new) {
                Ok(map) => {
                    self.map = Some((sample.sequence, Arc::new(map)));
                    // Its lane numbers are those of the map before.
                    self.route = None;
                }
                Err(error) => tracing::error!(%error, topic = MAP.name(), "the map is not usable"),
            }
        }
        if let Some((_, map)) = &self.map
            && let Some(sample) = newer(inputs.latest(&ROUTE), self.route.as_ref().map(|(sequence, _)| *sequence))
        {
            match Route::from_message(map, &sample.message) {
                Ok(route) => self.route = Some((sample.sequence, Arc::new(route))),
                Err(error) => tracing::error!(%error, topic = ROUTE.name(), "the route is not usable"),
            }
        }
        if let Some(sample) = newer(inputs.latest(&JUDGMENT), self.guidance.as_ref().map(|(sequence, _)| *sequence)) {
            self.guidance = Some((sample.sequence, Guidance::from_judgment(&sample.message)));
        }
    }

    /// Takes in the odometry since the last step, with the newest acceleration and steering.
    fn take_ego(&mut self, inputs: &Inputs) {
        let acceleration = inputs.latest(&ACCELERATION).map(|sample| sample.message.accel.accel.linear.x);
        let steering = inputs.latest(&STEERING).map(|sample| f64::from(sample.message.steering_tire_angle));
        for sample in inputs.fresh(&ODOMETRY) {
            let before = self.past.back();
            if before.is_some_and(|(stamp, _)| *stamp >= sample.capture) {
                continue;
            }
            let mut state = ego_state(&sample.message, &self.body);
            if let Some((stamp, earlier)) = before {
                state.acceleration_mps2 = (state.speed_mps - earlier.speed_mps) / sample.capture.seconds_since(*stamp);
            }
            // Beyond what a car can do, it is noise, and would make every plan unfit from its first state on.
            let (hardest, strongest) = ACCELERATION_MPS2.into_inner();
            state.acceleration_mps2 = acceleration.unwrap_or(state.acceleration_mps2).clamp(hardest, strongest);
            state.steering_rad = steering.unwrap_or(state.steering_rad);
            if is_finite(&state) {
                self.past.push_back((sample.capture, state));
            }
        }
        if let Some((newest, _)) = self.past.back().copied() {
            let keep_from = newest - Duration::from_secs_f64((HISTORY_STATES + 2) as f64 * STEP_S);
            while self.past.front().is_some_and(|(stamp, _)| *stamp < keep_from) {
                self.past.pop_front();
            }
        }
    }

    /// Ego states at steps of [`STEP_S`] up to `now`, oldest first, `ego` last; as far back as they are known.
    fn history(&self, now: Stamp, ego: VehicleState) -> Vec<VehicleState> {
        let mut history = Vec::with_capacity(HISTORY_STATES);
        for step in (1..HISTORY_STATES).rev() {
            let stamp = now.offset_ns(-(step as i64) * (STEP_S * 1e9) as i64);
            let after = self.past.partition_point(|(known, _)| *known < stamp);
            let next = self.past.get(after);
            match (after.checked_sub(1).and_then(|index| self.past.get(index)), next) {
                (_, Some((known, state))) if *known == stamp => history.push(*state),
                (Some((from, a)), Some((to, b))) => {
                    history.push(a.lerp(b, stamp.seconds_since(*from) / to.seconds_since(*from)));
                }
                _ => {}
            }
        }
        history.push(ego);
        history
    }

    /// Fills `agents` with the perceived objects, moved on from when they were seen to `now`.
    fn move_on(&self, objects: &Sample<PredictedObjects>, now: Stamp, agents: &mut Vec<Agent>) {
        let age_s = now.seconds_since(objects.capture).clamp(0.0, self.propagation.as_secs_f64());
        agents.clear();
        for message in &objects.message.objects {
            let object = messages::object_of(message, objects.capture);
            let [vx, vy] = object.state.velocity_mps;
            let seen = object.state.pose;
            let finite = [seen.x, seen.y, seen.yaw, vx, vy, object.size[0], object.size[1]];
            if !finite.iter().all(|value| value.is_finite()) {
                continue;
            }
            let along = seen.heading().dot(&nalgebra::Vector2::new(vx, vy));
            let now_at = Pose2::new(seen.x + vx * age_s, seen.y + vy * age_s, seen.yaw);
            agents.push(Agent {
                id: object.number,
                class: object.class,
                length: object.size[0],
                width: object.size[1],
                path: predicted_path(message, now_at, age_s),
                speed_mps: vx.hypot(vy).copysign(along),
            });
        }
    }
}

/// A sample that is newer than the one used before.
fn newer<M: tandem_graph::Message>(sample: Option<Sample<M>>, used: Option<u64>) -> Option<Sample<M>> {
    sample.filter(|sample| used != Some(sample.sequence))
}

fn is_finite(state: &VehicleState) -> bool {
    let pose = state.pose;
    let values = [pose.x, pose.y, pose.yaw, state.speed_mps, state.acceleration_mps2, state.steering_rad];
    values.iter().all(|value| value.is_finite()) && state.yaw_rate_radps.is_finite()
}

/// The ego state of an odometry message; the wheel angle is the one that its yaw rate demands.
fn ego_state(message: &Odometry, body: &EgoBody) -> VehicleState {
    let pose = &message.pose.pose;
    let (speed_mps, yaw_rate_radps) = (message.twist.twist.linear.x, message.twist.twist.angular.z);
    let turns = speed_mps.abs() > 0.5;
    VehicleState {
        pose: Pose2::new(pose.position.x, pose.position.y, pose.orientation.yaw_rad()),
        speed_mps,
        acceleration_mps2: 0.0,
        steering_rad: if turns { (body.wheelbase * yaw_rate_radps / speed_mps).atan() } else { 0.0 },
        yaw_rate_radps,
    }
}

/// The likeliest predicted path of an object from `age_s` after it was seen on, or only where it is now.
fn predicted_path(
    message: &tandem_graph::msgs::autoware_perception_msgs::PredictedObject,
    now_at: Pose2,
    age_s: f64,
) -> Vec<Pose2> {
    let paths = &message.kinematics.predicted_paths;
    let likeliest = paths.iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let Some(path) = likeliest.filter(|path| path.path.len() >= 2) else { return vec![now_at] };
    let step_s = path.time_step.ns() as f64 * 1e-9;
    let pose = |index: usize| {
        let pose = &path.path[index.min(path.path.len() - 1)];
        Pose2::new(pose.position.x, pose.position.y, pose.orientation.yaw_rad())
    };
    let finite = (0..path.path.len()).all(|index| {
        let pose = pose(index);
        pose.x.is_finite() && pose.y.is_finite() && pose.yaw.is_finite()
    });
    if !(step_s > 0.0 && finite) {
        return vec![now_at];
    }
    let last_s = step_s * (path.path.len() - 1) as f64;
    let mut poses: Vec<Pose2> = (0..PLAN_STATES + 10)
        .map(|step| age_s + step as f64 * STEP_S)
        .take_while(|t| *t <= last_s + 1e-9)
        .map(|t| pose((t / step_s) as usize).lerp(&pose((t / step_s) as usize + 1), (t / step_s).fract()))
        .collect();
    if poses.is_empty() {
        poses.push(now_at);
    }
    poses
}
