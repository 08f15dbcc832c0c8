//! What a rig captured of one moment with the truth about it, and how that becomes what the network reads.

use std::sync::Arc;

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tandem_datasets::{Camera, Map, log::planar};
use tandem_graph::Stamp;
use tandem_sim::camera::Image;

use crate::Error;
use crate::frame::Frame;
use crate::model::NetworkConfig;
use crate::model::heads::TAGS;
use crate::rig::{GridFrame, LiftTable, Pixels, Preparation, WarpTable};
use crate::truth::{EgoFuture, RoadPlanes, Targets, Thing, Truth, UNKNOWN};

/// What a rig captured of one moment, with the truth about it.
#[derive(Debug, Clone)]
pub struct Captured {
    /// When.
    pub stamp: Stamp,
    /// Where the vehicle was.
    pub map_from_ego: Isometry3<f64>,
    /// The rig; image sizes are those of the images.
    pub cameras: Vec<Camera>,
    /// One image a camera, `None` where it is missing.
    pub images: Vec<Option<Image>>,
    /// The objects that some camera sees.
    pub things: Vec<Thing>,
    /// The map.
    pub map: Option<Arc<Map>>,
    /// Depth at the middle of every stride-8 pixel of every camera, m; empty where it is not known.
    pub depth_m: Vec<f32>,
    /// What every quarter of every stride-8 pixel of every camera shows, see [`Truth::shown`]; empty where it is not known.
    pub shown: Vec<u16>,
    /// What the embedding should tell.
    pub tags: Option<[f32; TAGS]>,
    /// How the vehicle went on, where that is known.
    pub ego: Option<EgoFuture>,
}

/// How much training varies what was captured. All ranges are plus or minus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Turn of the grid, rad.
    pub turn_rad: f64,
    /// Probability of a mirrored grid.
    pub mirror: f64,
    /// Relative contrast of the images.
    pub contrast: f32,
    /// Brightness, in units of the prepared image (1 is half the range).
    pub brightness: f32,
    /// Brightness of each colour by itself.
    pub color: f32,
    /// Probability that one camera is missing.
    pub dropout: f64,
    /// Error of the calibration, rad a camera and axis.
    pub calibration_rad: f64,
}

impl Augmentation {
    /// Nothing is varied.
    pub const NONE: Self = Self {
        turn_rad: 0.0,
        mirror: 0.0,
        contrast: 0.0,
        brightness: 0.0,
        color: 0.0,
        dropout: 0.0,
        calibration_rad: 0.0,
    };
}

/// For generated worlds: there are always new ones, with rigs that vary, so that little more is needed, and no traffic
/// that keeps left.
impl Default for Augmentation {
    fn default() -> Self {
        Self {
            turn_rad: 0.1,
            mirror: 0.0,
            contrast: 0.12,
            brightness: 0.12,
            color: 0.03,
            dropout: 0.06,
            calibration_rad: 0.001,
        }
    }
}

/// What a velocity counts that no earlier frame shows.
const GUESSED_VELOCITY: f32 = 0.25;

/// Frames of one drive, in order, as the network reads them, each with its targets.
///
/// # Errors
/// For calibrations and images that do not fit.
pub fn clip(
    config: &NetworkConfig,
    captured: &[Captured],
    augmentation: &Augmentation,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<(Frame, Targets)>, Error> {
    let mut around = |range: f64| if range > 0.0 { rng.random_range(-range..range) } else { 0.0 };
    let turn_rad = around(augmentation.turn_rad);
    let contrast = 1.0 + around(f64::from(augmentation.contrast)) as f32;
    let brightness = around(f64::from(augmentation.brightness)) as f32;
    let color: [f32; 3] = std::array::from_fn(|_| brightness + around(f64::from(augmentation.color)) as f32);
    let wrong: Vec<Vector3<f64>> =
        (0..config.cameras).map(|_| Vector3::from_fn(|_, _| around(augmentation.calibration_rad))).collect();
    let frame = GridFrame { turn_rad, is_mirrored: rng.random_bool(augmentation.mirror) };
    let missing = rng.random_bool(augmentation.dropout).then(|| rng.random_range(0..config.cameras));
    let mut previous: Option<&Captured> = None;
    let mut frames = Vec::with_capacity(captured.len());
    for now in captured {
        let mut seen = prepare(config, now, missing)?;
        let plane = config.image[0] * config.image[1];
        for (number, values) in seen.images.chunks_mut(plane).enumerate() {
            values.iter_mut().for_each(|value| *value = (*value * contrast + color[number % 3]).clamp(-1.0, 1.0));
        }
        for (camera, wrong) in seen.cameras.iter_mut().zip(&wrong) {
            if let Some(camera) = camera {
                camera.ego_from_camera.rotation *= UnitQuaternion::from_scaled_axis(*wrong);
            }
        }
        let (mut depth_m, mut shown) = (now.depth_m.clone(), now.shown.clone());
        for (number, _) in seen.cameras.iter().enumerate().filter(|(_, camera)| camera.is_none()) {
            seen.images[number * 3 * plane..][..3 * plane].fill(0.0);
            blind(&mut depth_m, number, plane / 64, f32::INFINITY);
            blind(&mut shown, number, plane / 16, UNKNOWN);
        }
        let here = planar(&now.map_from_ego);
        let (warp, history) = match previous {
            Some(before) => (
                WarpTable::new(&config.grid, here, planar(&before.map_from_ego), frame),
                [now.stamp.seconds_since(before.stamp) as f32, 1.0],
            ),
            None => (WarpTable::none(&config.grid), [0.0, 0.0]),
        };
        let truth = Truth {
            things: now.things.clone(),
            roads: now.map.as_ref().map(|map| RoadPlanes::new(&config.grid, map, here, frame)),
            depth_m,
            shown,
            tags: now.tags,
            ego: now.ego,
        };
        let lift = Arc::new(LiftTable::new(config, &seen.cameras, frame));
        let mut targets = Targets::new(config, &truth, frame);
        if previous.is_none() {
            targets.objects.iter_mut().for_each(|object| object.velocity_weight *= GUESSED_VELOCITY);
        }
        frames.push((Frame { images: seen.images, lift, warp, history }, targets));
        previous = Some(now);
    }
    Ok(frames)
}

/// Nothing is asked of a camera that is missing: its share of `values`, `each` a camera, where there is one, is `unknown`.
fn blind<T: Copy>(values: &mut [T], camera: usize, each: usize, unknown: T) {
    values.iter_mut().skip(camera * each).take(each).for_each(|value| *value = unknown);
}

/// Prepared images with the cameras that belong to them.
struct Prepared {
    /// `[cameras · 3 · height · width]`.
    images: Vec<f32>,
    cameras: Vec<Option<Camera>>,
}

fn prepare(config: &NetworkConfig, captured: &Captured, missing: Option<usize>) -> Result<Prepared, Error> {
    let size = 3 * config.image[0] * config.image[1];
    let mut prepared = Prepared { images: vec![0.0; config.cameras * size], cameras: vec![None; config.cameras] };
    for (number, (camera, image)) in captured.cameras.iter().zip(&captured.images).take(config.cameras).enumerate() {
        let Some(image) = image.as_ref().filter(|_| missing != Some(number)) else { continue };
        let mut preparation = Preparation::new(config.image, camera)?;
        preparation.fill(Pixels::from(image), &mut prepared.images[number * size..][..size])?;
        prepared.cameras[number] = Some(preparation.camera);
    }
    Ok(prepared)
}
