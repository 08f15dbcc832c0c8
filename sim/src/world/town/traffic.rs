//! Traffic in a town: drivers follow, stop at lights, give way at junctions and crossings; people cross when they can.
//!
//! Who wants to drive across a junction claims the way first and holds it until through. A claim succeeds where nobody
//! holds a conflicting way, the light is green, nobody with right of way is about to come, and there is room beyond.

use tandem_datasets::{Pose2, SignalColor};

use super::super::actor::{Actor, Light, Motion, STEP_S, idm};
use super::super::stage::DURATION_S;
use super::lights::WARM_UP_S;
use super::network::{Movement, Network, Passage, WAIT_M};

/// How far drivers look for leaders, m.
const LOOK_M: f64 = 70.0;

/// Somebody who drives along a route.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    /// Its number among the actors.
    pub actor: usize,
    /// The ways of the route.
    pub route: Vec<usize>,
    /// Where each of them starts, m along the route.
    pub starts_m: Vec<f64>,
    /// Share of the limit that it drives, and its own limit, m/s.
    pub pace: (f64, f64),
    /// A trailer's number among the actors, and how far behind it is, m.
    pub tow: Option<(usize, f64)>,
    /// The place in the route of the way across a junction that it holds.
    pub holds: Option<usize>,
}

/// Somebody who crosses the street.
#[derive(Debug, Clone)]
pub(super) struct Walker {
    pub actor: usize,
    pub crossing: usize,
    /// Whether from the end of the crossing's line to its start.
    pub reversed: bool,
    /// Not before, s.
    pub from_s: f64,
}

/// All who are in a town.
#[derive(Debug, Clone, Default)]
pub(super) struct Cast {
    pub drivers: Vec<Driver>,
    pub walkers: Vec<Walker>,
}

/// A driver's stretch of a way.
#[derive(Debug, Clone, Copy)]
struct Occupant {
    driver: usize,
    rear_m: f64,
    front_m: f64,
    speed_mps: f64,
}

struct Traffic<'a> {
    network: &'a Network,
    lights: &'a [Light],
    actors: Vec<Actor>,
    cast: Cast,
    on_way: Vec<Vec<Occupant>>,
    /// Who comes to each crossing: how far it is from it, and its speed.
    coming: Vec<Vec<(f64, f64)>>,
    time_s: f64,
}

/// Time, pose and speed of each actor at each step.
pub(super) type States = Vec<Vec<(f64, Pose2, f64)>>;

/// Plays a town through, from some seconds before it begins.
pub(super) fn play(network: &Network, lights: &[Light], actors: &[Actor], cast: &Cast) -> States {
    let mut states: States = vec![Vec::new(); actors.len()];
    let mut traffic = Traffic {
        network,
        lights,
        actors: actors.to_vec(),
        cast: cast.clone(),
        on_way: vec![Vec::new(); network.ways.len()],
        coming: vec![Vec::new(); network.crossings.len()],
        time_s: 0.0,
    };
    let warm_up = (WARM_UP_S / STEP_S).round() as i64;
    for step in -warm_up..=(DURATION_S / STEP_S).round() as i64 {
        traffic.time_s = step as f64 * STEP_S;
        if step >= 0 {
            for (actor, states) in traffic.actors.iter().zip(&mut states).filter(|(actor, _)| !actor.is_gone()) {
                states.push((traffic.time_s, actor.pose(), actor.pace_mps(traffic.time_s)));
            }
        }
        traffic.step();
    }
    states
}

impl Traffic<'_> {
    fn step(&mut self) {
        self.occupy();
        for driver in 0..self.cast.drivers.len() {
            self.claim(driver);
        }
        let wants: Vec<_> = (0..self.cast.drivers.len()).map(|driver| self.want(driver)).collect();
        for index in 0..self.cast.walkers.len() {
            let Walker { actor, .. } = self.cast.walkers[index];
            if self.actors[actor].start_s > self.time_s && self.may_walk(index) {
                self.actors[actor].start_s = self.time_s;
            }
        }
        for (driver, wanted) in self.cast.drivers.iter().zip(wants) {
            if self.actors[driver.actor].motion == Motion::Walk {
                // It was taken out of the world, and with it goes what it tows.
                if let Some((trailer, _)) = driver.tow {
                    self.actors[trailer].leave();
                }
                continue;
            }
            self.actors[driver.actor].step(self.time_s, wanted);
            if let Some((trailer, behind_m)) = driver.tow {
                let Actor { along_m, speed_mps, .. } = self.actors[driver.actor];
                self.actors[trailer].along_m = along_m - behind_m;
                self.actors[trailer].speed_mps = speed_mps;
            }
        }
        for actor in self.actors.iter_mut().filter(|actor| actor.motion == Motion::Walk) {
            actor.step(self.time_s, 0.0);
        }
    }

    fn actor(&self, driver: usize) -> &Actor {
        &self.actors[self.cast.drivers[driver].actor]
    }

    /// Where its last part ends, m along its route.
    fn rear_m(&self, driver: usize) -> f64 {
        let trailer = self.cast.drivers[driver].tow.map(|(trailer, _)| self.actors[trailer].rear_m());
        trailer.unwrap_or_else(|| self.actor(driver).rear_m())
    }

    /// Whether it rides on the strip beside its lane.
    fn is_aside(&self, driver: usize) -> bool {
        let actor = self.actor(driver);
        actor.left_m(actor.along_m) < -1.9
    }

    /// The part of a route from one place to another: place in the route, way, and where it starts.
    fn ways(&self, driver: usize, from_m: f64, to_m: f64) -> impl Iterator<Item = (usize, usize, f64)> {
        let Driver { route, starts_m, .. } = &self.cast.drivers[driver];
        let first = starts_m.partition_point(|&start| start <= from_m).saturating_sub(1);
        let ways = (first..route.len()).map(move |place| (place, route[place], starts_m[place]));
        ways.take_while(move |(.., start)| *start < to_m)
    }

    fn occupy(&mut self) {
        self.on_way.iter_mut().for_each(Vec::clear);
        self.coming.iter_mut().for_each(Vec::clear);
        let network = self.network;
        for driver in 0..self.cast.drivers.len() {
            let actor = self.actor(driver);
            if actor.is_gone() {
                continue;
            }
            let (rear_m, front_m, speed_mps) = (self.rear_m(driver), actor.front_m(), actor.speed_mps);
            let on: Vec<_> = self.ways(driver, rear_m, front_m).collect();
            let ahead: Vec<_> = self.ways(driver, rear_m, front_m + LOOK_M).collect();
            for (_, way, start) in ahead {
                for passage in &network.ways[way].passages {
                    if start + passage.along_m[1] > rear_m - 1.0 {
                        self.coming[passage.crossing].push((start + passage.along_m[0] - front_m, speed_mps));
                    }
                }
            }
            if self.is_aside(driver) {
                continue;
            }
            for (_, way, start) in on {
                let occupant = Occupant { driver, rear_m: rear_m - start, front_m: front_m - start, speed_mps };
                self.on_way[way].push(occupant);
                // Those who start in the same lane on another way see it until the ways have parted.
                for &(sibling, shared_m) in
                    network.ways[way].movement.as_ref().map_or(&[][..], |movement| &movement.siblings)
                {
                    if occupant.rear_m < shared_m {
                        self.on_way[sibling].push(Occupant { front_m: occupant.front_m.min(shared_m), ..occupant });
                    }
                }
            }
        }
    }

    fn movement(&self, way: usize) -> Option<&Movement> {
        self.network.ways[way].movement.as_ref()
    }

    /// The junction that it comes to next: place in the route of the way across, and the distance to the stop line.
    fn next_junction(&self, driver: usize) -> Option<(usize, f64)> {
        let Driver { route, starts_m, holds, .. } = &self.cast.drivers[driver];
        let front_m = self.actor(driver).front_m();
        let from = starts_m.partition_point(|&start| start <= front_m).saturating_sub(1);
        let place =
            (from..route.len()).find(|&place| self.movement(route[place]).is_some() && *holds != Some(place))?;
        let before = place.checked_sub(1)?;
        Some((place, starts_m[before] + self.network.ways[route[before]].stop_m - front_m))
    }

    fn claim(&mut self, driver: usize) {
        if self.actor(driver).is_gone() {
            self.cast.drivers[driver].holds = None;
            return;
        }
        let rear_m = self.rear_m(driver);
        let held = &mut self.cast.drivers[driver];
        if let Some(place) = held.holds {
            let through = held.starts_m.get(place + 1).is_none_or(|&end| rear_m > end + 0.5);
            if !through {
                return;
            }
            held.holds = None;
        }
        let Some((place, gap_m)) = self.next_junction(driver) else { return };
        let speed = self.actor(driver).speed_mps;
        let is_near = gap_m < look_ahead_m(speed);
        // Who is over the line already, or can't stop any more, goes on.
        let must = gap_m < -2.0 || (gap_m < speed * speed / (2.0 * 3.0) - 1.0 && !self.is_red(driver, place));
        if is_near && (must || self.may_go(driver, place, gap_m)) {
            self.cast.drivers[driver].holds = Some(place);
        }
    }

    fn light(&self, driver: usize, place: usize) -> Option<&Light> {
        let before = self.cast.drivers[driver].route[place - 1];
        self.network.ways[before].light.map(|light| &self.lights[light])
    }

    fn is_red(&self, driver: usize, place: usize) -> bool {
        self.light(driver, place).is_some_and(|light| light.at(self.time_s) == SignalColor::Red)
    }

    fn may_go(&self, driver: usize, place: usize, gap_m: f64) -> bool {
        let Driver { route, starts_m, .. } = &self.cast.drivers[driver];
        let (own, front_m) = (self.actor(driver), self.actor(driver).front_m());
        let speed = own.speed_mps;
        if let Some(light) = self.light(driver, place) {
            let to_entry_s = travel_s(starts_m[place] - front_m + 1.0, speed);
            let stops = match light.at(self.time_s) {
                SignalColor::Red => true,
                SignalColor::Yellow => gap_m > speed * speed / (2.0 * 2.2),
                _ => false,
            };
            if stops || light.at(self.time_s + to_entry_s) == SignalColor::Red {
                return false;
            }
        }
        let way = route[place];
        let Some(movement) = self.movement(way) else { return true };
        let others = || (0..self.cast.drivers.len()).filter(move |&other| other != driver);
        let entry_m = starts_m[place] - front_m;
        if others().any(|other| self.is_in_the_way(other, movement, entry_m, speed)) {
            return false;
        }
        // Those ahead in the lane go first.
        let ahead =
            |occupant: &&Occupant| occupant.driver != driver && occupant.front_m + starts_m[place - 1] > front_m;
        let mut before = self.on_way[route[place - 1]].iter().filter(ahead);
        if before.any(|occupant| self.cast.drivers[occupant.driver].holds.is_none()) {
            return false;
        }
        let length_m = front_m - self.rear_m(driver);
        if let Some(&exit) = route.get(place + 1) {
            let is_full = |occupant: &Occupant| {
                occupant.driver != driver && occupant.speed_mps < 2.0 && occupant.rear_m < length_m + 4.0
            };
            if self.on_way[exit].iter().any(is_full) {
                return false;
            }
        }
        !others().any(|other| self.comes_first(other, movement, entry_m + length_m, speed))
    }

    /// Whether another, who holds a conflicting way, will still be where the ways meet when one arrives there.
    fn is_in_the_way(&self, other: usize, movement: &Movement, entry_m: f64, speed_mps: f64) -> bool {
        let Driver { route, starts_m, holds: Some(place), .. } = &self.cast.drivers[other] else { return false };
        let Some(conflict) = movement.conflicts.iter().find(|conflict| conflict.other == route[*place]) else {
            return false;
        };
        let to_leave_m = starts_m[*place] + conflict.other_m[1] - self.rear_m(other);
        if to_leave_m <= 0.0 {
            return false;
        }
        let theirs_mps = self.actor(other).speed_mps;
        let leaves_s = to_leave_m / theirs_mps.max(0.1);
        theirs_mps < 3.0 || leaves_s + 1.0 > travel_s(entry_m + conflict.own_m[0], speed_mps)
    }

    /// Whether another with right of way comes before one has passed the place where the ways meet; `to_entry_m` is how
    /// far one's rear is from the junction.
    fn comes_first(&self, other: usize, movement: &Movement, to_entry_m: f64, speed_mps: f64) -> bool {
        let actor = self.actor(other);
        if actor.is_gone() || self.cast.drivers[other].holds.is_some() {
            return false;
        }
        let Some((place, gap_m)) = self.next_junction(other) else { return false };
        let Driver { route, starts_m, .. } = &self.cast.drivers[other];
        let way = route[place];
        let goes_first = self.movement(way).is_some_and(|theirs| theirs.order < movement.order);
        let conflict = movement.conflicts.iter().find(|conflict| conflict.other == way);
        let Some(conflict) = conflict.filter(|_| goes_first && gap_m < 80.0) else { return false };
        let goes = self.light(other, place).is_none_or(|light| match light.at(self.time_s) {
            SignalColor::Red => false,
            SignalColor::Yellow => actor.speed_mps > 3.0,
            _ => true,
        });
        let comes_s = travel_s(starts_m[place] + conflict.other_m[0] - actor.front_m(), actor.speed_mps);
        let through_s = travel_s(to_entry_m + conflict.own_m[1], speed_mps.min(5.0));
        goes && comes_s < through_s + 0.7
    }

    fn want(&self, driver: usize) -> f64 {
        let own = self.actor(driver);
        if own.is_gone() {
            return 0.0;
        }
        let Driver { pace, .. } = self.cast.drivers[driver];
        let (rear_m, front_m, speed) = (self.rear_m(driver), own.front_m(), own.speed_mps);
        let limit = self.ways(driver, own.along_m, f64::INFINITY).next();
        let limit_mps = limit.map_or(0.0, |(_, way, _)| self.network.ways[way].limit_mps);
        let allowed = own.allowed_mps.get(own.along_m.max(0.0) as usize).copied().unwrap_or(f64::INFINITY);
        let desired = (limit_mps * pace.0).min(pace.1).min(allowed);
        let mut acceleration = idm(speed, desired, None);
        let mut follow = |gap_m: f64, leader_mps: f64| {
            acceleration = acceleration.min(idm(speed, desired, Some((gap_m, leader_mps))));
        };
        let middle_m = (rear_m + front_m) / 2.0;
        let is_aside = self.is_aside(driver);
        for (_, way, start) in self.ways(driver, rear_m, front_m + LOOK_M) {
            let leads =
                |other: &&Occupant| other.driver != driver && start + (other.rear_m + other.front_m) / 2.0 > middle_m;
            if !is_aside {
                for other in self.on_way[way].iter().filter(leads) {
                    follow(start + other.rear_m - front_m, other.speed_mps);
                }
            }
            for passage in &self.network.ways[way].passages {
                let gap_m = start + passage.along_m[0] - 0.8 - front_m;
                if gap_m > -0.5 && gap_m < 50.0 && self.is_walked(passage) {
                    follow(gap_m + 1.5, 0.0);
                }
            }
        }
        if let Some((_, gap_m)) = self.next_junction(driver)
            && gap_m > -2.0
            && gap_m < look_ahead_m(speed)
        {
            follow(gap_m.max(-0.5) + 2.0, 0.0);
        }
        acceleration
    }

    /// Whether somebody is on a crossing where a way passes it, or soon will be.
    fn is_walked(&self, passage: &Passage) -> bool {
        self.cast.walkers.iter().filter(|walker| walker.crossing == passage.crossing).any(|walker| {
            let actor = &self.actors[walker.actor];
            let length_m = self.network.crossings[walker.crossing].line.length();
            let place_m = if walker.reversed { length_m - passage.across_m } else { passage.across_m };
            let to_go_m = place_m - actor.along_m;
            actor.start_s <= self.time_s && !actor.is_gone() && to_go_m > -2.4 && to_go_m < 8.0
        })
    }

    /// Whether somebody at a crossing can step out: those who drive have red, or can stop, or are far.
    fn may_walk(&self, walker: usize) -> bool {
        let Walker { actor, crossing, from_s, .. } = self.cast.walkers[walker];
        if self.time_s < from_s {
            return false;
        }
        let place = &self.network.crossings[crossing];
        if let Some(light) = place.light.map(|light| &self.lights[light]) {
            let over_s = (place.line.length() - WAIT_M) / self.actors[actor].speed_mps;
            let is_red = |time_s| light.at(time_s) == SignalColor::Red;
            if !is_red(self.time_s) || !is_red(self.time_s + 0.8 * over_s) {
                return false;
            }
        }
        self.coming[crossing].iter().all(|&(gap_m, speed)| {
            let stops_m = speed * speed / (2.0 * 1.6) + 2.0;
            gap_m > stops_m || (gap_m > 0.3 && speed < 0.3)
        })
    }
}

/// How far before a stop line a driver decides whether to go on, m.
fn look_ahead_m(speed_mps: f64) -> f64 {
    speed_mps * speed_mps / (2.0 * 1.4) + 14.0
}

/// How long so many metres take from a speed on, s: speeding up by 1.2 m/s² to no more than 9 m/s.
fn travel_s(way_m: f64, speed_mps: f64) -> f64 {
    const ACCELERATION: f64 = 1.2;
    let top_mps = speed_mps.max(9.0);
    let to_top_m = (top_mps * top_mps - speed_mps * speed_mps) / (2.0 * ACCELERATION);
    if way_m <= to_top_m {
        ((speed_mps * speed_mps + 2.0 * ACCELERATION * way_m.max(0.0)).sqrt() - speed_mps) / ACCELERATION
    } else {
        (top_mps - speed_mps) / ACCELERATION + (way_m - to_top_m) / top_mps
    }
}
