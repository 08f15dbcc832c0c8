//! Image files as cameras send them and data sets keep them.

use tandem_sim::camera::Image;

/// The marker that ends a JPEG.
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// Some writers pad what follows the end, by no more than this.
const PADDING: usize = 512;

/// A JPEG or PNG file's picture.
///
/// # Errors
/// What is wrong with it, in one line. A JPEG that was cut short is an error too, though decoders make up its end.
pub fn decode(bytes: &[u8]) -> Result<Image, String> {
    let is_jpeg = bytes.starts_with(&[0xFF, 0xD8]);
    let end = &bytes[bytes.len().saturating_sub(PADDING)..];
    if is_jpeg && !end.windows(2).any(|pair| pair == END_OF_IMAGE) {
        return Err("damaged image: its end is missing".into());
    }
    let decoded = image::load_from_memory(bytes).map_err(|error| format!("damaged image: {error}"))?.into_rgb8();
    let (width, height) = decoded.dimensions();
    Ok(Image { width, height, rgb: decoded.into_raw() })
}

#[cfg(test)]
mod tests {
    use image::ExtendedColorType;
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    #[test]
    fn whole_pictures_decode_and_cut_ones_do_not() {
        let mut bytes = Vec::new();
        JpegEncoder::new(&mut bytes).encode(&[90; 64 * 32 * 3], 64, 32, ExtendedColorType::Rgb8).unwrap();
        let image = decode(&bytes).unwrap();
        assert_eq!((image.width, image.height, image.rgb.len()), (64, 32, 64 * 32 * 3));
        for length in [0, 10, bytes.len() / 2, bytes.len() - 2] {
            assert!(decode(&bytes[..length]).unwrap_err().starts_with("damaged image"), "{length}");
        }
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0);
        assert_eq!(decode(&bytes).unwrap_err(), "damaged image: its end is missing");
    }
}
