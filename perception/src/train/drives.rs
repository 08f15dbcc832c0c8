//! Clips out of recorded drives: keyframes whose images are there, with what was annotated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nalgebra::{Isometry3, Vector3};
use tandem_datasets::{Camera, Log, discover};
use tandem_graph::Stamp;
use tandem_sim::camera::{Image, subjects};

use super::sample::Captured;
use super::things::{ego_future, thing};
use crate::model::NetworkConfig;
use crate::rig::Preparation;
use crate::truth::Thing;
use crate::{Error, picture};

/// Annotations are this far apart at most, ns.
const MAX_GAP_NS: i64 = 700_000_000;

/// Images this close to each other are of one moment, ns.
const TOGETHER_NS: i64 = 60_000_000;

/// The frames of a clip are this far apart at most, ns.
const CLIP_NS: i64 = 1_050_000_000;

/// The keyframes of the logs in a directory.
pub struct Drives {
    config: NetworkConfig,
    moments: Vec<Moment>,
}

/// One keyframe.
pub struct Moment {
    /// The drive that it is of.
    pub log: Arc<Log>,
    /// When.
    pub stamp: Stamp,
    map_from_ego: Isometry3<f64>,
    /// By place in the rig.
    images: BTreeMap<usize, Picture>,
}

impl Moment {
    /// Its cameras, each as seen from where the vehicle was at [`Self::stamp`], with their image files.
    pub fn files(&self) -> impl Iterator<Item = (&Camera, &Path)> {
        self.images.values().map(|picture| (&picture.camera, picture.path.as_path()))
    }

    /// Where the vehicle was.
    pub fn map_from_ego(&self) -> &Isometry3<f64> {
        &self.map_from_ego
    }
}

struct Picture {
    path: PathBuf,
    camera: Camera,
}

impl Drives {
    /// All keyframes of the logs at `path` of which some image file is there, for networks of a configuration.
    ///
    /// # Errors
    /// For logs that cannot be read, or if there is no image at all.
    pub fn open(path: &Path, config: &NetworkConfig) -> Result<Self, Error> {
        let mut moments = Vec::new();
        for log in discover(path)? {
            moments.extend(keyframes(&Arc::new(log.read()?)));
        }
        if moments.is_empty() {
            return Err(Error::NoScene { path: path.into(), wanted: "images that are there".into() });
        }
        Ok(Self { config: config.clone(), moments })
    }

    /// Its keyframes, drive by drive, in order of time.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Clip number `index`: a keyframe after the one before it, where that is recent. All keyframes come before any comes
    /// again, in an order that leaps through the drives.
    ///
    /// # Errors
    /// For images that cannot be read or used.
    pub fn clip(&self, index: u64) -> Result<Arc<[Captured]>, Error> {
        let count = self.moments.len();
        let now = index as usize * leap(count) % count;
        let moment = &self.moments[now];
        let before = now
            .checked_sub(1)
            .map(|before| &self.moments[before])
            .filter(|before| Arc::ptr_eq(&before.log, &moment.log) && moment.stamp.ns_since(before.stamp) <= CLIP_NS);
        before.into_iter().chain([moment]).map(|moment| self.capture(moment)).collect()
    }

    /// What the cameras saw, with the annotated objects whose centres lie in some image.
    ///
    /// # Errors
    /// For images that cannot be read or used.
    pub fn capture(&self, moment: &Moment) -> Result<Captured, Error> {
        let Moment { log, stamp, map_from_ego, images } = moment;
        let places = images.keys().max().map_or(0, |last| last + 1);
        let mut pictures = vec![None; places];
        // Where there is no image, nobody asks for the calibration.
        let mut cameras: Vec<Camera> =
            images.values().map(|picture| picture.camera.clone()).cycle().take(places).collect();
        for (place, picture) in images {
            pictures[*place] = Some(read(&picture.path)?);
            cameras[*place] = picture.camera.clone();
        }
        let views = images.iter().filter(|(place, _)| **place < self.config.cameras);
        let views =
            views.map(|(_, picture)| Preparation::new(self.config.image, &picture.camera).map(|view| view.camera));
        let views: Vec<Camera> = views.collect::<Result<_, _>>()?;
        let annotated = within(log, *stamp);
        let there = subjects(log, annotated, MAX_GAP_NS);
        let things = there.iter().filter_map(|subject| thing(log, subject, map_from_ego, annotated, MAX_GAP_NS));
        Ok(Captured {
            stamp: *stamp,
            map_from_ego: *map_from_ego,
            cameras,
            images: pictures,
            things: things.filter(|thing| views.iter().any(|view| is_in(view, thing))).collect(),
            map: log.map.clone(),
            depth_m: Vec::new(),
            shown: Vec::new(),
            tags: None,
            ego: ego_future(log, map_from_ego, *stamp),
        })
    }
}

/// A step that visits all of `count` places before it comes back, about the golden section of them wide.
fn leap(count: usize) -> usize {
    let divides =
        |a: usize, b: usize| (2..=a.min(b)).any(|factor| a.is_multiple_of(factor) && b.is_multiple_of(factor));
    let least = (count as f64 * 0.618) as usize;
    (least.max(1)..).find(|step| !divides(*step, count)).unwrap_or(1)
}

/// The moments of a log of which some image file is there.
fn keyframes(log: &Arc<Log>) -> Vec<Moment> {
    let places = places(&log.cameras);
    let mut moments: Vec<Moment> = Vec::new();
    for image in log.images.iter().filter(|image| image.path.exists()) {
        let pose = image.map_from_ego.or_else(|| log.ego_at(image.stamp).map(|state| state.map_from_ego));
        let Some(pose) = pose else { continue };
        let moment = match moments.last_mut() {
            Some(last) if image.stamp.ns_since(last.stamp) < TOGETHER_NS => last,
            _ => {
                let moment =
                    Moment { log: Arc::clone(log), stamp: image.stamp, map_from_ego: pose, images: BTreeMap::new() };
                moments.push(moment);
                let Some(moment) = moments.last_mut() else { continue };
                moment
            }
        };
        let camera = &log.cameras[image.camera];
        // The vehicle moved between the images; each is seen from where the vehicle was at the first.
        let ego_from_camera = moment.map_from_ego.inverse() * pose * camera.ego_from_camera;
        let camera = Camera { ego_from_camera, ..camera.clone() };
        moment.images.insert(places[image.camera], Picture { path: image.path.clone(), camera });
    }
    moments
}

/// The place of each camera in the rig: the one that looks ahead first, then the others by how far they look aside. Two
/// calibrations of one camera share its place.
fn places(cameras: &[Camera]) -> Vec<usize> {
    let base = |camera: &Camera| {
        let (name, number) = camera.name.rsplit_once('_').unwrap_or((&camera.name, ""));
        if number.parse::<u32>().is_ok() { name.to_owned() } else { camera.name.clone() }
    };
    let aside = |camera: &Camera| {
        let ahead = camera.ego_from_camera * Vector3::z();
        ahead.y.atan2(ahead.x).abs()
    };
    let mut names: Vec<(f64, String)> = Vec::new();
    for camera in cameras {
        if !names.iter().any(|(_, name)| *name == base(camera)) {
            names.push((aside(camera), base(camera)));
        }
    }
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let place = |camera: &Camera| names.iter().position(|(_, name)| *name == base(camera)).unwrap_or(0);
    cameras.iter().map(place).collect()
}

/// A stamp, or the nearest one for which there are annotations: the first images are older than the first of those.
fn within(log: &Log, stamp: Stamp) -> Stamp {
    let states = || log.tracks.iter().flat_map(|track| [track.states.first(), track.states.last()]).flatten();
    let stamps = || states().map(|state| state.stamp);
    match (stamps().min(), stamps().max()) {
        (Some(first), Some(last)) => stamp.clamp(first, last),
        _ => stamp,
    }
}

/// Whether the middle of an object lies in a prepared image.
fn is_in(view: &Camera, thing: &Thing) -> bool {
    let point = view.in_camera(&Isometry3::identity(), thing.center.into());
    let [width, height] = view.image_size.map(f64::from);
    view.pixel(point).is_some_and(|at| (0.0..width).contains(&at.x) && (0.0..height).contains(&at.y))
}

fn read(path: &Path) -> Result<Image, Error> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    picture::decode(&bytes).map_err(|reason| Error::Image { path: path.into(), reason })
}
