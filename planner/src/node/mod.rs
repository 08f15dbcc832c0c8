//! The planner as a node of the graph: messages in, a scene for the planner, its plan and an account of it out.
//!
//! What is late is brought up to now: the ego by the vehicle model along the last plan, the others at their velocity.
//! When perception is silent for too long the node plans a comfortable stop, then an emergency stop.

mod surroundings;

use std::time::Duration;

use tandem_datasets::{EgoBody, messages};
use tandem_graph::msgs::autoware_planning_msgs::{Trajectory, TrajectoryPoint};
use tandem_graph::msgs::geometry_msgs::{Point, Pose, Quaternion};
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tandem_msgs::{PlanStatus, SceneJudgment};
use tandem_graph::msgs::{autoware_perception_msgs::PredictedObjects, builtin_interfaces};
use tandem_graph::topics::{
    ACCELERATION, JUDGMENT, MAP, OBJECTS, ODOMETRY, ROUTE, SIGNALS, STATUS, STEERING, TRAJECTORY,
};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Sample, Stamp};

pub use self::surroundings::Surroundings;
use crate::fallback;
use crate::guidance::{Guidance, NO_TRACK};
use crate::meta_action::MetaAction;
use crate::plan::{Fallback, Plan, Planner};
use crate::state::{Rollout, STEP_S, Scene, VehicleState};
use crate::validate::{is_whole, validate};

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
    surroundings: Surroundings,
    last: Option<(Stamp, Rollout)>,
    scene: Option<Scene>,
}

impl PlannerNode {
    /// A node that plans ten times a second with `planner` for a vehicle of dimensions `body`.
    pub fn new(planner: Box<dyn Planner>, body: EgoBody) -> Self {
        let patience = Patience::default();
        Self {
            planner,
            body,
            patience,
            period: Duration::from_millis(100),
            started: None,
            surroundings: Surroundings::new(body, patience.propagation),
            last: None,
            scene: None,
        }
    }

    /// The same with another patience.
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self.surroundings = Surroundings::new(self.body, patience.propagation);
        self
    }

    /// How old the newest of what is needed at every step is; infinite silence counts from the first step.
    fn silence(&self, now: Stamp, objects: Option<&Sample<PredictedObjects>>) -> Duration {
        let since = |stamp: Option<Stamp>| {
            let stamp = stamp.or(self.started).unwrap_or(now);
            Duration::from_nanos(u64::try_from(now.ns_since(stamp)).unwrap_or(0))
        };
        since(objects.map(|sample| sample.capture)).max(since(self.surroundings.newest_ego()))
    }

    fn stop(&self, fallback: Fallback, ego: &VehicleState) -> Plan {
        let path = self.last.as_ref().map_or(&[][..], |(_, plan)| plan);
        fallback::stop(fallback, ego, path, &self.body)
    }

    /// The planner's plan for what is known; `None` if it is not known enough yet.
    fn plan(&mut self, now: Stamp, ego: VehicleState, inputs: &Inputs) -> Option<Plan> {
        let agents = self.scene.take().map_or_else(Vec::new, |scene| scene.agents);
        let scene = self.surroundings.scene(now, ego, inputs, agents)?;
        let plan = self.planner.plan(&scene);
        let sound = if self.planner.is_checked() {
            validate(&plan.rollout, &ego, &self.body, plan.fallback.is_none().then_some(&*scene.map))
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
        if let Some(guidance) = self.surroundings.guidance() {
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
        self.surroundings.take(inputs);
        let Some(ego) = self.surroundings.ego_at(now, self.last.as_ref()) else { return };
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
            about: (judgment.critical_objects.iter().map(|object| object.track_id))
                .filter(|number| *number != NO_TRACK)
                .collect(),
            extra_gap_m: judgment.extra_gap_m,
            extra_headway_s: judgment.extra_headway_s,
            closed: judgment.avoid.iter().map(|region| points(&region.polygon)).collect(),
            waypoints: points(&judgment.waypoints),
            ..Self::default()
        };
        for action in &judgment.meta_actions {
            let meta_action = MetaAction::from_word(&action.action);
            match Maneuver::from_action(&action.action).or(meta_action.and_then(MetaAction::maneuver)) {
                Some(maneuver) => {
                    let (duration_s, veto) = (action.duration_s, action.veto);
                    guidance.wishes.push(Wish { maneuver, duration_s, veto });
                }
                None if meta_action.is_some() => guidance.ignored.push(format!("{} is not wished for", action.action)),
                None => guidance.ignored.push(format!("unknown action {:?}", action.action)),
            }
        }
        guidance
    }
}
