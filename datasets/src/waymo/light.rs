//! Traffic lights as Waymo's records tell them: for each row the lights that were seen, by lane.

use std::collections::BTreeMap;

use tandem_graph::Stamp;

use crate::draft::LaneIds;
use crate::log::{SignalColor, SignalTrack};
use crate::motion::signal_track;

/// One light: where traffic stops, and its colour at the rows that have it.
#[derive(Debug, Default)]
struct Light {
    stop_point: Option<[f64; 2]>,
    colors: BTreeMap<usize, SignalColor>,
}

/// All lights of a scenario, by the source's lane id.
#[derive(Debug, Default)]
pub(super) struct Lights(BTreeMap<i64, Light>);

impl Lights {
    /// Adds what a light showed at a row; `state` is the number of `TrafficSignalLaneState.State` in map.proto.
    pub fn add(&mut self, lane: i64, row: usize, state: i64, stop_point: Option<[f64; 2]>) {
        let light = self.0.entry(lane).or_default();
        light.stop_point = stop_point.or(light.stop_point);
        light.colors.insert(row, color(state));
    }

    /// One track a light; unknown at rows that have none. Lights whose lane is not in the map are left out.
    pub fn tracks(self, stamps: &[Stamp], ids: &LaneIds, notes: &mut Vec<String>) -> Vec<SignalTrack> {
        let told = self.0.len();
        let tracks: Vec<_> = self
            .0
            .into_iter()
            .filter_map(|(lane, light)| {
                let color = |row| light.colors.get(&row).copied().unwrap_or(SignalColor::Unknown);
                let rows = stamps.iter().enumerate().map(|(row, stamp)| (*stamp, color(row)));
                Some(signal_track(*ids.get(&lane.to_string())?, light.stop_point, rows))
            })
            .collect();
        if tracks.len() < told {
            notes.push(format!("{} traffic lights left out: their lanes are not in the map", told - tracks.len()));
        }
        tracks
    }
}

/// Arrows and round lights alike; flashing lights (7, 8) hold nobody back, as in `motion::signal_color`.
fn color(state: i64) -> SignalColor {
    match state {
        1 | 4 => SignalColor::Red,
        2 | 5 => SignalColor::Yellow,
        3 | 6 => SignalColor::Green,
        _ => SignalColor::Unknown,
    }
}
