//! Pictures out of a camera or a file, eight bits a channel.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::Error;
use crate::error::one_line;

/// No side is longer: no camera has as many pixels, and a damaged file must not make the program ask for memory without
/// end.
const LONGEST: usize = 1 << 15;

/// Nor has a picture more pixels in all: larger than any camera's, small enough to be held a few times.
const MOST: usize = 1 << 25;

/// An RGB picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Of `rgb`, `[height, width, 3]`.
    ///
    /// # Errors
    /// [`Error::Picture`] for a side of no pixels or of too many, and if there are not as many numbers.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self, Error> {
        check(width, height)?;
        if rgb.len() != width * height * 3 {
            return Err(wrong(
                width,
                height,
                &format!("it should have three times as many numbers, not {}", rgb.len()),
            ));
        }
        Ok(Self { width, height, rgb })
    }

    /// From a JPEG or PNG file, upright as its EXIF orientation says. What is transparent has the colour that the file
    /// gives it, as transformers' `load_image` has it.
    ///
    /// # Errors
    /// If it cannot be read or decoded, or is too large.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Self::decode(&bytes).map_err(|error| Error::model(path, error.to_string()))
    }

    /// From the bytes of such a file.
    ///
    /// # Errors
    /// [`Error::Picture`] if they cannot be decoded, or it is too large.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |error: &dyn std::fmt::Display| Error::Picture { reason: one_line(&error.to_string()) };
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| wrong(&error))?;
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(LONGEST as u32), Some(LONGEST as u32));
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|error| wrong(&error))?;
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        check(width, height)?;
        let orientation = decoder.orientation().map_err(|error| wrong(&error))?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| wrong(&error))?;
        image.apply_orientation(orientation);
        let image = image.into_rgb8();
        Self::new(image.width() as usize, image.height() as usize, image.into_raw())
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `[height, width, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

/// Whether a picture may have these sides.
fn check(width: usize, height: usize) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(wrong(width, height, "there is nothing to see"));
    }
    if width > LONGEST || height > LONGEST || width * height > MOST {
        return Err(wrong(width, height, "it is too large"));
    }
    Ok(())
}

fn wrong(width: usize, height: usize, reason: &str) -> Error {
    Error::Picture { reason: format!("{width} × {height} pixels: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_told_in_a_line() {
        let said = |result: Result<Picture, Error>| result.unwrap_err().to_string();
        assert_eq!(said(Picture::new(0, 4, vec![])), "image: 0 × 4 pixels: there is nothing to see");
        assert_eq!(said(Picture::new(40_000, 1, vec![])), "image: 40000 × 1 pixels: it is too large");
        assert_eq!(said(Picture::new(usize::MAX, usize::MAX, vec![])).lines().count(), 1);
        let wanted = "image: 2 × 1 pixels: it should have three times as many numbers, not 5";
        assert_eq!(said(Picture::new(2, 1, vec![0; 5])), wanted);
        for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", b"\xff\xd8\xff\xe0", b"GIF89a"] {
            assert_eq!(said(Picture::decode(bytes)).lines().count(), 1);
        }
    }

    #[test]
    fn a_file_whose_header_asks_for_too_much_is_refused() {
        let mut png = Vec::new();
        let image = image::RgbImage::new(3, 2);
        image.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
        assert_eq!(Picture::decode(&png).unwrap(), Picture::new(3, 2, vec![0; 18]).unwrap());
        // Width 2³⁰ in the header, whose checksum is made to fit.
        png[16] = 0x40;
        let sum = png[12..29].iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
        });
        png[29..33].copy_from_slice(&(!sum).to_be_bytes());
        assert_eq!(Picture::decode(&png).unwrap_err().to_string().lines().count(), 1);
    }
}
