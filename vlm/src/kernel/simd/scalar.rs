//! No vectors: the reference for the others.

use half::f16;

use super::Simd;
use crate::kernel::ROWS;

pub(in crate::kernel) struct Scalar;

impl Simd for Scalar {
    type Floats = [f32; ROWS];
    type Integers = [i32; ROWS];
    type Quads = [[u8; 4]; ROWS];

    const OFFSET: i32 = 128;
    const PANELS: usize = 1;

    unsafe fn zero() -> Self::Floats {
        [0.0; ROWS]
    }

    unsafe fn splat(value: f32) -> Self::Floats {
        [value; ROWS]
    }

    unsafe fn load(at: *const f32) -> Self::Floats {
        // SAFETY: as for this function, here and below.
        unsafe { at.cast::<Self::Floats>().read_unaligned() }
    }

    unsafe fn load_half(at: *const u16) -> Self::Floats {
        unsafe { at.cast::<[u16; ROWS]>().read_unaligned() }.map(|bits| f16::from_bits(bits).to_f32())
    }

    unsafe fn store(values: Self::Floats, at: *mut f32) {
        unsafe { at.cast::<Self::Floats>().write_unaligned(values) }
    }

    unsafe fn sum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| a[row] + b[row])
    }

    unsafe fn quotient(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| a[row] / b[row])
    }

    unsafe fn larger(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| if a[row] > b[row] { a[row] } else { b[row] })
    }

    unsafe fn smaller(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| if a[row] < b[row] { a[row] } else { b[row] })
    }

    unsafe fn product(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| a[row] * b[row])
    }

    unsafe fn add_product(a: Self::Floats, b: Self::Floats, sum: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| a[row].mul_add(b[row], sum[row]))
    }

    unsafe fn nibbles(at: *const u8) -> [Self::Quads; 8] {
        let lines = unsafe { at.cast::<[Self::Quads; 4]>().read() };
        std::array::from_fn(|quad| lines[quad % 4].map(|row| row.map(|both| (both >> (quad / 4 * 4)) & 15)))
    }

    unsafe fn bytes(at: *const u8) -> Self::Quads {
        unsafe { at.cast::<Self::Quads>().read() }
    }

    unsafe fn fours(at: *const u8) -> [Self::Quads; 2] {
        let line = unsafe { at.cast::<Self::Quads>().read() };
        [line.map(|row| row.map(|both| both << 4)), line.map(|row| row.map(|both| both & 0xf0))]
    }

    unsafe fn start(value: i32) -> Self::Integers {
        [value; ROWS]
    }

    unsafe fn dot_small(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers {
        unsafe { Self::dot(sum, weights, inputs) }
    }

    unsafe fn dot(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers {
        let inputs = unsafe { inputs.cast::<[i8; 4]>().read() }.map(i32::from);
        std::array::from_fn(|row| {
            let products = weights[row].into_iter().zip(inputs).map(|(weight, input)| i32::from(weight) * input);
            sum[row] + products.sum::<i32>()
        })
    }

    unsafe fn float(values: Self::Integers) -> Self::Floats {
        values.map(|value| value as f32)
    }

    unsafe fn scaled(values: Self::Floats, powers: Self::Floats) -> Self::Floats {
        std::array::from_fn(|row| values[row] * f32::from_bits(((powers[row] as i32 + 127) << 23) as u32))
    }
}
