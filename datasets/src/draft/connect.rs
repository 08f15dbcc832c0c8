//! Which lane continues which.

use std::collections::BTreeMap;

use super::polyline::{angle_between, end_yaw, start_yaw};
use super::{DraftLane, LaneIds};
use crate::map::{Lane, LaneId};

/// Ends that lie closer than this and point the same way belong together, m. In nuScenes and Waymo maps the ends of
/// joined lanes are the same point; half a metre more lets maps through that were resampled every half metre.
const JOIN_DISTANCE_M: f64 = 0.6;
/// If one candidate is this close, only such candidates count, m.
const JOIN_EXACT_M: f64 = 0.1;
/// The largest kink between joined lanes, rad (45°).
const JOIN_ANGLE_RAD: f64 = std::f64::consts::FRAC_PI_4;

/// Removes lanes of fewer than two points and lets their entries lead on to their exits. Returns their ids, each with
/// the lanes that follow.
pub(super) fn bridge_points(lanes: &mut Vec<DraftLane>) -> Vec<(String, Vec<String>)> {
    let points: BTreeMap<String, (Vec<String>, Vec<String>)> = lanes
        .iter()
        .filter(|lane| lane.centerline.len() < 2)
        .map(|lane| (lane.id.clone(), (lane.entries.clone(), lane.exits.clone())))
        .collect();
    lanes.retain(|lane| lane.centerline.len() >= 2);
    if !points.is_empty() {
        for lane in lanes.iter_mut() {
            lane.exits = lead_on(&lane.exits, &points, |(_, exits)| exits);
            lane.entries = lead_on(&lane.entries, &points, |(entries, _)| entries);
        }
    }
    let following = |(_, exits): &(Vec<String>, Vec<String>)| lead_on(exits, &points, |(_, exits)| exits);
    points.iter().map(|(id, lane)| (id.clone(), following(lane))).collect()
}

/// Replaces ids of removed lanes by what lies beyond them, through chains of removed lanes.
fn lead_on<T>(ids: &[String], removed: &BTreeMap<String, T>, beyond: impl Fn(&T) -> &Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open: Vec<&String> = ids.iter().rev().collect();
    let mut seen: Vec<&String> = Vec::new();
    while let Some(id) = open.pop() {
        match removed.get(id) {
            Some(lane) if !seen.contains(&id) => {
                seen.push(id);
                open.extend(beyond(lane).iter().rev());
            }
            Some(_) => {}
            None if !found.contains(id) => found.push(id.clone()),
            None => {}
        }
    }
    found
}

/// Takes over the source's own links, from either side. Returns whether there was one; links out of the map are cut.
pub(super) fn resolve(drafts: &[DraftLane], ids: &LaneIds, lanes: &mut [Lane]) -> bool {
    let mut any = false;
    for (number, draft) in (0..).map(LaneId).zip(drafts) {
        any |= !draft.exits.is_empty() || !draft.entries.is_empty();
        for next in draft.exits.iter().filter_map(|id| ids.get(id)) {
            link(lanes, number, *next);
        }
        for previous in draft.entries.iter().filter_map(|id| ids.get(id)) {
            link(lanes, *previous, number);
        }
    }
    any
}

fn link(lanes: &mut [Lane], from: LaneId, to: LaneId) {
    let successors = &mut lanes[from.0 as usize].successors;
    if !successors.contains(&to) {
        successors.push(to);
    }
}

/// Links lanes whose ends meet.
pub(super) fn infer(lanes: &mut [Lane]) {
    // Every cleaned centreline has two points or more.
    let starts: Vec<_> = lanes.iter().map(|lane| (lane.centerline[0], start_yaw(&lane.centerline))).collect();
    for (number, lane) in lanes.iter_mut().enumerate() {
        let (end, yaw) = (lane.centerline[lane.centerline.len() - 1], end_yaw(&lane.centerline));
        let mut candidates: Vec<(f64, LaneId)> = (0..)
            .zip(&starts)
            .filter(|(next, (_, next_yaw))| *next as usize != number && angle_between(yaw, *next_yaw) < JOIN_ANGLE_RAD)
            .map(|(next, (start, _))| ((start.xy() - end.xy()).norm(), LaneId(next)))
            .filter(|(distance_m, _)| *distance_m < JOIN_DISTANCE_M)
            .collect();
        if candidates.iter().any(|(distance_m, _)| *distance_m < JOIN_EXACT_M) {
            candidates.retain(|(distance_m, _)| *distance_m < JOIN_EXACT_M);
        }
        lane.successors = candidates.into_iter().map(|(_, next)| next).collect();
    }
}

/// Fills the predecessors from the successors.
pub(super) fn mirror(lanes: &mut [Lane]) {
    for number in 0..lanes.len() {
        for next in lanes[number].successors.clone() {
            lanes[next.0 as usize].predecessors.push(LaneId(number as u32));
        }
    }
}
