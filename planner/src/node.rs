//! The planner as a node of the graph: messages in, a scene for the planner, its plan and an account of it out.
//!
//! What is late is brought up to now: the ego by the vehicle model along the last plan, the others at their velocity.
//! When perception is silent for too long the node plans a comfortable stop, then an emergency stop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tandem_datasets::{EgoBody, Map, Pose2, messages};
use tandem_graph::msgs::autoware_planning_msgs::{Trajectory, TrajectoryPoint};
use tandem_graph::msgs::geometry_msgs::{Point, Pose, Quaternion};
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tandem_msgs::{PlanStatus, SceneJudgment};
use tandem_graph::msgs::{autoware_perception_msgs::PredictedObjects, builtin_interfaces};
use tandem_graph::topics::{
    ACCELERATION, JUDGMENT, MAP, OBJECTS, ODOMETRY, ROUTE, SIGNALS, STATUS, STEERING, TRAJECTORY,
};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Sample, Stamp};

use crate::fallback;
use crate::guidance::Guidance;
use crate::plan::{Fallback, Plan, Planner};
use crate::route::Route;
use crate::state::{Agent, PLAN_STATES, Rollout, STEP_S, Scene, VehicleState};
use crate::validate::{ACCELERATION_MPS2, is_whole, validate};
use crate::vehicle;

/// How much of the past a scene has, states.
const HISTORY_STATES: usize = 21;

/// When the node stops waiting for its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Objects or odometry older than this: comfortable stop. Autoware's availability monitor waits as long.
    pub comfortable_stop: Duration,
    /// Older than this: emergency stop.
    pub emergency_stop: Duration,
    /// Objects that are to be moved on by more than this are left where they would be by then.
    pub propagation: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            comfortable_stop: Duration::from_millis(500),
            emergency_stop: Duration::from_millis(1500),
            propagation: Duration::from_millis(1000),
        }
    }
}

/// The planner node, around any planner.
pub struct PlannerNode {
    planner: Box<dyn Planner>,
    body: EgoBody,
    patience: Patience,
    period: Duration,
    /// When it was stepped first: silence counts from there.
    started: Option<Stamp>,
    map: Option<(u64, Arc<Map>)>,
    route: Option<(u64, Arc<Route>)>,
    guidance: Option<(u64, Guidance)>,
    /// Ego states as they were captured, by rising stamp.
    past: VecDeque<(Stamp, VehicleState)>,
    last: Option<(Stamp, Rollout)>,
    scene: Option<Scene>,
}

impl PlannerNode {
    /// A node that plans ten times a second with `planner` for a vehicle of dimensions `body`.
    pub fn new(planner: Box<dyn Planner>, body: EgoBody) -> Self {
        Self {
            planner,
            body,
            patience: Patience::default(),
            period: Duration::from_millis(100),
            started: None,
            map: None,
            route: None,
            guidance: None,
            past: VecDeque::new(),
            last: None,
            scene: None,
        }
    }

    /// The same with another patience.
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
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

    /// The ego at `now`: the newest state, moved on along the last plan by the vehicle model.
    fn ego_at(&self, now: Stamp) -> Option<VehicleState> {
        let (mut stamp, mut state) = *self.past.back()?;
        let until = now.min(stamp + self.patience.propagation);
        while stamp < until {
            let dt_s = until.seconds_since(stamp).min(STEP_S);
            state = match &self.last {
                Some((start, plan)) if *start <= stamp => {
                    vehicle::step(&state, plan, stamp.seconds_since(*start), dt_s, &self.body)
                }
                _ => vehicle::propagate(&state, vehicle::Command::default(), dt_s, &self.body),
            };
            stamp = stamp.offset_ns((dt_s * 1e9).round().max(1.0) as i64);
        }
        Some(state)
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
                    history.push(mix(a, b, stamp.seconds_since(*from) / to.seconds_since(*from)));
                }
                _ => {}
            }
        }
        history.push(ego);
        history
    }

    /// How old the newest of what is needed at every step is; infinite silence counts from the first step.
    fn silence(&self, now: Stamp, objects: Option<&Sample<PredictedObjects>>) -> Duration {
        let since = |stamp: Option<Stamp>| {
            let stamp = stamp.or(self.started).unwrap_or(now);
            Duration::from_nanos(u64::try_from(now.ns_since(stamp)).unwrap_or(0))
        };
        since(objects.map(|sample| sample.capture)).max(since(self.past.back().map(|(stamp, _)| *stamp)))
    }

    fn stop(&self, fallback: Fallback, ego: &VehicleState) -> Plan {
        let path = self.last.as_ref().map_or(&[][..], |(_, plan)| plan);
        fallback::stop(fallback, ego, path, &self.body)
    }

    /// The planner's plan for what is known; `None` if it is not known enough yet.
    fn plan(&mut self, now: Stamp, ego: VehicleState, inputs: &Inputs) -> Option<Plan> {
        let objects = inputs.latest(&OBJECTS)?;
        let ((_, map), (_, route)) = (self.map.as_ref()?, self.route.as_ref()?);
        let mut agents = self.scene.take().map_or_else(Vec::new, |scene| scene.agents);
        self.move_on(&objects, now, &mut agents);
        let signals = inputs.latest(&SIGNALS).map_or_else(Vec::new, |sample| {
            sample.message.traffic_light_groups.iter().filter_map(messages::color_of).collect()
        });
        let scene = Scene {
            now,
            ego,
            body: self.body,
            history: self.history(now, ego),
            agents,
            signals,
            map: Arc::clone(map),
            route: Arc::clone(route),
            guidance: self.guidance.as_ref().map_or_else(Guidance::default, |(_, guidance)| guidance.clone()),
        };
        let plan = self.planner.plan(&scene);
        let sound = if self.planner.is_checked() {
            validate(&plan.rollout, &ego, &self.body, plan.fallback.is_none().then_some(&**map))
        } else {
            is_whole(&plan.rollout)
        };
        self.scene = Some(scene);
        match sound {
            Ok(()) => Some(plan),
            Err(error) => {
                tracing::warn!(%error, planner = self.planner.name(), proposal = plan.proposal, "plan discarded");
                Some(self.stop(Fallback::EmergencyStop, &ego))
            }
        }
    }

    /// Fills `agents` with the perceived objects, moved on from when they were seen to `now`.
    fn move_on(&self, objects: &Sample<PredictedObjects>, now: Stamp, agents: &mut Vec<Agent>) {
        let age_s = now.seconds_since(objects.capture).clamp(0.0, self.patience.propagation.as_secs_f64());
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

    fn publish(&mut self, now: Stamp, plan: Plan, outputs: &mut Outputs) {
        outputs.publish(&TRAJECTORY, now, trajectory(now, &plan.rollout));
        outputs.publish(&STATUS, now, self.status(now, &plan));
        self.last = Some((now, plan.rollout));
    }

    fn status(&self, now: Stamp, plan: &Plan) -> PlanStatus {
        let mut status = PlanStatus {
            header: Header::new(now, messages::MAP_FRAME),
            planner: self.planner.name().to_owned(),
            proposal: plan.proposal.clone(),
            fallback: match plan.fallback {
                None => PlanStatus::FALLBACK_NONE,
                Some(Fallback::ComfortableStop) => PlanStatus::FALLBACK_COMFORTABLE_STOP,
                Some(Fallback::EmergencyStop) => PlanStatus::FALLBACK_EMERGENCY_STOP,
            },
            ..PlanStatus::default()
        };
        if let Some(scores) = &plan.scores {
            status.score = scores.total();
            (status.nc, status.dac, status.ddc, status.tlc) = (scores.nc, scores.dac, scores.ddc, scores.tlc);
            (status.ep, status.ttc, status.lk) = (scores.ep, scores.ttc, scores.lk);
            (status.hc, status.ec) = (scores.hc, scores.ec);
        }
        if let Some((_, guidance)) = &self.guidance {
            let effects = guidance.effects(now);
            if effects.strength > 0.0 {
                status.judgment_age_s = now.seconds_since(guidance.judged);
                status.speed_cap_mps = effects.speed_cap_mps.unwrap_or(f64::NAN);
                status.extra_gap_m = effects.extra_gap_m;
                status.extra_headway_s = effects.extra_headway_s;
                status.avoided_regions = effects.regions.len() as u32;
                status.preferred = effects.preferred.iter().map(|(wish, _)| wish.action().to_owned()).collect();
                status.vetoed = effects.vetoed.iter().map(|wish| wish.action().to_owned()).collect();
            }
        }
        status
    }
}

impl Node for PlannerNode {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("planner", self.period)
            .reads_queue(&ODOMETRY, 64)
            .within(self.patience.comfortable_stop)
            .reads(&ACCELERATION)
            .reads(&STEERING)
            .reads(&OBJECTS)
            .within(self.patience.comfortable_stop)
            .reads(&SIGNALS)
            .reads(&MAP)
            .reads(&ROUTE)
            .reads(&JUDGMENT)
            .writes(&TRAJECTORY)
            .writes(&STATUS)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        self.started.get_or_insert(now);
        self.take_world(inputs);
        self.take_ego(inputs);
        let Some(ego) = self.ego_at(now) else { return };
        let silence = self.silence(now, inputs.latest(&OBJECTS).as_ref());
        let plan = if silence > self.patience.emergency_stop {
            Some(self.stop(Fallback::EmergencyStop, &ego))
        } else if silence > self.patience.comfortable_stop {
            Some(self.stop(Fallback::ComfortableStop, &ego))
        } else {
            self.plan(now, ego, inputs)
        };
        if let Some(plan) = plan {
            self.publish(now, plan, outputs);
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

fn mix(a: &VehicleState, b: &VehicleState, t: f64) -> VehicleState {
    let mix = |a: f64, b: f64| a + (b - a) * t;
    VehicleState {
        pose: a.pose.lerp(&b.pose, t),
        speed_mps: mix(a.speed_mps, b.speed_mps),
        acceleration_mps2: mix(a.acceleration_mps2, b.acceleration_mps2),
        steering_rad: mix(a.steering_rad, b.steering_rad),
        yaw_rate_radps: mix(a.yaw_rate_radps, b.yaw_rate_radps),
    }
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

/// A plan as a message.
pub fn trajectory(now: Stamp, plan: &[VehicleState]) -> Trajectory {
    let point = |(step, state): (usize, &VehicleState)| TrajectoryPoint {
        time_from_start: builtin_interfaces::Duration::from_ns(step as i64 * (STEP_S * 1e9) as i64),
        pose: Pose {
            position: Point { x: state.pose.x, y: state.pose.y, z: 0.0 },
            orientation: Quaternion::from_yaw(state.pose.yaw),
        },
        longitudinal_velocity_mps: state.speed_mps as f32,
        acceleration_mps2: state.acceleration_mps2 as f32,
        heading_rate_rps: state.yaw_rate_radps as f32,
        front_wheel_angle_rad: state.steering_rad as f32,
        ..TrajectoryPoint::default()
    };
    Trajectory { header: Header::new(now, messages::MAP_FRAME), points: plan.iter().enumerate().map(point).collect() }
}

impl Guidance {
    /// What the planner understands of a judgment.
    pub fn from_judgment(judgment: &SceneJudgment) -> Self {
        use crate::guidance::Wish;
        use crate::proposals::Maneuver;

        let points = |points: &[Point]| points.iter().map(|point| nalgebra::Point2::new(point.x, point.y)).collect();
        let mut guidance = Self {
            judged: Stamp::from(judgment.header.stamp),
            time_to_live_s: judgment.time_to_live.ns() as f64 * 1e-9,
            speed_cap_mps: (!judgment.speed_cap_mps.is_nan()).then_some(judgment.speed_cap_mps),
            extra_gap_m: judgment.extra_gap_m,
            extra_headway_s: judgment.extra_headway_s,
            closed: judgment.avoid.iter().map(|region| points(&region.polygon)).collect(),
            waypoints: points(&judgment.waypoints),
            ..Self::default()
        };
        for action in &judgment.meta_actions {
            match Maneuver::from_action(&action.action) {
                Some(maneuver) => {
                    let (duration_s, veto) = (action.duration_s, action.veto);
                    guidance.wishes.push(Wish { maneuver, duration_s, veto });
                }
                None => guidance.ignored.push(format!("unknown action {:?}", action.action)),
            }
        }
        guidance
    }
}
