//! A staged world ready to be looked at, with what there is to see.

use std::sync::Arc;

use nalgebra::Isometry3;
use tandem_datasets::log::planar;
use tandem_datasets::projection::Box3;
use tandem_datasets::{Camera, Log, Track};
use tandem_graph::Stamp;
use tandem_perception::kernel::Kernels;
use tandem_perception::rig::Pixels;
use tandem_sim::Course;
use tandem_sim::camera::semantics::WATER as WATER_PIXEL;
use tandem_sim::camera::{Light, NO_INSTANCE, Scenery, Shot, subjects};
use tandem_sim::world::hazard::{self, Kind, Staging};

use super::Eyes;
use super::rows::Rows;
use super::view::cameras;
use super::words::{self, WATER};
use crate::Error;
use crate::judge::{Sight, bounds};

/// States of tracks farther apart than this are not filled in, ns.
const MAX_GAP_NS: i64 = 200_000_000;

/// So many pixels of an image show a thing well enough to be told, and so many that it might be told.
const TOLD_PIXELS: usize = 16;
const SHOWN_PIXELS: usize = 4;

/// What is farther away is not to be told, m.
const FAR_M: f64 = 100.0;

/// Of what is so many times the air's attenuation away, a twentieth of the contrast is left.
const HAZE: f64 = 3.0;

/// What has no light of its own is seen at night by headlights only, m.
const HEADLIGHTS_M: f64 = 45.0;

/// A staged world ready to be looked at.
#[derive(Debug)]
pub struct Place {
    /// What happens there.
    pub log: Arc<Log>,
    /// What of it was staged.
    pub staging: Arc<Staging>,
    scenery: Scenery,
}

/// A thing that an image shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// What it is: an index of [`words::WORDS`].
    pub word: usize,
    /// Left, top, right and bottom as shares of the image's width and height.
    pub bounds: [f32; 4],
    /// From the camera along its axis, m.
    pub depth_m: f32,
    /// Whether it shows well enough that it is to be told.
    pub is_clear: bool,
}

impl Place {
    /// The world that a seed stages: thirteen seeds in a row make all kinds.
    ///
    /// # Errors
    /// If the generator fails.
    pub fn new(seed: u64) -> Result<Self, Error> {
        let staged = hazard::generate(Kind::of(seed), seed).map_err(Error::World)?;
        Ok(Self::with(Arc::new(staged.log), Arc::new(staged.staging)))
    }

    /// That of a course; `None` where nothing was staged.
    pub fn of(course: &Course) -> Option<Self> {
        Some(Self::with(Arc::clone(&course.log), Arc::clone(course.staging.as_ref()?)))
    }

    fn with(log: Arc<Log>, staging: Arc<Staging>) -> Self {
        let scenery = Scenery::new(&log, &staging.look).flooded(staging.flooded());
        Self { log, staging, scenery }
    }

    /// So many seconds after the world's beginning.
    pub fn stamp(&self, at_s: f64) -> Stamp {
        let first = self.log.ego.states.first().map_or(Stamp::from_ns(0), |state| state.stamp);
        first.offset_ns((at_s * 1e9).round() as i64)
    }

    /// Where the reference driver is.
    pub fn map_from_ego(&self, stamp: Stamp) -> Isometry3<f64> {
        self.log.ego_at(stamp).map_or_else(Isometry3::identity, |state| state.map_from_ego)
    }

    /// What cameras see from there at a time, with what is known of every pixel.
    pub fn shots(&self, cameras: &[Camera], map_from_ego: &Isometry3<f64>, stamp: Stamp) -> Vec<Shot> {
        self.scenery.shots(cameras, map_from_ego, &subjects(&self.log, stamp, MAX_GAP_NS), stamp, true)
    }

    /// What the eyes see of a drive there: of its last moment, with the earlier ones remembered. Poses of the ego are in the
    /// map, and `embedding` is what the fast system makes of the last moment.
    ///
    /// # Errors
    /// For a drive of no moments, or cameras that are none; those of [`cameras`] are.
    pub fn look<B: Kernels>(
        &self,
        eyes: &mut Eyes<B>,
        drive: &[(Stamp, Isometry3<f64>)],
        embedding: Option<&[f32]>,
    ) -> Result<Rows, Error> {
        eyes.forget();
        let rig = cameras();
        let Some((now, earlier)) = drive.split_last() else {
            return Err(Error::Picture { reason: "a drive of no moments shows nothing".to_owned() });
        };
        for moment in earlier {
            for (camera, shot) in rig.iter().zip(self.images(&rig[..1], moment)) {
                eyes.watch(moment.0, planar(&moment.1), camera, Pixels::from(&shot.image))?;
            }
        }
        Ok(self.see(eyes, *now, embedding)?.rows)
    }

    /// What eyes see there that remember the moments before by themselves.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub fn see<B: Kernels>(
        &self,
        eyes: &mut Eyes<B>,
        now: (Stamp, Isometry3<f64>),
        embedding: Option<&[f32]>,
    ) -> Result<Sight, Error> {
        let rig = cameras();
        let shots = self.images(&rig, &now);
        let images: Vec<_> = rig.iter().zip(shots.iter().map(|shot| Pixels::from(&shot.image))).collect();
        eyes.look(now.0, planar(&now.1), &images, embedding)
    }

    /// What cameras see from there at a time.
    pub fn images(&self, rig: &[Camera], (stamp, map_from_ego): &(Stamp, Isometry3<f64>)) -> Vec<Shot> {
        let there = subjects(&self.log, *stamp, MAX_GAP_NS);
        self.scenery.shots(rig, map_from_ego, &there, *stamp, false)
    }

    /// What a shot of a camera shows.
    pub fn shown(&self, camera: &Camera, map_from_ego: &Isometry3<f64>, stamp: Stamp, shot: &Shot) -> Vec<Shown> {
        let Some(truth) = &shot.truth else { return Vec::new() };
        let width = shot.image.width as usize;
        let mut areas = vec![Area::default(); self.log.tracks.len()];
        let mut water = Area::default();
        for (at, (instance, semantics)) in truth.instance.iter().zip(&truth.semantics).enumerate() {
            let pixel = [at % width, at / width];
            if *instance != NO_INSTANCE {
                areas[*instance as usize].add(pixel, truth.depth_m[at]);
            } else if *semantics == WATER_PIXEL {
                water.add(pixel, truth.depth_m[at]);
            }
        }
        let size = [width, shot.image.height as usize];
        let depth_m = |target: &Box3| camera.in_camera(map_from_ego, target.map_from_box.translation.vector.into()).z;
        let show = |(track, area): (&Track, &Area)| {
            let target = Box3::of_track(track, &track.at(stamp, MAX_GAP_NS)?);
            let (word, depth_m) = (words::word(track)?, depth_m(&target).max(1.0));
            let edges = bounds(camera, map_from_ego, &target).map(|edges| edges.map(|edge| edge as f32));
            Some(Shown {
                word,
                bounds: edges.unwrap_or_else(|| area.bounds(size)),
                depth_m: depth_m as f32,
                is_clear: area.pixels >= TOLD_PIXELS && !self.is_dim(word, depth_m),
            })
        };
        let tracks = self.log.tracks.iter().zip(&areas).filter(|(_, area)| area.pixels >= SHOWN_PIXELS);
        // Of water that part is told of that is seen: its middle shows water, wherever the rest of it is.
        let flood = (water.pixels >= SHOWN_PIXELS).then(|| Shown {
            word: WATER,
            bounds: water.bounds(size),
            depth_m: water.nearest_m.max(1.0),
            is_clear: water.pixels >= TOLD_PIXELS && !self.is_dim(WATER, f64::from(water.nearest_m)),
        });
        tracks.filter_map(show).chain(flood).collect()
    }

    /// Whether distance, air or darkness hides what is so far away.
    fn is_dim(&self, word: usize, depth_m: f64) -> bool {
        let look = &self.staging.look;
        let is_dark = look.light == Light::Night && !words::has_light(word);
        depth_m > FAR_M || f64::from(look.fog_per_m) * depth_m > HAZE || (is_dark && depth_m > HEADLIGHTS_M)
    }
}

/// The pixels of a thing.
#[derive(Debug, Clone, Copy)]
struct Area {
    pixels: usize,
    least: [usize; 2],
    most: [usize; 2],
    nearest_m: f32,
}

impl Default for Area {
    fn default() -> Self {
        Self { pixels: 0, least: [usize::MAX; 2], most: [0; 2], nearest_m: f32::INFINITY }
    }
}

impl Area {
    fn add(&mut self, pixel: [usize; 2], depth_m: f32) {
        self.pixels += 1;
        self.nearest_m = self.nearest_m.min(depth_m);
        for (axis, at) in pixel.into_iter().enumerate() {
            (self.least[axis], self.most[axis]) = (self.least[axis].min(at), self.most[axis].max(at + 1));
        }
    }

    fn bounds(&self, [width, height]: [usize; 2]) -> [f32; 4] {
        let [left, right] = [self.least[0], self.most[0]].map(|x| x as f32 / width as f32);
        let [top, bottom] = [self.least[1], self.most[1]].map(|y| y as f32 / height as f32);
        [left, top, right, bottom]
    }
}
