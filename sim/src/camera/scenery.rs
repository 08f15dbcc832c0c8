//! Everything that stands still in a place, built once; then pictures of it.

use std::cell::RefCell;

use nalgebra::{Isometry3, Point2, Vector2, Vector3};
use rayon::prelude::*;
use tandem_datasets::{Camera, DrivableSource, Log, Polygon};
use tandem_graph::Stamp;

use super::develop::Developer;
use super::draw::draw;
use super::field::Field;
use super::ground::{Ground, Shapes};
use super::item::Item;
use super::light::{LampLight, Lighting};
use super::noise::hash;
use super::plant::{Plants, plant};
use super::raster::Samples;
use super::signal::Signals;
use super::view::View;
use super::visible::Seen;
use super::{Image, Look, NO_INSTANCE, Shot, Subject, sensor};

/// How far from the ego's path things are built, m.
const REACH_M: f64 = 130.0;
/// The largest place that is built, m; of a longer drive its beginning.
const LARGEST_M: f64 = 2_000.0;
/// Things farther away are not drawn, m.
const SIGHT_M: f64 = 220.0;

/// What stands still around the ego's path of a log, with its look.
#[derive(Debug)]
pub struct Scenery {
    look: Look,
    lighting: Lighting,
    lamp_light: LampLight,
    ground: Ground,
    items: Vec<Item>,
    signals: Signals,
    /// What leads from the scene to the map, m.
    map_from_scene: Vector3<f64>,
}

thread_local! {
    static SAMPLES: RefCell<Samples> = RefCell::default();
}

impl Scenery {
    /// Builds what stands still around a log's ego path. Without a map there is open country.
    pub fn new(log: &Log, look: &Look) -> Self {
        let path: Vec<Point2<f64>> = match log.ego.states.is_empty() {
            false => log.ego.states.iter().map(|state| state.pose().position()).collect(),
            true => log.tracks.iter().filter_map(|track| track.states.first()).map(|s| s.pose.position()).collect(),
        };
        let path: Vec<_> =
            path.into_iter().filter(|point| point.coords.iter().all(|value| value.is_finite())).collect();
        let origin = path.first().copied().unwrap_or_else(Point2::origin);
        let map_from_scene = Vector3::new(origin.x.floor(), origin.y.floor(), 0.0);
        let mut waypoints: Vec<Point2<f64>> = Vec::new();
        for point in path.iter().map(|point| point - map_from_scene.xy()) {
            let apart = |last: &Point2<f64>| (point - last).norm() > 10.0;
            if waypoints.last().is_none_or(apart) && point.coords.amax() < LARGEST_M {
                waypoints.push(point);
            }
        }
        let reach = Vector2::repeat(REACH_M + 20.0);
        let low = waypoints.iter().fold(Point2::origin(), |low, point| low.inf(point)) - reach;
        let high = waypoints.iter().fold(Point2::origin(), |high, point| high.sup(point)) + reach;
        let near = |point: Point2<f64>| waypoints.iter().any(|way| (point - way).norm_squared() < REACH_M * REACH_M);
        let map = log.map.as_deref();
        let shapes = map.map(|map| Shapes::of(log, map, look, map_from_scene, near)).unwrap_or_default();
        // Where roads are known by their edges alone, places between the shapes may be road too.
        let edged = map.filter(|map| map.drivable_source() == DrivableSource::RoadEdges);
        let is_road = |point: Point2<f64>| edged.is_some_and(|map| map.is_drivable(point + map_from_scene.xy()));
        let mut field = Field::new(low, high, &shapes, is_road);
        for state in log.tracks.iter().flat_map(|track| &track.states) {
            field.take(state.pose.position() - map_from_scene.xy(), 1.0);
        }
        path.iter().for_each(|point| field.take(point - map_from_scene.xy(), 2.0));
        let mut signals = match map {
            Some(map) => Signals::of(log, map, &mut field, map_from_scene),
            None => Signals::default(),
        };
        let Plants { mut items, lamps } = plant(&shapes, &mut field, look);
        items.append(&mut signals.posts);
        let lighting = Lighting::new(look);
        let lamps = if lighting.lamps > 0.0 { lamps } else { Vec::new() };
        let lamp_light = LampLight::new(low, high, &lamps);
        let ground = Ground::new(shapes, look, log.map.clone().map(|map| (map, map_from_scene)), low, high);
        Self { look: look.clone(), lighting, lamp_light, ground, items, signals, map_from_scene }
    }

    /// The same place with water standing where these rings are, m in the map.
    pub fn flooded(mut self, rings: &[Vec<Point2<f64>>]) -> Self {
        let placed = |ring: &Vec<Point2<f64>>| Polygon {
            exterior: ring.iter().map(|point| point - self.map_from_scene.xy()).collect(),
            holes: Vec::new(),
        };
        let water = rings.iter().map(placed).collect();
        self.ground.shapes.water = water;
        self
    }

    /// What it looks like.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// What one camera sees of the place and of `subjects`, with what is known of each pixel if asked for.
    ///
    /// The same arguments give the same bytes on any thread. A camera with an empty image or with figures that are not
    /// finite sees nothing: its image is empty. Subjects with such figures are left out.
    pub fn render(
        &self,
        camera: &Camera,
        map_from_ego: &Isometry3<f64>,
        subjects: &[Subject],
        stamp: Stamp,
        truth: bool,
    ) -> Shot {
        let moving = self.moving(map_from_ego, subjects, stamp);
        self.shoot(camera, map_from_ego, &moving, stamp, truth)
    }

    /// What each camera of a rig sees, made on several threads.
    pub fn shots(
        &self,
        cameras: &[Camera],
        map_from_ego: &Isometry3<f64>,
        subjects: &[Subject],
        stamp: Stamp,
        truth: bool,
    ) -> Vec<Shot> {
        let moving = self.moving(map_from_ego, subjects, stamp);
        cameras.par_iter().map(|camera| self.shoot(camera, map_from_ego, &moving, stamp, truth)).collect()
    }

    /// Everything that moves or changes.
    fn moving(&self, map_from_ego: &Isometry3<f64>, subjects: &[Subject], stamp: Stamp) -> Vec<Item> {
        let ego = map_from_ego.translation.vector;
        let near = |subject: &&Subject| subject.is_finite() && (subject.center() - ego).norm() < SIGHT_M;
        let subjects = subjects.iter().filter(near);
        let items = subjects.map(|subject| Item::of(subject, &self.look, &self.lighting, self.map_from_scene, stamp));
        items.collect()
    }

    fn shoot(
        &self,
        camera: &Camera,
        map_from_ego: &Isometry3<f64>,
        moving: &[Item],
        stamp: Stamp,
        truth: bool,
    ) -> Shot {
        let nothing = || Shot { image: Image { width: 0, height: 0, rgb: Vec::new() }, truth: None, seen: Vec::new() };
        let Some(view) = View::new(camera, map_from_ego, self.map_from_scene) else { return nothing() };
        let raised = Vector3::z() * view.ground_m;
        let still: Vec<Item> = self
            .items
            .iter()
            .filter(|item| (item.foot.xy() - view.eye.xy()).norm() < SIGHT_M)
            .cloned()
            .chain(self.signals.heads(stamp))
            .map(|item| Item { foot: item.foot + raised, ..item })
            .collect();
        SAMPLES.with_borrow_mut(|samples| {
            samples.begin(&view);
            let picture = draw(moving.iter().chain(&still), &view, &self.lighting, &self.lamp_light, samples);
            let developer = Developer {
                view: &view,
                lighting: &self.lighting,
                lamp_light: &self.lamp_light,
                ground: &self.ground,
                picture: &picture,
            };
            let mut film = developer.develop(samples, truth);
            let key = camera
                .name
                .bytes()
                .fold(hash(self.look.seed ^ stamp.ns() as u64), |key, byte| hash(key ^ u64::from(byte)));
            let rgb = sensor::expose(&mut film.light, view.width, &self.look, &self.lighting, key as u32);
            let objects = picture.items.iter().zip(&film.visible).zip(&picture.covered);
            let seen = objects.filter(|((item, _), covered)| item.instance != NO_INSTANCE && **covered > 0);
            let seen = seen.map(|((item, visible), covered)| Seen {
                number: item.instance,
                visible: *visible,
                covered: *covered,
            });
            let [width, height] = camera.image_size;
            Shot { image: Image { width, height, rgb }, truth: film.truth, seen: seen.collect() }
        })
    }
}
