//! Detectors from elsewhere on onnxruntime, as a [`Description`] says how to use them.

use std::path::Path;

use nalgebra::{Isometry3, Matrix3, Matrix4};
use tandem_datasets::Camera;

use super::description::{Description, Images, Layout, MatrixKind, Order};
use super::runtime::{Given, Model, Options};
use crate::Error;
use crate::decode::SeenBox;
use crate::rig::{MIDDLE, Pixels, Preparation, STEPS};

/// A detector that somebody else trained.
#[derive(Debug)]
pub struct Detector {
    model: Model,
    path: std::path::PathBuf,
    description: Description,
}

impl Detector {
    /// Loads a model with its description.
    ///
    /// # Errors
    /// [`Error::Field`] for a description that says nonsense, [`Error::Runtime`] without onnxruntime's library,
    /// [`Error::Model`] if the model does not load or lacks an input or output of the description.
    pub fn load(path: &Path, description: &Path, options: Options) -> Result<Self, Error> {
        let description = Description::read(description)?;
        let model = Model::load(path, options)?;
        let matrices = description.matrices.iter().map(|matrices| matrices.input.as_str());
        let inputs: Vec<_> = std::iter::once(description.images.input.as_str()).chain(matrices).collect();
        let outputs = &description.outputs;
        let mut names = vec![outputs.boxes.as_str(), outputs.scores.as_str()];
        names.extend(outputs.labels.as_deref());
        model.has(&inputs, &names)?;
        Ok(Self { model, path: path.into(), description })
    }

    /// Boxes in the vehicle's frame, the most certain first. `images` has an entry a camera, `None` where it is missing:
    /// the detector then sees what its mean is.
    ///
    /// # Errors
    /// For a calibration or an image that cannot be used, another number of cameras than the detector's, or if
    /// onnxruntime fails.
    pub fn detect(&mut self, cameras: &[Camera], images: &[Option<Pixels<'_>>]) -> Result<Vec<SeenBox>, Error> {
        let Description { images: wanted, outputs, .. } = &self.description;
        if cameras.len() != wanted.cameras || images.len() != wanted.cameras {
            let reason = format!("it takes {} cameras, not {}", wanted.cameras, cameras.len().min(images.len()));
            return Err(Error::model(&self.path, &reason));
        }
        let prepare = |camera| Preparation::new(wanted.size, camera);
        let mut prepared: Vec<_> = cameras.iter().map(prepare).collect::<Result<_, _>>()?;
        let pixels = pixels(wanted, &mut prepared, images)?;
        let [height, width] = wanted.size;
        let shape = match wanted.layout {
            Layout::Nchw => vec![wanted.cameras, 3, height, width],
            Layout::Bnchw => vec![1, wanted.cameras, 3, height, width],
            Layout::Nhwc => vec![wanted.cameras, height, width, 3],
            Layout::Bnhwc => vec![1, wanted.cameras, height, width, 3],
        };
        let ego_from_model = self.description.ego_from_model.isometry();
        let matrices: Vec<_> = (self.description.matrices.iter())
            .map(|matrices| calibration(matrices.kind, &prepared, &ego_from_model))
            .collect();
        let mut inputs = vec![(wanted.input.as_str(), shape.as_slice(), Given::Floats(&pixels))];
        for (matrices, (shape, values)) in self.description.matrices.iter().zip(&matrices) {
            inputs.push((&matrices.input, shape, Given::Floats(values)));
        }
        let (boxes, scores, labels) = match &outputs.labels {
            Some(labels) => {
                let [boxes, scores, labels] = self.model.run(&inputs, [&outputs.boxes, &outputs.scores, labels])?;
                (boxes, scores, Some(labels.ints()))
            }
            None => {
                let [boxes, scores] = self.model.run(&inputs, [&outputs.boxes, &outputs.scores])?;
                (boxes, scores, None)
            }
        };
        let seen = self.description.decode(&boxes.floats(), &scores.floats(), labels.as_deref());
        seen.map_err(|reason| Error::model(&self.path, &reason))
    }
}

/// The images in the detector's layout, colours and scale.
fn pixels(wanted: &Images, cameras: &mut [Preparation], images: &[Option<Pixels<'_>>]) -> Result<Vec<f32>, Error> {
    let plane = wanted.size[0] * wanted.size[1];
    let mut all = vec![0.0; wanted.cameras * 3 * plane];
    let mut planes = vec![0.0; 3 * plane];
    let channels_last = matches!(wanted.layout, Layout::Nhwc | Layout::Bnhwc);
    for ((camera, image), out) in cameras.iter_mut().zip(images).zip(all.chunks_mut(3 * plane)) {
        let Some(image) = image else { continue };
        camera.fill(*image, &mut planes)?;
        for channel in 0..3 {
            let color = if wanted.order == Order::Rgb { channel } else { 2 - channel };
            for (pixel, value) in planes[color * plane..][..plane].iter().enumerate() {
                let place = if channels_last { pixel * 3 + channel } else { channel * plane + pixel };
                out[place] = (value * STEPS + MIDDLE - wanted.mean[channel]) / wanted.std[channel];
            }
        }
    }
    Ok(all)
}

/// Matrices of all cameras, rows first, with their shape.
fn calibration(kind: MatrixKind, cameras: &[Preparation], ego_from_model: &Isometry3<f64>) -> ([usize; 4], Vec<f32>) {
    let mut values = Vec::new();
    let mut side = 4;
    for Preparation { camera, .. } in cameras {
        let camera_from_model = camera.ego_from_camera.inverse() * ego_from_model;
        match kind {
            MatrixKind::Intrinsics => {
                side = 3;
                values.extend(camera.intrinsics.transpose().iter().map(|value| *value as f32));
            }
            MatrixKind::ModelFromCamera => push(&mut values, &camera_from_model.inverse().to_homogeneous()),
            MatrixKind::ImageFromModel => {
                push(&mut values, &(widened(&camera.intrinsics) * camera_from_model.to_homogeneous()));
            }
        }
    }
    ([1, cameras.len(), side, side], values)
}

fn push(values: &mut Vec<f32>, matrix: &Matrix4<f64>) {
    values.extend(matrix.transpose().iter().map(|value| *value as f32));
}

fn widened(intrinsics: &Matrix3<f64>) -> Matrix4<f64> {
    let mut wide = Matrix4::identity();
    wide.fixed_view_mut::<3, 3>(0, 0).copy_from(intrinsics);
    wide
}
