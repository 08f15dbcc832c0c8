//! Who moves in a generated world, and how: along a curve, with an eye on leaders, lights and those who go first.

use tandem_datasets::geometry::wrap_angle;
use tandem_datasets::{Box2, Class, Pose2, SignalColor};

use super::curve::{Curve, beside};

/// Time between two states, s.
pub(super) const STEP_S: f64 = 0.1;

/// How something moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Motion {
    /// Not at all.
    Still,
    /// At its own speed, whatever happens.
    Walk,
    /// As a driver: IDM behind leaders, stopping at red lights, giving way.
    Drive,
}

/// A sideways move over a stretch of the curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    /// Where it starts, m along the curve.
    pub from_m: f64,
    /// Over what length, m.
    pub over_m: f64,
    /// By how much, m, left positive.
    pub by_m: f64,
}

impl Shift {
    /// Offset and its slope at `along_m`: a quintic with smooth ends.
    fn at(&self, along_m: f64) -> (f64, f64) {
        let t = ((along_m - self.from_m) / self.over_m).clamp(0.0, 1.0);
        let offset = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t);
        let slope = 30.0 * t * t * (1.0 - t) * (1.0 - t) / self.over_m;
        (self.by_m * offset, self.by_m * slope)
    }
}

/// A stop line with a light.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopLine {
    /// Where, m along the actor's curve.
    pub along_m: f64,
    /// Which light, by index.
    pub light: usize,
}

/// A light with its phases.
#[derive(Debug, Clone)]
pub(super) struct Light {
    /// Colour from each time on, s.
    pub phases: Vec<(f64, SignalColor)>,
}

impl Light {
    /// Its colour at a time.
    pub fn at(&self, time_s: f64) -> SignalColor {
        let since = self.phases.iter().rev().find(|(from_s, _)| *from_s <= time_s);
        since.map_or(SignalColor::Unknown, |(_, color)| *color)
    }
}

/// Where another's path crosses or joins one's own, and the other goes first.
#[derive(Debug, Clone, Copy)]
struct Conflict {
    other: usize,
    own_m: (f64, f64),
    other_m: (f64, f64),
}

/// One participant: the recording vehicle or another.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    pub class: Class,
    /// Its category in nuScenes' taxonomy, where the world tells more than the class.
    pub category: Option<&'static str>,
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// From the point that follows the curve forward to the box's centre, m.
    pub center_m: f64,
    pub motion: Motion,
    pub curve: Curve,
    pub along_m: f64,
    pub speed_mps: f64,
    pub acceleration_mps2: f64,
    /// Stands until then, s.
    pub start_s: f64,
    /// Desired speed from each time on, s and m/s.
    pub desired: Vec<(f64, f64)>,
    pub shifts: Vec<Shift>,
    pub stop_lines: Vec<StopLine>,
    conflicts: Vec<Conflict>,
    /// Gives way to nobody before, s: who is to be given way to can't be seen yet.
    pub heeds_from_s: f64,
    /// Speed that the curve allows, m/s, a value a metre.
    pub allowed_mps: Vec<f64>,
}

impl Actor {
    /// Somebody at `along_m` of `curve`.
    pub fn new(class: Class, size: [f64; 3], motion: Motion, curve: Curve, along_m: f64, speed_mps: f64) -> Self {
        let allowed_mps = allowed_speeds(&curve);
        Self {
            class,
            category: None,
            size,
            center_m: 0.0,
            motion,
            curve,
            along_m,
            speed_mps,
            acceleration_mps2: 0.0,
            start_s: 0.0,
            desired: vec![(0.0, speed_mps)],
            shifts: Vec::new(),
            stop_lines: Vec::new(),
            conflicts: Vec::new(),
            heeds_from_s: 0.0,
            allowed_mps,
        }
    }

    /// Where it is and how it is turned.
    pub fn pose(&self) -> Pose2 {
        self.pose_at(self.along_m)
    }

    fn pose_at(&self, along_m: f64) -> Pose2 {
        let (mut left_m, mut slope) = (0.0, 0.0);
        for shift in &self.shifts {
            let (offset, gradient) = shift.at(along_m);
            left_m += offset;
            slope += gradient;
        }
        let mut pose = beside(self.curve.at(along_m), left_m);
        pose.yaw = wrap_angle(pose.yaw + slope.atan());
        pose
    }

    /// How far left of its curve it goes at `along_m`, m.
    pub fn left_m(&self, along_m: f64) -> f64 {
        self.shifts.iter().map(|shift| shift.at(along_m).0).sum()
    }

    /// Its outline now.
    pub fn outline(&self) -> Box2 {
        Box2 { pose: self.pose().ahead(self.center_m), length: self.size[0], width: self.size[1] }
    }

    /// How fast it goes at a time, m/s: who waits to set off stands.
    pub fn pace_mps(&self, time_s: f64) -> f64 {
        match self.motion {
            Motion::Still => 0.0,
            Motion::Walk if time_s < self.start_s => 0.0,
            _ => self.speed_mps,
        }
    }

    /// Whether it has left the world at the far end of its curve.
    pub fn is_gone(&self) -> bool {
        self.motion != Motion::Still && self.along_m > self.curve.length()
    }

    /// Keeps it to `most_mps` from `from_m` to `to_m` of its curve, and brakes it gently before.
    pub fn slow(&mut self, from_m: f64, to_m: f64, most_mps: f64) {
        let metres = from_m.max(0.0) as usize..=(to_m.max(0.0) as usize).min(self.allowed_mps.len() - 1);
        metres.for_each(|m| self.allowed_mps[m] = self.allowed_mps[m].min(most_mps));
        brake_before(&mut self.allowed_mps);
    }

    /// Takes it out of the world.
    pub fn leave(&mut self) {
        self.motion = Motion::Walk;
        self.along_m = self.curve.length() + 1.0;
    }

    /// Where its front is, m along its curve.
    pub fn front_m(&self) -> f64 {
        self.along_m + self.center_m + self.size[0] / 2.0
    }

    /// Where its rear is, m along its curve.
    pub fn rear_m(&self) -> f64 {
        self.along_m + self.center_m - self.size[0] / 2.0
    }

    /// Notes where `other`, number `index`, goes first on crossing or joining paths.
    pub fn give_way(&mut self, index: usize, other: &Self) {
        let reach_m = (self.size[1] + other.size[1]) / 2.0 + 0.5;
        let metres = |curve: &Curve| (0..=curve.length() as usize).map(|m| m as f64).collect::<Vec<_>>();
        let others: Vec<_> = metres(&other.curve).iter().map(|&m| (m, other.pose_at(m).position())).collect();
        let mut own_m: Option<(f64, f64)> = None;
        let mut other_m = (f64::INFINITY, f64::NEG_INFINITY);
        for m in metres(&self.curve) {
            let position = self.pose_at(m).position();
            let coarse = others.iter().step_by(8).map(|(_, there)| (there - position).norm());
            let far = coarse.fold(f64::INFINITY, f64::min) > reach_m + 10.0;
            let near = others[if far { 0..0 } else { 0..others.len() }]
                .iter()
                .filter(|(_, there)| (there - position).norm() < reach_m);
            let span =
                near.fold(None, |span: Option<(f64, f64)>, (at, _)| Some(span.map_or((*at, *at), |(a, _)| (a, *at))));
            match (span, own_m) {
                // Where two paths join, those behind the other follow it as a leader.
                (Some(_), Some((from, _))) if m > from + 12.0 => break,
                (Some((from, to)), _) => {
                    own_m = Some(own_m.map_or((m, m), |(first, _)| (first, m)));
                    other_m = (other_m.0.min(from), other_m.1.max(to));
                }
                (None, Some(_)) => break,
                (None, None) => {}
            }
        }
        if let Some(own_m) = own_m {
            self.conflicts.push(Conflict { other: index, own_m, other_m });
        }
    }

    /// Moves on by one step.
    pub fn step(&mut self, time_s: f64, acceleration_mps2: f64) {
        match self.motion {
            Motion::Still => {}
            Motion::Walk if time_s < self.start_s => {}
            Motion::Walk => self.along_m += self.speed_mps * STEP_S,
            Motion::Drive => {
                // Drivers press and release pedals smoothly, unless in need.
                let most_mps3 = if acceleration_mps2 < -3.0 { 10.0 } else { 2.5 };
                let change =
                    (acceleration_mps2 - self.acceleration_mps2).clamp(-most_mps3 * STEP_S, most_mps3 * STEP_S);
                self.acceleration_mps2 += change;
                let before_mps = self.speed_mps;
                self.speed_mps = (before_mps + self.acceleration_mps2 * STEP_S).max(0.0);
                if self.speed_mps == 0.0 {
                    self.acceleration_mps2 = self.acceleration_mps2.max(0.0);
                }
                self.along_m += (before_mps + self.speed_mps) / 2.0 * STEP_S;
            }
        }
    }
}

/// The acceleration that actor `index` wants now, m/s².
pub(super) fn want(index: usize, actors: &[Actor], lights: &[Light], time_s: f64) -> f64 {
    let own = &actors[index];
    let desired = own.desired.iter().rev().find(|(from_s, _)| *from_s <= time_s).map_or(0.0, |(_, speed)| *speed);
    let allowed = own.allowed_mps.get(own.along_m.max(0.0) as usize).copied().unwrap_or(f64::INFINITY);
    let mut acceleration = idm(own.speed_mps, desired.min(allowed), None);
    let mut follow = |gap_m: f64, leader_mps: f64| {
        acceleration = acceleration.min(idm(own.speed_mps, desired.min(allowed), Some((gap_m, leader_mps))));
    };
    for (other_index, other) in actors.iter().enumerate() {
        if other_index != index
            && !other.is_gone()
            && let Some((gap_m, leader_mps)) = leads(own, other)
        {
            follow(gap_m, leader_mps);
        }
    }
    // Who can't stop gently any more goes on.
    let braking_m = own.speed_mps * own.speed_mps / (2.0 * 1.8);
    for line in &own.stop_lines {
        let gap_m = line.along_m - own.front_m();
        let closed = matches!(lights[line.light].at(time_s), SignalColor::Red | SignalColor::Yellow);
        if closed && gap_m > -0.5 && gap_m > braking_m - 2.0 {
            follow(gap_m + 0.5, 0.0);
        }
    }
    for conflict in own.conflicts.iter().filter(|_| time_s >= own.heeds_from_s) {
        let gap_m = conflict.own_m.0 - own.front_m();
        if gap_m > braking_m - 1.0 && gap_m > -1.0 && !goes_in_time(own, &actors[conflict.other], conflict, time_s) {
            follow(gap_m - 0.5, 0.0);
        }
    }
    acceleration
}

/// Whether `own` is through before the other comes, or the other before `own` does.
fn goes_in_time(own: &Actor, other: &Actor, conflict: &Conflict, time_s: f64) -> bool {
    if other.is_gone() || other.rear_m() > conflict.other_m.1 {
        return true;
    }
    let wait_s = (other.start_s - time_s).max(0.0);
    let other_in_s = wait_s + (conflict.other_m.0 - other.front_m()).max(0.0) / other.speed_mps.max(0.5);
    let other_out_s = wait_s + (conflict.other_m.1 - other.rear_m()) / other.speed_mps.max(0.5);
    let own_in_s = (conflict.own_m.0 - own.front_m()).max(0.0) / own.speed_mps.max(3.0);
    let own_out_s = (conflict.own_m.1 - own.rear_m()) / own.speed_mps.max(3.0);
    own_out_s + 2.0 < other_in_s || other_out_s + 1.0 < own_in_s
}

/// Gap and speed of `other` where it is ahead in the way of `own`.
fn leads(own: &Actor, other: &Actor) -> Option<(f64, f64)> {
    let there = other.outline();
    if (there.pose.position() - own.pose().position()).norm() > 90.0 {
        return None;
    }
    let (along_m, left_m) = own.curve.project(there.pose.position());
    let turn = wrap_angle(there.pose.yaw - own.curve.at(along_m).yaw);
    let half_length_m = (there.length * turn.cos().abs() + there.width * turn.sin().abs()) / 2.0;
    let half_width_m = (there.length * turn.sin().abs() + there.width * turn.cos().abs()) / 2.0;
    let mut aside_m = (left_m - own.left_m(along_m)).abs();
    if turn.cos() > 0.8 {
        // A second ahead, so that drivers make room for those who move over.
        aside_m = aside_m.min((left_m + other.speed_now() * turn.sin() - own.left_m(along_m)).abs());
    }
    let gap_m = along_m - half_length_m - own.front_m();
    let ahead = along_m > own.along_m + own.center_m && aside_m < half_width_m + own.size[1] / 2.0 + 0.25;
    // Who comes towards us in our lane is no leader that we could follow: treat him as standing.
    ahead.then(|| (gap_m, (other.speed_now() * turn.cos()).max(0.0)))
}

impl Actor {
    fn speed_now(&self) -> f64 {
        if self.motion == Motion::Still { 0.0 } else { self.speed_mps }
    }
}

/// The intelligent driver model (Treiber, Hennecke, Helbing 2000, eqs. 1–3), m/s².
pub(super) fn idm(speed_mps: f64, desired_mps: f64, leader: Option<(f64, f64)>) -> f64 {
    const ACCELERATION: f64 = 1.4;
    const DECELERATION: f64 = 2.0;
    const HEADWAY_S: f64 = 1.4;
    const STANDSTILL_M: f64 = 2.5;
    let free = 1.0 - (speed_mps / desired_mps.max(0.1)).powi(4);
    let near = leader.map_or(0.0, |(gap_m, leader_mps)| {
        let closing = speed_mps * (speed_mps - leader_mps) / (2.0 * (ACCELERATION * DECELERATION).sqrt());
        let wanted_m = STANDSTILL_M + (speed_mps * HEADWAY_S + closing).max(0.0);
        (wanted_m / gap_m.max(0.1)).powi(2)
    });
    (ACCELERATION * (free - near)).clamp(-6.0, ACCELERATION)
}

/// The speed at each metre of a curve that keeps lateral acceleration to 1.8 m/s² and braking before bends to 1.2 m/s².
fn allowed_speeds(curve: &Curve) -> Vec<f64> {
    let bend = |m: usize| (1.8 / curve.curvature(m as f64).abs().max(1e-4)).sqrt();
    let mut allowed: Vec<f64> = (0..=curve.length() as usize).map(bend).collect();
    brake_before(&mut allowed);
    allowed
}

/// Lowers the speeds before slower metres so that 1.2 m/s² get one down.
fn brake_before(allowed_mps: &mut [f64]) {
    for m in (1..allowed_mps.len()).rev() {
        allowed_mps[m - 1] = allowed_mps[m - 1].min((allowed_mps[m] * allowed_mps[m] + 2.0 * 1.2).sqrt());
    }
}
