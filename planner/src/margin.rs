//! Room for doubt: the others are planned around as if they were a little larger than they seem.

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
