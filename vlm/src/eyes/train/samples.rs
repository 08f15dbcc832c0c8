//! Moments of staged worlds to learn from, each the same whenever it is asked for.

use std::collections::VecDeque;
use std::ops::Range;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tandem_datasets::Camera;
use tandem_graph::Stamp;
use tandem_perception::rig::Pixels;
use tandem_perception::train::Open;
use tandem_sim::camera::{Shot, rig};

use super::super::place::Place;
use super::super::view::{Prepared, View, cameras};
use super::target::Target;
use crate::Error;

/// Worlds that are open at a time; their moments take turns. Two of every kind.
const OPEN: u64 = 26;

/// Moments of a world before it is closed.
const MOMENTS: u64 = 10;

/// The share of moments at which what was staged shows, where something was.
const STAGED: f64 = 0.8;

/// The share of moments seen by cameras that are mounted in another way.
const VARIED: f64 = 0.5;

/// How far beside the driver's way, along it, and turned, plus or minus: m, m, rad.
const ASIDE_M: f64 = 0.8;
const ALONG_M: f64 = 3.0;
const TURNED_RAD: f64 = 0.08;

/// Relative contrast and brightness of images, plus or minus.
const CONTRAST: f32 = 0.1;
const BRIGHTNESS: f32 = 0.08;

/// Seconds that a world lasts, less those at its end.
const LASTS_S: f64 = 19.5;

/// An image with what should be said of it.
#[derive(Debug, Clone)]
pub(super) struct Taught {
    pub image: Prepared,
    pub target: Target,
}

/// A moment: what is ahead and what is on one of the sides.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(super) front: Taught,
    pub(super) beside: Taught,
    /// Numbers of weather, light and kind of road.
    pub(super) environment: [usize; 3],
}

/// An endless row of moments out of some worlds.
#[derive(Debug)]
pub struct Samples {
    worlds: Range<u64>,
    seed: u64,
    places: Open<Place>,
}

impl Samples {
    /// Out of the worlds of these seeds; another `seed` makes other moments of them.
    pub fn new(worlds: Range<u64>, seed: u64) -> Self {
        Self { worlds, seed, places: Open::new(2 * OPEN as usize) }
    }

    /// Moment number `index`.
    ///
    /// # Errors
    /// If the generator fails.
    pub fn sample(&self, index: u64) -> Result<Sample, Error> {
        let number = index / (OPEN * MOMENTS) * OPEN + index % OPEN;
        let seed = self.worlds.start + number % (self.worlds.end - self.worlds.start).max(1);
        let place = self.places.place(seed, Place::new)?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index);
        let whole = 0.5..LASTS_S;
        let staged = place.staging.hazard.as_ref().map(|hazard| hazard.visible_from_s..hazard.over_s.min(LASTS_S));
        let span = staged.filter(|span| rng.random_bool(STAGED) && !span.is_empty()).unwrap_or(whole);
        let stamp = place.stamp(rng.random_range(span));
        let mut around = |range: f64| rng.random_range(-range..range);
        let off = Isometry3::from_parts(
            Translation3::new(around(ALONG_M), around(ASIDE_M), 0.0),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), around(TURNED_RAD)),
        );
        let (contrast, brightness) = (1.0 + around(1.0) as f32 * CONTRAST, around(1.0) as f32 * BRIGHTNESS);
        let map_from_ego = place.map_from_ego(stamp) * off;
        let mut rig = cameras();
        if rng.random_bool(VARIED) {
            rig = rig::varied(&rig, rng.random());
        }
        // One of the two sides.
        rig.remove(rng.random_range(1..rig.len()));
        let shots = place.shots(&rig, &map_from_ego, stamp);
        let taught = rig.iter().zip(&shots).map(|(camera, shot)| {
            let mut taught = taught(&place, camera, &map_from_ego, stamp, shot)?;
            let vary = |value: &mut f32| *value = (*value * contrast + brightness).clamp(-1.0, 1.0);
            taught.image.values.iter_mut().for_each(vary);
            Ok(taught)
        });
        let mut taught = taught.collect::<Result<VecDeque<_>, Error>>()?;
        let environment = &place.staging.environment;
        let (Some(front), Some(beside)) = (taught.pop_front(), taught.pop_front()) else {
            unreachable!("two cameras are left")
        };
        let environment = [environment.weather as usize, environment.light as usize, environment.road as usize];
        Ok(Sample { front, beside, environment })
    }
}

fn taught(
    place: &Place,
    camera: &Camera,
    map_from_ego: &Isometry3<f64>,
    stamp: Stamp,
    shot: &Shot,
) -> Result<Taught, Error> {
    let view = View::of(camera).unwrap_or(View::Front);
    let target = Target::new(&place.shown(camera, map_from_ego, stamp, shot), camera);
    Ok(Taught { image: Prepared::new(view, camera, Pixels::from(&shot.image))?, target })
}
