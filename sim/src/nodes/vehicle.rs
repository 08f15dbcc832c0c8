//! The vehicle: follows the newest trajectory it has, reports its state, and stops by itself when the planner is silent.

use std::collections::VecDeque;
use std::sync::Arc;

use tandem_graph::topics::{ACCELERATION, ODOMETRY, STEERING, TF, TRAJECTORY};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_planner::{Fallback, Rollout, VehicleState, fallback, vehicle};

use super::{PERIOD, convert};
use crate::course::Course;

/// How long the planner may be silent before the vehicle brakes by itself, s; armed from the start. As long as
/// Autoware's: `autoware_mrm_handler` `timeout_operation_mode_availability`.
pub const SILENCE_S: f64 = 0.5;

/// How the vehicle moves.
enum Motion {
    /// By the vehicle model along the planner's trajectories, from the start of the run on; as logged before.
    Follow,
    /// Exactly as logged.
    Logged,
}

/// A trajectory to follow.
struct Reference {
    /// The time of its first state.
    start: Stamp,
    /// When it came.
    receive: Stamp,
    states: Rollout,
}

/// The vehicle node. Steps at 10 Hz, a step as long as the planner's own forward simulation takes it, but split where a
/// trajectory arrives in between, so that none is followed before it is there.
pub struct Vehicle {
    course: Arc<Course>,
    motion: Motion,
    /// The time of the last state.
    now: Stamp,
    states: Vec<VehicleState>,
    reference: Option<Reference>,
    /// Trajectories that came after the last state, by time of arrival.
    arrived: VecDeque<Reference>,
    /// When the planner was last heard of.
    heard: Stamp,
    braked_s: f64,
}

impl Vehicle {
    /// A vehicle that follows trajectories from the start of the run on.
    pub fn following(course: &Arc<Course>) -> Self {
        Self::new(course, Motion::Follow)
    }

    /// A vehicle that moves as the human did.
    pub fn logged(course: &Arc<Course>) -> Self {
        Self::new(course, Motion::Logged)
    }

    fn new(course: &Arc<Course>, motion: Motion) -> Self {
        let mut states = Vec::with_capacity(course.human.len());
        states.push(course.human_at(course.first()));
        Self {
            course: Arc::clone(course),
            motion,
            now: course.first(),
            states,
            reference: None,
            arrived: VecDeque::new(),
            heard: course.start,
            braked_s: 0.0,
        }
    }

    /// What it reads and writes.
    pub(crate) fn node_spec() -> NodeSpec {
        // More trajectories than can come in a period, so that none of them is dropped unseen.
        NodeSpec::every("vehicle", PERIOD)
            .reads_queue(&TRAJECTORY, 64)
            .writes(&ODOMETRY)
            .writes(&ACCELERATION)
            .writes(&STEERING)
            .writes(&TF)
    }

    /// Its states, one a step, the first one at the start of the run.
    pub fn states(&self) -> &[VehicleState] {
        self.states.get(self.course.history_steps..).unwrap_or_default()
    }

    /// For how long it braked by itself because the planner was silent, s.
    pub fn braked_s(&self) -> f64 {
        self.braked_s
    }

    fn drive_to(&mut self, now: Stamp) -> VehicleState {
        let body = self.course.body();
        let mut state = self.states[self.states.len() - 1];
        while self.now < now {
            while self.arrived.front().is_some_and(|next| next.receive <= self.now) {
                self.reference = self.arrived.pop_front();
                self.heard = self.reference.as_ref().map_or(self.heard, |newest| newest.receive);
            }
            let until = self.arrived.front().map_or(now, |next| next.receive.min(now));
            let dt_s = until.seconds_since(self.now);
            if self.now.seconds_since(self.heard) > SILENCE_S {
                let followed = self.reference.as_ref().map_or(&[][..], |reference| &reference.states);
                let states = fallback::stop(Fallback::EmergencyStop, &state, followed, body).rollout;
                self.reference = Some(Reference { start: self.now, receive: self.now, states });
                self.braked_s += dt_s;
            }
            state = match &self.reference {
                Some(reference) => {
                    let age_s = self.now.seconds_since(reference.start);
                    vehicle::step(&state, &reference.states, age_s, dt_s, body)
                }
                // Until the first trajectory comes it rolls on as it is.
                None => vehicle::propagate(&state, vehicle::Command::default(), dt_s, body),
            };
            self.now = until;
        }
        state
    }
}

impl Node for Vehicle {
    fn spec(&self) -> NodeSpec {
        Self::node_spec()
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        let fresh = inputs.fresh(&TRAJECTORY);
        self.arrived.extend(fresh.iter().filter_map(|sample| {
            let states = convert::rollout(&sample.message)?;
            Some(Reference { start: sample.capture, receive: sample.receive, states })
        }));
        if now > self.now {
            let state = match &self.motion {
                Motion::Follow if now > self.course.start => self.drive_to(now),
                Motion::Follow | Motion::Logged => self.course.human_at(now),
            };
            self.now = now;
            self.states.push(state);
        }
        let state = &self.states[self.states.len() - 1];
        outputs.publish(&TF, now, convert::transform(now, state));
        outputs.publish(&ACCELERATION, now, convert::acceleration(now, state));
        outputs.publish(&STEERING, now, convert::steering(now, state));
        // Last, as it sets off the others.
        outputs.publish(&ODOMETRY, now, convert::odometry(now, state));
    }
}
