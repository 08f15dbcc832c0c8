//! Images of any size become the network's: scaled to its width, cropped from the top, normalised.

use tandem_datasets::Camera;
use tandem_sim::camera::Image;

use super::is_pinhole;
use crate::Error;
use crate::model::NetworkConfig;

/// An image as decoded.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// Its width, px.
    pub width: usize,
    /// Its height, px.
    pub height: usize,
    /// Rows from the top, red, green, blue.
    pub rgb: &'a [u8],
}

impl<'a> From<&'a Image> for Pixels<'a> {
    fn from(image: &'a Image) -> Self {
        Self { width: image.width as usize, height: image.height as usize, rgb: &image.rgb }
    }
}

/// How one camera's images become the network's.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// The camera with the intrinsics of the prepared image.
    pub camera: Camera,
    /// Source pixels per prepared pixel.
    step: f64,
    /// Rows cut off the top of the scaled image, px; negative where black rows are added.
    cut: f64,
    source: [usize; 2],
}

impl Preparation {
    /// For a calibrated camera.
    ///
    /// # Errors
    /// [`Error::Calibration`] for a matrix that is no pinhole's, a mount that is not finite, or an unknown image size.
    pub fn new(config: &NetworkConfig, camera: &Camera) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Calibration { camera: camera.name.clone(), reason: reason.into() };
        let [width, height] = camera.image_size.map(|side| side as usize);
        if width == 0 || height == 0 {
            return Err(wrong("its image size is not known"));
        }
        if !is_pinhole(&camera.intrinsics) {
            return Err(wrong("its intrinsics are no pinhole matrix"));
        }
        if !camera.ego_from_camera.to_homogeneous().iter().all(|value| value.is_finite()) {
            return Err(wrong("its mount is not finite"));
        }
        let [rows, columns] = config.image;
        let step = width as f64 / columns as f64;
        let cut = height as f64 / step - rows as f64;
        let mut intrinsics = camera.intrinsics / step;
        intrinsics[(1, 2)] -= cut;
        intrinsics[(2, 2)] = 1.0;
        let camera = Camera { intrinsics, image_size: [columns as u32, rows as u32], ..camera.clone() };
        Ok(Self { camera, step, cut, source: [width, height] })
    }

    /// Writes an image into `planes`, `[3, height, width]` of the network: (value − 127) / 128 by bilinear sampling
    /// where the source is coarser or equal, by the mean of each pixel's area where it is finer.
    ///
    /// # Errors
    /// [`Error::ImageSize`] if the image is not of the camera's size.
    pub fn fill(&self, image: Pixels<'_>, planes: &mut [f32]) -> Result<(), Error> {
        let [width, height] = self.source;
        if [image.width, image.height] != self.source || image.rgb.len() != width * height * 3 {
            return Err(Error::ImageSize {
                camera: self.camera.name.clone(),
                found: [image.width, image.height],
                wanted: self.source,
            });
        }
        let [columns, rows] = self.camera.image_size.map(|side| side as usize);
        let across: Vec<_> = (0..columns).map(|column| span(column as f64 * self.step, self.step, width)).collect();
        for row in 0..rows {
            let top = (row as f64 + self.cut) * self.step;
            if top + self.step <= 0.0 {
                (0..3).for_each(|plane| planes[(plane * rows + row) * columns..][..columns].fill(-127.0 / 128.0));
                continue;
            }
            let down = span(top.max(0.0), self.step, height);
            for (column, across) in across.iter().enumerate() {
                let mut sum = [0.0_f32; 3];
                for (y, weight_y) in down.clone().weights() {
                    for (x, weight_x) in across.clone().weights() {
                        let pixel = &image.rgb[(y * width + x) * 3..][..3];
                        let weight = weight_x * weight_y;
                        sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += weight * f32::from(*value));
                    }
                }
                for (plane, sum) in sum.into_iter().enumerate() {
                    planes[(plane * rows + row) * columns + column] = (sum - 127.0) / 128.0;
                }
            }
        }
        Ok(())
    }
}

/// The source pixels that a prepared pixel covers along one axis.
#[derive(Debug, Clone)]
struct Span {
    from: f64,
    to: f64,
    last: usize,
}

fn span(from: f64, length: f64, size: usize) -> Span {
    // Where the source is coarser, the two neighbours of the pixel's centre are mixed.
    let (from, to) = if length < 1.0 {
        let middle = from + length / 2.0;
        (middle - 0.5, middle + 0.5)
    } else {
        (from, from + length)
    };
    Span { from, to, last: size - 1 }
}

impl Span {
    /// Pixels with their weights, which sum to 1.
    fn weights(self) -> impl Iterator<Item = (usize, f32)> {
        let Self { from, to, last } = self;
        (from.floor() as i64..to.ceil() as i64).map(move |pixel| {
            let share = (to.min(pixel as f64 + 1.0) - from.max(pixel as f64)) / (to - from);
            (usize::try_from(pixel).unwrap_or(0).min(last), share as f32)
        })
    }
}
