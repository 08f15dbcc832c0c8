//! Images of any size become the network's: scaled to its width, cropped from the top, normalised.

use tandem_datasets::Camera;
use tandem_sim::camera::Image;

use super::is_pinhole;
use crate::Error;

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

/// A byte of an image is this in the middle of its range, where the network's value is 0.
pub(crate) const MIDDLE: f32 = 127.0;

/// Steps of a byte for one of the network's value.
pub(crate) const STEPS: f32 = 128.0;

/// How one camera's images become the network's.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// The camera with the intrinsics of the prepared image.
    pub camera: Camera,
    source: [usize; 2],
    across: Taps,
    /// A row without any is above the source.
    down: Taps,
    /// A row of the prepared image before it is scaled across, `[width, 3]` of the source.
    row: Vec<f32>,
}

impl Preparation {
    /// For a calibrated camera; `image` is the height and width that its images get, px.
    ///
    /// # Errors
    /// [`Error::Calibration`] for a matrix that is no pinhole's, a mount that is not finite, or an unknown image size.
    pub fn new(image: [usize; 2], camera: &Camera) -> Result<Self, Error> {
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
        let [rows, columns] = image;
        // Source pixels per prepared pixel, and rows cut off the top of the scaled image, or added to it.
        let step = width as f64 / columns as f64;
        let cut = height as f64 / step - rows as f64;
        let mut intrinsics = camera.intrinsics / step;
        intrinsics[(1, 2)] -= cut;
        intrinsics[(2, 2)] = 1.0;
        Ok(Self {
            camera: Camera { intrinsics, image_size: [columns as u32, rows as u32], ..camera.clone() },
            source: [width, height],
            across: Taps::new(columns, step, 0.0, width),
            down: Taps::new(rows, step, cut * step, height),
            row: vec![0.0; width * 3],
        })
    }

    /// Writes an image into `planes`, `[3, height, width]` of the network: (value − 127) / 128 by bilinear sampling
    /// where the source is coarser, by the mean of each pixel's area where it is finer.
    ///
    /// # Errors
    /// [`Error::ImageSize`] if the image is not of the camera's size.
    pub fn fill(&mut self, image: Pixels<'_>, planes: &mut [f32]) -> Result<(), Error> {
        let [width, height] = self.source;
        if [image.width, image.height] != self.source || image.rgb.len() != width * height * 3 {
            return Err(Error::ImageSize {
                camera: self.camera.name.clone(),
                found: [image.width, image.height],
                wanted: self.source,
            });
        }
        let [columns, rows] = self.camera.image_size.map(|side| side as usize);
        for row in 0..rows {
            let down = self.down.of(row);
            for (number, (y, weight)) in down.iter().enumerate() {
                let bytes = image.rgb[y * width * 3..][..width * 3].iter().map(|byte| weight * f32::from(*byte));
                match number {
                    0 => self.row.iter_mut().zip(bytes).for_each(|(sum, value)| *sum = value),
                    _ => self.row.iter_mut().zip(bytes).for_each(|(sum, value)| *sum += value),
                }
            }
            if down.is_empty() {
                self.row.fill(0.0);
            }
            for column in 0..columns {
                let mut sum = [0.0_f32; 3];
                for (x, weight) in self.across.of(column) {
                    let pixel = &self.row[x * 3..][..3];
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += weight * value);
                }
                for (plane, sum) in sum.into_iter().enumerate() {
                    planes[(plane * rows + row) * columns + column] = (sum - MIDDLE) / STEPS;
                }
            }
        }
        Ok(())
    }
}

/// The source pixels of every prepared pixel along one axis, with their weights, which sum to 1.
#[derive(Debug, Clone, PartialEq)]
struct Taps {
    /// Where those of each pixel begin, and after the last, where they end.
    starts: Vec<usize>,
    taps: Vec<(usize, f32)>,
}

impl Taps {
    /// For `count` pixels that are `step` source pixels long, of which the first begins at `from`; none before the source
    /// begins.
    fn new(count: usize, step: f64, from: f64, size: usize) -> Self {
        let (mut starts, mut taps) = (vec![0], Vec::new());
        for pixel in 0..count {
            let begin = from + pixel as f64 * step;
            if begin + step > 0.0 {
                let begin = begin.max(0.0);
                // Where the source is coarser, the two neighbours of the pixel's centre are mixed.
                let middle = begin + step / 2.0;
                let [begin, end] = if step < 1.0 { [middle - 0.5, middle + 0.5] } else { [begin, begin + step] };
                for tap in begin.floor() as i64..end.ceil() as i64 {
                    let share = (end.min(tap as f64 + 1.0) - begin.max(tap as f64)) / (end - begin);
                    taps.push((usize::try_from(tap).unwrap_or(0).min(size - 1), share as f32));
                }
            }
            starts.push(taps.len());
        }
        Self { starts, taps }
    }

    fn of(&self, pixel: usize) -> &[(usize, f32)] {
        &self.taps[self.starts[pixel]..self.starts[pixel + 1]]
    }
}
