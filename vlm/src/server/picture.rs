//! Images in requests: `data:` URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::vision::Picture;

/// The most bytes of an image's file.
const MOST_BYTES: usize = 8 << 20;

/// The image in a `data:` URL, a JPEG or PNG file in base64.
///
/// # Errors
/// What is wrong with it, in one line. Nothing is fetched from anywhere: other URLs are errors.
pub fn decode(url: &str) -> Result<Picture, String> {
    let wrong = || "an image must be a data URL: data:image/jpeg;base64,... or data:image/png;base64,...".to_owned();
    let (kind, data) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or_else(wrong)?;
    if !["image/jpeg", "image/jpg", "image/png"].contains(&kind) {
        return Err(wrong());
    }
    // Four characters are three bytes.
    if data.len() / 4 * 3 > MOST_BYTES {
        return Err(format!("an image's file may have {MOST_BYTES} bytes"));
    }
    let bytes = STANDARD.decode(data).map_err(|error| format!("an image's base64 is damaged: {error}"))?;
    Picture::decode(&bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

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
        assert_eq!((image.width(), image.height(), &image.rgb()[3 * 34..]), (7, 5, &[6, 4, 200][..]));
        let image = decode(&url("jpeg", &file(64, 48, ImageFormat::Jpeg))).unwrap();
        assert_eq!((image.width(), image.height()), (64, 48));
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
            (url("png", b"no image"), "image: "),
            (url("png", &png[..png.len() / 2]), "image: "),
            (url("png", &huge), "image: "),
            (url("png", &vec![0; MOST_BYTES + 3]), "bytes"),
        ] {
            let error = decode(&url).unwrap_err();
            assert!(error.contains(expected) && error.lines().count() == 1, "{expected}: {error}");
        }
    }
}
