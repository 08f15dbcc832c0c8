//! From blocks to values.

use half::{bf16, f16};

/// Reads block by block.
pub(super) fn blocks<const BYTES: usize, const VALUES: usize>(
    bytes: &[u8],
    values: &mut [f32],
    read: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    bytes.as_chunks().0.iter().zip(values.as_chunks_mut().0).for_each(|(block, values)| read(block, values));
}

pub(super) fn f32(block: &[u8; 4], values: &mut [f32; 1]) {
    *values = [f32::from_le_bytes(*block)];
}

pub(super) fn f16(block: &[u8; 2], values: &mut [f32; 1]) {
    *values = [half(*block)];
}

pub(super) fn bf16(block: &[u8; 2], values: &mut [f32; 1]) {
    *values = [bf16::from_le_bytes(*block).to_f32()];
}

pub(super) fn i8([number]: &[u8; 1], [value]: &mut [f32; 1]) {
    *value = f32::from(number.cast_signed());
}

pub(super) fn q8_0(&[d0, d1, ref numbers @ ..]: &[u8; 34], values: &mut [f32; 32]) {
    let scale = half([d0, d1]);
    values.iter_mut().zip(numbers).for_each(|(value, number)| *value = f32::from(number.cast_signed()) * scale);
}

pub(super) fn q4_0(&[d0, d1, ref pairs @ ..]: &[u8; 18], values: &mut [f32; 32]) {
    let scale = half([d0, d1]);
    nibbles(pairs, values, |number| (number - 8.0) * scale, |number| (number - 8.0) * scale);
}

pub(super) fn q4_1(&[d0, d1, m0, m1, ref pairs @ ..]: &[u8; 20], values: &mut [f32; 32]) {
    let (scale, least) = (half([d0, d1]), half([m0, m1]));
    nibbles(pairs, values, |number| number * scale + least, |number| number * scale + least);
}

pub(super) fn q4_k(&[d0, d1, m0, m1, ref rest @ ..]: &[u8; 144], values: &mut [f32; 256]) {
    let (scale, least) = (half([d0, d1]), half([m0, m1]));
    let (packed, pairs) = rest.split_at(12);
    let parts = |part: usize| {
        // Parts 0 to 3 have 6 bits of a byte each, the scales first, then the least values. Parts 4 to 7 have their low
        // four bits in the last four bytes, and above them the two bits that are left in the bytes before.
        let [of_scale, of_least] = match part {
            0..4 => [packed[part] & 63, packed[part + 4] & 63],
            _ => [packed[part + 4] & 15 | packed[part - 4] >> 6 << 4, packed[part + 4] >> 4 | packed[part] >> 6 << 4],
        };
        (scale * f32::from(of_scale), least * f32::from(of_least))
    };
    for (two, (pairs, values)) in pairs.chunks_exact(32).zip(values.chunks_exact_mut(64)).enumerate() {
        let [low, high] = [parts(2 * two), parts(2 * two + 1)];
        nibbles(pairs, values, |number| low.0 * number - low.1, |number| high.0 * number - high.1);
    }
}

pub(super) fn q6_k(&[ref rest @ .., d0, d1]: &[u8; 210], values: &mut [f32; 256]) {
    let scale = half([d0, d1]);
    let (low, rest) = rest.split_at(128);
    let (high, scales) = rest.split_at(64);
    // Sixteen parts of sixteen values: eight, in four pairs, to each half of the bits.
    for (part, values) in values.chunks_exact_mut(16).enumerate() {
        let (half, pair, place) = (part / 8, part % 8 / 2, part % 2 * 16);
        let scale = scale * f32::from(scales[part].cast_signed());
        // Pairs 0 and 1 are in the lower four bits of their bytes, 2 and 3 in the upper.
        let low = &low[half * 64 + pair % 2 * 32 + place..][..16];
        let high = &high[half * 32 + place..][..16];
        for (value, (low, high)) in values.iter_mut().zip(low.iter().zip(high)) {
            let number = low >> (pair / 2 * 4) & 15 | (high >> (pair * 2) & 3) << 4;
            *value = scale * (f32::from(number) - 32.0);
        }
    }
}

/// The lower four bits of all bytes are the first half of the values, the upper four the second.
fn nibbles(pairs: &[u8], values: &mut [f32], first: impl Fn(f32) -> f32, second: impl Fn(f32) -> f32) {
    let (firsts, seconds) = values.split_at_mut(pairs.len());
    for ((pair, low), high) in pairs.iter().zip(firsts).zip(seconds) {
        *low = first(f32::from(pair & 15));
        *high = second(f32::from(pair >> 4));
    }
}

fn half(bytes: [u8; 2]) -> f32 {
    f16::from_le_bytes(bytes).to_f32()
}
