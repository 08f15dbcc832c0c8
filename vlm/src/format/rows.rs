//! Rows of whole numbers with one scale each: value = scale · number.
//!
//! Files have the numbers as a tensor of [`Format::I8`](super::Format::I8), two to a byte where they are of four bits,
//! and the scales as one of F32, one a row, beside it: `blk.0.attn_q.weight` and `blk.0.attn_q.scale`. Activations that
//! meet them are numbers of eight bits with one scale a token: OdysseyLLM's W4A8 (Li et al. 2023, arXiv 2311.09550), and
//! W8A8 (Xiao et al. 2023, arXiv 2211.10438).

use std::ops::RangeInclusive;

/// The key of a file's metadata that says that matrices of its layers are such rows, and of which width.
pub const KEY: &str = "tandem.quantization";

/// The name of the tensor with the scales of a matrix's rows.
pub fn scale_name(matrix: &str) -> String {
    format!("{}.scale", matrix.strip_suffix(".weight").unwrap_or(matrix))
}

/// How many bits a number of a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// Four, −8 to 7; the first of two columns in the lower half of a byte.
    Four,
    /// Eight, −127 to 127.
    Eight,
}

impl Width {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Four, Self::Eight];

    /// What files and command lines call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Four => "w4a8",
            Self::Eight => "w8a8",
        }
    }

    /// The width of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|width| width.name() == name)
    }

    /// The numbers that rows are made of.
    pub const fn range(self) -> RangeInclusive<i8> {
        match self {
            Self::Four => -8..=7,
            Self::Eight => -127..=127,
        }
    }

    /// Bytes of a row of so many columns, which are even.
    pub const fn bytes(self, columns: usize) -> usize {
        match self {
            Self::Four => columns / 2,
            Self::Eight => columns,
        }
    }

    /// Writes numbers within the range, of an even count, behind what is in the vector.
    pub fn write(self, numbers: &[i8], bytes: &mut Vec<u8>) {
        match self {
            Self::Four => {
                bytes.extend(numbers.as_chunks().0.iter().map(|[low, high]| ((low & 15) | (high << 4)) as u8))
            }
            Self::Eight => bytes.extend(numbers.iter().map(|number| number.cast_unsigned())),
        }
    }

    /// Reads the numbers of bytes, as many as there is room for.
    pub fn read(self, bytes: &[u8], numbers: &mut [i8]) {
        match self {
            Self::Four => {
                for ([low, high], byte) in numbers.as_chunks_mut().0.iter_mut().zip(bytes) {
                    (*low, *high) = ((byte << 4).cast_signed() >> 4, byte.cast_signed() >> 4);
                }
            }
            Self::Eight => numbers.iter_mut().zip(bytes).for_each(|(number, byte)| *number = byte.cast_signed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_their_bytes_and_the_first_is_in_the_lower_half() {
        let mut bytes = Vec::new();
        Width::Four.write(&[-8, 7, 1, -1], &mut bytes);
        assert_eq!(bytes, [0x78, 0xf1]);
        for width in Width::ALL {
            let numbers: Vec<i8> = width.range().chain(width.range().rev()).collect();
            let (mut bytes, mut back) = (Vec::new(), vec![0; numbers.len()]);
            width.write(&numbers, &mut bytes);
            assert_eq!(bytes.len(), width.bytes(numbers.len()));
            width.read(&bytes, &mut back);
            assert_eq!(back, numbers);
            assert_eq!(Width::named(width.name()), Some(width));
        }
        assert_eq!(Width::named("w2a8"), None);
    }
}
