//! How well a network sees generated worlds that it was not trained on, and recorded drives.

use nalgebra::{Isometry3, Point3};
use serde::Serialize;
use tandem_datasets::log::planar;
use tandem_sim::camera::rig;

use super::boxes::{DetectedBox, Sample, TruthBox};
use super::detection::{Breakdown, DetectionMetrics};
use super::forecast::{self, ForecastMetrics, Future};
use super::map::{MapIou, MapMetrics};
use crate::Error;
use crate::decode::{SeenBox, sigmoid};
use crate::follow::{Follower, turned};
use crate::model::Grid;
use crate::model::heads::{MAP_CLASSES, MODES};
use crate::path::{self, STEPS};
use crate::perceiver::{Perceiver, Percept};
use crate::rig::{GridFrame, Pixels};
use crate::train::drives::Drives;
use crate::train::sample::Captured;
use crate::train::worlds::Place;
use crate::truth::{EgoFuture, MapPlane, RoadPlanes, Thing};

/// Time between the frames that are evaluated, s, as between nuScenes' keyframes.
const KEYFRAME_S: f64 = 0.5;

/// Seconds at the end of a world for which the future is not known.
const FUTURE_S: f64 = 3.0;

/// A detection speaks of the true object of its class within this distance, m.
const SAME_M: f64 = 2.0;

/// Within this distance the map is also counted by itself, m: as far as objects are at the most.
pub const NEAR_M: f64 = 50.0;

/// A line that is this close to a lane is that lane's, m.
const LANE_M: f64 = 1.5;

/// All figures of a network on some scenes.
#[derive(Debug, Serialize)]
pub struct SceneMetrics {
    /// Frames that were seen.
    pub frames: usize,
    /// Of the boxes as they are published: where their tracks have them.
    pub detection: DetectionMetrics,
    /// Of these by distance and by light and weather.
    pub breakdown: Breakdown,
    /// Of the network's boxes, each frame for itself.
    pub alone: DetectionMetrics,
    /// Of the map's planes, in the order of [`MapPlane::ALL`], over the whole grid.
    pub map: MapMetrics,
    /// The same over what lies within the distance in which objects count.
    pub map_near: MapMetrics,
    /// Of the published forecasts of the objects that were found, with all modes; `None` without any.
    pub forecast: Option<ForecastMetrics>,
    /// Of the lanes.
    pub lanes: LaneMetrics,
    /// Of the ego path; `None` where the vehicle's own way is not known.
    pub path: Option<PathMetrics>,
}

/// How well lanes are found, counted by points of their centrelines.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct LaneMetrics {
    /// Points of lines that were seen.
    pub seen: usize,
    /// The share of them that lie within 1.5 m of a true centreline.
    pub precision: f64,
    /// Cells with a true centreline.
    pub there: usize,
    /// The share of them within 1.5 m of a line that was seen.
    pub recall: f64,
}

/// How far the ego path is from the way that the vehicle took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PathMetrics {
    /// Frames.
    pub count: usize,
    /// Mean distance over the steps of 3 s, m.
    pub ade_m: f64,
    /// Mean distance after 3 s, m.
    pub fde_m: f64,
}

/// Lets a network see the worlds of some seeds; `done` hears of each.
///
/// # Errors
/// If a world cannot be made or seen.
pub fn on_worlds(perceiver: &mut Perceiver, seeds: &[u64], done: &mut dyn FnMut(u64)) -> Result<SceneMetrics, Error> {
    let mut gauge = Gauge::new();
    let [height, width] = perceiver.config().image;
    let cameras = rig::nuscenes(width as u32, height as u32);
    for seed in seeds {
        let place = Place::new(*seed)?;
        gauge.begin(perceiver);
        let Some((first, last)) = place.log.span() else { continue };
        let frames = (last.seconds_since(first) - FUTURE_S) / KEYFRAME_S;
        for number in 0..frames.max(0.0) as usize {
            let stamp = first.offset_ns((number as f64 * KEYFRAME_S * 1e9) as i64);
            let Some(ego) = place.log.ego_at(stamp) else { continue };
            let captured = place.capture(&cameras, &ego.map_from_ego, stamp);
            gauge.see(perceiver, format!("{}@{number}", place.log.id), place.conditions(), &captured)?;
        }
        done(*seed);
    }
    Ok(gauge.metrics())
}

/// Lets a network see recorded drives; `done` hears of each keyframe.
///
/// # Errors
/// If an image cannot be read or used.
pub fn on_drives(perceiver: &mut Perceiver, drives: &Drives, done: &mut dyn FnMut()) -> Result<SceneMetrics, Error> {
    let mut gauge = Gauge::new();
    let mut before = "";
    for moment in drives.moments() {
        if moment.log.id != before {
            gauge.begin(perceiver);
            before = &moment.log.id;
        }
        let captured = drives.capture(moment)?;
        gauge.see(perceiver, format!("{}@{}", moment.log.id, moment.stamp.ns()), moment.log.id.clone(), &captured)?;
        done();
    }
    Ok(gauge.metrics())
}

/// What was seen so far.
struct Gauge {
    follower: Follower,
    samples: Vec<Sample>,
    /// Detections as the network has them, by sample.
    alone: Vec<Vec<DetectedBox>>,
    map: MapIou,
    map_near: MapIou,
    futures: Vec<(Vec<Future>, Vec<[f64; 2]>)>,
    /// Of lanes; shares are counts here.
    lanes: LaneMetrics,
    /// Distances between the ego path and the way taken, step by step.
    off_m: Vec<[f64; STEPS]>,
}

impl Gauge {
    fn new() -> Self {
        Self {
            follower: Follower::default(),
            samples: Vec::new(),
            alone: Vec::new(),
            map: MapIou::new(MAP_CLASSES),
            map_near: MapIou::new(MAP_CLASSES),
            futures: Vec::new(),
            lanes: LaneMetrics::default(),
            off_m: Vec::new(),
        }
    }

    /// Another drive: what was seen before has nothing to do with it.
    fn begin(&mut self, perceiver: &mut Perceiver) {
        perceiver.forget();
        self.follower = Follower::default();
    }

    fn see(&mut self, perceiver: &mut Perceiver, token: String, tag: String, captured: &Captured) -> Result<(), Error> {
        let images: Vec<_> = captured.images.iter().map(|image| image.as_ref().map(Pixels::from)).collect();
        let grid = perceiver.config().grid.clone();
        let percept = perceiver.see(captured.stamp, &captured.map_from_ego, &captured.cameras, &images)?;
        if let Some(map) = &captured.map {
            let here = planar(&captured.map_from_ego);
            let roads = RoadPlanes::new(&grid, map, here, GridFrame::VEHICLE);
            count_map(&mut self.map, &roads, percept, |_| true);
            let is_near = |cell: usize| grid.center(cell)[0].hypot(grid.center(cell)[1]) <= NEAR_M;
            count_map(&mut self.map_near, &roads, percept, is_near);
            count_lanes(&mut self.lanes, &grid, &roads, percept);
        }
        self.alone.push(detected(&percept.boxes, &captured.map_from_ego));
        self.follower.follow(captured.stamp, &captured.map_from_ego, &mut percept.boxes);
        self.futures.extend(captured.things.iter().filter_map(|thing| pair(thing, &percept.boxes)));
        self.off_m.extend(captured.ego.as_ref().and_then(|ego| off_m(ego, percept)));
        self.samples.push(sample(token, tag, captured, percept));
        Ok(())
    }

    fn metrics(mut self) -> SceneMetrics {
        let (detection, breakdown) = (DetectionMetrics::of(&self.samples), Breakdown::of(&self.samples));
        self.samples.iter_mut().zip(self.alone).for_each(|(sample, alone)| sample.detections = alone);
        let pairs = self.futures.iter().map(|(said, came)| (said.as_slice(), came.as_slice()));
        SceneMetrics {
            frames: self.samples.len(),
            detection,
            breakdown,
            alone: DetectionMetrics::of(&self.samples),
            map: self.map.metrics(),
            map_near: self.map_near.metrics(),
            forecast: forecast::evaluate(pairs, MODES),
            lanes: LaneMetrics {
                precision: self.lanes.precision / self.lanes.seen.max(1) as f64,
                recall: self.lanes.recall / self.lanes.there.max(1) as f64,
                ..self.lanes
            },
            path: (!self.off_m.is_empty()).then(|| {
                let count = self.off_m.len();
                let mean = |sum: f64| sum / count as f64;
                PathMetrics {
                    count,
                    ade_m: mean(self.off_m.iter().map(|off| off.iter().sum::<f64>() / STEPS as f64).sum()),
                    fde_m: mean(self.off_m.iter().map(|off| off[STEPS - 1]).sum()),
                }
            }),
        }
    }
}

/// How far the ego path is from the way that was taken, step by step, m.
fn off_m(ego: &EgoFuture, percept: &Percept) -> Option<[f64; STEPS]> {
    let best = path::best(&percept.numbers.paths, &percept.numbers.speeds, ego.speed_mps)?;
    Some(std::array::from_fn(|step| {
        let ([x, y, _], [true_x, true_y]) = (best.places[step], ego.positions[step]);
        (x - true_x).hypot(y - true_y)
    }))
}

fn count_lanes(counts: &mut LaneMetrics, grid: &Grid, roads: &RoadPlanes, percept: &Percept) {
    let is_lane = |cell: &usize| roads.planes[MapPlane::Centerline as usize][*cell] == 1;
    let there: Vec<[f64; 2]> = (0..grid.cells * grid.cells).filter(is_lane).map(|cell| grid.center(cell)).collect();
    let seen: Vec<[f64; 2]> = percept.lanes.iter().flat_map(|lane| lane.points.iter().copied()).collect();
    let near = |points: &[[f64; 2]], others: &[[f64; 2]]| {
        let is_near = |[x, y]: &&[f64; 2]| others.iter().any(|[a, b]| (a - x).hypot(b - y) < LANE_M);
        points.iter().filter(is_near).count()
    };
    counts.seen += seen.len();
    counts.there += there.len();
    counts.precision += near(&seen, &there) as f64;
    counts.recall += near(&there, &seen) as f64;
}

/// Counts the cells of a map for which `counts` is true.
fn count_map(map: &mut MapIou, truth: &RoadPlanes, percept: &Percept, counts: impl Fn(usize) -> bool) {
    for plane in MapPlane::ALL {
        let there = &truth.planes[plane as usize];
        let cells: Vec<usize> = (0..there.len()).filter(|cell| counts(*cell)).collect();
        let said: Vec<f32> =
            cells.iter().map(|cell| sigmoid(percept.map[plane as usize * there.len() + cell])).collect();
        let is_there: Vec<bool> = cells.iter().map(|cell| there[*cell] == 1).collect();
        map.add(plane as usize, &said, &is_there, 0.5);
    }
}

/// The futures said of a true object by the nearest box of its class, and the one that came, where it is known whole.
fn pair(thing: &Thing, boxes: &[SeenBox]) -> Option<(Vec<Future>, Vec<[f64; 2]>)> {
    let came = thing.future.iter().copied().collect::<Option<Vec<_>>>()?;
    let distance_m = |seen: &&SeenBox| (seen.center[0] - thing.center[0]).hypot(seen.center[1] - thing.center[1]);
    let same = boxes.iter().filter(|seen| seen.class == thing.class && distance_m(seen) < SAME_M);
    let nearest = same.min_by(|a, b| distance_m(a).total_cmp(&distance_m(b)))?;
    let future = |future: &crate::decode::Future| Future {
        probability: future.probability,
        positions: future.positions.to_vec(),
    };
    Some((nearest.futures.iter().flatten().map(future).collect(), came))
}

/// Seen boxes in the map.
fn detected(boxes: &[SeenBox], map_from_ego: &Isometry3<f64>) -> Vec<DetectedBox> {
    let yaw_rad = planar(map_from_ego).yaw;
    let detected = |seen: &SeenBox| DetectedBox {
        class: seen.class,
        center: (map_from_ego * Point3::from(seen.center)).into(),
        size: seen.size,
        yaw_rad: seen.yaw_rad + yaw_rad,
        velocity_mps: turned(seen.velocity_mps, map_from_ego),
        attribute: seen.attribute,
        score: seen.score,
    };
    boxes.iter().map(detected).collect()
}

/// True and seen boxes of a frame, in the map.
fn sample(token: String, tag: String, captured: &Captured, percept: &Percept) -> Sample {
    let map_from_ego = &captured.map_from_ego;
    let ego = planar(map_from_ego);
    let truth = captured.things.iter().map(|thing| TruthBox {
        class: thing.class,
        center: (map_from_ego * Point3::from(thing.center)).into(),
        size: thing.size,
        yaw_rad: thing.yaw_rad + ego.yaw,
        velocity_mps: thing.velocity_mps.map(|velocity_mps| turned(velocity_mps, map_from_ego)),
        attribute: thing.attribute,
        is_seen: true,
    });
    Sample {
        token,
        tag,
        ego: [ego.x, ego.y],
        truth: truth.collect(),
        detections: detected(&percept.boxes, map_from_ego),
        bicycle_racks: Vec::new(),
    }
}
