//! A driven path becomes lanes: Viterbi over the lanes near each pose (Newson & Krumm, "Hidden Markov Map Matching
//! Through Noise and Sparseness", 2009).

use nalgebra::Point2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{LaneHit, LaneId, Map, Pose2};

use super::line::Stretch;
use super::{is_finite, is_for_cars};

/// Poses nearer than this to the one before are left out, m.
const SPACING_M: f64 = 2.0;

/// Lanes farther away than this are no candidates, m.
const RADIUS_M: f64 = 4.5;

/// Lanes that are turned further than this are no candidates, rad.
const MAX_TURN_RAD: f64 = 1.2;

/// Standard deviation of a sound or noisy track about a lane's centre, m.
const OFFSET_M: f64 = 1.1;

/// Standard deviation of the heading about a lane's direction, rad.
const TURN_RAD: f64 = 0.35;

/// Cost of a pose that is on no lane: a lane about 3 m away is as likely.
const OFF_COST: f64 = 7.0;

/// Cost of leaving the lanes or coming back to them.
const ON_OFF_COST: f64 = 4.0;

/// Cost of changing to a neighbour.
const CHANGE_COST: f64 = 5.0;

/// Cost of changing to a lane that the map does not connect.
const JUMP_COST: f64 = 8.0;

/// Cost of passing from a lane into a successor, so that staying is preferred where both fit.
const SUCCESSOR_COST: f64 = 0.3;

/// Lanes that may be passed between two poses.
const MAX_PASSED: usize = 4;

/// The path without repetitions and non-finite poses; `None` if nothing is left.
pub(super) fn thinned(poses: &[Pose2]) -> Option<Vec<Pose2>> {
    let mut path: Vec<Pose2> = Vec::new();
    for pose in poses.iter().filter(|pose| is_finite(pose)) {
        if path.last().is_none_or(|last| (pose.position() - last.position()).norm() >= SPACING_M) {
            path.push(*pose);
        }
    }
    (!path.is_empty()).then_some(path)
}

/// The state of the path at one pose: on a lane or on none.
#[derive(Clone)]
struct State {
    hit: Option<LaneHit>,
    cost: f64,
    /// Index of the best state at the pose before, and the lanes passed between the two.
    from: usize,
    passed: Vec<LaneId>,
}

/// The stretches of lane, or of driven path where no lane is near, that `path` follows. `path` must not be empty.
pub(super) fn matched(map: &Map, path: &[Pose2]) -> Vec<Stretch> {
    let mut columns: Vec<Vec<State>> = Vec::with_capacity(path.len());
    for (i, pose) in path.iter().enumerate() {
        let mut states = candidates(map, *pose);
        if let Some(before) = columns.last() {
            let moved_m = (pose.position() - path[i - 1].position()).norm();
            for state in &mut states {
                let (from, cost, passed) = before
                    .iter()
                    .enumerate()
                    .map(|(k, earlier)| {
                        let (cost, passed) = transition(map, earlier.hit.as_ref(), state.hit.as_ref(), moved_m);
                        (k, earlier.cost + cost, passed)
                    })
                    .min_by(|a, b| a.1.total_cmp(&b.1))
                    .unwrap_or((0, 0.0, Vec::new()));
                state.cost += cost;
                (state.from, state.passed) = (from, passed);
            }
        }
        columns.push(states);
    }
    // Walk back from the cheapest end.
    let last = columns.last().map_or(&[][..], |states| states);
    let mut index = (0..last.len()).min_by(|a, b| last[*a].cost.total_cmp(&last[*b].cost)).unwrap_or(0);
    let mut chosen: Vec<&State> = Vec::with_capacity(path.len());
    for states in columns.iter().rev() {
        chosen.push(&states[index]);
        index = states[index].from;
    }
    chosen.reverse();
    stretches(map, path, &chosen)
}

/// What the path may be on at one pose, with the cost of being there; never empty.
fn candidates(map: &Map, pose: Pose2) -> Vec<State> {
    let state = |hit, cost| State { hit, cost, from: 0, passed: Vec::new() };
    let mut states: Vec<State> = map
        .lanes_near(pose.position(), RADIUS_M)
        .into_iter()
        .filter(|hit| is_for_cars(map.lane(hit.lane)))
        .filter_map(|hit| {
            let turn = wrap_angle(hit.yaw - pose.yaw).abs();
            let cost = (hit.left_m / OFFSET_M).powi(2) / 2.0 + (turn / TURN_RAD).powi(2) / 2.0;
            (turn <= MAX_TURN_RAD).then(|| state(Some(hit), cost))
        })
        .collect();
    states.push(state(None, OFF_COST / 2.0));
    states
}

/// The cost of coming from `a` to `b` while moving `moved_m`, and the lanes passed between them.
fn transition(map: &Map, a: Option<&LaneHit>, b: Option<&LaneHit>, moved_m: f64) -> (f64, Vec<LaneId>) {
    let (Some(a), Some(b)) = (a, b) else {
        return (if a.is_some() == b.is_some() { 0.0 } else { ON_OFF_COST }, Vec::new());
    };
    let detour = |along_m: f64| ((along_m - moved_m).abs() / 4.0).min(JUMP_COST);
    if a.lane == b.lane && b.along_m >= a.along_m - SPACING_M {
        return (detour(b.along_m - a.along_m), Vec::new());
    }
    let rest_m = lane_length_m(map, a.lane) - a.along_m;
    if let Some((passed, between_m)) = passage(map, a.lane, b.lane, moved_m + 10.0 - rest_m) {
        let cost = SUCCESSOR_COST * (passed.len() + 1) as f64 + detour(rest_m + between_m + b.along_m);
        if cost < JUMP_COST {
            return (cost, passed);
        }
    }
    let lane = map.lane(a.lane);
    let beside = lane.left_neighbor == Some(b.lane) || lane.right_neighbor == Some(b.lane);
    (if beside { CHANGE_COST } else { JUMP_COST }, Vec::new())
}

/// The shortest chain of successors from one lane to another: the lanes between, and their length, m.
fn passage(map: &Map, from: LaneId, to: LaneId, budget_m: f64) -> Option<(Vec<LaneId>, f64)> {
    let mut queue = vec![(Vec::new(), 0.0)];
    let mut best: Option<(Vec<LaneId>, f64)> = None;
    while let Some((chain, length_m)) = queue.pop() {
        let successors = &map.lane(*chain.last().unwrap_or(&from)).successors;
        if successors.contains(&to) && best.as_ref().is_none_or(|(_, known_m)| length_m < *known_m) {
            best = Some((chain.clone(), length_m));
        }
        if chain.len() < MAX_PASSED {
            for &next in successors {
                let longer_m = length_m + lane_length_m(map, next);
                if longer_m <= budget_m && !chain.contains(&next) {
                    let mut longer = chain.clone();
                    longer.push(next);
                    queue.push((longer, longer_m));
                }
            }
        }
    }
    best
}

fn lane_length_m(map: &Map, lane: LaneId) -> f64 {
    map.lane(lane).centerline.windows(2).map(|pair| (pair[1].xy() - pair[0].xy()).norm()).sum()
}

/// Runs of poses on the same lane become stretches of it, cut where the path came from or went to another lane.
fn stretches(map: &Map, path: &[Pose2], chosen: &[&State]) -> Vec<Stretch> {
    let mut result: Vec<Stretch> = Vec::new();
    let mut run_start = 0;
    for i in 1..=chosen.len() {
        let lane = chosen[run_start].hit.map(|hit| hit.lane);
        if i < chosen.len() && continues(chosen[i - 1], chosen[i]) {
            continue;
        }
        let enters = run_start == 0 || is_connected(map, chosen[run_start - 1], chosen[run_start]);
        let leaves = i == chosen.len() || is_connected(map, chosen[i - 1], chosen[i]);
        result.extend(chosen[run_start].passed.iter().map(|&passed| Stretch::whole_lane(map, passed)));
        let stretch = match (lane, chosen[run_start].hit, chosen[i - 1].hit) {
            (Some(lane), Some(first), Some(last)) => {
                let from_m = if enters { 0.0 } else { first.along_m };
                let to_m = if leaves { lane_length_m(map, lane) } else { last.along_m };
                if enters && leaves {
                    Stretch::whole_lane(map, lane)
                } else {
                    Stretch::part_of_lane(map, lane, from_m, to_m)
                }
            }
            _ => Stretch::off_lane(driven(&path[run_start..i])),
        };
        if stretch.length_m() > 0.1 || chosen.len() == 1 {
            result.push(stretch);
        }
        run_start = i;
    }
    if result.is_empty() {
        result.push(Stretch::off_lane(driven(path)));
    }
    result
}

/// Whether two successive states belong to one stretch.
fn continues(a: &State, b: &State) -> bool {
    match (a.hit, b.hit) {
        (Some(a), Some(b)) => a.lane == b.lane && b.along_m >= a.along_m - SPACING_M,
        (None, None) => true,
        _ => false,
    }
}

/// Whether the map leads from one state's lane into the other's.
fn is_connected(map: &Map, a: &State, b: &State) -> bool {
    match (a.hit, b.hit) {
        (Some(from), Some(to)) => {
            let last = b.passed.last().copied().unwrap_or(from.lane);
            map.lane(last).successors.contains(&to.lane)
        }
        _ => false,
    }
}

/// The poses' positions; a single pose becomes a short line in its direction.
fn driven(poses: &[Pose2]) -> Vec<Point2<f64>> {
    match poses {
        [only] => vec![only.position(), only.ahead(1.0).position()],
        _ => poses.iter().map(Pose2::position).collect(),
    }
}
