//! One reactive driver: the logged path as its route, the intelligent driver model for its speed.

use tandem_datasets::{Box2, Log, Map, Pose2, SignalColor, Track, TrackState};
use tandem_graph::Stamp;

use crate::path::{Path, lane_under};

/// What a driver wants, after nuPlan's IDM agents (nuplan-devkit `idm_agents_observation.yaml`).
const MIN_GAP_M: f64 = 1.0;
const HEADWAY_S: f64 = 1.5;
const ACCELERATION_MPS2: f64 = 1.0;
const DECELERATION_MPS2: f64 = 2.0;

/// How far the path goes on beyond the log, m.
const EXTENSION_M: f64 = 150.0;

/// Logged positions nearer to each other than this count as one, so that jitter makes no path, m.
const MIN_STEP_M: f64 = 0.3;

/// A place at which the driver waits.
#[derive(Debug, Clone, Copy)]
enum Hold {
    /// The log shows it standing here; it moves on no earlier than it did there.
    Until(Stamp),
    /// The light of [`Log::signals`] with this index, which the logged drive did not pass on red.
    Signal(usize),
}

/// A motor vehicle that follows its lane and keeps its distance.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    path: Path,
    /// The log's progress along the path, m.
    logged: Vec<(Stamp, f64)>,
    /// Where the centre waits, m along the path, and for what; by rising place.
    holds: Vec<(f64, Hold)>,
    desired_mps: f64,
    length: f64,
    width: f64,
    /// Height of the box's centre in the map, m.
    z: f64,
    /// Where it is along its path, m; of the box centre.
    along_m: f64,
    /// Its speed, m/s.
    speed_mps: f64,
}

impl Driver {
    /// The driver of a track; `None` for whatever is not a motor vehicle that moves forward on lanes.
    pub fn new(log: &Log, map: &Map, track: &Track) -> Option<Self> {
        let first = track.states.first().filter(|_| track.class.is_vehicle())?;
        let mut path = Path::new(first.pose);
        let mut logged = vec![(first.stamp, 0.0)];
        let (mut on_lane, mut forward_m) = (0_usize, 0.0);
        for state in &track.states[1..] {
            let step = state.pose.position() - path.last().position();
            if step.norm() >= MIN_STEP_M {
                forward_m += step.dot(&path.last().heading());
                path.push(state.pose);
                on_lane += usize::from(lane_under(map, state.pose).is_some());
            }
            logged.push((state.stamp, path.length_m()));
        }
        let moved = path.length_m() >= 2.0 && forward_m >= 0.7 * path.length_m();
        if !moved || 2 * on_lane < path.steps() {
            return None;
        }
        let mut holds = logged_stops(&logged);
        let rests = holds.last().is_some_and(|(_, hold)| matches!(hold, Hold::Until(until) if *until == FOREVER));
        if !rests {
            path.extend_along_lanes(map, EXTENSION_M);
        }
        holds.extend(signal_lines(log, map, &path, &logged, 0.5 * track.size[0]));
        holds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let fastest = track.states.iter().map(|state| speed(state.velocity_mps)).fold(0.0, f64::max);
        Some(Self {
            path,
            logged,
            holds,
            desired_mps: fastest.max(3.0),
            length: track.size[0],
            width: track.size[1],
            z: first.z,
            along_m: 0.0,
            speed_mps: 0.0,
        })
    }

    /// Puts the driver where the log has it at `now`.
    pub fn place(&mut self, now: Stamp, speed_mps: f64) {
        let after = self.logged.partition_point(|(stamp, _)| *stamp < now).min(self.logged.len() - 1);
        let (next, before) = (self.logged[after], self.logged[after.saturating_sub(1)]);
        let span_s = next.0.seconds_since(before.0);
        let t = if span_s > 0.0 { now.seconds_since(before.0) / span_s } else { 1.0 };
        self.along_m = before.1 + (next.1 - before.1) * t;
        self.speed_mps = speed_mps;
    }

    /// Its outline.
    pub fn outline(&self) -> Box2 {
        Box2 { pose: self.pose(), length: self.length, width: self.width }
    }

    /// Box centre and heading.
    pub fn pose(&self) -> Pose2 {
        self.path.at(self.along_m)
    }

    /// How it is at `now`; its height is that at its first sight.
    pub fn state(&self, now: Stamp) -> TrackState {
        let pose = self.pose();
        let velocity_mps = (pose.heading() * self.speed_mps).into();
        TrackState { stamp: now, pose, z: self.z, velocity_mps }
    }

    /// Whether it has come to the end of what is known of its way.
    pub fn arrived(&self) -> bool {
        self.along_m >= self.path.length_m() && self.speed_mps > 0.0
    }

    /// The acceleration it chooses, m/s², among `others` (outline, speed) and the lights.
    pub fn decide(&self, now: Stamp, log: &Log, others: &[(Box2, f64)], itself: usize) -> f64 {
        let front_m = self.along_m + 0.5 * self.length;
        let ahead_m = 10.0 + 4.0 * self.speed_mps;
        let own = self.outline();
        let mut nearest: Option<(f64, f64)> = None;
        for (index, (outline, speed_mps)) in others.iter().enumerate() {
            let between = outline.pose.position() - own.pose.position();
            let reach_m = ahead_m + self.length + outline.length;
            if index == itself || between.norm_squared() > reach_m * reach_m {
                continue;
            }
            // Who is beside or behind, or was already overlapping in the log (a trailer), does not lead.
            let is_ahead = own.pose.inverse_transform(outline.pose.position()).x > 0.0;
            if !is_ahead || own.intersects(outline) {
                continue;
            }
            let limit_m = nearest.map_or(front_m + ahead_m, |(gap_m, _)| front_m + gap_m);
            if let Some(touch_m) = self.path.first_touch(front_m, limit_m, self.width, outline) {
                let along_mps = speed_mps * (outline.pose.yaw - own.pose.yaw).cos();
                nearest = Some((touch_m - front_m, along_mps));
            }
        }
        for (place_m, hold) in &self.holds {
            let waits = match hold {
                Hold::Until(until) => now < *until,
                Hold::Signal(index) => log.signals[*index].at(now) == SignalColor::Red,
            };
            let gap_m = place_m - self.along_m;
            if waits && gap_m > -0.5 {
                // The model keeps the minimum gap to a leader, but a stopping place is where one stops.
                let gap_m = gap_m + MIN_GAP_M;
                if nearest.is_none_or(|(nearest_m, _)| gap_m < nearest_m) {
                    nearest = Some((gap_m, 0.0));
                }
                break;
            }
        }
        idm(self.speed_mps, self.desired_mps, nearest)
    }

    /// Moves on by `step_s` with an acceleration, by forward Euler as nuPlan does.
    pub fn advance(&mut self, acceleration_mps2: f64, step_s: f64) {
        self.along_m = (self.along_m + self.speed_mps * step_s).min(self.path.length_m());
        self.speed_mps = (self.speed_mps + acceleration_mps2 * step_s).max(0.0);
    }
}

/// The intelligent driver model (Treiber, Hennecke, Helbing 2000, equations 2 and 3; exponent 4), limited to what
/// nuPlan's agents do (nuplan-devkit `idm_policy.py`). The leader is its gap, m, and its speed, m/s.
fn idm(speed_mps: f64, desired_mps: f64, leader: Option<(f64, f64)>) -> f64 {
    let interaction = leader.map_or(0.0, |(gap_m, leader_mps)| {
        let closing = speed_mps * (speed_mps - leader_mps) / (2.0 * (ACCELERATION_MPS2 * DECELERATION_MPS2).sqrt());
        let wanted_m = MIN_GAP_M + (speed_mps * HEADWAY_S + closing).max(0.0);
        (wanted_m / gap_m.max(MIN_GAP_M)).powi(2)
    });
    let acceleration = ACCELERATION_MPS2 * (1.0 - (speed_mps / desired_mps).powi(4) - interaction);
    acceleration.clamp(-DECELERATION_MPS2, ACCELERATION_MPS2)
}

/// The stamp that never comes.
const FOREVER: Stamp = Stamp::from_ns(i64::MAX);

/// Where the log shows the vehicle standing for a second or more, and until when: for ever if to the log's end.
fn logged_stops(logged: &[(Stamp, f64)]) -> Vec<(f64, Hold)> {
    let runs = logged.chunk_by(|a, b| a.1 == b.1);
    let last_m = logged.last().map_or(0.0, |last| last.1);
    let long = runs.filter(|run| run[run.len() - 1].0.seconds_since(run[0].0) >= 1.0);
    long.map(|run| {
        let until = if run[0].1 == last_m { FOREVER } else { run[run.len() - 1].0 };
        (run[0].1, Hold::Until(until))
    })
    .collect()
}

/// The lights that the path comes to, but for those that the log shows the vehicle passing on red.
fn signal_lines(log: &Log, map: &Map, path: &Path, logged: &[(Stamp, f64)], half_length: f64) -> Vec<(f64, Hold)> {
    let line_of = |(index, signal): (usize, &tandem_datasets::SignalTrack)| {
        let entry = map.lane(signal.lane).centerline.windows(2).next()?;
        let yaw = (entry[1].y - entry[0].y).atan2(entry[1].x - entry[0].x);
        let line_m = path.passes(Pose2::new(entry[0].x, entry[0].y, yaw))? - half_length;
        let passed = logged.iter().find(|(_, along_m)| *along_m > line_m);
        let ran = passed.is_some_and(|(stamp, _)| signal.at(*stamp) == SignalColor::Red);
        (!ran && line_m > 0.0).then_some((line_m, Hold::Signal(index)))
    };
    log.signals.iter().enumerate().filter_map(line_of).collect()
}

/// The length of a velocity, m/s.
pub(super) fn speed(velocity_mps: [f64; 2]) -> f64 {
    velocity_mps[0].hypot(velocity_mps[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_holds_the_gap_that_its_equations_demand() {
        // In equilibrium behind a leader of the same speed: s = (s0 + v T) / sqrt(1 - (v / v0)^4).
        let (v, v0) = (8.0_f64, 12.0);
        let gap = (MIN_GAP_M + v * HEADWAY_S) / (1.0 - (v / v0).powi(4)).sqrt();
        assert!(idm(v, v0, Some((gap, v))).abs() < 1e-12);
        assert!(idm(v, v0, Some((gap - 1.0, v))) < 0.0);
        assert!(idm(v, v0, Some((gap + 1.0, v))) > 0.0);
        assert!(idm(v0, v0, None).abs() < 1e-12);
    }

    #[test]
    fn a_wait_in_the_log_is_a_wait_here_and_the_last_one_never_ends() {
        let at = |tenths: i64, along_m: f64| (Stamp::from_ns(tenths * 100_000_000), along_m);
        let logged: Vec<_> = (0..10)
            .map(|i| at(i, i as f64))
            .chain((10..30).map(|i| at(i, 10.0)))
            .chain((30..40).map(|i| at(i, i as f64)))
            .chain((40..60).map(|i| at(i, 40.0)))
            .collect();
        let stops = logged_stops(&logged);
        assert_eq!(stops.len(), 2);
        assert!(matches!(stops[0], (10.0, Hold::Until(until)) if until == Stamp::from_ns(2_900_000_000)));
        assert!(matches!(stops[1], (40.0, Hold::Until(FOREVER))));
    }
}
