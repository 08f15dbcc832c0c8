//! Room for doubt: the others are planned around as if they were a little larger than they seem.

use nalgebra::Vector2;
use tandem_datasets::{Class, EgoBody};

use crate::state::{Agent, VehicleState};

/// From this speed on, a vehicle gets the whole margin, m/s. In between it grows: a margin that comes and goes with the
/// noise of a speed would change the plan.
const MOVING_MPS: f64 = 3.0;

/// Room for doubt about where an agent will be: at each end and at each side, m.
fn margin_m(agent: &Agent) -> (f64, f64) {
    match agent.class {
        // They turn and start at any time.
        Class::Pedestrian | Class::Animal => (0.3, 0.3),
        Class::Bicycle => (0.3, 0.2),
        class if !class.is_agent() => (0.05, 0.05),
        _ => {
            let moving = (agent.speed_mps.abs() / MOVING_MPS).min(1.0);
            (0.1 + 0.3 * moving, 0.05 + 0.1 * moving)
        }
    }
}

/// What is moved out of the vehicle is left this far from it, m.
const APART_M: f64 = 0.05;

/// Moves agents that seem to be where the vehicle's front is out of it, before it or beside it, whichever is nearer: they
/// cannot be there, and what is touched at the start would no longer count as a collision.
pub(crate) fn keep_apart(agents: &mut [Agent], ego: &VehicleState, body: &EgoBody) {
    let outline = body.outline(ego.pose);
    let ahead = outline.pose.heading();
    let left = Vector2::new(-ahead.y, ahead.x);
    for agent in agents {
        let Some(other) = agent.outline(0).filter(|other| other.intersects(&outline)) else { continue };
        let between = other.pose.position() - outline.pose.position();
        let (ahead_m, left_m) = (between.dot(&ahead), between.dot(&left));
        if ahead_m <= 0.0 {
            continue;
        }
        let (sin, cos) = (other.pose.yaw - outline.pose.yaw).sin_cos();
        let reach = |along: f64, across: f64| other.length * along.abs() + other.width * across.abs();
        let out_ahead_m = (reach(cos, sin) + outline.length) / 2.0 + APART_M - ahead_m;
        let out_left_m = (reach(sin, cos) + outline.width) / 2.0 + APART_M - left_m.abs();
        let shift = if out_ahead_m < out_left_m { ahead * out_ahead_m } else { left * out_left_m.copysign(left_m) };
        for pose in &mut agent.path {
            (pose.x, pose.y) = (pose.x + shift.x, pose.y + shift.y);
        }
    }
}

/// Enlarges the agents, except those so close that the vehicle is within the margin already: what is touched at the
/// start no longer counts as a collision.
pub(crate) fn add_margins(agents: &mut [Agent], ego: &VehicleState, body: &EgoBody) {
    let outline = body.outline(ego.pose);
    for agent in agents {
        let (ends_m, sides_m) = margin_m(agent);
        let size = (agent.length, agent.width);
        (agent.length, agent.width) = (size.0 + 2.0 * ends_m, size.1 + 2.0 * sides_m);
        let Some(now) = agent.path.first() else { continue };
        let reach_m = (agent.length + agent.width + outline.length + outline.width) / 2.0;
        if (now.position() - outline.pose.position()).norm() < reach_m
            && agent.outline(0).is_some_and(|other| other.intersects(&outline))
        {
            (agent.length, agent.width) = size;
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_datasets::Pose2;

    use super::*;

    #[test]
    fn what_seems_to_be_in_the_vehicles_front_is_put_before_or_beside_it() {
        let (ego, body) = (VehicleState::default(), EgoBody::default());
        let front_m = body.rear_axle_to_center + body.length / 2.0;
        let car = |x: f64| Agent {
            id: 1,
            class: Class::Car,
            length: 4.0,
            width: 2.0,
            path: vec![Pose2::new(x, 0.5, 0.0), Pose2::new(x + 1.0, 0.5, 0.0)],
            speed_mps: 10.0,
        };
        let mut beside = car(front_m - 1.0);
        beside.path.iter_mut().for_each(|pose| pose.y = 2.0);
        let mut agents = [car(front_m + 1.5), car(front_m + 2.5), car(-2.0), beside];
        keep_apart(&mut agents, &ego, &body);
        assert!((agents[0].path[0].x - (front_m + 2.0 + APART_M)).abs() < 1e-9);
        assert!((agents[0].path[1].x - agents[0].path[0].x - 1.0).abs() < 1e-9 && agents[0].path[0].y == 0.5);
        assert!((agents[3].path[0].y - (body.width / 2.0 + 1.0 + APART_M)).abs() < 1e-9);
        // What is apart, or behind, stays.
        assert_eq!(agents[1].path, car(front_m + 2.5).path);
        assert_eq!(agents[2].path, car(-2.0).path);
    }

    #[test]
    fn agents_grow_unless_the_vehicle_is_within_the_margin() {
        let (ego, body) = (VehicleState::default(), EgoBody::default());
        let side_m = body.outline(ego.pose).width / 2.0;
        let walker = |gap_m: f64| Agent {
            id: 1,
            class: Class::Pedestrian,
            length: 0.6,
            width: 0.6,
            path: vec![Pose2::new(0.5, side_m + 0.3 + gap_m, 0.0)],
            speed_mps: 0.0,
        };
        let mut agents = [walker(0.2), walker(0.5)];
        add_margins(&mut agents, &ego, &body);
        assert_eq!(agents[0].width, 0.6);
        assert!((agents[1].width - 1.2).abs() < 1e-9 && (agents[1].length - 1.2).abs() < 1e-9);
    }
}
