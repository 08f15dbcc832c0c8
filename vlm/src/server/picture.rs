//! Images in requests: `data:` URLs, decoded within limits.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, ImageReader, RgbImage};

/// The most bytes of an image's file.
const MOST_BYTES: usize = 8 << 20;

/// The most pixels of an image: larger than any camera's, small enough to be held many times.
const MOST_PIXELS: u64 = 16 << 20;

/// The image in a `data:` URL, a JPEG or PNG file in base64.
///
/// # Errors
/// What is wrong with it, in one line. Nothing is fetched from anywhere: other URLs are errors.
pub fn decode(url: &str) -> Result<RgbImage, String> {
    let wrong = || "an image must be a data URL: data:image/jpeg;base64,... or data:image/png;base64,...".to_owned();
    let (kind, data) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or_else(wrong)?;
    let format = match kind {
        "image/jpeg" | "image/jpg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        _ => return Err(wrong()),
    };
    // Four characters are three bytes.
    if data.len() / 4 * 3 > MOST_BYTES {
        return Err(format!("an image's file may have {MOST_BYTES} bytes"));
    }
    let bytes = STANDARD.decode(data).map_err(|error| format!("an image's base64 is damaged: {error}"))?;
    let damaged = |error| format!("an image is damaged: {error}");
    let reader = || ImageReader::with_format(Cursor::new(&bytes), format);
    let (width, height) = reader().into_dimensions().map_err(damaged)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("an image may have {MOST_PIXELS} pixels, not {width} x {height}"));
    }
    Ok(reader().decode().map_err(damaged)?.into_rgb8())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::{DynamicImage, Rgb};

    use super::*;

    fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 200]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(image).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn url(kind: &str, bytes: &[u8]) -> String {
        format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn images_are_decoded() {
        let image = decode(&url("png", &file(7, 5, ImageFormat::Png))).unwrap();
        assert_eq!((image.dimensions(), image.get_pixel(6, 4)), ((7, 5), &Rgb([6, 4, 200])));
        assert_eq!(decode(&url("jpeg", &file(64, 48, ImageFormat::Jpeg))).unwrap().dimensions(), (64, 48));
    }

    #[test]
    fn what_is_no_image_is_an_error_of_one_line() {
        let png = file(70, 50, ImageFormat::Png);
        // A PNG's header alone, whose 30000 x 30000 pixels nobody has to send.
        let mut huge = png.clone();
        huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        for (url, expected) in [
            ("https://example.org/a.png".to_owned(), "must be a data URL"),
            ("data:image/png,abc".to_owned(), "must be a data URL"),
            (url("gif", &png), "must be a data URL"),
            ("data:image/png;base64,####".to_owned(), "base64"),
            (url("png", b"no image"), "damaged"),
            (url("jpeg", &png), "damaged"),
            (url("png", &png[..png.len() / 2]), "damaged"),
            (url("png", &huge), "an image "),
            (url("png", &vec![0; MOST_BYTES + 3]), "bytes"),
        ] {
            let error = decode(&url).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{expected}: {error}");
        }
    }
}
