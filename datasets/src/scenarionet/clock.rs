//! The ego track's clock in ScenarioNet's nuScenes exports: lost CAN messages found and put back as time.
//!
//! ScenarioNet takes every fifth of the vehicle's pose messages (50 Hz, nuScenes' `can_bus` README) as one 0.1 s row
//! (`converter/nuscenes/utils.py`). Where messages were lost, five messages span more than 0.1 s: the row's step is
//! longer than its neighbours' by a fifth of a step a message, and all later rows run ahead of the clock.

use crate::log::TrackState;

/// Time between two pose messages, ns.
const MESSAGE_NS: i64 = 20_000_000;
/// Messages a row.
const MESSAGES_A_ROW: f64 = 5.0;
/// Below this speed a lost message can't be told from braking, m/s.
const MIN_SPEED_MPS: f64 = 2.0;
/// Steps on either side that a step is compared with.
const REACH: usize = 3;

/// What was repaired.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Repair {
    /// Rows whose step was longer or shorter than their neighbours'.
    pub rows: usize,
    /// How far the last row had run ahead of its clock, s.
    pub ahead_s: f64,
    /// The greatest distance between where the file has the ego and where the repaired clock has it, m.
    pub moved_m: f64,
}

/// Moves stamps so that the speed is as smooth as the messages allow. Returns `None` if nothing was lost.
pub(super) fn repair(states: &mut [TrackState]) -> Option<Repair> {
    let speeds: Vec<f64> = states
        .windows(2)
        .map(|pair| {
            let step_m = (pair[1].pose.position() - pair[0].pose.position()).norm();
            step_m / pair[1].stamp.seconds_since(pair[0].stamp)
        })
        .collect();
    let mut repair = Repair { rows: 0, ahead_s: 0.0, moved_m: 0.0 };
    let mut shift_ns = 0;
    for (index, speed_mps) in speeds.iter().enumerate() {
        let mut around = speeds[index.saturating_sub(REACH)..(index + REACH + 1).min(speeds.len())].to_vec();
        around.sort_by(f64::total_cmp);
        let usual_mps = around[around.len() / 2];
        let extra = ((speed_mps / usual_mps - 1.0) * MESSAGES_A_ROW).round();
        // At least one message must remain in the row, or stamps would not rise.
        if usual_mps > MIN_SPEED_MPS && extra != 0.0 && (1.0 - MESSAGES_A_ROW..=25.0).contains(&extra) {
            repair.rows += 1;
            shift_ns += extra as i64 * MESSAGE_NS;
        }
        let state = &mut states[index + 1];
        state.stamp = state.stamp.offset_ns(shift_ns);
        repair.moved_m = repair.moved_m.max(shift_ns.abs() as f64 * 1e-9 * usual_mps);
    }
    repair.ahead_s = shift_ns as f64 * 1e-9;
    (repair.rows > 0).then_some(repair)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tandem_graph::Stamp;

    use super::*;
    use crate::geometry::Pose2;

    /// Rows of a car at constant speed, `lost[i]` messages missing before row `i + 1`.
    fn rows(speed_mps: f64, lost: &[u8]) -> (Vec<TrackState>, Vec<Stamp>) {
        let mut true_ns = 0;
        let mut states = Vec::new();
        let mut truth = Vec::new();
        for (index, lost) in std::iter::once(&0).chain(lost).enumerate() {
            if index > 0 {
                true_ns += 100_000_000 + i64::from(*lost) * MESSAGE_NS;
            }
            truth.push(Stamp::from_ns(true_ns));
            states.push(TrackState {
                stamp: Stamp::from_ns(index as i64 * 100_000_000),
                pose: Pose2::new(speed_mps * true_ns as f64 * 1e-9, 0.0, 0.0),
                z: 0.0,
                velocity_mps: [speed_mps, 0.0],
            });
        }
        (states, truth)
    }

    #[test]
    fn lost_messages_come_back_as_time() {
        let mut lost = [0; 40];
        lost[10] = 1;
        lost[20] = 2;
        let (mut states, truth) = rows(8.0, &lost);
        let repair = repair(&mut states).unwrap();
        assert_eq!(states.iter().map(|state| state.stamp).collect::<Vec<_>>(), truth);
        assert_eq!(repair.rows, 2);
        assert!((repair.ahead_s - 0.06).abs() < 1e-9 && (repair.moved_m - 0.48).abs() < 1e-6, "{repair:?}");
    }

    #[test]
    fn a_whole_track_is_left_alone() {
        let (mut states, truth) = rows(8.0, &[0; 40]);
        assert_eq!(repair(&mut states), None);
        assert_eq!(states.iter().map(|state| state.stamp).collect::<Vec<_>>(), truth);
    }

    proptest! {
        #[test]
        fn stamps_rise_whatever_the_positions(steps in proptest::collection::vec(-50.0..50.0f64, 2..60)) {
            let mut x = 0.0;
            let mut states: Vec<_> = (0..).zip(&steps).map(|(row, step)| {
                x += step;
                let stamp = Stamp::from_ns(row * 100_000_000);
                TrackState { stamp, pose: Pose2::new(x, 0.0, 0.0), z: 0.0, velocity_mps: [0.0; 2] }
            }).collect();
            repair(&mut states);
            prop_assert!(states.windows(2).all(|pair| pair[0].stamp < pair[1].stamp));
        }
    }
}
