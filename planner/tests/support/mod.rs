//! A small closed loop on small maps: planner, vehicle model and actors that move by a rule.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test and bench uses a part of it")]

pub mod maps;

use std::sync::Arc;

use tandem_datasets::{Class, EgoBody, LaneId, Map, Pose2, SignalColor};
use tandem_graph::Stamp;
use tandem_planner::guidance::Guidance;
use tandem_planner::score::{Obstacle, Run, RunScore, Traffic, score_run};
use tandem_planner::{Agent, Plan, Planner, Rollout, Route, STEP_S, Scene, VehicleState, vehicle};

/// Someone else: what it is, and where it is and how fast at each time.
pub struct Actor {
    pub class: Class,
    pub size: [f64; 2],
    pub motion: Box<dyn Fn(f64) -> (Pose2, f64)>,
}

impl Actor {
    /// A car that stands for good.
    pub fn parked(x: f64, y: f64) -> Self {
        Self { class: Class::Car, size: [4.6, 1.9], motion: Box::new(move |_| (Pose2::new(x, y, 0.0), 0.0)) }
    }

    /// A car that drives along x at a constant speed.
    pub fn driving(x: f64, y: f64, speed_mps: f64) -> Self {
        let motion = move |t: f64| (Pose2::new(x + speed_mps * t, y, 0.0), speed_mps);
        Self { class: Class::Car, size: [4.6, 1.9], motion: Box::new(motion) }
    }

    /// A pedestrian that crosses along y from `y` on, starting at `start_s`.
    pub fn crossing(x: f64, y: f64, speed_mps: f64, start_s: f64) -> Self {
        let motion = move |t: f64| {
            let walked_m = speed_mps * (t - start_s).max(0.0);
            let is_walking = t >= start_s;
            (
                Pose2::new(x, y + walked_m, speed_mps.signum() * std::f64::consts::FRAC_PI_2),
                if is_walking { speed_mps.abs() } else { 0.0 },
            )
        };
        Self { class: Class::Pedestrian, size: [0.7, 0.7], motion: Box::new(motion) }
    }
}

/// A place, actors, and how the ego begins.
pub struct Stage {
    pub map: Arc<Map>,
    pub route: Arc<Route>,
    pub start: VehicleState,
    pub actors: Vec<Actor>,
    pub signals: Box<dyn Fn(f64) -> Vec<(LaneId, SignalColor)>>,
    pub guidance: Guidance,
}

impl Stage {
    /// On `lanes` of a map, starting at `start`, with nobody else there.
    pub fn new(map: Map, lanes: &[LaneId], start: VehicleState) -> Self {
        let route = Route::new(&map, lanes, start.pose).unwrap();
        Self {
            map: Arc::new(map),
            route: Arc::new(route),
            start,
            actors: Vec::new(),
            signals: Box::new(|_| Vec::new()),
            guidance: Guidance::default(),
        }
    }

    /// What a planner sees at `t` seconds.
    pub fn scene(&self, t: f64, ego: VehicleState, history: &[VehicleState]) -> Scene {
        let agents = self.actors.iter().zip(0..).map(|(actor, id)| {
            let (pose, speed_mps) = (actor.motion)(t);
            let [length, width] = actor.size;
            Agent { id, class: actor.class, length, width, path: vec![pose], speed_mps }
        });
        Scene {
            now: Stamp::from_seconds(t),
            ego,
            body: EgoBody::default(),
            history: history.to_vec(),
            agents: agents.collect(),
            signals: (self.signals)(t),
            map: Arc::clone(&self.map),
            route: Arc::clone(&self.route),
            guidance: self.guidance.clone(),
        }
    }

    /// Drives for `seconds` and scores the run.
    pub fn drive(&self, planner: &mut dyn Planner, seconds: f64) -> Drive {
        let body = EgoBody::default();
        let mut drive = Drive { states: vec![self.start], plans: Vec::new(), score: None };
        let steps = (seconds / STEP_S).round() as usize;
        for step in 0..steps {
            let state = drive.states[step];
            let history = &drive.states[step.saturating_sub(20)..];
            let plan = planner.plan(&self.scene(step as f64 * STEP_S, state, history));
            drive.states.push(vehicle::step(&state, &plan.rollout, 0.0, STEP_S, &body));
            drive.plans.push(plan);
        }
        let seen = |step: usize| {
            let t = step as f64 * STEP_S;
            let actors = self.actors.iter().zip(0..);
            actors
                .map(move |(actor, id)| {
                    let (pose, speed_mps) = (actor.motion)(t);
                    let [length, width] = actor.size;
                    Obstacle { id, class: actor.class, pose, length, width, speed_mps }
                })
                .collect::<Vec<_>>()
        };
        let traffic = Traffic::observed((0..=steps).map(seen));
        let signals: Vec<_> = (0..=steps).map(|step| (self.signals)(step as f64 * STEP_S)).collect();
        let plans: Vec<(usize, Rollout)> =
            drive.plans.iter().enumerate().map(|(step, plan)| (step, plan.rollout.clone())).collect();
        let run = Run {
            body,
            map: &self.map,
            route: &self.route,
            states: &drive.states,
            history: &[],
            traffic: &traffic,
            signals: &signals,
            plans: &plans,
            reference_progress_m: None,
        };
        drive.score = Some(score_run(&run));
        drive
    }
}

/// What a drive left behind.
pub struct Drive {
    pub states: Vec<VehicleState>,
    pub plans: Vec<Plan>,
    score: Option<RunScore>,
}

impl Drive {
    /// The driving score of the run.
    pub fn score(&self) -> &RunScore {
        self.score.as_ref().unwrap()
    }

    /// Where it ended.
    pub fn end(&self) -> &VehicleState {
        self.states.last().unwrap()
    }

    /// Prints the run, a line every half second, for whoever looks into a failure.
    pub fn print(&self) {
        for (step, (state, plan)) in self.states.iter().zip(&self.plans).enumerate().step_by(5) {
            println!(
                "{:5.1} s  x {:7.2} y {:6.2} yaw {:5.2}  v {:5.2} a {:5.2}  {}{}",
                step as f64 * STEP_S,
                state.pose.x,
                state.pose.y,
                state.pose.yaw,
                state.speed_mps,
                state.acceleration_mps2,
                plan.proposal,
                plan.fallback.map_or(String::new(), |fallback| format!(" ({fallback:?})")),
            );
        }
        println!("{:?}", self.score());
    }
}
