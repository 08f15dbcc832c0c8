//! Fills a town: the recording vehicle's route first, then all others within reach of it.

use nalgebra::Point2;
use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Class, Pose2};

use super::super::actor::{Actor, Motion, Shift};
use super::super::curve::{Curve, beside};
use super::super::stage::{EGO, Stage};
use super::fleet::{self, Kind};
use super::lights::WARM_UP_S;
use super::network::{Network, Turn};
use super::plan::{CENTER, Plan, Strip};
use super::traffic::{Cast, Driver, Walker};
use super::verge;

/// How far from the recording vehicle's route others drive, m: out of sight they only have to keep traffic flowing.
const TRAFFIC_M: f64 = 95.0;

/// How far from the route people and things are, m.
pub(super) const NEAR_M: f64 = 65.0;

/// A town in the making.
pub(super) struct Town<'a> {
    pub stage: Stage,
    pub plan: &'a Plan,
    pub network: &'a Network,
    pub cast: Cast,
    /// Points along the recording vehicle's way.
    pub way: Vec<Point2<f64>>,
    /// The links along that way, in its order.
    pub links: Vec<usize>,
    /// Sides of links that are taken: link, whether against its direction, from and to, m along that direction.
    pub taken: Vec<(usize, bool, [f64; 2])>,
}

impl Town<'_> {
    /// Whether a place is within `reach_m` of the recording vehicle's way.
    pub fn is_near(&self, place: Point2<f64>, reach_m: f64) -> bool {
        self.way.iter().any(|point| (point - place).norm_squared() < reach_m * reach_m)
    }

    /// Puts something there for good.
    pub fn stand(&mut self, kind: Kind, pose: Pose2) {
        let Kind { class, category, size } = kind;
        let mut actor = Actor::new(class, size, Motion::Still, Curve::start(pose).straight(1.0), 0.0, 0.0);
        actor.category = Some(category);
        self.stage.add(actor);
    }

    /// Whether a stretch of a link's side is free; a free one is taken.
    pub fn take(&mut self, link: usize, against: bool, span_m: [f64; 2]) -> bool {
        let meets = |&(other, side, [from, to]): &(usize, bool, [f64; 2])| {
            other == link && side == against && from < span_m[1] && span_m[0] < to
        };
        let is_free = !self.taken.iter().any(meets);
        if is_free {
            self.taken.push((link, against, span_m));
        }
        is_free
    }
}

/// Sets the recording vehicle on its way, if possible with the wished turn at the first junction; the turn it takes.
pub(super) fn ego(town: &mut Town, wish: Turn) -> Turn {
    let turn_of = |way: usize| town.network.ways[way].movement.as_ref().map(|movement| movement.turn);
    let leads_in = |way: &usize| town.network.ways[*way].lane.is_some_and(|lane| lane.to == CENTER);
    let mut starts: Vec<_> = (0..town.network.ways.len()).filter(leads_in).collect();
    let can = |way: &usize| town.network.ways[*way].next.iter().any(|&next| turn_of(next) == Some(wish));
    if starts.iter().any(can) {
        starts.retain(can);
    }
    let start = starts[town.stage.draw(0.0, starts.len() as f64) as usize];
    let route = route(town, start, 320.0, Some(wish));
    let turn = route.get(1).and_then(|&way| turn_of(way)).unwrap_or(Turn::Straight);
    let (curve, starts_m) = whole(town.network, &route);
    let along_m = (town.network.ways[start].stop_m - town.stage.draw(55.0, 95.0)).max(6.0);
    let (pace, limit_mps) = (town.stage.draw(0.85, 1.0), town.network.ways[start].limit_mps);
    town.way = curve.between(along_m, along_m + 230.0).points(8.0).iter().map(Pose2::position).collect();
    town.links = route.iter().filter_map(|&way| town.network.ways[way].lane.map(|lane| lane.link)).collect();
    town.stage.ego(curve, along_m, 0.8 * pace * limit_mps, limit_mps);
    let pace = (pace, f64::INFINITY);
    town.cast.drivers.push(Driver { actor: EGO, route, starts_m, pace, tow: None, holds: None });
    turn
}

/// A way through the town from a lane on; the first turn as wished, where it can be.
fn route(town: &mut Town, start: usize, needed_m: f64, wish: Option<Turn>) -> Vec<usize> {
    let (mut route, mut length_m, mut wish) = (vec![start], town.network.ways[start].curve.length(), wish);
    while length_m < needed_m {
        let last = route[route.len() - 1];
        let network = town.network;
        let next: Vec<_> = network.ways[last].next.iter().copied().filter(|way| !route.contains(way)).collect();
        if next.is_empty() {
            break;
        }
        let turn = |way: usize| network.ways[way].movement.as_ref().map(|movement| movement.turn);
        let wished = wish.and_then(|wish| next.iter().copied().find(|&way| turn(way) == Some(wish)));
        // Most go straight on.
        let onward = next.iter().copied().find(|&way| turn(way) == Some(Turn::Straight));
        let onward = onward.filter(|_| town.stage.chance(0.5));
        let chosen = wished.or(onward).unwrap_or(next[town.stage.draw(0.0, next.len() as f64) as usize]);
        wish = wish.filter(|_| network.ways[chosen].movement.is_none());
        length_m += network.ways[chosen].curve.length();
        route.push(chosen);
    }
    route
}

/// The line of a route, and where its ways start on it.
fn whole(network: &Network, route: &[usize]) -> (Curve, Vec<f64>) {
    let mut curve = network.ways[route[0]].curve.clone();
    let mut starts_m = vec![0.0];
    for &way in &route[1..] {
        starts_m.push(curve.length());
        curve = curve.then(&network.ways[way].curve);
    }
    (curve, starts_m)
}

/// Streams of drivers on all lanes around.
pub(super) fn drivers(town: &mut Town) {
    let gap_m = town.stage.draw(20.0, 50.0);
    let ego = (town.cast.drivers[0].route[0], town.stage.actors[EGO].along_m);
    for way in 0..town.network.ways.len() {
        let Some(lane) = town.network.ways[way].lane else { continue };
        let curve = town.network.ways[way].curve.clone();
        let middle = curve.at(curve.length() / 2.0).position();
        if !town.is_near(middle, TRAFFIC_M) {
            continue;
        }
        let has_cycles = town.plan.streets[town.plan.links[lane.link].street].strip == Strip::Cycles;
        if has_cycles && lane.outermost && town.stage.chance(0.7) {
            cyclist(town, way);
        }
        let mut along_m = town.stage.draw(2.0, gap_m);
        loop {
            let kind = match town.stage.chance(0.03) && !has_cycles {
                true => fleet::bicycle(&mut town.stage),
                false => fleet::driving(&mut town.stage),
            };
            let trailer =
                (kind.class == Class::Truck && town.stage.chance(0.3)).then(|| fleet::trailer(&mut town.stage));
            let length_m = kind.size[0] + trailer.map_or(0.0, |trailer| trailer.size[0] + 0.8);
            let front_m = along_m + length_m;
            if front_m > town.network.ways[way].stop_m - 2.0 {
                break;
            }
            let (from_m, to_m) = (ego.1 - 6.0, ego.1 + 10.0);
            if way != ego.0 || front_m < from_m || along_m > to_m {
                driver(town, way, front_m, kind, trailer);
            }
            along_m = front_m + 3.0 + town.stage.draw(0.3, 1.7) * gap_m;
        }
    }
}

/// Somebody with his front at `front_m` of a lane.
fn driver(town: &mut Town, way: usize, front_m: f64, kind: Kind, trailer: Option<Kind>) {
    let needed_m = front_m + 14.0 * (super::super::stage::DURATION_S + WARM_UP_S);
    let route = route(town, way, needed_m, trailer.map(|_| Turn::Straight));
    let (curve, starts_m) = whole(town.network, &route);
    let Kind { class, category, size } = kind;
    // Vehicles follow their way with the rear axle.
    let center_m = if size[0] > 3.0 { 0.28 * size[0] } else { 0.0 };
    let along_m = front_m - size[0] / 2.0 - center_m;
    let pace = (town.stage.draw(0.8, 1.0), if class == Class::Bicycle { 5.0 } else { f64::INFINITY });
    let limit_mps = town.network.ways[way].limit_mps;
    let to_stop_m = (town.network.ways[way].stop_m - front_m).max(0.0);
    let speed_mps = (pace.0 * limit_mps).min(pace.1).min((2.0 * 1.2 * to_stop_m).sqrt());
    let mut actor = Actor::new(class, size, Motion::Drive, curve.clone(), along_m, speed_mps);
    (actor.center_m, actor.category) = (center_m, Some(category));
    if let Some(trailer) = trailer {
        // No trailer in bends that it would cut.
        actor.allowed_mps.iter_mut().for_each(|speed| *speed = speed.min(12.0));
        let behind_m = along_m - (front_m - size[0] - 0.8 - trailer.size[0] / 2.0);
        let number = town.stage.actors.len();
        town.stage.add(actor);
        let mut towed = Actor::new(trailer.class, trailer.size, Motion::Drive, curve, along_m - behind_m, speed_mps);
        towed.category = Some(trailer.category);
        town.stage.add(towed);
        let tow = Some((number + 1, behind_m));
        town.cast.drivers.push(Driver { actor: number, route, starts_m, pace, tow, holds: None });
    } else {
        let number = town.stage.actors.len();
        town.stage.add(actor);
        town.cast.drivers.push(Driver { actor: number, route, starts_m, pace, tow: None, holds: None });
    }
}

/// A cyclist on the strip beside a lane, who comes into the lane before and on junctions.
fn cyclist(town: &mut Town, way: usize) {
    let front_m = town.stage.draw(4.0, (town.network.ways[way].stop_m - 10.0).max(5.0));
    let kind = fleet::bicycle(&mut town.stage);
    driver(town, way, front_m, kind, None);
    let Some(Driver { actor, route, starts_m, .. }) = town.cast.drivers.last() else { return };
    let mut shifts = Vec::new();
    for (&way, &start) in route.iter().zip(starts_m) {
        let Some(lane) = town.network.ways[way].lane else { continue };
        let link = &town.plan.links[lane.link];
        let street = &town.plan.streets[link.street];
        let length_m = town.network.ways[way].curve.length();
        if street.strip == Strip::Cycles && lane.outermost && length_m > 70.0 {
            let by_m = -(street.layout.lane_m / 2.0 + street.layout.parking_m / 2.0);
            shifts.push(Shift { from_m: start + 6.0, over_m: 14.0, by_m });
            shifts.push(Shift { from_m: start + length_m - 36.0, over_m: 14.0, by_m: -by_m });
        }
    }
    let actor = *actor;
    town.stage.actors[actor].shifts = shifts;
}

/// People on pavements and at crossings.
pub(super) fn people(town: &mut Town) {
    let per_m = town.stage.draw(0.018, 0.06);
    for link in 0..town.plan.links.len() {
        for against in [false, true] {
            let side = verge::side(town.plan, link, against);
            let half_m = town.plan.streets[town.plan.links[link].street].half_m();
            let count = (side.length() * per_m * town.stage.draw(0.5, 1.5)).round() as usize;
            for _ in 0..count {
                let along_m = town.stage.draw(4.0, side.length() - 4.0);
                let left_m = -(half_m + town.stage.draw(1.0, 3.2));
                let place = beside(side.at(along_m), left_m);
                let is_taken = town.taken.iter().any(|&(other, taken, [from, to])| {
                    other == link && taken == against && along_m + 45.0 > from && along_m - 45.0 < to
                });
                if is_taken || !town.is_near(place.position(), NEAR_M) {
                    continue;
                }
                let kind = fleet::person(&mut town.stage);
                if town.stage.chance(0.25) {
                    let yaw = town.stage.draw(-3.1, 3.1);
                    town.stand(kind, Pose2::new(place.x, place.y, yaw));
                    continue;
                }
                let path = if town.stage.chance(0.5) {
                    side.between(along_m, side.length()).shifted(left_m)
                } else {
                    side.between(0.0, along_m).shifted(left_m).reversed()
                };
                let speed_mps = town.stage.draw(0.8, 1.7);
                walker(town, kind, path, speed_mps);
            }
        }
    }
    let most = town.stage.draw(1.0, 4.0);
    for crossing in 0..town.network.crossings.len() {
        let line = town.network.crossings[crossing].line.clone();
        if !town.is_near(line.at(line.length() / 2.0).position(), NEAR_M - 10.0) {
            continue;
        }
        for slot in [-1.3, 0.0, 1.3] {
            if !town.stage.chance(most / 4.5) {
                continue;
            }
            let reversed = town.stage.chance(0.5);
            let straight = if reversed { line.reversed() } else { line.clone() }.shifted(slot);
            // On along the pavement.
            let side = if town.stage.chance(0.5) { 1.0 } else { -1.0 };
            let path = straight.arc(1.5, side * std::f64::consts::FRAC_PI_2).straight(town.stage.draw(8.0, 25.0));
            let from_s = town.stage.draw(-WARM_UP_S, 14.0);
            let kind = fleet::person(&mut town.stage);
            let speed_mps = town.stage.draw(1.1, 1.7);
            let actor = walker(town, kind, path, speed_mps);
            town.stage.actors[actor].start_s = f64::INFINITY;
            town.cast.walkers.push(Walker { actor, crossing, reversed, from_s });
        }
    }
}

fn walker(town: &mut Town, kind: Kind, path: Curve, speed_mps: f64) -> usize {
    let Kind { class, category, size } = kind;
    let mut actor = Actor::new(class, size, Motion::Walk, path, 0.0, speed_mps);
    actor.category = Some(category);
    actor.start_s = -WARM_UP_S;
    town.stage.add(actor);
    town.stage.actors.len() - 1
}

/// A pose turned by `turn_rad`.
pub(super) fn turned(pose: Pose2, turn_rad: f64) -> Pose2 {
    Pose2::new(pose.x, pose.y, wrap_angle(pose.yaw + turn_rad))
}
