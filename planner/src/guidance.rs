//! What the planner makes of a scene judgment: only ever more care, or one more proposal.
//!
//! A judgment can lower the speed, widen gaps, close regions, prefer or veto manoeuvres and add a proposal. It can't
//! raise a limit, and no preference outweighs a predicted collision. In the second half of its time to live its
//! effects fade out linearly; after it they are gone.

use nalgebra::Point2;
use tandem_graph::Stamp;

use crate::proposals::Maneuver;

/// The number that stands in judgments for an object that only images show.
pub const NO_TRACK: u32 = u32::MAX;

/// What a wished manoeuvre gains within the lane, in units of the score: less than any weighted sub-score.
pub const PREFERENCE_BONUS: f64 = 0.04;

/// What the lane beside gains that a judgment wishes for: more than what the own lane is better by, where nothing is
/// wrong with either.
pub const LANE_BONUS: f64 = 0.3;

/// Most extra room that is heeded, m.
const MAX_EXTRA_GAP_M: f64 = 20.0;

/// Most extra time that is heeded, s.
const MAX_EXTRA_HEADWAY_S: f64 = 3.0;

/// Longest time to live that is heeded, s.
const MAX_TIME_TO_LIVE_S: f64 = 30.0;

/// Waypoints are this far apart in time, s.
pub const WAYPOINT_STEP_S: f64 = 0.5;

/// A manoeuvre to prefer or to leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// Which.
    pub maneuver: Maneuver,
    /// How long after the judgment it holds, s; zero: as long as the judgment.
    pub duration_s: f64,
    /// Left instead of preferred.
    pub veto: bool,
}

/// A judgment, as the planner understands it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guidance {
    /// When the judged frame was captured.
    pub judged: Stamp,
    /// How long it holds, s; zero: there is no judgment.
    pub time_to_live_s: f64,
    /// The most the vehicle may drive, m/s: near what it is about, or everywhere if that has no place.
    pub speed_cap_mps: Option<f64>,
    /// Numbers of the agents that it is about.
    pub about: Vec<u32>,
    /// Room to leave beyond the usual, m.
    pub extra_gap_m: f64,
    /// Time to leave beyond the usual, s.
    pub extra_headway_s: f64,
    /// Rings of map points not to drive into, m.
    pub closed: Vec<Vec<Point2<f64>>>,
    /// Manoeuvres to prefer or to leave.
    pub wishes: Vec<Wish>,
    /// A path to consider, map points [`WAYPOINT_STEP_S`] apart from the judgment on, m.
    pub waypoints: Vec<Point2<f64>>,
    /// Parts of the judgment that were not understood, for people.
    pub ignored: Vec<String>,
}

/// What is in force at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    /// The share of its full effect that the judgment still has, 0 to 1.
    pub strength: f64,
    /// The most the vehicle may drive, m/s, before fading: near what it is about, or everywhere if that has no place.
    pub speed_cap_mps: Option<f64>,
    /// Numbers of the agents that it is about.
    pub about: Vec<u32>,
    /// Room to leave beyond the usual, m.
    pub extra_gap_m: f64,
    /// Time to leave beyond the usual, s.
    pub extra_headway_s: f64,
    /// Rings of map points not to drive into.
    pub regions: Vec<Vec<Point2<f64>>>,
    /// Bonus of preferred manoeuvres.
    pub preferred: Vec<(Maneuver, f64)>,
    /// Manoeuvres ruled out.
    pub vetoed: Vec<Maneuver>,
    /// A path to consider, from now on, [`WAYPOINT_STEP_S`] apart.
    pub waypoints: Vec<Point2<f64>>,
}

impl Guidance {
    /// The share of its full effect that it has at `now`: 1 in the first half of its time to live, then falling to 0.
    pub fn strength(&self, now: Stamp) -> f64 {
        let age_s = now.seconds_since(self.judged);
        let time_to_live_s = self.time_to_live_s.min(MAX_TIME_TO_LIVE_S);
        // A judgment of the future is as wrong as an expired one; NaN fails both comparisons.
        if !(time_to_live_s > 0.0 && age_s >= 0.0) {
            return 0.0;
        }
        (2.0 * (1.0 - age_s / time_to_live_s)).clamp(0.0, 1.0)
    }

    /// What of it is in force at `now`; nothing after its time to live.
    pub fn effects(&self, now: Stamp) -> Effects {
        let strength = self.strength(now);
        if strength == 0.0 {
            return Effects::default();
        }
        let age_s = now.seconds_since(self.judged);
        // Where a region is closed a cap says how slow to be about it; a wish for less would hold everywhere.
        let is_capped = self.speed_cap_mps.is_some() && !self.closed.is_empty();
        let is_said = |wish: &Wish| !wish.veto && wish.maneuver == Maneuver::SlowDown && is_capped;
        let holds = |wish: &&Wish| (wish.duration_s <= 0.0 || age_s <= wish.duration_s) && !is_said(wish);
        let wishes = |veto: bool| self.wishes.iter().filter(holds).filter(move |wish| wish.veto == veto);
        let extra = |value: f64, most: f64| if value.is_finite() { value.clamp(0.0, most) * strength } else { 0.0 };
        let is_finite = |point: &Point2<f64>| point.x.is_finite() && point.y.is_finite();
        let finite = |ring: &&Vec<Point2<f64>>| ring.len() >= 3 && ring.iter().all(is_finite);
        Effects {
            strength,
            speed_cap_mps: self.speed_cap_mps.filter(|cap| cap.is_finite()).map(|cap| cap.max(0.0)),
            about: self.about.clone(),
            extra_gap_m: extra(self.extra_gap_m, MAX_EXTRA_GAP_M),
            extra_headway_s: extra(self.extra_headway_s, MAX_EXTRA_HEADWAY_S),
            regions: self.closed.iter().filter(finite).cloned().collect(),
            preferred: wishes(false).map(|wish| (wish.maneuver, bonus(wish.maneuver) * strength)).collect(),
            // Stopping is what remains when all else is vetoed.
            vetoed: wishes(true).map(|wish| wish.maneuver).filter(|maneuver| *maneuver != Maneuver::Stop).collect(),
            waypoints: if self.waypoints.iter().all(is_finite) { self.waypoints_from(age_s) } else { Vec::new() },
        }
    }

    /// The waypoints that still lie ahead, resampled to steps from `age_s` after the judgment on.
    fn waypoints_from(&self, age_s: f64) -> Vec<Point2<f64>> {
        let position = age_s / WAYPOINT_STEP_S;
        let (index, part) = (position as usize, position.fract());
        // Waypoint k is meant for (k + 1) steps after the judgment.
        let ahead = self.waypoints.get(index..).unwrap_or(&[]);
        let mut points: Vec<_> = ahead.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) * part).collect();
        points.extend(ahead.last());
        points
    }
}

impl Effects {
    /// `limit_mps`, or less where a speed cap is in force.
    pub fn capped(&self, limit_mps: f64) -> f64 {
        match self.speed_cap_mps {
            Some(cap_mps) if cap_mps < limit_mps => limit_mps + (cap_mps - limit_mps) * self.strength,
            _ => limit_mps,
        }
    }

    /// What a manoeuvre gains by being wished for.
    pub fn bonus(&self, maneuver: Maneuver) -> f64 {
        let matching = self.preferred.iter().filter(|(preferred, _)| *preferred == maneuver);
        matching.map(|(_, bonus)| *bonus).fold(0.0, f64::max)
    }

    /// Whether it wishes the vehicle to stand where it is blocked.
    pub fn says_to_wait(&self) -> bool {
        self.preferred.iter().any(|(maneuver, _)| matches!(maneuver, Maneuver::Stop | Maneuver::Yield))
    }

    /// Whether a manoeuvre is ruled out.
    pub fn is_vetoed(&self, maneuver: Maneuver) -> bool {
        self.vetoed.contains(&maneuver)
    }

    /// What is in force, for people: `speed cap 5.0 m/s`, `gap +3.0 m`, `veto overtake`.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(cap_mps) = self.speed_cap_mps {
            lines.push(format!("speed cap {cap_mps:.1} m/s"));
        }
        if self.extra_gap_m > 0.0 {
            lines.push(format!("gap +{:.1} m", self.extra_gap_m));
        }
        if self.extra_headway_s > 0.0 {
            lines.push(format!("headway +{:.1} s", self.extra_headway_s));
        }
        if !self.regions.is_empty() {
            lines.push(format!("{} closed regions", self.regions.len()));
        }
        lines.extend(self.preferred.iter().map(|(maneuver, _)| format!("prefer {}", maneuver.action())));
        lines.extend(self.vetoed.iter().map(|maneuver| format!("veto {}", maneuver.action())));
        if !self.waypoints.is_empty() {
            lines.push("waypoints".to_owned());
        }
        lines
    }
}

/// What a wished manoeuvre gains.
fn bonus(maneuver: Maneuver) -> f64 {
    match maneuver {
        Maneuver::ChangeLaneLeft | Maneuver::ChangeLaneRight => LANE_BONUS,
        _ => PREFERENCE_BONUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guidance() -> Guidance {
        Guidance {
            judged: Stamp::from_seconds(100.0),
            time_to_live_s: 4.0,
            speed_cap_mps: Some(5.0),
            about: vec![7],
            extra_gap_m: 3.0,
            extra_headway_s: 1.0,
            closed: vec![vec![Point2::new(0.0, 0.0), Point2::new(1.0, 0.0), Point2::new(0.0, 1.0)]],
            wishes: vec![
                Wish { maneuver: Maneuver::NudgeLeft, duration_s: 0.0, veto: false },
                Wish { maneuver: Maneuver::Overtake, duration_s: 1.0, veto: true },
            ],
            waypoints: (1..=8).map(|k| Point2::new(f64::from(k), 0.0)).collect(),
            ignored: Vec::new(),
        }
    }

    #[test]
    fn effects_hold_then_fade_linearly_then_are_gone() {
        let at = |seconds: f64| guidance().effects(Stamp::from_seconds(seconds));
        assert_eq!(at(101.9).strength, 1.0);
        assert!((at(103.0).strength - 0.5).abs() < 1e-9);
        assert!((at(103.0).capped(10.0) - 7.5).abs() < 1e-9 && (at(101.0).capped(10.0) - 5.0).abs() < 1e-9);
        assert!((at(103.0).extra_gap_m - 1.5).abs() < 1e-9 && (at(103.0).extra_headway_s - 0.5).abs() < 1e-9);
        assert!((at(103.0).bonus(Maneuver::NudgeLeft) - PREFERENCE_BONUS / 2.0).abs() < 1e-9);
        assert_eq!(at(104.0), Effects::default());
        assert_eq!(at(99.0), Effects::default());
    }

    #[test]
    fn wishes_end_with_their_own_duration() {
        let at = |seconds: f64| guidance().effects(Stamp::from_seconds(seconds));
        assert!(at(100.5).is_vetoed(Maneuver::Overtake) && !at(101.5).is_vetoed(Maneuver::Overtake));
    }

    #[test]
    fn a_cap_about_a_closed_region_says_how_slow_to_be() {
        let wish = Wish { maneuver: Maneuver::SlowDown, duration_s: 0.0, veto: false };
        let bonus = |closed: Vec<Vec<Point2<f64>>>| {
            let guidance = Guidance { wishes: vec![wish], closed, ..guidance() };
            guidance.effects(Stamp::from_seconds(100.0)).bonus(Maneuver::SlowDown)
        };
        assert_eq!((bonus(Vec::new()), bonus(guidance().closed)), (PREFERENCE_BONUS, 0.0));
    }

    #[test]
    fn nothing_can_be_made_less_careful() {
        let daring = Guidance {
            speed_cap_mps: Some(50.0),
            extra_gap_m: -5.0,
            extra_headway_s: f64::NAN,
            wishes: vec![Wish { maneuver: Maneuver::Stop, duration_s: 0.0, veto: true }],
            closed: vec![vec![Point2::new(f64::NAN, 0.0); 3]],
            waypoints: vec![Point2::new(f64::INFINITY, 0.0)],
            ..guidance()
        };
        let effects = daring.effects(Stamp::from_seconds(100.0));
        assert_eq!(effects.capped(10.0), 10.0);
        assert_eq!((effects.extra_gap_m, effects.extra_headway_s), (0.0, 0.0));
        assert!(effects.vetoed.is_empty() && effects.regions.is_empty() && effects.waypoints.is_empty());
    }

    #[test]
    fn waypoints_move_on_with_time() {
        let effects = guidance().effects(Stamp::from_seconds(100.75));
        // 0.75 s after the judgment the ego should be at 1.5; half a second later at 2.5.
        assert!((effects.waypoints[0].x - 2.5).abs() < 1e-9, "{:?}", effects.waypoints);
        assert_eq!(effects.waypoints.last().unwrap().x, 8.0);
    }
}
