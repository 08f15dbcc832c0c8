//! The boxes of a scene: instances and their annotations at keyframes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_graph::Stamp;

use super::names::{attribute, category, visibility};
use super::{Scene, Views, Writer, token};
use crate::log::{Log, Track, TrackState};

/// A keyframe's box may be interpolated over so long a gap in its track, ns.
pub(super) const MAX_GAP_NS: i64 = 650_000_000;

impl Writer {
    /// The boxes of all tracks at keyframes.
    pub(super) fn annotations(&mut self, log: &Log, scene: &Scene<'_>, keyframes: &[Stamp], views: &mut dyn Views) {
        let mut by_sample: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for (number, track) in log.tracks.iter().enumerate() {
            let seen: Vec<(usize, TrackState)> = (0..keyframes.len())
                .filter_map(|index| Some((index, track.at(keyframes[index], MAX_GAP_NS)?)))
                .collect();
            let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
            let instance = token(&["instance", scene.name, &number.to_string()]);
            let name =
                |index: usize| token(&["sample_annotation", scene.name, &number.to_string(), &index.to_string()]);
            let category_token = self.category_token(category(track));
            self.add(
                "instance",
                json!({
                    "token": instance, "category_token": category_token, "nbr_annotations": seen.len(),
                    "first_annotation_token": name(first.0), "last_annotation_token": name(last.0),
                }),
            );
            let moves = track.states.iter().any(|state| speed(state) > 0.5);
            let link = |place: Option<usize>| {
                place.and_then(|place| seen.get(place)).map(|seen| name(seen.0)).unwrap_or_default()
            };
            for (place, (index, state)) in seen.iter().enumerate() {
                let share = views.visible(keyframes[*index], number);
                let ego = log
                    .ego_at(keyframes[*index])
                    .map_or(0.0, |ego| (ego.pose().position() - state.pose.position()).norm());
                let attributes: Vec<String> =
                    attribute(track, speed(state), moves).map(|name| token(&["attribute", name])).into_iter().collect();
                let (sin, cos) = (state.pose.yaw / 2.0).sin_cos();
                let [length, width, height] = track.size;
                by_sample.entry(*index).or_default().push(json!({
                    "token": name(*index), "sample_token": token(&["sample", scene.name, &index.to_string()]),
                    "instance_token": instance, "visibility_token": visibility(share), "attribute_tokens": attributes,
                    "translation": [state.pose.x, state.pose.y, state.z], "size": [width, length, height],
                    "rotation": [cos, 0.0, 0.0, sin], "prev": link(place.checked_sub(1)), "next": link(Some(place + 1)),
                    "num_lidar_pts": lidar_points(track, share, ego), "num_radar_pts": 0,
                }));
            }
        }
        by_sample.into_values().flatten().for_each(|row| self.add("sample_annotation", row));
    }
}

fn speed(state: &TrackState) -> f64 {
    state.velocity_mps[0].hypot(state.velocity_mps[1])
}

/// About how many returns a lidar with 32 beams gets from so much of a box; none from what nobody sees.
fn lidar_points(track: &Track, share: f64, distance_m: f64) -> u64 {
    if share <= 0.0 {
        return 0;
    }
    // 0.33° by 1.33°: a square metre at 10 m is hit some 75 times.
    let area_m2 = track.size[2] * (track.size[0] + track.size[1]) / 2.0;
    (share * area_m2 * 7_500.0 / distance_m.max(3.0).powi(2)).round().max(1.0) as u64
}
