//! What a detector from elsewhere reads and says, as a JSON file describes it.
//!
//! ```
//! use tandem_perception::onnx::Description;
//!
//! let text = r#"{
//!   "images": {"input": "imgs", "layout": "bnchw", "cameras": 6, "size": [256, 704], "order": "rgb",
//!              "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]},
//!   "matrices": [{"input": "lidar2img", "kind": "image-from-model"}],
//!   "outputs": {"boxes": "boxes", "scores": "scores", "labels": "labels",
//!               "columns": ["x", "y", "z", "width", "length", "height", "yaw", "velocity-x", "velocity-y"]},
//!   "classes": ["car", "truck", null, "pedestrian"],
//!   "ego_from_model": {"translation_m": [0.94, 0.0, 1.84], "yaw_rad": -1.5708},
//!   "min_score": 0.1
//! }"#;
//! let description: Description = serde_json::from_str(text)?;
//! assert_eq!(description.images.cameras, 6);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::path::Path;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use serde::Deserialize;
use tandem_datasets::DetectionClass;

use crate::Error;
use crate::decode::SeenBox;

/// A detector's description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The input that takes the images.
    pub images: Images,
    /// Inputs that take the calibration.
    #[serde(default)]
    pub matrices: Vec<Matrices>,
    /// Where the boxes come out.
    pub outputs: Outputs,
    /// Names of its classes in Tandem's terms, by label; null for those that are of no interest.
    pub classes: Vec<Option<String>>,
    /// The frame that its boxes are in; the vehicle's own if it is not given.
    #[serde(default)]
    pub ego_from_model: ModelFrame,
    /// Boxes less certain are left out.
    pub min_score: f32,
}

/// How images are handed over: scaled to the width, cropped from the top, (value − mean) / std.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// The input's name.
    pub input: String,
    /// The order of its axes.
    pub layout: Layout,
    /// How many.
    pub cameras: usize,
    /// Height and width, px.
    pub size: [usize; 2],
    /// The order of the colours.
    pub order: Order,
    /// Of each colour, in that order, values from 0 to 255.
    pub mean: [f32; 3],
    /// Of each colour, in that order.
    pub std: [f32; 3],
}

/// The order of an image input's axes: batch of one (b), cameras (n), colours (c), height, width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Layout {
    Nchw,
    Bnchw,
    Nhwc,
    Bnhwc,
}

/// The order of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Order {
    Rgb,
    Bgr,
}

/// An input `[1, cameras, rows, columns]` with matrices of the calibration of the images as they are handed over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrices {
    /// The input's name.
    pub input: String,
    /// Which matrices.
    pub kind: MatrixKind,
}

/// What a matrix maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixKind {
    /// 3 × 3: a camera's pinhole matrix, px.
    Intrinsics,
    /// 4 × 4: from a camera's frame to the one that the boxes are in, m.
    ModelFromCamera,
    /// 4 × 4: from the frame that the boxes are in to pixels times depth.
    ImageFromModel,
}

/// The outputs with the boxes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// `[.., count, columns]`.
    pub boxes: String,
    /// What the columns mean.
    pub columns: Vec<Column>,
    /// `[.., count]` in [0, 1]; without `labels` `[.., count, classes]`.
    pub scores: String,
    /// `[.., count]`: numbers of classes.
    #[serde(default)]
    pub labels: Option<String>,
}

/// What a number of a box means; lengths in m, angles in rad, velocities in m/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Column {
    X,
    Y,
    /// Of the centre.
    Z,
    /// Of the underside.
    BottomZ,
    Length,
    Width,
    Height,
    LogLength,
    LogWidth,
    LogHeight,
    /// From the frame's x axis, counter-clockwise.
    Yaw,
    SinYaw,
    CosYaw,
    VelocityX,
    VelocityY,
    /// Nothing of interest.
    Other,
}

/// A frame fixed to the vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFrame {
    /// Its origin in the vehicle's frame, m.
    pub translation_m: [f64; 3],
    /// Its turn about the vertical axis, rad.
    pub yaw_rad: f64,
}

impl ModelFrame {
    /// From this frame to the vehicle's.
    pub fn isometry(&self) -> Isometry3<f64> {
        let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), self.yaw_rad);
        Isometry3::from_parts(Translation3::from(self.translation_m), turn)
    }
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// [`Error::Field`] naming what is wrong, [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(Error::io(path))?;
        let mut json = serde_json::Deserializer::from_slice(&text);
        let description: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| Error::field(path, error.path().to_string(), error.inner().to_string()))?;
        description.check().map_err(|(field, reason)| Error::field(path, field, reason))?;
        Ok(description)
    }

    /// What is wrong, with the field.
    fn check(&self) -> Result<(), (&'static str, String)> {
        let unknown = self.classes.iter().flatten().find(|name| DetectionClass::named(name).is_none());
        if let Some(name) = unknown {
            return Err(("classes", format!("{name} is no class of Tandem")));
        }
        if self.classes.is_empty() {
            return Err(("classes", "there are none".into()));
        }
        let Images { cameras, size, std, mean, .. } = &self.images;
        if *cameras == 0 || size.contains(&0) || size.iter().any(|side| *side > 8192) {
            return Err(("images.size", format!("{cameras} images of {size:?} cannot be")));
        }
        if !std.iter().all(|value| value.is_finite() && *value > 0.0) || !mean.iter().all(|value| value.is_finite()) {
            return Err(("images.std", "it is not positive, or the mean is not finite".into()));
        }
        let has = |any_of: &[Column]| self.outputs.columns.iter().any(|column| any_of.contains(column));
        for (any_of, what) in [
            (&[Column::X][..], "x"),
            (&[Column::Y], "y"),
            (&[Column::Z, Column::BottomZ], "z"),
            (&[Column::Length, Column::LogLength], "length"),
            (&[Column::Width, Column::LogWidth], "width"),
            (&[Column::Height, Column::LogHeight], "height"),
        ] {
            if !has(any_of) {
                return Err(("outputs.columns", format!("there is no {what}")));
            }
        }
        let is_yaw_known = has(&[Column::Yaw]) || (has(&[Column::SinYaw]) && has(&[Column::CosYaw]));
        if !is_yaw_known {
            return Err(("outputs.columns", "there is no yaw".into()));
        }
        Ok(())
    }

    /// Boxes in the vehicle's frame from the numbers of the outputs, the most certain first; those that are not finite
    /// or have no size are left out.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn decode(&self, boxes: &[f32], scores: &[f32], labels: Option<&[i64]>) -> Result<Vec<SeenBox>, String> {
        let columns = self.outputs.columns.len();
        let columns = columns.max(1);
        let count = boxes.len() / columns;
        let each = if labels.is_some() { 1 } else { self.classes.len().max(1) };
        let label_count = labels.map_or(count, <[i64]>::len);
        if boxes.len() != count * columns || scores.len() != count * each || label_count != count {
            return Err(format!(
                "{} numbers of boxes, {} scores and {label_count} labels do not fit together",
                boxes.len(),
                scores.len()
            ));
        }
        let ego_from_model = self.ego_from_model.isometry();
        let named = |scores: &[f32], label: Option<i64>| {
            let (label, score) = match label {
                Some(label) => (usize::try_from(label).ok()?, *scores.first()?),
                None => scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?,
            };
            let class = DetectionClass::named(self.classes.get(label)?.as_deref()?)?;
            (score >= self.min_score).then_some((class, score))
        };
        let all = boxes.chunks_exact(columns).zip(scores.chunks_exact(each)).enumerate();
        let seen = all.filter_map(|(number, (numbers, scores))| {
            let (class, score) = named(scores, labels.map(|labels| labels[number]))?;
            if !score.is_finite() || !numbers.iter().all(|number| number.is_finite()) {
                return None;
            }
            let seen = self.seen_box(class, score, numbers, &ego_from_model);
            seen.size.iter().all(|side| side.is_finite() && *side > 0.0).then_some(seen)
        });
        let mut seen: Vec<_> = seen.collect();
        seen.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(seen)
    }

    fn seen_box(&self, class: DetectionClass, score: f32, numbers: &[f32], ego_from_model: &Isometry3<f64>) -> SeenBox {
        let find = |wanted: Column| {
            let place = self.outputs.columns.iter().position(|column| *column == wanted);
            place.and_then(|place| numbers.get(place)).map(|number| f64::from(*number))
        };
        let number = |wanted: Column| find(wanted).unwrap_or(0.0);
        let length = |plain: Column, log: Column| find(plain).unwrap_or_else(|| number(log).exp());
        let size = [
            length(Column::Length, Column::LogLength),
            length(Column::Width, Column::LogWidth),
            length(Column::Height, Column::LogHeight),
        ];
        let z = find(Column::Z).unwrap_or_else(|| number(Column::BottomZ) + size[2] / 2.0);
        let center = ego_from_model * nalgebra::Point3::new(number(Column::X), number(Column::Y), z);
        let velocity = ego_from_model * Vector3::new(number(Column::VelocityX), number(Column::VelocityY), 0.0);
        let yaw_rad = find(Column::Yaw).unwrap_or_else(|| number(Column::SinYaw).atan2(number(Column::CosYaw)));
        let (sin, cos) = (yaw_rad + self.ego_from_model.yaw_rad).sin_cos();
        SeenBox {
            class,
            score: f64::from(score),
            center: center.coords.into(),
            size,
            yaw_rad: sin.atan2(cos),
            velocity_mps: [velocity.x, velocity.y],
            attribute: None,
            futures: None,
        }
    }
}

#[cfg(test)]
mod tests;
