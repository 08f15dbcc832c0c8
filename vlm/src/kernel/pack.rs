//! Weights as a file has them, row by row, become panels.

use half::f16;

use super::{BLOCK, ROWS};
use crate::format::Format;

/// As many bytes as a vector register holds at most, where a register can load them at once.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub [u8; 64]);

/// Scales and, where the format has them, least values of blocks, `[panels, blocks, ROWS]`.
#[derive(Debug, Clone)]
pub(super) enum Scales {
    /// 16-bit, as bits.
    Half { scales: Vec<u16>, mins: Vec<u16> },
    /// 32-bit.
    Full { scales: Vec<f32>, mins: Vec<f32> },
}

/// The weights of a matrix in panels.
#[derive(Debug, Clone)]
pub(super) enum Panels {
    /// `[panels, columns, ROWS]`.
    F32(Vec<f32>),
    /// `[panels, columns, ROWS]`, as bits.
    F16(Vec<u16>),
    /// Four bits a weight: value = scale · (quant − offset) + min. For every panel and block of 32 columns four lines;
    /// byte `4 · row + i` of line `v` has column `4 · v + i` of the block below and column `16 + 4 · v + i` above.
    Nibbles { quants: Vec<Line>, offset: i32, scales: Scales },
    /// Eight bits a weight: value = scale · (quant − 128). For every panel and block of 32 or 16 columns a line for every
    /// four; byte `4 · row + i` of line `v` has column `4 · v + i` of the block.
    Bytes { quants: Vec<Line>, block: usize, scales: Scales },
}

/// Lays out `rows` rows of `columns` weights; missing rows of the last panel are zero. `bytes` has whole blocks.
pub(super) fn pack(format: Format, rows: usize, columns: usize, bytes: &[u8]) -> Panels {
    let row_bytes = columns / format.block() * format.bytes();
    let row = |row: usize| (row < rows).then(|| &bytes[row * row_bytes..][..row_bytes]);
    let panels = rows.div_ceil(ROWS);
    match format {
        Format::F32 | Format::Bf16 | Format::I8 => Panels::F32(plain(format, panels, columns, row)),
        Format::F16 => {
            let mut packed = vec![0; panels * columns * ROWS];
            for (at, values) in each_row(panels).filter_map(|at| Some((at, row(at)?))) {
                let (panel, lane) = (at / ROWS, at % ROWS);
                for (column, bits) in values.as_chunks::<2>().0.iter().enumerate() {
                    packed[(panel * columns + column) * ROWS + lane] = u16::from_le_bytes(*bits);
                }
            }
            Panels::F16(packed)
        }
        Format::Q4_0 | Format::Q4_1 | Format::Q4K => nibbles(format, panels, columns, row),
        Format::Q8_0 | Format::Q6K => whole_bytes(format, panels, columns, row),
    }
}

fn each_row(panels: usize) -> std::ops::Range<usize> {
    0..panels * ROWS
}

/// Plain values by the format's own decoder.
fn plain<'a>(format: Format, panels: usize, columns: usize, row: impl Fn(usize) -> Option<&'a [u8]>) -> Vec<f32> {
    let mut packed = vec![0.0; panels * columns * ROWS];
    let mut values = vec![0.0; columns];
    for (at, bytes) in each_row(panels).filter_map(|at| Some((at, row(at)?))) {
        format.decode(bytes, &mut values);
        for (column, value) in values.iter().enumerate() {
            packed[(at / ROWS * columns + column) * ROWS + at % ROWS] = *value;
        }
    }
    packed
}

/// One block of a row: quants, scale and least value.
struct Block<const N: usize> {
    quants: [u8; N],
    scale: f32,
    min: f32,
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Every block of 32 of a row of four-bit weights.
fn nibble_blocks(format: Format, row: &[u8], mut each: impl FnMut(usize, Block<BLOCK>)) {
    let blocks = row.chunks_exact(format.bytes());
    match format {
        Format::Q4K => {
            for (number, super_block) in blocks.enumerate() {
                let (scale, min) = (half_at(super_block, 0), half_at(super_block, 2));
                let (parts, quants) = super_block[4..].split_at(12);
                for part in 0..8 {
                    let [part_scale, part_min] = six_bits(parts, part);
                    let bytes = &quants[part / 2 * BLOCK..][..BLOCK];
                    let quants = std::array::from_fn(|at| (bytes[at] >> (part % 2 * 4)) & 15);
                    let (scale, min) = (scale * f32::from(part_scale), -min * f32::from(part_min));
                    each(number * 8 + part, Block { quants, scale, min });
                }
            }
        }
        _ => {
            for (number, block) in blocks.enumerate() {
                let min = if format == Format::Q4_1 { half_at(block, 2) } else { 0.0 };
                let bytes = &block[block.len() - 16..];
                let quants = std::array::from_fn(|at| (bytes[at % 16] >> (at / 16 * 4)) & 15);
                each(number, Block { quants, scale: half_at(block, 0), min });
            }
        }
    }
}

/// The scale and the least value of a part of a Q4_K block, six bits each (ggml-quants.c, `get_scale_min_k4`).
fn six_bits(packed: &[u8], part: usize) -> [u8; 2] {
    if part < 4 {
        return [packed[part] & 63, packed[part + 4] & 63];
    }
    let both = packed[part + 4];
    [(both & 15) | (packed[part - 4] >> 6 << 4), (both >> 4) | (packed[part] >> 6 << 4)]
}

fn nibbles<'a>(format: Format, panels: usize, columns: usize, row: impl Fn(usize) -> Option<&'a [u8]>) -> Panels {
    let blocks = columns / BLOCK;
    let mut quants = vec![Line([0; 64]); panels * blocks * 4];
    let mut values = Values::new(panels * blocks * ROWS, format != Format::Q4_0);
    for (at, bytes) in each_row(panels).filter_map(|at| Some((at, row(at)?))) {
        let (panel, lane) = (at / ROWS, at % ROWS);
        nibble_blocks(format, bytes, |number, block| {
            let place = panel * blocks + number;
            for half in 0..BLOCK / 2 {
                let both = block.quants[half] | (block.quants[half + BLOCK / 2] << 4);
                quants[place * 4 + half / 4].0[lane * 4 + half % 4] = both;
            }
            values.set(place * ROWS + lane, block.scale, block.min);
        });
    }
    let offset = if format == Format::Q4_0 { 8 } else { 0 };
    Panels::Nibbles { quants, offset, scales: values.scales(format != Format::Q4K) }
}

/// Every block of a row of eight-bit (or six-bit) weights, offset by 128.
fn byte_blocks<const N: usize>(format: Format, row: &[u8], mut each: impl FnMut(usize, Block<N>)) {
    for (number, block) in row.chunks_exact(format.bytes()).enumerate() {
        if format == Format::Q8_0 {
            each(
                number,
                Block { quants: std::array::from_fn(|at| block[2 + at] ^ 128), scale: half_at(block, 0), min: 0.0 },
            );
            continue;
        }
        let ((low, rest), scale) = (block.split_at(128), half_at(block, 208));
        let (high, scales) = rest.split_at(64);
        for (part, part_scale) in scales[..16].iter().enumerate() {
            let quants = std::array::from_fn(|at| {
                // Of 256 values, each half has 64 bytes of low and 32 of high bits (ggml-quants.c, `dequantize_row_q6_K`).
                let (half, place) = (part / 8, part % 8 * 16 + at);
                let (quarter, column) = (place / 32, place % 32);
                let four = low[half * 64 + quarter % 2 * 32 + column] >> (quarter / 2 * 4) & 15;
                let two = high[half * 32 + column] >> (quarter * 2) & 3;
                four + (two << 4) + (128 - 32)
            });
            each(number * 16 + part, Block { quants, scale: scale * f32::from(*part_scale as i8), min: 0.0 });
        }
    }
}

fn whole_bytes<'a>(format: Format, panels: usize, columns: usize, row: impl Fn(usize) -> Option<&'a [u8]>) -> Panels {
    let block = if format == Format::Q8_0 { 32 } else { 16 };
    let blocks = columns / block;
    let mut quants = vec![Line([128; 64]); panels * blocks * block / 4];
    let mut values = Values::new(panels * blocks * ROWS, false);
    for (at, bytes) in each_row(panels).filter_map(|at| Some((at, row(at)?))) {
        let (panel, lane) = (at / ROWS, at % ROWS);
        let mut put = |number: usize, of: &[u8], scale: f32| {
            let place = panel * blocks + number;
            for (column, quant) in of.iter().enumerate() {
                quants[(place * block + column) / 4].0[lane * 4 + column % 4] = *quant;
            }
            values.set(place * ROWS + lane, scale, 0.0);
        };
        match format {
            Format::Q8_0 => byte_blocks::<32>(format, bytes, |number, block| put(number, &block.quants, block.scale)),
            _ => byte_blocks::<16>(format, bytes, |number, block| put(number, &block.quants, block.scale)),
        }
    }
    Panels::Bytes { quants, block, scales: values.scales(format == Format::Q8_0) }
}

/// Scales and least values while they are gathered.
struct Values {
    scales: Vec<f32>,
    mins: Vec<f32>,
}

impl Values {
    fn new(count: usize, has_mins: bool) -> Self {
        Self { scales: vec![0.0; count], mins: vec![0.0; if has_mins { count } else { 0 }] }
    }

    fn set(&mut self, at: usize, scale: f32, min: f32) {
        self.scales[at] = scale;
        if let Some(place) = self.mins.get_mut(at) {
            *place = min;
        }
    }

    /// In 16 bits where they came in 16 bits.
    fn scales(self, is_half: bool) -> Scales {
        let Self { scales, mins } = self;
        if !is_half {
            return Scales::Full { scales, mins };
        }
        let half = |values: Vec<f32>| values.into_iter().map(|value| f16::from_f32(value).to_bits()).collect();
        Scales::Half { scales: half(scales), mins: half(mins) }
    }
}
