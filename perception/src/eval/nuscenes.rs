//! Samples for the measures from a nuScenes directory and a results file.

use std::collections::HashMap;
use std::path::Path;

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};
use tandem_datasets::nuscenes::{Keyframe, Label, keyframes};
use tandem_datasets::{Box3, DetectionClass};

use super::boxes::{Attribute, Sample, TruthBox, yaw_of};
use super::results::Results;
use crate::error::Error;

/// The scenes of the official splits of v1.0-mini (nuscenes-devkit `utils/splits.py`).
const SPLITS: [(&str, &[&str]); 2] = [
    (
        "mini_train",
        &[
            "scene-0061",
            "scene-0553",
            "scene-0655",
            "scene-0757",
            "scene-0796",
            "scene-1077",
            "scene-1094",
            "scene-1100",
        ],
    ),
    ("mini_val", &["scene-0103", "scene-0916"]),
];

/// The category of racks for bicycles.
const BICYCLE_RACK: &str = "static_object.bicycle_rack";

/// The keyframes of a split (`mini_train`, `mini_val`), or of scenes named with commas between them.
///
/// Scenes of a split that the directory lacks are left out, as the devkit does.
///
/// # Errors
/// Those of [`keyframes`], and [`Error::NoScene`] if nothing is left.
pub fn keyframes_of(path: &Path, version: Option<&str>, split: &str) -> Result<Vec<Keyframe>, Error> {
    let scenes: Vec<&str> = match SPLITS.iter().find(|(name, _)| *name == split) {
        Some((_, scenes)) => scenes.to_vec(),
        None => split.split(',').map(str::trim).collect(),
    };
    let found = keyframes(path, version, |scene| scenes.contains(&scene))?;
    if found.is_empty() {
        return Err(Error::NoScene { path: path.to_owned(), wanted: split.to_owned() });
    }
    Ok(found)
}

/// The samples of keyframes with a file's detections, in the file's order.
///
/// # Errors
/// [`Error::Field`] unless the file (at `path`, for the error) has exactly the keyframes' samples.
pub fn samples(keyframes: &[Keyframe], results: &Results, path: &Path) -> Result<Vec<Sample>, Error> {
    let mut by_token: HashMap<&str, &Keyframe> =
        keyframes.iter().map(|keyframe| (&*keyframe.token, keyframe)).collect();
    let mut samples = Vec::with_capacity(keyframes.len());
    for (token, boxes) in &results.results {
        let keyframe = by_token
            .remove(&**token)
            .ok_or_else(|| Error::field(path, format!("results.{token}"), "is no sample of what is evaluated"))?;
        let detections = boxes.iter().map(|found| found.detected()).collect();
        samples.push(Sample { detections, ..truth(keyframe) });
    }
    // By the keyframes' order, so that the message is the same each time.
    match keyframes.iter().find(|keyframe| by_token.contains_key(&*keyframe.token)) {
        Some(missing) => Err(Error::field(
            path,
            "results",
            format!("has no entry for sample {} of {}", missing.token, missing.scene),
        )),
        None => Ok(samples),
    }
}

/// A keyframe's true boxes and racks, tagged with the weather that its scene's description tells.
pub fn truth(keyframe: &Keyframe) -> Sample {
    let labels = keyframe.labels.iter();
    let racks = labels.clone().filter(|label| label.category == BICYCLE_RACK);
    Sample {
        token: keyframe.token.clone(),
        tag: weather(&keyframe.description).to_owned(),
        ego: [keyframe.ego[0], keyframe.ego[1]],
        truth: labels.filter_map(truth_box).collect(),
        detections: Vec::new(),
        bicycle_racks: racks.map(|rack| Box3 { map_from_box: map_from_label(rack), size: rack.size }).collect(),
    }
}

fn truth_box(label: &Label) -> Option<TruthBox> {
    Some(TruthBox {
        class: DetectionClass::of_category(&label.category)?,
        center: label.center,
        size: label.size,
        yaw_rad: yaw_of(label.rotation),
        velocity_mps: label.velocity_mps,
        attribute: Attribute::named(&label.attribute),
        is_seen: label.points != 0,
    })
}

fn map_from_label(label: &Label) -> Isometry3<f64> {
    let [w, x, y, z] = label.rotation;
    Isometry3::from_parts(Translation3::from(label.center), UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z)))
}

/// Night, rain or both, by the words of a scene's description; the only place where nuScenes tells them.
fn weather(description: &str) -> &'static str {
    let description = description.to_lowercase();
    let has = |word: &str| description.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
    match (has("night"), has("rain")) {
        (true, true) => "night, rain",
        (true, false) => "night",
        (false, true) => "rain",
        (false, false) => "day, dry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weather_is_told_by_whole_words() {
        assert_eq!(weather("Night, rain, many peds"), "night, rain");
        assert_eq!(weather("Training ground, parked cars"), "day, dry");
    }
}
