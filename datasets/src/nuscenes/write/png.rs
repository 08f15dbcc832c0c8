//! PNG files of two bits a pixel for the raster masks of maps: of those with one bit the devkit reads truth values
//! instead of grey.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Encodes rows of packed pixels, the first in a byte's highest bits; 3 is white.
pub(super) fn encode(width: u32, height: u32, rows: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    // Two bits of grey, no interlacing.
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[2, 0, 0, 0, 0]].concat();
    chunk(&mut bytes, b"IHDR", &header);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let stride = width.div_ceil(4) as usize;
    // Every row starts with its filter, none. Writing into memory does not fail.
    let written = rows.chunks(stride).try_for_each(|row| encoder.write_all(&[0]).and_then(|()| encoder.write_all(row)));
    let data = written.and_then(|()| encoder.finish()).unwrap_or_default();
    chunk(&mut bytes, b"IDAT", &data);
    chunk(&mut bytes, b"IEND", &[]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    bytes.extend((data.len() as u32).to_be_bytes());
    let body = [&kind[..], data].concat();
    let mut crc = Crc::new();
    crc.update(&body);
    bytes.extend(&body);
    bytes.extend(crc.sum().to_be_bytes());
}
