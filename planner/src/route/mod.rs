//! The way to go: lanes in order, their neighbours, and the centreline through them as a Frenet frame.

mod line;
mod matching;
mod message;
#[cfg(test)]
mod tests;

use nalgebra::Point2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Lane, LaneHit, LaneId, LaneUse, Map, Pose2};

use crate::Error;
use crate::frenet::FrenetFrame;
use line::Stretch;

/// Distance between the centreline's points, m.
const STEP_M: f64 = 0.5;

/// How far the route goes on beyond its goal, so that a faster planner has somewhere to go, m.
const BEYOND_GOAL_M: f64 = 300.0;

/// How far the route reaches back behind its start, where there are lanes, m.
const BEHIND_START_M: f64 = 30.0;

/// Distance between the places where neighbouring lanes are looked for, m.
const BESIDE_STEP_M: f64 = 2.0;

/// Lateral distance at which another lane's centreline counts as beside the route, m.
const BESIDE_M: std::ops::RangeInclusive<f64> = 2.0..=5.5;

/// Largest angle between lanes that run side by side, rad.
const PARALLEL_RAD: f64 = 0.35;

/// One lane's share of a route, or a stretch without a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteSegment {
    /// The lane to follow; `None` where the map has none and the driven path stands in.
    pub lane: Option<LaneId>,
    /// Same-direction lanes beside it, by rising id.
    pub beside: Vec<LaneId>,
    /// Where it begins on the centreline, m.
    pub from_m: f64,
    /// Where it ends on the centreline, m.
    pub to_m: f64,
    /// Its speed limit, m/s, if known.
    pub speed_limit_mps: Option<f64>,
    /// Whether it lies within an intersection.
    pub in_intersection: bool,
}

/// A route through a map. Immutable; shared by `Arc`.
#[derive(Debug, Clone)]
pub struct Route {
    /// What the centreline was joined from, extensions included.
    stretches: Vec<Stretch>,
    segments: Vec<RouteSegment>,
    centerline: FrenetFrame,
    /// By lane number: whether it is on the route.
    on_route: Vec<bool>,
    /// Offsets of the same-direction lanes left and right of the centreline every [`BESIDE_STEP_M`].
    beside: Vec<[Option<f64>; 2]>,
    goal: Pose2,
    goal_m: f64,
    notes: Vec<String>,
}

impl Route {
    /// The route along `lanes`, in order, to `goal`, and on along the straightest successors.
    ///
    /// Lanes that do not touch are joined by a smooth line: this is how a lane change to a neighbour is written.
    ///
    /// # Errors
    /// [`Error::Empty`] without lanes, [`Error::NoSuchLane`] for a lane that is not in the map.
    pub fn new(map: &Map, lanes: &[LaneId], goal: Pose2) -> Result<Self, Error> {
        if let Some(lane) = lanes.iter().find(|lane| lane.0 as usize >= map.parts().lanes.len()) {
            return Err(Error::NoSuchLane { number: i64::from(lane.0) });
        }
        let stretches = lanes.iter().map(|&lane| Stretch::whole_lane(map, lane)).collect();
        Self::through(map, stretches, None, goal, Vec::new()).ok_or(Error::Empty { field: "lanes" })
    }

    /// The route that was driven: `poses` (rear axle, in driving order) are matched to lanes.
    ///
    /// Tolerates noise of a metre or so, missing connections between lanes, lane changes and turns across the road;
    /// where no lane is near, the centreline follows the poses and [`Self::notes`] says so.
    ///
    /// # Errors
    /// [`Error::Empty`] if there is no finite pose.
    pub fn from_path(map: &Map, poses: &[Pose2]) -> Result<Self, Error> {
        let (Some(path), Some(goal)) = (matching::thinned(poses), poses.iter().rev().find(|pose| is_finite(pose)))
        else {
            return Err(Error::Empty { field: "path" });
        };
        let stretches = matching::matched(map, &path);
        let mut notes = Vec::new();
        let off_map_m: f64 = stretches.iter().filter(|s| s.lane.is_none()).map(Stretch::length_m).sum();
        if off_map_m > 1.0 {
            notes.push(format!("route: no lane near {off_map_m:.0} m of the driven path, which stands in for one"));
        }
        Self::through(map, stretches, path.first(), *goal, notes).ok_or(Error::Empty { field: "path" })
    }

    fn through(
        map: &Map,
        mut stretches: Vec<Stretch>,
        start: Option<&Pose2>,
        goal: Pose2,
        mut notes: Vec<String>,
    ) -> Option<Self> {
        let behind_m =
            start.map_or(f64::INFINITY, |start| stretches.first().map_or(0.0, |s| s.along_m(start.position())));
        if behind_m < BEHIND_START_M {
            line::extend_backwards(map, &mut stretches, BEHIND_START_M - behind_m);
        }
        let after_goal_m = stretches.last()?.remaining_m(goal.position());
        let missing_m = line::extend_forwards(map, &mut stretches, BEYOND_GOAL_M - after_goal_m);
        if missing_m > 1.0 {
            notes.push(format!("route: the map's lanes end {:.0} m beyond the goal", BEYOND_GOAL_M - missing_m));
        }
        Self::assemble(map, stretches, goal, notes)
    }

    /// The route through stretches that need no extension any more; `None` if they have no length.
    fn assemble(map: &Map, stretches: Vec<Stretch>, goal: Pose2, notes: Vec<String>) -> Option<Self> {
        let (points, starts) = line::joined(&stretches);
        let centerline = FrenetFrame::new(&points, STEP_M)?;
        let stretch_factor = centerline.length_m() / crate::frenet::polyline_length(&points);
        let mut segments: Vec<RouteSegment> = stretches
            .iter()
            .zip(starts)
            .map(|(stretch, start_m)| {
                let lane = stretch.lane.map(|id| map.lane(id));
                RouteSegment {
                    lane: stretch.lane,
                    beside: Vec::new(),
                    from_m: start_m * stretch_factor,
                    to_m: centerline.length_m(),
                    speed_limit_mps: lane.and_then(|lane| lane.speed_limit_mps),
                    in_intersection: lane.is_some_and(|lane| lane.in_intersection),
                }
            })
            .collect();
        for i in 1..segments.len() {
            segments[i - 1].to_m = segments[i].from_m;
        }
        let mut route = Self {
            goal_m: 0.0,
            on_route: vec![false; map.parts().lanes.len()],
            beside: Vec::new(),
            stretches,
            segments,
            centerline,
            goal,
            notes,
        };
        // The goal lies on the last stretch that was asked for, which is not the last where lanes were added.
        route.goal_m = route.last_pass_m(goal.position());
        route.find_lanes_beside(map);
        Some(route)
    }

    /// The last place where the centreline passes within 1 m of as near as it ever comes to `point`, m.
    fn last_pass_m(&self, point: Point2<f64>) -> f64 {
        let best = self.centerline.project(point);
        let reach = (best.left_m.abs() + 1.0).powi(2);
        let near = |center: &Point2<f64>| (center - point).norm_squared() <= reach;
        match self.centerline.points().iter().rposition(near) {
            Some(index) => self.centerline.project_near(point, index as f64 * self.centerline.step_m()).along_m,
            None => best.along_m,
        }
    }

    fn find_lanes_beside(&mut self, map: &Map) {
        for segment in &self.segments {
            if let Some(lane) = segment.lane {
                self.on_route[lane.0 as usize] = true;
            }
        }
        let places = (self.centerline.length_m() / BESIDE_STEP_M) as usize + 1;
        for k in 0..places {
            let along_m = k as f64 * BESIDE_STEP_M;
            let center = self.centerline.at(along_m);
            let index = self.segment_index(along_m);
            let mut offsets = [None::<f64>; 2];
            for hit in map.lanes_near(center.position(), *BESIDE_M.end()) {
                if !BESIDE_M.contains(&hit.left_m.abs())
                    || !is_for_cars(map.lane(hit.lane))
                    || wrap_angle(hit.yaw - center.yaw).abs() > PARALLEL_RAD
                    || self.segments[index].lane == Some(hit.lane)
                    || !is_abreast(map.lane(hit.lane), &hit)
                {
                    continue;
                }
                // A lane to whose right the centreline runs is to the left of it.
                let offset_m = -hit.left_m;
                let side = &mut offsets[usize::from(offset_m < 0.0)];
                if side.is_none_or(|known| offset_m.abs() < known.abs()) {
                    *side = Some(offset_m);
                }
                if !self.segments[index].beside.contains(&hit.lane) && self.runs_beside(map.lane(hit.lane), along_m) {
                    self.segments[index].beside.push(hit.lane);
                }
            }
            self.beside.push(offsets);
        }
        for segment in &mut self.segments {
            let declared = segment.lane.into_iter().flat_map(|lane| neighbors(map, lane));
            segment.beside.extend(declared);
            segment.beside.sort_unstable();
            segment.beside.dedup();
            for lane in &segment.beside {
                self.on_route[lane.0 as usize] = true;
            }
        }
    }

    /// Whether a lane stays beside the route at both its ends, rather than branching off.
    fn runs_beside(&self, lane: &Lane, near_m: f64) -> bool {
        let ends = [lane.centerline.first(), lane.centerline.last()];
        ends.into_iter().flatten().all(|end| {
            let found = self.centerline.project_near(end.xy(), near_m);
            found.left_m.abs() <= *BESIDE_M.end() + 1.0
        })
    }

    /// Its lanes in order.
    pub fn segments(&self) -> &[RouteSegment] {
        &self.segments
    }

    /// The line to follow. Starts behind the route's start where the map has lanes there.
    pub fn centerline(&self) -> &FrenetFrame {
        &self.centerline
    }

    /// Where it ends; the centreline goes on.
    pub fn goal(&self) -> Pose2 {
        self.goal
    }

    /// Where on the centreline the goal is, m.
    pub fn goal_m(&self) -> f64 {
        self.goal_m
    }

    /// What was assumed or could not be found, one plain sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether a lane is one of the route's or a same-direction neighbour of one.
    pub fn is_on_route(&self, lane: LaneId) -> bool {
        self.on_route.get(lane.0 as usize).copied().unwrap_or(false)
    }

    /// The segment at `along_m` of the centreline.
    pub fn segment_at(&self, along_m: f64) -> &RouteSegment {
        &self.segments[self.segment_index(along_m)]
    }

    fn segment_index(&self, along_m: f64) -> usize {
        self.segments.partition_point(|segment| segment.from_m <= along_m).saturating_sub(1)
    }

    /// The speed limit at `along_m` of the centreline, m/s, if known.
    pub fn speed_limit_mps(&self, along_m: f64) -> Option<f64> {
        self.segment_at(along_m).speed_limit_mps
    }

    /// How far to the left (positive) the next same-direction lane is on either side: left, right, m.
    pub fn lanes_beside_m(&self, along_m: f64) -> [Option<f64>; 2] {
        let index = (along_m / BESIDE_STEP_M).round().max(0.0) as usize;
        self.beside.get(index).copied().unwrap_or([None; 2])
    }

    /// Where to stop for the signal of `lane`: where the route enters that lane, m; `None` if it does not.
    ///
    /// Lanes that start where one of the route's does (a turn beside the straight) are not the route's.
    pub fn stop_line_m(&self, lane: LaneId) -> Option<f64> {
        self.segments.iter().find(|segment| segment.lane == Some(lane)).map(|segment| segment.from_m)
    }
}

fn is_finite(pose: &Pose2) -> bool {
    pose.x.is_finite() && pose.y.is_finite() && pose.yaw.is_finite()
}

fn is_for_cars(lane: &Lane) -> bool {
    lane.usage != LaneUse::Bike
}

/// Whether a looked-up place lies beside the lane, not before or behind it.
fn is_abreast(lane: &Lane, hit: &LaneHit) -> bool {
    let length_m: f64 = lane.centerline.windows(2).map(|pair| (pair[1].xy() - pair[0].xy()).norm()).sum();
    hit.along_m > 0.0 && hit.along_m < length_m - 1e-6
}

/// All same-direction neighbours to either side, the farthest included.
fn neighbors(map: &Map, lane: LaneId) -> Vec<LaneId> {
    let mut found = Vec::new();
    for side in [|lane: &Lane| lane.left_neighbor, |lane: &Lane| lane.right_neighbor] {
        let mut next = side(map.lane(lane));
        // A map may name two lanes as each other's left neighbour: stop at the first repetition.
        while let Some(id) = next.filter(|id| *id != lane && !found.contains(id)) {
            if !is_for_cars(map.lane(id)) {
                break;
            }
            found.push(id);
            next = side(map.lane(id));
        }
    }
    found
}
