//! From values to blocks.

use half::{bf16, f16};

/// Writes block by block.
pub(super) fn blocks<const VALUES: usize, const BYTES: usize>(
    values: &[f32],
    bytes: &mut Vec<u8>,
    write: impl Fn(&[f32; VALUES]) -> [u8; BYTES],
) {
    let (blocks, rest) = values.as_chunks();
    assert!(rest.is_empty(), "{} values are no whole blocks of {VALUES}", values.len());
    bytes.reserve(blocks.len() * BYTES);
    blocks.iter().for_each(|block| bytes.extend(write(block)));
}

pub(super) fn f32([value]: &[f32; 1]) -> [u8; 4] {
    value.to_le_bytes()
}

pub(super) fn f16([value]: &[f32; 1]) -> [u8; 2] {
    f16::from_f32(*value).to_le_bytes()
}

pub(super) fn bf16([value]: &[f32; 1]) -> [u8; 2] {
    bf16::from_f32(*value).to_le_bytes()
}

/// The scale makes the largest magnitude 127; halves are rounded away from 0.
pub(super) fn q8_0(values: &[f32; 32]) -> [u8; 34] {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = inverse(scale);
    let mut block = [0; 34];
    block[..2].copy_from_slice(&half(scale));
    for (byte, value) in block[2..].iter_mut().zip(values) {
        *byte = ((value * inverse).round() as i8).cast_unsigned();
    }
    block
}

/// The scale makes the value of the largest magnitude −8, whatever its sign: so all sixteen numbers are of use. The
/// first of two that are as large decides.
pub(super) fn q4_0(values: &[f32; 32]) -> [u8; 18] {
    let largest =
        values.iter().fold(0.0_f32, |largest, value| if largest.abs() < value.abs() { *value } else { largest });
    let scale = largest / -8.0;
    let inverse = inverse(scale);
    let mut block = [0; 18];
    block[..2].copy_from_slice(&half(scale));
    nibbles(values, &mut block[2..], |value| value * inverse + 8.5);
    block
}

/// The least value is 0, the largest 15.
pub(super) fn q4_1(values: &[f32; 32]) -> [u8; 20] {
    // As a comparison decides it, so that of 0 and −0 the first is taken.
    let least = values.iter().fold(f32::MAX, |least, value| if *value < least { *value } else { least });
    let largest = values.iter().fold(f32::MIN, |largest, value| if *value > largest { *value } else { largest });
    let scale = (largest - least) / 15.0;
    let inverse = inverse(scale);
    let mut block = [0; 20];
    block[..2].copy_from_slice(&half(scale));
    block[2..4].copy_from_slice(&half(least));
    nibbles(values, &mut block[4..], |value| (value - least) * inverse + 0.5);
    block
}

/// Numbers are cut off below the point, and not above 15; the first half of the values is in the lower four bits.
fn nibbles(values: &[f32; 32], pairs: &mut [u8], number: impl Fn(f32) -> f32) {
    let (firsts, seconds) = values.split_at(16);
    for ((pair, low), high) in pairs.iter_mut().zip(firsts).zip(seconds) {
        let [low, high] = [*low, *high].map(|value| (number(value) as u8).min(15));
        *pair = low | high << 4;
    }
}

/// The values are scaled by the inverse of the scale before it is rounded to half precision, as ggml does.
fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

fn half(value: f32) -> [u8; 2] {
    f16::from_f32(value).to_le_bytes()
}
