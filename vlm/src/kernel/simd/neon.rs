//! NEON: four registers hold what AVX-512 has in one.

use std::arch::aarch64::*;

use super::Simd;

pub(in crate::kernel) struct Neon;

/// Does the same to each of the four registers.
macro_rules! each {
    (|$part:ident| $of:expr) => {{
        let one = |$part: usize| $of;
        [one(0), one(1), one(2), one(3)]
    }};
}

// SAFETY: for all of it, as the trait says: every 64-bit ARM processor has the instructions, the pointers are good.
impl Simd for Neon {
    type Floats = [float32x4_t; 4];
    type Integers = [int32x4_t; 4];
    type Quads = [int8x16_t; 4];

    const OFFSET: i32 = 0;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn zero() -> Self::Floats {
        unsafe { [vdupq_n_f32(0.0); 4] }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        unsafe { [vdupq_n_f32(value); 4] }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self::Floats {
        unsafe { each!(|part| vld1q_f32(at.add(4 * part))) }
    }

    #[inline(always)]
    unsafe fn load_half(at: *const u16) -> Self::Floats {
        unsafe { each!(|part| single(vld1_u16(at.add(4 * part)))) }
    }

    #[inline(always)]
    unsafe fn store(values: Self::Floats, at: *mut f32) {
        unsafe {
            each!(|part| vst1q_f32(at.add(4 * part), values[part]));
        }
    }

    #[inline(always)]
    unsafe fn sum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vaddq_f32(a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn product(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vmulq_f32(a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn quotient(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vdivq_f32(a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn larger(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vmaxnmq_f32(a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn smaller(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vminnmq_f32(a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn add_product(a: Self::Floats, b: Self::Floats, sum: Self::Floats) -> Self::Floats {
        unsafe { each!(|part| vfmaq_f32(sum[part], a[part], b[part])) }
    }

    #[inline(always)]
    unsafe fn nibbles(at: *const u8) -> [Self::Quads; 8] {
        unsafe {
            let low = |line: usize| {
                each!(|part| vreinterpretq_s8_u8(vandq_u8(vld1q_u8(at.add(64 * line + 16 * part)), vdupq_n_u8(15))))
            };
            let high = |line: usize| {
                each!(|part| vreinterpretq_s8_u8(vshrq_n_u8::<4>(vld1q_u8(at.add(64 * line + 16 * part)))))
            };
            [low(0), low(1), low(2), low(3), high(0), high(1), high(2), high(3)]
        }
    }

    #[inline(always)]
    unsafe fn bytes(at: *const u8) -> Self::Quads {
        unsafe { each!(|part| vreinterpretq_s8_u8(veorq_u8(vld1q_u8(at.add(16 * part)), vdupq_n_u8(128)))) }
    }

    #[inline(always)]
    unsafe fn fours(at: *const u8) -> [Self::Quads; 2] {
        unsafe {
            // Without the offset of both halves, they have signs.
            let both: [uint8x16_t; 4] = each!(|part| veorq_u8(vld1q_u8(at.add(16 * part)), vdupq_n_u8(0x88)));
            let low = each!(|part| vreinterpretq_s8_u8(vshlq_n_u8::<4>(both[part])));
            [low, each!(|part| vreinterpretq_s8_u8(vandq_u8(both[part], vdupq_n_u8(0xf0))))]
        }
    }

    #[inline(always)]
    unsafe fn start(value: i32) -> Self::Integers {
        unsafe { [vdupq_n_s32(value); 4] }
    }

    #[inline(always)]
    unsafe fn dot_small(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers {
        unsafe { Self::dot(sum, weights, inputs) }
    }

    #[inline(always)]
    unsafe fn dot(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers {
        unsafe {
            let inputs = vreinterpretq_s8_s32(vdupq_n_s32(inputs.cast::<i32>().read_unaligned()));
            each!(|part| {
                let low = vpaddlq_s16(vmull_s8(vget_low_s8(weights[part]), vget_low_s8(inputs)));
                let high = vpaddlq_s16(vmull_high_s8(weights[part], inputs));
                vaddq_s32(sum[part], vpaddq_s32(low, high))
            })
        }
    }

    #[inline(always)]
    unsafe fn float(values: Self::Integers) -> Self::Floats {
        unsafe { each!(|part| vcvtq_f32_s32(values[part])) }
    }

    #[inline(always)]
    unsafe fn scaled(values: Self::Floats, powers: Self::Floats) -> Self::Floats {
        unsafe {
            each!(|part| {
                let exponents = vaddq_s32(vcvtq_s32_f32(powers[part]), vdupq_n_s32(127));
                vmulq_f32(values[part], vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponents)))
            })
        }
    }
}

/// Four finite numbers of 16 bits in 32: the bits in their place, times the power of two by which the exponents differ.
#[inline(always)]
unsafe fn single(bits: uint16x4_t) -> float32x4_t {
    unsafe {
        let wide = vmovl_u16(bits);
        let size = vshlq_n_u32::<13>(vandq_u32(wide, vdupq_n_u32(0x7fff)));
        let size = vmulq_f32(vreinterpretq_f32_u32(size), vdupq_n_f32(f32::from_bits((127 + 112) << 23)));
        let sign = vshlq_n_u32::<16>(vandq_u32(wide, vdupq_n_u32(0x8000)));
        vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(size), sign))
    }
}
