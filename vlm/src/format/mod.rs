//! How numbers of a weight matrix are stored: plain, or in blocks of few bits with common scales, as ggml defines them.
//!
//! Layouts, numbers and the order of roundings: ggml `src/ggml-common.h` and the reference functions of
//! `src/ggml-quants.c`. All is little-endian, and a block's values are consecutive.
//!
//! ```
//! use tandem_vlm::format::Format;
//!
//! let values: Vec<f32> = (0..64_u8).map(|value| f32::from(value) / 8.0).collect();
//! let encode = Format::Q8_0.encoder().expect("blocks of eight bits can be written");
//! let mut bytes = Vec::new();
//! encode(&values, &mut bytes);
//! assert_eq!(Some(bytes.len()), Format::Q8_0.size(64));
//!
//! let mut back = [0.0; 64];
//! Format::Q8_0.decode(&bytes, &mut back);
//! assert!(values.iter().zip(back).all(|(value, back)| (value - back).abs() < 8.0 / 254.0));
//! ```

mod decode;
mod encode;
pub mod rows;
#[cfg(test)]
mod tests;

use std::fmt;

pub use rows::Width;

/// Writes values behind what is in the vector, by [`Format::encoder`].
///
/// # Panics
/// If the values are not whole blocks of the format.
pub type Encoder = fn(&[f32], &mut Vec<u8>);

/// How the numbers of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Single precision.
    F32,
    /// Half precision, IEEE 754.
    F16,
    /// The upper half of single precision.
    Bf16,
    /// 32 values of 8 bits and a scale.
    Q8_0,
    /// 32 values of 4 bits and a scale; 8 stands for 0.
    Q4_0,
    /// 32 values of 4 bits, a scale and the least value.
    Q4_1,
    /// 256 values of 4 bits in eight parts, each with a scale and a least value of 6 bits.
    Q4K,
    /// 256 values of 6 bits in sixteen parts, each with a scale of 8 bits.
    Q6K,
    /// Whole numbers of 8 bits; what they stand for is said elsewhere, as for the rows of [`Width`].
    I8,
}

impl Format {
    /// All there are.
    pub const ALL: [Self; 9] =
        [Self::F32, Self::F16, Self::Bf16, Self::Q8_0, Self::Q4_0, Self::Q4_1, Self::Q4K, Self::Q6K, Self::I8];

    /// Values of a block.
    pub const fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::I8 => 1,
            Self::Q8_0 | Self::Q4_0 | Self::Q4_1 => 32,
            Self::Q4K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q4K => 144,
            Self::Q6K => 210,
            Self::I8 => 1,
        }
    }

    /// Bytes of so many values; `None` if those are not whole blocks, or more than memory can hold.
    pub const fn size(self, values: usize) -> Option<usize> {
        match values.is_multiple_of(self.block()) {
            true => (values / self.block()).checked_mul(self.bytes()),
            false => None,
        }
    }

    /// The number by which ggml and its files know it (`enum ggml_type`, `include/ggml.h`).
    pub const fn ggml(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
            Self::Q6K => 14,
            Self::I8 => 24,
            Self::Bf16 => 30,
        }
    }

    /// The format that ggml knows by a number, if it is one of these.
    pub fn from_ggml(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.ggml() == number)
    }

    /// Its name as ggml writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q4K => "Q4_K",
            Self::Q6K => "Q6_K",
            Self::I8 => "I8",
        }
    }

    /// Reads the values of whole blocks, with every rounding where ggml's reference has it.
    ///
    /// # Panics
    /// If the bytes and the values are not as many whole blocks.
    pub fn decode(self, bytes: &[u8], values: &mut [f32]) {
        assert_eq!(self.size(values.len()), Some(bytes.len()), "{} values of {self}", values.len());
        match self {
            Self::F32 => decode::blocks(bytes, values, decode::f32),
            Self::F16 => decode::blocks(bytes, values, decode::f16),
            Self::Bf16 => decode::blocks(bytes, values, decode::bf16),
            Self::Q8_0 => decode::blocks(bytes, values, decode::q8_0),
            Self::Q4_0 => decode::blocks(bytes, values, decode::q4_0),
            Self::Q4_1 => decode::blocks(bytes, values, decode::q4_1),
            Self::Q4K => decode::blocks(bytes, values, decode::q4_k),
            Self::Q6K => decode::blocks(bytes, values, decode::q6_k),
            Self::I8 => decode::blocks(bytes, values, decode::i8),
        }
    }

    /// What writes values in this format, to the byte as ggml's reference does for finite values. `None` for the blocks
    /// of 256, as ggml searches for their scales, and this program only reads them; and for whole numbers, which need a
    /// scale of their own.
    pub fn encoder(self) -> Option<Encoder> {
        match self {
            Self::F32 => Some(|values, bytes| encode::blocks(values, bytes, encode::f32)),
            Self::F16 => Some(|values, bytes| encode::blocks(values, bytes, encode::f16)),
            Self::Bf16 => Some(|values, bytes| encode::blocks(values, bytes, encode::bf16)),
            Self::Q8_0 => Some(|values, bytes| encode::blocks(values, bytes, encode::q8_0)),
            Self::Q4_0 => Some(|values, bytes| encode::blocks(values, bytes, encode::q4_0)),
            Self::Q4_1 => Some(|values, bytes| encode::blocks(values, bytes, encode::q4_1)),
            Self::Q4K | Self::Q6K | Self::I8 => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
