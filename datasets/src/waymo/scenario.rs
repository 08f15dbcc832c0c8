//! A native `Scenario` as a log.

use std::collections::BTreeMap;
use std::path::Path;

use nalgebra::{Point2, Point3};
use tandem_graph::Stamp;

use super::light::{Lights, color_of_state};
use super::proto::{BoundarySegment, LaneCenter, LaneNeighbor, MapPoint, Scenario, Track};
use super::road::{self, RoadKind};
use super::{Agent, Parts, assemble, class_of_type};
use crate::draft::polyline::foot;
use crate::draft::{Draft, DraftLane, Neighbor};
use crate::error::Error;
use crate::geometry::Pose2;
use crate::log::{Format, Log, TrackState};
use crate::map::LaneUse;

const MPS_PER_MPH: f64 = 0.447_04;

pub(super) fn log(path: &Path, scenario: Scenario) -> Result<Log, Error> {
    let id = scenario.scenario_id.clone();
    let mut stamps = Vec::with_capacity(scenario.timestamps_seconds.len());
    for (row, seconds) in scenario.timestamps_seconds.iter().enumerate() {
        let stamp = Stamp::from_seconds(*seconds);
        if !seconds.is_finite() || stamps.last().is_some_and(|last| stamp <= *last) {
            let record = format!("scenario {id} row {row}");
            return Err(Error::value(path, record, "timestamps_seconds", "does not rise"));
        }
        stamps.push(stamp);
    }
    let agents = scenario.tracks.iter().map(|track| agent(track, &stamps)).collect();
    let ego = scenario.sdc_track_index.and_then(|index| usize::try_from(index).ok());
    let parts = Parts { id, format: Format::WaymoRecord, agents, ego, draft: draft(&scenario), notes: Vec::new() };
    assemble(path, parts, |lanes, notes| lights(&scenario).tracks(&stamps, lanes, notes))
}

fn agent(track: &Track, stamps: &[Stamp]) -> Agent {
    let (class, source_class) = class_of_type(i64::from(track.object_type));
    let valid = || track.states.iter().zip(stamps).filter(|(state, _)| state.valid);
    let states = valid().map(|(state, stamp)| TrackState {
        stamp: *stamp,
        pose: Pose2::new(state.center_x, state.center_y, f64::from(state.heading)),
        z: state.center_z,
        velocity_mps: [state.velocity_x, state.velocity_y].map(f64::from),
    });
    let agent = Agent {
        id: track.id.to_string(),
        class,
        source_class: source_class.into(),
        size: [None; 3],
        states: states.collect(),
    };
    let sizes =
        |extent: fn(&super::proto::ObjectState) -> f32| valid().map(|(state, _)| f64::from(extent(state))).collect();
    agent.with_sizes([sizes(|state| state.length), sizes(|state| state.width), sizes(|state| state.height)])
}

fn points(points: &[MapPoint]) -> Vec<Point3<f64>> {
    points.iter().map(|point| Point3::new(point.x, point.y, point.z)).collect()
}

fn draft(scenario: &Scenario) -> Draft {
    let mut draft = Draft::default();
    let lines: BTreeMap<i64, Vec<Point3<f64>>> = scenario
        .map_features
        .iter()
        .filter_map(|feature| {
            Some((feature.id, points(&feature.road_line.as_ref().or(feature.road_edge.as_ref())?.polyline)))
        })
        .collect();
    for feature in &scenario.map_features {
        let id = feature.id.to_string();
        if let Some(center) = &feature.lane {
            draft.lanes.push(lane(id, center, &lines));
        } else if let Some(line) = &feature.road_line {
            // Numbered as in `roadgraph_samples/type`, from 6 on.
            let kind = RoadKind::of_number(i64::from(line.r#type) + 5).filter(|kind| matches!(kind, RoadKind::Line(_)));
            road::add(&mut draft, kind.unwrap_or(RoadKind::of_name("road_line")), id, points(&line.polyline));
        } else if let Some(edge) = &feature.road_edge {
            road::add(&mut draft, RoadKind::of_name("road_edge"), id, points(&edge.polyline));
        } else if let Some(outline) = &feature.crosswalk {
            road::add(&mut draft, RoadKind::Crosswalk, id, points(&outline.polygon));
        } else if let Some(outline) = &feature.driveway {
            road::add(&mut draft, RoadKind::Driveway, id, points(&outline.polygon));
        } else if let Some(sign) = &feature.stop_sign
            && let Some(at) = &sign.position
        {
            draft.stop_signs.push((Point2::new(at.x, at.y), sign.lane.iter().map(i64::to_string).collect()));
        }
    }
    draft
}

fn lane(id: String, center: &LaneCenter, lines: &BTreeMap<i64, Vec<Point3<f64>>>) -> DraftLane {
    let centerline = points(&center.polyline);
    let left = distances(&centerline, &center.left_boundaries, lines);
    let right = distances(&centerline, &center.right_boundaries, lines);
    let neighbors = |neighbors: &[LaneNeighbor]| {
        let neighbor = |beside: &LaneNeighbor| Neighbor {
            id: beside.feature_id.to_string(),
            points: usize::try_from(i64::from(beside.self_end_index) - i64::from(beside.self_start_index) + 1)
                .unwrap_or(0),
        };
        neighbors.iter().map(neighbor).collect()
    };
    DraftLane {
        usage: if center.r#type == 3 { LaneUse::Bike } else { LaneUse::Vehicle },
        half_widths: left.into_iter().zip(right).map(<[f64; 2]>::from).collect(),
        entries: center.entry_lanes.iter().map(i64::to_string).collect(),
        exits: center.exit_lanes.iter().map(i64::to_string).collect(),
        left: neighbors(&center.left_neighbors),
        right: neighbors(&center.right_neighbors),
        speed_limit_mps: (center.speed_limit_mph > 0.0).then_some(center.speed_limit_mph * MPS_PER_MPH),
        connector: center.interpolating.then_some(true),
        ..DraftLane::new(id, centerline)
    }
}

/// Metres from each point of a lane to the boundary that is told for it; zero where there is none.
fn distances(
    lane: &[Point3<f64>],
    boundaries: &[BoundarySegment],
    lines: &BTreeMap<i64, Vec<Point3<f64>>>,
) -> Vec<f64> {
    let mut distances = vec![0.0; lane.len()];
    for boundary in boundaries {
        let Some(line) = lines.get(&boundary.boundary_feature_id) else { continue };
        let from = usize::try_from(boundary.lane_start_index).unwrap_or(0);
        let to = usize::try_from(boundary.lane_end_index).unwrap_or(0);
        for index in from..to.saturating_add(1).min(lane.len()) {
            distances[index] = foot(line, lane[index].xy()).map_or(0.0, |foot| foot.left_m.abs());
        }
    }
    distances
}

fn lights(scenario: &Scenario) -> Lights {
    let mut lights = Lights::default();
    for (row, states) in scenario.dynamic_map_states.iter().enumerate() {
        for state in &states.lane_states {
            let stop_point = state.stop_point.map(|point| [point.x, point.y]);
            lights.add(&state.lane.to_string(), row, color_of_state(i64::from(state.state)), stop_point);
        }
    }
    lights
}
