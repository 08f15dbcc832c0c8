//! Speed and yaw rate from the CAN bus expansion, where a directory has it.

use std::path::Path;

use serde::Deserialize;
use tandem_graph::Stamp;

use crate::error::Error;
use crate::log::EgoState;

/// One row of `can_bus/<scene>_pose.json`, 50 Hz (nuscenes-devkit `can_bus/README.md`).
#[derive(Deserialize)]
struct PoseMessage {
    /// Unix µs.
    utime: i64,
    /// In the ego frame, m/s.
    vel: [f64; 3],
    /// In the ego frame, rad/s.
    rotation_rate: [f64; 3],
}

/// The longest gap between messages that is bridged, ns.
const MAX_GAP_NS: i64 = 200_000_000;

/// Replaces what was derived from poses by what was measured, wherever a message lies close on both sides.
pub(super) fn refine(root: &Path, scene: &str, states: &mut [EgoState], notes: &mut Vec<String>) -> Result<(), Error> {
    let path = root.join("can_bus").join(format!("{scene}_pose.json"));
    if !path.is_file() {
        notes.push("ego speed and yaw rate from differences of pose: no CAN bus recording".into());
        return Ok(());
    }
    let mut messages: Vec<PoseMessage> = crate::json::parse(&path)?;
    messages.sort_by_key(|message| message.utime);
    let stamp = |message: &PoseMessage| Stamp::from_ns(message.utime.saturating_mul(1_000));
    for state in states {
        let after = messages.partition_point(|message| stamp(message) < state.stamp);
        let (Some(next), Some(previous)) = (messages.get(after), after.checked_sub(1).map(|i| &messages[i])) else {
            continue;
        };
        let gap_ns = stamp(next).ns_since(stamp(previous));
        if gap_ns <= MAX_GAP_NS {
            let t = state.stamp.ns_since(stamp(previous)) as f64 / gap_ns as f64;
            let mix = |a: f64, b: f64| a + (b - a) * t;
            state.speed_mps = mix(previous.vel[0], next.vel[0]);
            state.yaw_rate_radps = mix(previous.rotation_rate[2], next.rotation_rate[2]);
        }
    }
    Ok(())
}
