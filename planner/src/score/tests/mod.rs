//! Hand-made scenes: a straight road with two lanes one way, one back, and an intersection on the way.

mod plans;
mod runs;

use nalgebra::{Point2, Point3};
use tandem_datasets::{Class, EgoBody, Lane, LaneId, LaneUse, Map, MapParts, Polygon, Pose2, SignalColor};

use super::*;
use crate::route::Route;
use crate::state::{Agent, PLAN_STATES, Rollout, STEP_S, VehicleState};

const BODY: EgoBody = EgoBody { length: 5.0, width: 2.0, height: 1.7, wheelbase: 3.0, rear_axle_to_center: 1.5 };

/// The lane that is followed, its left neighbour, the one that comes back, the stretch in the intersection.
const OWN: LaneId = LaneId(0);
const LEFT: LaneId = LaneId(1);
const BACK: LaneId = LaneId(2);
const CROSSING: LaneId = LaneId(3);
const BEYOND: LaneId = LaneId(4);

fn rectangle(from: [f64; 2], to: [f64; 2]) -> Polygon {
    let corner = |x: usize, y: usize| Point2::new([from, to][x][0], [from, to][y][1]);
    Polygon { exterior: vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)], holes: Vec::new() }
}

/// Lanes 4 m wide: own at y 0 with an intersection from x 100 to 130, left at y 4, back at y 8.
fn map() -> Map {
    let lane = |from_x: f64, to_x: f64, y: f64| Lane {
        source_id: format!("{from_x} {y}"),
        usage: LaneUse::Vehicle,
        centerline: vec![Point3::new(from_x, y, 0.0), Point3::new(to_x, y, 0.0)],
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: rectangle([from_x.min(to_x), y - 2.0], [from_x.max(to_x), y + 2.0]),
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: Some(15.0),
        in_intersection: false,
    };
    let mut lanes = vec![
        lane(-100.0, 100.0, 0.0),
        lane(-100.0, 400.0, 4.0),
        lane(400.0, -100.0, 8.0),
        lane(100.0, 130.0, 0.0),
        lane(130.0, 400.0, 0.0),
    ];
    lanes[0].left_neighbor = Some(LEFT);
    lanes[0].successors = vec![CROSSING];
    lanes[3].predecessors = vec![OWN];
    lanes[3].successors = vec![BEYOND];
    lanes[3].in_intersection = true;
    lanes[4].predecessors = vec![CROSSING];
    Map::new(MapParts { lanes, drivable: vec![rectangle([-100.0, -2.0], [400.0, 10.0])], ..MapParts::default() })
        .unwrap()
}

fn route(map: &Map) -> Route {
    Route::new(map, &[OWN, CROSSING, BEYOND], Pose2::new(300.0, 0.0, 0.0)).unwrap()
}

/// A motion along x from `x` at a constant speed, `y` beside the lane's centre.
fn straight(x: f64, y: f64, speed_mps: f64, steps: usize) -> Rollout {
    let pose = |step: usize| Pose2::new(x + speed_mps * STEP_S * step as f64, y, 0.0);
    (0..steps).map(|step| VehicleState { pose: pose(step), speed_mps, ..VehicleState::default() }).collect()
}

/// An agent 4 m × 2 m whose centre moves at (`vx`, `vy`) and that looks along `yaw`.
fn agent(id: u32, class: Class, at: [f64; 2], yaw: f64, velocity: [f64; 2]) -> Agent {
    let pose = |step: usize| {
        let t = step as f64 * STEP_S;
        Pose2::new(at[0] + velocity[0] * t, at[1] + velocity[1] * t, yaw)
    };
    let path = (0..PLAN_STATES).map(pose).collect();
    Agent { id, class, length: 4.0, width: 2.0, path, speed_mps: velocity[0].hypot(velocity[1]) }
}

/// One plan against some agents on the road above, with some lights.
fn scored(plan: Rollout, agents: &[Agent], signals: &[(LaneId, SignalColor)]) -> Scored {
    let map = map();
    let route = route(&map);
    let traffic = Traffic::predicted(agents, PLAN_STATES);
    let setting = Setting {
        body: BODY,
        map: &map,
        route: &route,
        traffic,
        signals,
        history: &[],
        previous: None,
        reference_progress_m: None,
    };
    Scorer::new(setting).score(&[plan])[0]
}
