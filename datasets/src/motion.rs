//! Rows of recorded motion become the states of tracks and of the ego vehicle.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector2, Vector3};
use tandem_graph::Stamp;

use crate::kinematics;
use crate::log::{Class, EgoBody, EgoState, SignalColor, SignalTrack, TrackState};
use crate::map::LaneId;

/// What point of the vehicle its recorded positions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The centre of its box, in height too.
    BoxCenter,
    /// The rear axle's centre, on the ground.
    RearAxle,
}

/// Where an ego state's speed comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// The recorded velocity along the heading.
    Recorded,
    /// The positions.
    Positions,
}

/// The ego's states from those of its box.
pub(crate) fn ego_states(states: &[TrackState], body: &EgoBody, reference: Reference, speed: Speed) -> Vec<EgoState> {
    let pose = |state: &TrackState| {
        let (rear_axle, z) = match reference {
            Reference::RearAxle => (state.pose, state.z),
            Reference::BoxCenter => (state.pose.ahead(-body.rear_axle_to_center), state.z - body.height / 2.0),
        };
        let translation = Translation3::new(rear_axle.x, rear_axle.y, z);
        Isometry3::from_parts(translation, UnitQuaternion::from_axis_angle(&Vector3::z_axis(), rear_axle.yaw))
    };
    let poses: Vec<_> = states.iter().map(|state| (state.stamp, pose(state))).collect();
    let mut ego = kinematics::ego_states(&poses);
    if speed == Speed::Recorded {
        for (ego, state) in ego.iter_mut().zip(states) {
            ego.speed_mps = state.pose.heading().dot(&Vector2::from(state.velocity_mps));
        }
    }
    ego
}

/// The middle one of the finite, positive values.
pub(crate) fn median_extent(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Length, width and height of a usual road user of a class, m, for sources that do not say.
pub(crate) fn usual_size(class: Class) -> [f64; 3] {
    match class {
        Class::Car => [4.6, 1.9, 1.6],
        Class::Truck => [8.0, 2.5, 3.0],
        Class::Bus => [12.0, 2.5, 3.2],
        Class::Trailer => [10.0, 2.5, 3.5],
        Class::Motorcycle => [2.1, 0.8, 1.5],
        Class::Bicycle => [1.8, 0.7, 1.7],
        Class::Pedestrian => [0.7, 0.7, 1.7],
        Class::Animal => [0.9, 0.4, 0.6],
        Class::Cone => [0.4, 0.4, 0.8],
        Class::Barrier => [2.0, 0.5, 1.0],
        Class::Other => [1.0, 1.0, 1.0],
    }
}

/// The colour behind the names that Waymo's protobufs, Nocturne and MetaDrive use.
///
/// Flashing lights are unknown: flashing red is a stop sign, flashing yellow a caution, neither holds traffic back.
pub(crate) fn signal_color(name: &str) -> SignalColor {
    let name = name.to_ascii_uppercase();
    let state =
        name.trim_start_matches("LANE_STATE_").trim_start_matches("TRAFFIC_LIGHT_").trim_start_matches("ARROW_");
    match state {
        "STOP" | "RED" => SignalColor::Red,
        "CAUTION" | "YELLOW" => SignalColor::Yellow,
        "GO" | "GREEN" => SignalColor::Green,
        _ => SignalColor::Unknown,
    }
}

/// One lane's light from its colour at each stamp; repeated colours are dropped.
pub(crate) fn signal_track(
    lane: LaneId,
    stop_point: Option<[f64; 2]>,
    rows: impl Iterator<Item = (Stamp, SignalColor)>,
) -> SignalTrack {
    let mut states: Vec<(Stamp, SignalColor)> = Vec::new();
    for (stamp, color) in rows {
        if states.last().is_none_or(|(_, last)| *last != color) {
            states.push((stamp, color));
        }
    }
    SignalTrack { lane, stop_point, states }
}
