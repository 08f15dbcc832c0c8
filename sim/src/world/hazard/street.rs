//! The street on which a hazard is staged: lanes, the ego's among them, other traffic, and who stands where.

use std::f64::consts::PI;

use nalgebra::Point2;
use tandem_datasets::Pose2;
use tandem_datasets::geometry::wrap_angle;

use tandem_planner::MetaAction;

use super::super::actor::{Actor, Light, Motion, Shift, StopLine};
use super::super::curve::{Curve, beside};
use super::super::road::{Layout, Road as Lanes};
use super::super::stage::{DURATION_S, EGO, Stage, red_then_green};
use super::staging::{Ring, Road};
use super::things::{self, Thing};
use crate::camera::Weather;

/// Where the recording vehicle starts, m along its lane: who comes from behind has a road too.
const START_M: f64 = 130.0;

/// From a vehicle's reference point to its front, m.
pub(super) const FRONT_M: f64 = 4.05;

/// Traffic and parked cars reach this far, m along the street.
const REACH_M: f64 = 420.0;

/// What a hazard needs of its street.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Whether there is a lane to change to.
    pub several_lanes: bool,
    /// Which lane the ego is in.
    pub lane: Side,
    /// Least width of the strip beside the lanes, m.
    pub strip_m: f64,
    /// The road must be one between fields.
    pub rural: bool,
}

/// One of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    /// The sign of an offset to this side, left positive.
    pub fn sign(self) -> f64 {
        if self == Self::Left { 1.0 } else { -1.0 }
    }

    pub fn change(self) -> MetaAction {
        if self == Self::Left { MetaAction::ChangeLaneLeft } else { MetaAction::ChangeLaneRight }
    }
}

/// When a hazard is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// When the ego's rear has passed this place, m along its lane.
    Passed(f64),
    /// When this actor is well ahead of the ego.
    Ahead(usize),
    /// When this actor is behind the ego.
    Behind(usize),
}

/// What a hazard is, before it is played.
#[derive(Debug)]
pub(super) struct Plot {
    pub description: &'static str,
    /// The actors that make it, the most telling first.
    pub actors: Vec<usize>,
    pub closed: Vec<Ring>,
    pub goes_first: bool,
    pub actions: Vec<MetaAction>,
    pub speed_cap_mps: f64,
    pub over: Until,
    /// The weather that belongs to it.
    pub weather: Option<Weather>,
}

/// A street with the ego on it.
pub(super) struct Street {
    pub stage: Stage,
    pub road: Road,
    pub layout: Layout,
    /// Number of the ego's lane, 0 for the leftmost.
    pub lane: usize,
    /// The ego's lane from end to end.
    pub own: Curve,
    /// The ego's speed where nothing happens, m/s.
    pub speed_mps: f64,
    /// Where the ego's front is when the hazard is met, m along its lane, and when that would be, s.
    pub at_m: f64,
    pub at_s: f64,
    /// The ego as it would drive if nothing were staged.
    pub plain_ego: Actor,
    reference: Curve,
    lanes: Lanes,
    /// The first actor of the usual traffic.
    pub first_other: usize,
}

impl Street {
    /// A street as wished, with nobody on it but the ego.
    pub fn open(mut stage: Stage, wish: Wish) -> Self {
        let road = match (wish.rural, wish.several_lanes, stage.draw(0.0, 1.0)) {
            (true, ..) => Road::Rural,
            (_, true, p) => {
                if p < 0.5 {
                    Road::Urban
                } else {
                    Road::Main
                }
            }
            (_, false, p) if p < 0.4 => Road::Residential,
            (_, false, p) => {
                if p < 0.75 {
                    Road::Urban
                } else {
                    Road::Rural
                }
            }
        };
        let limit_mps = match road {
            Road::Residential => stage.draw(8.3, 10.0),
            Road::Urban => stage.draw(9.0, 12.5),
            Road::Main => stage.draw(11.0, 13.9),
            Road::Rural => stage.draw(11.0, 13.9),
        };
        let forward = match road {
            Road::Main if stage.chance(0.5) => 3,
            _ if wish.several_lanes => 2,
            _ => 1,
        };
        let backward = if road == Road::Main { 2 } else { 1 };
        let strip_m = match road {
            Road::Residential => stage.draw(2.1, 2.5),
            _ if stage.chance(0.3) => stage.draw(1.9, 2.4),
            _ => 0.0,
        };
        let lane_m = if road == Road::Residential { stage.draw(3.3, 3.6) } else { stage.draw(3.45, 3.8) };
        let layout = Layout { forward, backward, lane_m, parking_m: f64::max(strip_m, wish.strip_m), limit_mps };
        let reference = reference(&mut stage, road);
        let lanes = stage.map.road(&reference, &layout);
        let lane = if wish.lane == Side::Left { 0 } else { forward - 1 };
        let own = lanes.forward[lane].1.clone();
        let speed_mps = limit_mps * stage.draw(0.93, 1.0);
        let at_s = stage.draw(7.8, 9.8);
        let at_m = START_M + FRONT_M + speed_mps * at_s;
        let plain_ego = stage.ego(own.clone(), START_M, speed_mps, speed_mps).clone();
        Self { stage, road, layout, lane, own, speed_mps, at_m, at_s, plain_ego, reference, lanes, first_other: 1 }
    }

    pub fn ego(&mut self) -> &mut Actor {
        &mut self.stage.actors[EGO]
    }

    /// From the ego's lane to the kerb on its right, m.
    pub fn kerb_m(&self) -> f64 {
        let lanes_right = (self.layout.forward - 1 - self.lane) as f64;
        (lanes_right + 0.5) * self.layout.lane_m + self.layout.parking_m
    }

    /// From the ego's lane to the kerb on the far side, m.
    pub fn far_kerb_m(&self) -> f64 {
        let lanes_left = (self.lane + self.layout.backward) as f64;
        (lanes_left + 0.5) * self.layout.lane_m + self.layout.parking_m
    }

    /// Where the ego is at a time if nothing happens, m along its lane.
    pub fn along_m(&self, time_s: f64) -> f64 {
        START_M + self.speed_mps * time_s
    }

    /// The side to which the ego can change lanes: left, unless it is in the leftmost.
    pub fn free_side(&self) -> Side {
        if self.lane > 0 { Side::Left } else { Side::Right }
    }

    /// Puts a thing at a place of the ego's lane, turned by `yaw_rad` against it.
    pub fn put(&mut self, thing: Thing, along_m: f64, left_m: f64, yaw_rad: f64) -> usize {
        let pose = beside(self.own.at(along_m), left_m);
        let pose = Pose2::new(pose.x, pose.y, wrap_angle(pose.yaw + yaw_rad));
        self.act(thing, Motion::Still, Curve::start(pose).straight(1.0), 0.0)
    }

    /// Lets a thing stand until `start_s` and then go across the ego's lane at `along_m`, at its own speed.
    pub fn crosses(
        &mut self,
        thing: Thing,
        along_m: f64,
        [from_m, to_m]: [f64; 2],
        start_s: f64,
        speed_mps: f64,
    ) -> usize {
        let (from, to) = (beside(self.own.at(along_m), from_m), beside(self.own.at(along_m), to_m));
        let way = to.position() - from.position();
        let path = Curve::start(Pose2::new(from.x, from.y, way.y.atan2(way.x))).straight(way.norm());
        let index = self.act(thing, Motion::Walk, path, speed_mps);
        self.stage.actors[index].start_s = start_s;
        index
    }

    /// Lets a thing move along a curve at its own speed, whatever happens.
    pub fn moves(&mut self, thing: Thing, curve: Curve, along_m: f64, speed_mps: f64) -> usize {
        let index = self.act(thing, Motion::Walk, curve, speed_mps);
        self.stage.actors[index].along_m = along_m;
        index
    }

    fn act(&mut self, thing: Thing, motion: Motion, curve: Curve, speed_mps: f64) -> usize {
        let mut actor = Actor::new(thing.class, thing.size, motion, curve, 0.0, speed_mps);
        actor.category = Some(thing.category);
        self.stage.add(actor);
        self.stage.actors.len() - 1
    }

    /// When to set off to be at the middle of the ego's lane as the ego comes there if nothing happens, s.
    pub fn start_s(&self, way_m: f64, speed_mps: f64) -> f64 {
        (self.at_s + 0.2 - way_m / speed_mps).max(0.0)
    }

    /// Lets the ego move aside over a stretch.
    pub fn shift(&mut self, from_m: f64, over_m: f64, by_m: f64) {
        self.ego().shifts.push(Shift { from_m, over_m, by_m });
    }

    /// Lets the ego change to the free side in good time before `before_m`; the action.
    pub fn change_lane(&mut self, before_m: f64) -> MetaAction {
        let side = self.free_side();
        let (over_m, by_m) = (self.speed_mps * 3.4, side.sign() * self.layout.lane_m);
        self.shift(before_m - FRONT_M - over_m - 5.0, over_m, by_m);
        side.change()
    }

    /// Lets the ego drive at most so fast around the hazard; a share of its speed, no less than 3.5 m/s.
    pub fn slow(&mut self, from_m: f64, to_m: f64, share: f64) -> f64 {
        let cap_mps = (self.speed_mps * share).max(3.5);
        self.ego().slow(from_m - FRONT_M, to_m, cap_mps);
        cap_mps
    }

    /// Lets the ego stop with its front before a place, for good.
    pub fn stop_before(&mut self, along_m: f64) {
        let light = self.stage.lights.len();
        // A light that nobody but the ego has and that never turns green: the log has no word of it.
        self.stage.lights.push(Light { ..red_then_green(2.0 * DURATION_S) });
        self.ego().stop_lines.push(StopLine { along_m, light });
    }

    /// Lets all who drive give way to somebody; the ego from so long before he sets off, since earlier there is nothing
    /// to see.
    pub fn yield_to(&mut self, walker: usize, noticed_s: f64) {
        let sets_off_s = (self.stage.actors[walker].start_s - noticed_s).max(0.0);
        let earlier = Some(self.ego().heeds_from_s).filter(|heeds_from_s| *heeds_from_s > 0.0);
        self.ego().heeds_from_s = earlier.map_or(sets_off_s, |earlier| earlier.min(sets_off_s));
        let drivers = (0..self.stage.actors.len()).filter(|&index| self.stage.actors[index].motion == Motion::Drive);
        drivers.collect::<Vec<_>>().into_iter().for_each(|driver| self.stage.give_way(driver, walker));
    }

    /// A stretch of the road around the ego's lane, from right to left, with an outline that waves by `wave_m`.
    pub fn stretch(&mut self, [from_m, to_m]: [f64; 2], [right_m, left_m]: [f64; 2], wave_m: f64) -> Ring {
        let steps = ((to_m - from_m) / 2.0).ceil().max(2.0) as usize;
        let place = |street: &Self, step: usize, left_m: f64| -> Point2<f64> {
            beside(street.own.at(from_m + (to_m - from_m) * step as f64 / steps as f64), left_m).position()
        };
        let side = |street: &mut Self, step: usize, left_m: f64, inward: f64| {
            // Rounded ends where it waves.
            let end =
                if wave_m > 0.0 { (1.0 - (2.0 * step as f64 / steps as f64 - 1.0).powi(4)).max(0.08) } else { 1.0 };
            let middle_m = (left_m + inward) / 2.0;
            let wave = street.stage.draw(0.0, wave_m.max(1e-9)) * (inward - left_m).signum();
            place(street, step, middle_m + (left_m + wave - middle_m) * end)
        };
        let mut ring: Ring = (0..=steps).map(|step| side(self, step, right_m, left_m)).collect();
        ring.extend((0..=steps).rev().map(|step| side(self, step, left_m, right_m)));
        ring
    }

    /// Vehicles parked on the right strip, none between two places, and on the left one.
    pub fn parked(&mut self, [from_m, to_m]: [f64; 2], share: f64) {
        let room_m = self.layout.parking_m;
        if room_m < 1.9 {
            return;
        }
        let (kerb_m, far_m) = (self.kerb_m(), self.far_kerb_m());
        for left_m in [-(kerb_m - room_m / 2.0), far_m - room_m / 2.0] {
            let mut along_m = START_M - 40.0 + self.stage.draw(0.0, 8.0);
            while along_m < REACH_M {
                let is_free = left_m > 0.0 || along_m + 3.0 < from_m || along_m - 3.0 > to_m;
                if is_free && self.stage.chance(share) {
                    let car = things::car(&mut self.stage);
                    let car = Thing { size: [car.size[0], car.size[1].min(room_m - 0.1), car.size[2]], ..car };
                    let turn_rad = if left_m > 0.0 { PI } else { 0.0 } + self.stage.draw(-0.03, 0.03);
                    self.put(car, along_m, left_m, turn_rad);
                }
                along_m += self.stage.draw(6.0, 8.5);
            }
        }
    }

    /// The usual traffic: oncoming if wished, in lanes that the ego does not need, behind it, and people on pavements.
    pub fn traffic(&mut self, oncoming: bool, follower: bool) {
        self.first_other = self.stage.actors.len();
        let limit_mps = self.layout.limit_mps;
        let others: Vec<_> = self.lanes.backward.iter().filter(|_| oncoming).map(|(_, lane)| lane.clone()).collect();
        for lane in others {
            let gap_m = self.stage.draw(22.0, 60.0);
            self.stage.stream(&lane, 40.0, 560.0, (gap_m, gap_m * 2.5), limit_mps * 0.9);
        }
        let needed = match self.free_side() {
            _ if self.layout.forward == 1 => self.lane,
            Side::Left => self.lane - 1,
            Side::Right => self.lane + 1,
        };
        for lane in 0..self.layout.forward {
            let curve = self.lanes.forward[lane].1.clone();
            if lane == needed && lane != self.lane {
                // Those ahead of where it will be needed.
                self.stage.stream(&curve, self.at_m + 50.0, REACH_M, (30.0, 70.0), limit_mps);
            } else if lane != self.lane {
                self.stage.stream(&curve, 60.0, REACH_M, (25.0, 60.0), limit_mps * 0.95);
            }
        }
        if follower && self.stage.chance(0.5) {
            let (back_m, speed_mps) = (self.stage.draw(22.0, 40.0), self.speed_mps);
            let own = self.own.clone();
            self.stage.car(&own, START_M - back_m, speed_mps, speed_mps);
        }
        let people = if self.road == Road::Rural { 0.0 } else { self.stage.draw(1.0, 7.0) };
        let kerb_m = self.layout.lane_m * self.layout.forward as f64 + self.layout.parking_m;
        for _ in 0..people as usize {
            let (along_m, aside_m) = (self.stage.draw(START_M - 20.0, REACH_M), self.stage.draw(1.0, 1.8));
            let reference = self.reference.clone();
            self.stage.walks_along(&reference, along_m, -(kerb_m + aside_m));
        }
    }
}

/// A line about 620 m long, straight or gently bent, anywhere and in any direction.
fn reference(stage: &mut Stage, road: Road) -> Curve {
    let yaw = stage.draw(-PI, PI);
    let start = Curve::start(Pose2::new(stage.draw(-500.0, 500.0), stage.draw(-500.0, 500.0), yaw));
    if stage.chance(if road == Road::Rural { 0.4 } else { 0.75 }) {
        return start.straight(620.0);
    }
    let side = if stage.chance(0.5) { 1.0 } else { -1.0 };
    let (radius_m, turn_rad) = (stage.draw(150.0, 320.0), stage.draw(0.15, 0.4));
    start
        .straight(stage.draw(120.0, 170.0))
        .arc(radius_m * turn_rad, side * turn_rad)
        .straight(stage.draw(20.0, 60.0))
        .arc(radius_m * turn_rad, -side * turn_rad)
        .straight(300.0)
}
