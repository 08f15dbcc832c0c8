//! What every log must hold to, whatever its format: finite numbers, rising stamps, some time covered.

use tandem_graph::Stamp;

use crate::error::Error;
use crate::log::{EgoState, Log, TrackState};

/// Checks a log that a reader has built.
///
/// # Errors
/// [`Error::ZeroLength`] and [`Error::Value`], naming the track and state.
pub(crate) fn validate(log: &Log) -> Result<(), Error> {
    let span = log.span();
    let zero_length = |reason| Error::ZeroLength { path: log.source.clone(), log: log.id.clone(), reason };
    let (first, last) = span.ok_or_else(|| zero_length("no ego pose and no track state"))?;
    if first == last {
        return Err(zero_length("all states at one instant"));
    }

    let wrong = |row: &str, field: &str, reason: &str| Err(Error::value(&log.source, row, field, reason));
    for (index, pair) in stamps(log.ego.states.iter().map(|state| state.stamp)).enumerate() {
        if pair {
            return wrong(&format!("ego state {}", index + 1), "stamp", "does not rise");
        }
    }
    for (index, state) in log.ego.states.iter().enumerate() {
        if let Some(field) = not_finite_in_ego(state) {
            return wrong(&format!("ego state {index}"), field, "is not finite");
        }
    }
    for track in &log.tracks {
        let name = format!("track {}", track.source_id);
        if track.size.iter().any(|extent| !(extent.is_finite() && *extent >= 0.0)) {
            return wrong(&name, "size", "is negative or not finite");
        }
        for (index, pair) in stamps(track.states.iter().map(|state| state.stamp)).enumerate() {
            if pair {
                return wrong(&format!("{name} state {}", index + 1), "stamp", "does not rise");
            }
        }
        for (index, state) in track.states.iter().enumerate() {
            if let Some(field) = not_finite_in_track(state) {
                return wrong(&format!("{name} state {index}"), field, "is not finite");
            }
        }
    }
    Ok(())
}

/// For each pair of neighbours, whether the second is not later than the first.
fn stamps(stamps: impl Iterator<Item = Stamp>) -> impl Iterator<Item = bool> {
    let mut previous = None;
    stamps.filter_map(move |stamp| previous.replace(stamp).map(|earlier| stamp <= earlier))
}

fn not_finite_in_ego(state: &EgoState) -> Option<&'static str> {
    let pose = &state.map_from_ego;
    let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
    if !finite(pose.translation.vector.as_slice()) {
        return Some("position");
    }
    if !finite(pose.rotation.coords.as_slice()) {
        return Some("rotation");
    }
    if !state.speed_mps.is_finite() {
        return Some("speed");
    }
    (!state.yaw_rate_radps.is_finite()).then_some("yaw rate")
}

fn not_finite_in_track(state: &TrackState) -> Option<&'static str> {
    if !(state.pose.x.is_finite() && state.pose.y.is_finite() && state.z.is_finite()) {
        return Some("position");
    }
    if !state.pose.yaw.is_finite() {
        return Some("heading");
    }
    (!state.velocity_mps.iter().all(|number| number.is_finite())).then_some("velocity")
}
