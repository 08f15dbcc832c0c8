//! Detections in nuScenes' submission form, read and written.
//!
//! Form: nuscenes-devkit `eval/detection/README.md`. Samples keep the file's order, which decides between detections
//! that are equally sure.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use tandem_datasets::DetectionClass;

use super::boxes::{Attribute, DetectedBox, rotation_of, yaw_of};
use super::detection::MAX_DETECTIONS;
use crate::error::Error;

/// What a submission says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meta {
    /// Whether cameras were used.
    pub use_camera: bool,
    /// Whether the lidar was used.
    pub use_lidar: bool,
    /// Whether radars were used.
    pub use_radar: bool,
    /// Whether the map was used.
    pub use_map: bool,
    /// Whether other data were used.
    pub use_external: bool,
}

/// A detection in the file's form: global frame, m, m/s; size is width, length, height; rotation w, x, y, z.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultBox {
    /// The sample it belongs to, once more.
    pub sample_token: String,
    /// Centre.
    pub translation: [f64; 3],
    /// Width, length, height.
    pub size: [f64; 3],
    /// Quaternion w, x, y, z.
    pub rotation: [f64; 4],
    /// Along x and y.
    pub velocity: [f64; 2],
    /// The class.
    pub detection_name: DetectionClass,
    /// The confidence.
    pub detection_score: f64,
    /// The attribute; empty for none.
    #[serde(with = "attribute")]
    pub attribute_name: Option<Attribute>,
}

/// A whole submission.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// What it says of itself.
    pub meta: Meta,
    /// The detections of each sample, by its token, in the file's order.
    #[serde(with = "ordered")]
    pub results: Vec<(String, Vec<ResultBox>)>,
}

impl ResultBox {
    /// A detection in the file's form.
    pub fn new(sample_token: &str, found: &DetectedBox) -> Self {
        let [length, width, height] = found.size;
        Self {
            sample_token: sample_token.to_owned(),
            translation: found.center,
            size: [width, length, height],
            rotation: rotation_of(found.yaw_rad),
            velocity: found.velocity_mps,
            detection_name: found.class,
            detection_score: found.score,
            attribute_name: found.attribute,
        }
    }

    /// The detection as the measures take it.
    pub fn detected(&self) -> DetectedBox {
        let [width, length, height] = self.size;
        DetectedBox {
            class: self.detection_name,
            center: self.translation,
            size: [length, width, height],
            yaw_rad: yaw_of(self.rotation),
            velocity_mps: self.velocity,
            attribute: self.attribute_name,
            score: self.detection_score,
        }
    }

    /// The first thing that is wrong with it: field and reason.
    fn fault(&self, sample_token: &str) -> Option<(&'static str, &'static str)> {
        if self.sample_token != sample_token {
            return Some(("sample_token", "is not the sample that the box is listed under"));
        }
        if self.size.iter().any(|size| *size <= 0.0) {
            return Some(("size", "is not positive"));
        }
        if self.rotation == [0.0; 4] {
            return Some(("rotation", "is all zero"));
        }
        None
    }
}

impl Results {
    /// Reads a file and checks every box.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Field`] naming the field: for what is missing, of the wrong kind, out of its domain,
    /// or more than [`MAX_DETECTIONS`] boxes in a sample.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let results: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| Error::field(path, error.path().to_string(), error.into_inner().to_string()))?;
        json.end().map_err(|error| Error::field(path, ".", error.to_string()))?;
        for (token, boxes) in &results.results {
            if boxes.len() > MAX_DETECTIONS {
                let reason = format!("has {} boxes, more than {MAX_DETECTIONS}", boxes.len());
                return Err(Error::field(path, format!("results.{token}"), reason));
            }
            for (index, found) in boxes.iter().enumerate() {
                if let Some((field, reason)) = found.fault(token) {
                    return Err(Error::field(path, format!("results.{token}[{index}].{field}"), reason));
                }
            }
        }
        Ok(results)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Field`] for a number that is not finite, which JSON can't hold.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        for (token, boxes) in &self.results {
            for (index, found) in boxes.iter().enumerate() {
                let numbers = found.translation.iter().chain(&found.size).chain(&found.rotation).chain(&found.velocity);
                if !numbers.chain([&found.detection_score]).all(|number| number.is_finite()) {
                    return Err(Error::field(path, format!("results.{token}[{index}]"), "is not finite"));
                }
            }
        }
        let text = serde_json::to_vec(self).map_err(|error| Error::field(path, ".", error.to_string()))?;
        std::fs::write(path, text).map_err(Error::io(path))
    }
}

/// An attribute by name, none by the empty text.
mod attribute {
    use super::*;

    pub fn serialize<S: Serializer>(attribute: &Option<Attribute>, serializer: S) -> Result<S::Ok, S::Error> {
        match attribute {
            Some(attribute) => attribute.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Attribute>, D::Error> {
        let name = String::deserialize(deserializer)?;
        match Attribute::named(&name) {
            None if !name.is_empty() => Err(D::Error::custom(format!("no attribute is named `{name}`"))),
            attribute => Ok(attribute),
        }
    }
}

/// An object's entries in their order, each key once.
mod ordered {
    use super::*;

    pub fn serialize<S: Serializer, T: Serialize>(entries: &[(String, T)], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }

    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Vec<(String, T)>, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de>,
    {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Vec<(String, T)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut seen = std::collections::HashSet::new();
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom(format!("`{key}` is there twice")));
                    }
                    entries.push((key, value));
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"meta":{"use_camera":true,"use_lidar":false,"use_radar":false,"use_map":false,
        "use_external":false},"results":{"s2":[],"s1":[{"sample_token":"s1","translation":[1,2,3],"size":[2,4.5,1.5],
        "rotation":[1,0,0,0],"velocity":[0,0],"detection_name":"car","detection_score":0.5,"attribute_name":""}]}}"#;

    fn read(text: &str) -> Result<Results, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.json");
        std::fs::write(&path, text).unwrap();
        Results::read(&path)
    }

    #[test]
    fn what_is_written_is_read_again_in_its_order() {
        let results = read(GOOD).unwrap();
        assert_eq!(results.results[0].0, "s2");
        assert_eq!(results.results[1].1[0].detected().size, [4.5, 2.0, 1.5]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.json");
        results.write(&path).unwrap();
        assert_eq!(Results::read(&path).unwrap(), results);
        let detected = results.results[1].1[0].detected();
        assert_eq!(ResultBox::new("s1", &detected), results.results[1].1[0]);
    }

    #[test]
    fn an_error_is_one_line_that_names_file_and_field() {
        for (good, bad, field) in [
            (r#""size":[2,4.5,1.5]"#, r#""size":[2,4.5]"#, "results.s1[0].size"),
            (r#""size":[2,4.5,1.5]"#, r#""size":[2,0,1.5]"#, "results.s1[0].size"),
            (r#""car""#, r#""tank""#, "results.s1[0].detection_name"),
            (r#""attribute_name":"""#, r#""attribute_name":"x""#, "results.s1[0].attribute_name"),
            (r#""sample_token":"s1""#, r#""sample_token":"s2""#, "results.s1[0].sample_token"),
            (r#""use_map":false,"#, "", "meta"),
            (r#""s2":[]"#, r#""s1":[]"#, "results"),
            (r#""velocity":[0,0],"#, "", "results.s1[0]"),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let error = read(&GOOD.replacen(good, bad, 1)).unwrap_err().to_string();
            assert!(error.contains("results.json") && error.contains(field), "{error}");
            assert_eq!(error.lines().count(), 1);
        }
    }

    #[test]
    fn more_boxes_than_allowed_are_refused() {
        let one = &GOOD[GOOD.find(r#"{"sample_token"#).unwrap()..GOOD.len() - 3];
        let many = vec![one; MAX_DETECTIONS + 1].join(",");
        let error = read(&GOOD.replacen(one, &many, 1)).unwrap_err().to_string();
        assert!(error.contains("501"), "{error}");
    }
}
