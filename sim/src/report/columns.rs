//! Named columns of numbers packed small enough to sit inside a web page.
//!
//! A block is a sequence of columns, each: length of its name, name, scale, count, values. A value is quantised to a
//! whole number of `scale`, stored as the difference from the one before it, zigzag-mapped and written as a LEB128
//! varint: what moves smoothly takes a byte a value, what stands still compresses to nothing. The block is then
//! deflated (zlib) and written as base64. `page/data.js` reads the same.

use std::io::Write;

use base64::Engine;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Stands for "no value" (`NaN` in the page).
const MISSING: i32 = i32::MIN;

/// A block in the making.
#[derive(Debug, Default)]
pub struct Columns {
    bytes: Vec<u8>,
}

impl Columns {
    /// Appends a column; what is not finite becomes "no value", what is too large saturates.
    pub fn push(&mut self, name: &str, scale: f64, values: impl IntoIterator<Item = f64>) {
        let mut packed = Vec::new();
        let mut count = 0;
        let mut previous = 0i32;
        for value in values {
            let whole = if value.is_finite() { (value / scale).round() as i32 } else { MISSING };
            let step = whole.wrapping_sub(previous);
            varint(&mut packed, ((step << 1) ^ (step >> 31)) as u32);
            previous = whole;
            count += 1;
        }
        varint(&mut self.bytes, name.len() as u32);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(&scale.to_le_bytes());
        varint(&mut self.bytes, count);
        self.bytes.append(&mut packed);
    }

    /// The block, deflated, as base64.
    ///
    /// # Errors
    /// Only what the compressor reports; writing to memory does not fail.
    pub fn finish(self) -> std::io::Result<String> {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::new(8));
        deflated.write_all(&self.bytes)?;
        Ok(base64::engine::general_purpose::STANDARD.encode(deflated.finish()?))
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_as_the_module_says() {
        let mut columns = Columns::default();
        columns.push("x", 0.5, [1.0, 1.5, -1.0]);
        // Name length and name; 0.5 as a little-endian double; three values; 2, +1, −5 zigzagged to 4, 2, 9.
        let expected = [&[1, b'x'][..], &0.5f64.to_le_bytes(), &[3, 4, 2, 9]].concat();
        assert_eq!(columns.bytes, expected);
    }

    #[test]
    fn large_steps_and_missing_values_take_five_bytes_and_do_not_overflow() {
        let mut columns = Columns::default();
        columns.push("", 1.0, [f64::NAN, 1e300, -1e300, f64::INFINITY]);
        let values = &columns.bytes[10..];
        // 0 → MIN is −2³¹, zigzag 2³² − 1; MIN → MAX wraps to −1; MAX → MIN wraps to +1; MIN → MIN.
        assert_eq!(values, [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 0]);
    }
}
