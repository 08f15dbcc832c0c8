//! Traffic lights as Waymo's records tell them: for each row the lights that were seen, by lane.

use std::collections::BTreeMap;

use nalgebra::Point2;
use tandem_graph::Stamp;

use crate::draft::LaneIds;
use crate::log::{SignalColor, SignalTrack};
use crate::map::LaneId;
use crate::motion::signal_track;

/// One light: where traffic stops, and its colour at the rows that have it.
#[derive(Debug, Default)]
struct Light {
    stop_point: Option<[f64; 2]>,
    colors: BTreeMap<usize, SignalColor>,
}

/// All lights of a scenario, by the source's lane id.
#[derive(Debug, Default)]
pub(super) struct Lights(BTreeMap<String, Light>);

/// The lanes that lights may belong to: their numbers by id, and where each starts.
pub(super) struct Lanes {
    pub ids: LaneIds,
    pub starts: Vec<Point2<f64>>,
}

/// A lane with a light starts where traffic stops; this allows for sampled points, m.
const START_DISTANCE_M: f64 = 0.6;

impl Lights {
    /// Adds what a light showed at a row.
    pub fn add(&mut self, lane: &str, row: usize, color: SignalColor, stop_point: Option<[f64; 2]>) {
        let light = self.0.entry(lane.to_owned()).or_default();
        light.stop_point = stop_point.or(light.stop_point);
        light.colors.insert(row, color);
    }

    /// One track a light; unknown at rows that have none.
    ///
    /// Where the map does not have the light's lane by its id, the lane that starts where traffic stops is taken, if no
    /// other light has it: so it is with lanes with lights in Waymo's maps. Other lights are left out.
    pub fn tracks(self, stamps: &[Stamp], lanes: &Lanes, notes: &mut Vec<String>) -> Vec<SignalTrack> {
        let mut tracks: Vec<SignalTrack> = Vec::new();
        let mut lost = 0;
        let (by_id, others): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(id, _)| lanes.ids.contains_key(id));
        for (id, light) in by_id.into_iter().chain(others) {
            let is_free = |lane: &LaneId| tracks.iter().all(|taken| taken.lane != *lane);
            let starts_there = |start: &Point2<f64>| {
                light.stop_point.is_some_and(|[x, y]| (start.x - x).hypot(start.y - y) < START_DISTANCE_M)
            };
            let by_place = || {
                let there = (0..).map(LaneId).zip(&lanes.starts).filter(|(_, start)| starts_there(start));
                there.map(|(lane, _)| lane).find(is_free)
            };
            let Some(lane) = lanes.ids.get(&id).copied().or_else(by_place) else {
                lost += 1;
                continue;
            };
            let color = |row| light.colors.get(&row).copied().unwrap_or(SignalColor::Unknown);
            let rows = stamps.iter().enumerate().map(|(row, stamp)| (*stamp, color(row)));
            tracks.push(signal_track(lane, light.stop_point, rows));
        }
        if lost > 0 {
            notes.push(format!("{lost} traffic lights left out: their lanes are not in the map"));
        }
        tracks
    }
}

/// The colour behind the number of a `TrafficSignalLaneState.State` in map.proto: arrows and round lights alike;
/// flashing lights (7, 8) hold nobody back, as in `motion::signal_color`.
pub(super) fn color_of_state(state: i64) -> SignalColor {
    match state {
        1 | 4 => SignalColor::Red,
        2 | 5 => SignalColor::Yellow,
        3 | 6 => SignalColor::Green,
        _ => SignalColor::Unknown,
    }
}
