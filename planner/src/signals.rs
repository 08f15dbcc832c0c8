//! The lights as they most likely are: one that was red and is out of sight for a moment is still red.

use tandem_datasets::{LaneId, SignalColor};
use tandem_graph::Stamp;

/// How long a light that is not seen keeps the colour it had, s: detections flicker, but no light is lost for longer.
const HOLD_S: f64 = 4.0;

/// Remembers the lights that told the vehicle to stop.
#[derive(Debug, Default)]
pub(crate) struct SignalMemory {
    stopping: Vec<(LaneId, SignalColor, Stamp)>,
    signals: Vec<(LaneId, SignalColor)>,
}

impl SignalMemory {
    /// The lights seen `now`, those unseen or unknown as they were last.
    pub fn update(&mut self, now: Stamp, seen: &[(LaneId, SignalColor)]) {
        let is_known =
            |lane: LaneId| seen.iter().any(|(other, color)| *other == lane && *color != SignalColor::Unknown);
        self.stopping
            .retain(|(lane, _, stamp)| !is_known(*lane) && (0.0..=HOLD_S).contains(&now.seconds_since(*stamp)));
        self.signals.clear();
        self.signals.extend(seen.iter().filter(|(lane, _)| is_known(*lane)));
        self.signals.extend(self.stopping.iter().map(|(lane, color, _)| (*lane, *color)));
        let stops = |color: SignalColor| matches!(color, SignalColor::Red | SignalColor::Yellow);
        self.stopping.extend(seen.iter().filter(|(_, color)| stops(*color)).map(|(lane, color)| (*lane, *color, now)));
    }

    /// The lights of the last update.
    pub fn signals(&self) -> &[(LaneId, SignalColor)] {
        &self.signals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red_outlasts_a_gap_and_ends_with_the_next_color() {
        let mut memory = SignalMemory::default();
        let mut at = |seconds: f64, seen: &[(LaneId, SignalColor)]| {
            memory.update(Stamp::from_seconds(seconds), seen);
            memory.signals().to_vec()
        };
        let lane = |color| (LaneId(3), color);
        assert_eq!(at(0.0, &[lane(SignalColor::Red)]), [lane(SignalColor::Red)]);
        assert_eq!(at(0.1, &[lane(SignalColor::Unknown)]), [lane(SignalColor::Red)]);
        assert_eq!(at(3.0, &[]), [lane(SignalColor::Red)]);
        assert_eq!(at(3.1, &[lane(SignalColor::Green)]), [lane(SignalColor::Green)]);
        assert_eq!(at(3.2, &[lane(SignalColor::Unknown)]), []);
        assert_eq!(at(4.0, &[lane(SignalColor::Red)]), [lane(SignalColor::Red)]);
        assert_eq!(at(9.0, &[lane(SignalColor::Unknown)]), []);
    }
}
