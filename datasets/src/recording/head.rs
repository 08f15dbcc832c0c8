//! What messages do not carry of a log, as the key and value texts of an MCAP metadata record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nalgebra::{Isometry3, Matrix3, Quaternion, Translation3, UnitQuaternion};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tandem_graph::Stamp;

use crate::error::Error;
use crate::log::{Camera, Class, EgoBody, ImageRef, Log};
use crate::map::LaneId;

/// The metadata record's name.
pub const HEAD: &str = "tandem.log";

/// A log without its states, map and lights' colours.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Head {
    pub id: String,
    pub location: String,
    pub description: String,
    pub tags: Vec<String>,
    pub notes: Vec<String>,
    pub body: Option<EgoBody>,
    pub tracks: Vec<TrackHead>,
    pub signals: Vec<SignalHead>,
    pub cameras: Vec<Camera>,
    pub images: Vec<ImageRef>,
}

/// A track without its states; its number is its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TrackHead {
    pub source_id: String,
    pub class: Class,
    pub source_class: String,
    pub size: Numbers,
}

/// A light without its colours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SignalHead {
    pub lane: LaneId,
    pub stop_point: Option<Numbers>,
}

#[derive(Serialize, Deserialize)]
struct CameraText {
    name: String,
    ego_from_camera: Numbers,
    intrinsics: Numbers,
    image_size: [u32; 2],
}

#[derive(Serialize, Deserialize)]
struct ImageText {
    camera: usize,
    stamp: Stamp,
    path: PathBuf,
    map_from_ego: Option<Numbers>,
}

/// Numbers as text between spaces: they come back to the last bit, which JSON's numbers do not in every reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Numbers(String);

impl Numbers {
    pub fn of(numbers: &[f64]) -> Self {
        Self(numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" "))
    }

    /// The numbers, if there are `N`.
    pub fn get<const N: usize>(&self) -> Option<[f64; N]> {
        let numbers: Vec<f64> = self.0.split(' ').map(|text| text.parse().ok()).collect::<Option<_>>()?;
        numbers.try_into().ok()
    }

    fn of_pose(pose: &Isometry3<f64>) -> Self {
        let (t, r) = (&pose.translation, &pose.rotation);
        Self::of(&[t.x, t.y, t.z, r.w, r.i, r.j, r.k])
    }

    fn pose(&self) -> Option<Isometry3<f64>> {
        let [x, y, z, w, i, j, k] = self.get()?;
        let rotation = Quaternion::new(w, i, j, k);
        ((rotation.norm() - 1.0).abs() < 1e-6)
            .then(|| Isometry3::from_parts(Translation3::new(x, y, z), UnitQuaternion::new_unchecked(rotation)))
    }
}

/// A log's metadata, to be written with a recording of it: for what is driven, the log that it is driven on.
pub fn head(log: &Log) -> BTreeMap<String, String> {
    let tracks: Vec<_> = log
        .tracks
        .iter()
        .map(|track| TrackHead {
            source_id: track.source_id.clone(),
            class: track.class,
            source_class: track.source_class.clone(),
            size: Numbers::of(&track.size),
        })
        .collect();
    let stop_point = |point: [f64; 2]| Numbers::of(&point);
    let signals: Vec<_> = log
        .signals
        .iter()
        .map(|signal| SignalHead { lane: signal.lane, stop_point: signal.stop_point.map(stop_point) })
        .collect();
    let cameras: Vec<_> = log.cameras.iter().map(camera_text).collect();
    let images: Vec<_> = log
        .images
        .iter()
        .map(|image| ImageText {
            camera: image.camera,
            stamp: image.stamp,
            path: image.path.clone(),
            map_from_ego: image.map_from_ego.as_ref().map(Numbers::of_pose),
        })
        .collect();
    let body = &log.ego.body;
    let body = [body.length, body.width, body.height, body.wheelbase, body.rear_axle_to_center];
    BTreeMap::from([
        ("id".to_owned(), log.id.clone()),
        ("format".to_owned(), text(&log.format)),
        ("source".to_owned(), log.source.display().to_string()),
        ("location".to_owned(), log.location.clone()),
        ("description".to_owned(), log.description.clone()),
        ("tags".to_owned(), text(&log.tags)),
        ("notes".to_owned(), text(&log.notes)),
        ("ego_body".to_owned(), text(&Numbers::of(&body))),
        ("tracks".to_owned(), text(&tracks)),
        ("signals".to_owned(), text(&signals)),
        ("cameras".to_owned(), text(&cameras)),
        ("images".to_owned(), text(&images)),
    ])
}

fn camera_text(camera: &Camera) -> CameraText {
    CameraText {
        name: camera.name.clone(),
        ego_from_camera: Numbers::of_pose(&camera.ego_from_camera),
        // Column by column, as nalgebra keeps it.
        intrinsics: Numbers::of(camera.intrinsics.as_slice()),
        image_size: camera.image_size,
    }
}

/// JSON text. Strings, numbers and lists of these have one, so the empty text never comes about.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Head {
    /// Reads the metadata of a recording; fields that are not there stay empty.
    pub fn parse(path: &Path, metadata: &BTreeMap<String, String>) -> Result<Self, Error> {
        let plain = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        let wrong = |key: &str, reason: &str| Error::value(path, format!("metadata `{HEAD}`"), key, reason);
        let numbers = |key: &'static str| move || wrong(key, "has numbers of the wrong count or form");
        let body: Option<Numbers> = field(path, metadata, "ego_body")?;
        let body = body.map(|body| body.get().ok_or_else(numbers("ego_body"))).transpose()?;
        let cameras: Vec<CameraText> = field(path, metadata, "cameras")?;
        let images: Vec<ImageText> = field(path, metadata, "images")?;
        let head = Self {
            id: plain("id"),
            location: plain("location"),
            description: plain("description"),
            tags: field(path, metadata, "tags")?,
            notes: field(path, metadata, "notes")?,
            body: body.map(|[length, width, height, wheelbase, rear_axle_to_center]| EgoBody {
                length,
                width,
                height,
                wheelbase,
                rear_axle_to_center,
            }),
            tracks: field(path, metadata, "tracks")?,
            signals: field(path, metadata, "signals")?,
            cameras: cameras.into_iter().map(camera).collect::<Option<_>>().ok_or_else(numbers("cameras"))?,
            images: images.into_iter().map(image).collect::<Option<_>>().ok_or_else(numbers("images"))?,
        };
        if head.images.iter().any(|image| image.camera >= head.cameras.len()) {
            return Err(wrong("images", "refers to a camera that does not exist"));
        }
        Ok(head)
    }
}

/// A field's JSON; its default where it is missing.
fn field<T: DeserializeOwned + Default>(
    path: &Path,
    metadata: &BTreeMap<String, String>,
    key: &str,
) -> Result<T, Error> {
    let Some(text) = metadata.get(key) else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|error| Error::value(path, format!("metadata `{HEAD}`"), key, error))
}

fn camera(text: CameraText) -> Option<Camera> {
    Some(Camera {
        name: text.name,
        ego_from_camera: text.ego_from_camera.pose()?,
        intrinsics: Matrix3::from_column_slice(&text.intrinsics.get::<9>()?),
        image_size: text.image_size,
    })
}

fn image(text: ImageText) -> Option<ImageRef> {
    let map_from_ego = match text.map_from_ego {
        Some(pose) => Some(pose.pose()?),
        None => None,
    };
    Some(ImageRef { camera: text.camera, stamp: text.stamp, path: text.path, map_from_ego })
}
