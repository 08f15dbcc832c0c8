//! Clips out of generated worlds: town after town, each seen a few times by its own variation of the rig.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tandem_datasets::log::planar;
use tandem_datasets::{Camera, Log, Pose2};
use tandem_graph::Stamp;
use tandem_sim::camera::{Image, Look, Scenery, Shot, Subject, rig, semantics, subjects, visibility};
use tandem_sim::world;

use super::balance::rarity;
use super::open::Open;
use super::sample::Captured;
use super::things::{ego_future, thing};
use crate::Error;
use crate::model::NetworkConfig;
use crate::model::heads::{CLASSES, SHOWN, TAGS};
use crate::truth::Thing;

/// Worlds that are open at a time; their clips take turns.
const OPEN: u64 = 24;

/// Clips of a world before it is closed.
const CLIPS: u64 = 12;

/// Moments of a world of which the one with the rarest objects is taken.
const TRIES: usize = 6;

/// In this share of clips the vehicle is closer than it was to what is in its way: this close, m, where it need not be
/// moved by more than that, m. Who drives by what the network says comes closer to others than the one who drove there.
const CLOSE_SHARE: f64 = 0.3;
const CLOSE_M: std::ops::Range<f64> = 0.3..4.0;
const MOVED_M: f64 = 10.0;

/// How often a clip is seen, each time varied in another way, where two cores draw and learn.
const REPEATS: Repeats = Repeats { times: 2, apart: 600 };

/// The same where a GPU learns faster than all cores can draw.
const REPEATS_BESIDE_GPU: Repeats = Repeats { times: 8, apart: 1000 };

/// How clips come again; `times · apart` of them are kept in memory.
#[derive(Debug, Clone, Copy)]
struct Repeats {
    /// How often each is seen.
    times: u64,
    /// Clips drawn between two times that one is seen.
    apart: u64,
}

/// Worlds for training begin here; those below are for tests and evaluation and never trained on.
pub const FIRST_TRAINING_SEED: u64 = 100_000;

/// So many worlds lie between where the rows of two seeds begin, more than a training gets through.
const WORLDS_OF_A_ROW: u64 = 100_000;

/// So many rows there are.
const ROWS: u64 = 1_000_000;

/// Longest stretch between two states of a track that is filled in, ns.
const MAX_GAP_NS: i64 = 250_000_000;

/// An object is there to be seen from this many pixels of an image as wide as nuScenes' on.
pub const VISIBLE_PIXELS: f64 = 75.0;

/// A generated place ready to be looked at.
pub struct Place {
    /// What happens there.
    pub log: Log,
    scenery: Scenery,
    seed: u64,
}

impl Place {
    /// The world of a seed: two of three are towns.
    ///
    /// # Errors
    /// If the generator fails.
    pub fn new(seed: u64) -> Result<Self, Error> {
        let log = if seed % 3 == 2 { world::generate(seed / 3)? } else { world::town(seed)? };
        Ok(Self { scenery: Scenery::new(&log, &Look::of(seed)), log, seed })
    }

    /// What cameras see from a place at a time, with the truth about it.
    pub fn capture(&self, cameras: &[Camera], map_from_ego: &Isometry3<f64>, stamp: Stamp) -> Captured {
        let there = subjects(&self.log, stamp, MAX_GAP_NS);
        let shots = self.scenery.shots(cameras, map_from_ego, &there, stamp, true);
        let seen = visibility(&shots);
        let scale = cameras.first().map_or(1.0, |camera| f64::from(camera.image_size[0]) / rig::FULL[0]);
        let least = VISIBLE_PIXELS * scale * scale;
        let is_seen = |subject: &&Subject| seen.get(&subject.number).is_some_and(|seen| seen.pixels >= least);
        let things: Vec<Thing> = there
            .iter()
            .filter(is_seen)
            .filter_map(|subject| thing(&self.log, subject, map_from_ego, stamp, MAX_GAP_NS))
            .collect();
        let tags = self.tags(&things);
        Captured {
            stamp,
            map_from_ego: *map_from_ego,
            cameras: cameras.to_vec(),
            depth_m: shots.iter().flat_map(depth).collect(),
            shown: shots.iter().flat_map(shown).collect(),
            images: shots.into_iter().map(|shot| Some(shot.image)).collect(),
            things,
            map: self.log.map.clone(),
            tags: Some(tags),
            ego: ego_future(&self.log, map_from_ego, stamp),
        }
    }

    /// From the front of a vehicle at a place to the nearest thing in its way, m; infinite without one.
    fn room_ahead_m(&self, map_from_ego: Pose2, stamp: Stamp) -> f64 {
        let body = &self.log.ego.body;
        let room_m = |subject: &Subject| {
            let at = map_from_ego.inverse_transform(subject.pose.position());
            let (sin, cos) = (subject.pose.yaw - map_from_ego.yaw).sin_cos();
            let [length, width, _] = subject.size;
            let reach = |a: f64, b: f64| (a.abs() * length + b.abs() * width) / 2.0;
            let is_in_the_way = at.x > 0.0 && at.y.abs() < body.width / 2.0 + reach(sin, cos);
            is_in_the_way.then(|| at.x - reach(cos, sin) - body.rear_axle_to_center - body.length / 2.0)
        };
        subjects(&self.log, stamp, MAX_GAP_NS).iter().filter_map(room_m).fold(f64::INFINITY, f64::min)
    }

    /// The name of its weather and light, for tables.
    pub fn conditions(&self) -> String {
        let look = self.scenery.look();
        format!("{} {}", look.light.name(), look.weather.name())
    }

    fn tags(&self, things: &[Thing]) -> [f32; TAGS] {
        let look = self.scenery.look();
        let mut tags = [0.0; TAGS];
        tags[look.light as usize] = 1.0;
        tags[3 + look.weather as usize] = 1.0;
        things.iter().for_each(|thing| tags[6 + thing.class.index()] += 1.0);
        tags[6..].iter_mut().for_each(|count| *count = f32::ln_1p(*count));
        tags
    }
}

/// An object counts as shown by so many pixels of a square.
const OBJECT_PIXELS: usize = 2;

/// The road counts as shown by so many pixels of a square of 16.
const ROAD_PIXELS: usize = 8;

/// The pixels of squares of some side, row by row.
fn squares(image: &Image, side: usize) -> impl Iterator<Item = impl Iterator<Item = usize>> {
    let (width, height) = (image.width as usize, image.height as usize);
    let pixels = move |row: usize, column: usize| {
        (0..side * side).map(move |pixel| (row * side + pixel / side) * width + column * side + pixel % side)
    };
    (0..height / side).flat_map(move |row| (0..width / side).map(move |column| pixels(row, column)))
}

/// Depth of every stride-8 pixel: that of the nearest object in it, which is what matters, or else at its middle.
fn depth(shot: &Shot) -> Vec<f32> {
    let Some(truth) = &shot.truth else { return Vec::new() };
    let depth = |pixels: Vec<usize>| {
        let objects = pixels.iter().filter(|pixel| semantics::object_class(truth.semantics[**pixel]).is_some());
        let depths_m = objects.map(|pixel| truth.depth_m[*pixel]);
        let (count, nearest) = depths_m.fold((0, f32::INFINITY), |(count, least), depth| (count + 1, least.min(depth)));
        if count >= OBJECT_PIXELS { nearest } else { truth.depth_m[pixels[pixels.len() / 2 + 4]] }
    };
    squares(&shot.image, 8).map(|pixels| depth(pixels.collect())).collect()
}

/// What every quarter of every stride-8 pixel shows: a bit a class, then the road, then its paint.
fn shown(shot: &Shot) -> Vec<u16> {
    let Some(truth) = &shot.truth else { return Vec::new() };
    let bits = |pixels: &mut dyn Iterator<Item = usize>| {
        let mut counts = [0; SHOWN];
        for pixel in pixels {
            let number = truth.semantics[pixel];
            match number {
                semantics::ROAD => counts[CLASSES] += 1,
                semantics::MARKING => counts[CLASSES + 1] += 1,
                _ => {
                    if let Some(class) = semantics::object_class(number) {
                        counts[class.index()] += 1;
                    }
                }
            }
        }
        // Paint lies on the road.
        counts[CLASSES] += counts[CLASSES + 1];
        let least = |number: usize| if number == CLASSES { ROAD_PIXELS } else { OBJECT_PIXELS };
        (0..SHOWN).filter(|number| counts[*number] >= least(*number)).fold(0, |bits, number| bits | 1 << number)
    };
    let quarters: Vec<u16> = squares(&shot.image, 4).map(|mut pixels| bits(&mut pixels)).collect();
    // From rows of quarters to the quarters of each pixel.
    let columns = shot.image.width as usize / 4;
    let quarter = |pixel: usize, quarter: usize| {
        let (row, column) = (pixel / (columns / 2) * 2 + quarter / 2, pixel % (columns / 2) * 2 + quarter % 2);
        quarters[row * columns + column]
    };
    (0..quarters.len() / 4)
        .flat_map(|pixel| (0..4).map(move |number| (pixel, number)))
        .map(|(p, q)| quarter(p, q))
        .collect()
}

/// An endless row of clips, each the same whenever it is asked for.
///
/// To draw a clip takes time, so each comes several times, far apart.
pub struct Worlds {
    size: [u32; 2],
    first: u64,
    repeats: Repeats,
    drawn: Mutex<BTreeMap<u64, Arc<[Captured]>>>,
    places: Open<Place>,
}

impl Worlds {
    /// For networks of a configuration; another seed means other worlds.
    pub fn new(config: &NetworkConfig, seed: u64) -> Self {
        let [height, width] = config.image;
        let size = [width as u32, height as u32];
        let first = FIRST_TRAINING_SEED + seed % ROWS * WORLDS_OF_A_ROW;
        Self { size, first, repeats: REPEATS, drawn: Mutex::default(), places: Open::new(2 * OPEN as usize) }
    }

    /// The same beside a GPU, where cores have nothing to do but to draw.
    pub fn beside_gpu(self) -> Self {
        Self { repeats: REPEATS_BESIDE_GPU, ..self }
    }

    /// Clip number `index`: two frames about half a second apart.
    ///
    /// # Errors
    /// If the generator fails.
    pub fn clip(&self, index: u64) -> Result<Arc<[Captured]>, Error> {
        let Repeats { times, apart } = self.repeats;
        let (newest, time) = (index / times, index % times);
        // In the beginning there are few to come again.
        let number = newest - time * apart.min(newest / times);
        let known = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let clip: Arc<[Captured]> = self.draw(number)?.into();
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.insert(number, Arc::clone(&clip));
        drawn.retain(|number, _| number + times * apart > newest);
        Ok(clip)
    }

    fn draw(&self, index: u64) -> Result<Vec<Captured>, Error> {
        let round = index / (OPEN * CLIPS);
        let seed = self.first + round * OPEN + index % OPEN;
        let place = self.places.place(seed, Place::new)?;
        let mut rng = ChaCha8Rng::seed_from_u64(index);
        let cameras = rig::varied(&rig::nuscenes(self.size[0], self.size[1]), place.seed ^ (index << 20));
        // Later the future would not be known; the middle of a clip is a whole step of the log.
        let first = place.log.ego.states.first().map_or(Stamp::from_ns(0), |state| state.stamp);
        let stamp = |seconds: f64| first.offset_ns((seconds * 1e9).round() as i64);
        let tries = (0..TRIES).map(|_| f64::from(rng.random_range(10_u32..165)) * 0.1);
        let rare = tries.map(|at_s| (rarity(&place.log, stamp(at_s), MAX_GAP_NS), at_s));
        // There is more than one try.
        let at_s = rare.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, at_s)| at_s);
        let apart_s = f64::from(rng.random_range(4_u32..=6)) * 0.1;
        // Somewhat beside the track, as a vehicle that drives by itself comes to be.
        let aside = Isometry3::from_parts(
            Translation3::new(0.0, rng.random_range(-0.8..0.8), 0.0),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), rng.random_range(-0.1..0.1)),
        );
        let ego_at = |stamp| place.log.ego_at(stamp).map_or(Isometry3::identity(), |state| state.map_from_ego) * aside;
        let stamps = [at_s - apart_s, at_s].map(stamp);
        let close_m = rng.random_range(CLOSE_M);
        let room_m = |stamp| place.room_ahead_m(planar(&ego_at(stamp)), stamp);
        let to_close_m = || room_m(stamps[0]).min(room_m(stamps[1])) - close_m;
        let ahead_m = rng.random_bool(CLOSE_SHARE).then(to_close_m).filter(|m| (0.0..MOVED_M).contains(m));
        let ahead = Translation3::new(ahead_m.unwrap_or(0.0), 0.0, 0.0);
        Ok(stamps.map(|stamp| place.capture(&cameras, &(ego_at(stamp) * ahead), stamp)).into())
    }
}
