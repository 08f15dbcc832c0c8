//! AVX-512 with VNNI: one register holds four columns of all sixteen rows, and one instruction multiplies and adds them.

use std::arch::x86_64::*;

use super::Simd;

pub(in crate::kernel) struct Avx512;

// SAFETY: for all of it, as the trait says: the processor has the instructions, the pointers are good.
impl Simd for Avx512 {
    type Floats = __m512;
    type Integers = __m512i;
    type Quads = __m512i;

    const OFFSET: i32 = 128;
    const PANELS: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> __m512 {
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn load_half(at: *const u16) -> __m512 {
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
    }

    #[inline(always)]
    unsafe fn store(values: __m512, at: *mut f32) {
        unsafe { _mm512_storeu_ps(at, values) }
    }

    #[inline(always)]
    unsafe fn sum(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn quotient(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn larger(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn smaller(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn product(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn add_product(a: __m512, b: __m512, sum: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, sum) }
    }

    #[inline(always)]
    unsafe fn nibbles(at: *const u8) -> [__m512i; 8] {
        unsafe {
            let low = _mm512_set1_epi8(15);
            let mut quads = [_mm512_setzero_si512(); 8];
            for line in 0..4 {
                let both = _mm512_load_si512(at.add(64 * line).cast());
                quads[line] = _mm512_and_si512(both, low);
                quads[line + 4] = _mm512_and_si512(_mm512_srli_epi16::<4>(both), low);
            }
            quads
        }
    }

    #[inline(always)]
    unsafe fn bytes(at: *const u8) -> __m512i {
        unsafe { _mm512_load_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn fours(at: *const u8) -> [__m512i; 2] {
        unsafe {
            let (both, upper) = (_mm512_load_si512(at.cast()), _mm512_set1_epi8(-16));
            [_mm512_and_si512(_mm512_slli_epi16::<4>(both), upper), _mm512_and_si512(both, upper)]
        }
    }

    #[inline(always)]
    unsafe fn start(value: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn dot_small(sum: __m512i, weights: __m512i, inputs: *const i8) -> __m512i {
        unsafe { Self::dot(sum, weights, inputs) }
    }

    #[inline(always)]
    unsafe fn dot(sum: __m512i, weights: __m512i, inputs: *const i8) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sum, weights, _mm512_set1_epi32(inputs.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    unsafe fn float(values: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(values) }
    }

    #[inline(always)]
    unsafe fn store_low_bytes(values: __m512, at: *mut i8) {
        unsafe { _mm_storeu_si128(at.cast(), _mm512_cvtepi32_epi8(_mm512_castps_si512(values))) }
    }

    #[inline(always)]
    unsafe fn scaled(values: __m512, powers: __m512) -> __m512 {
        unsafe {
            let exponents = _mm512_add_epi32(_mm512_cvtps_epi32(powers), _mm512_set1_epi32(127));
            _mm512_mul_ps(values, _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponents)))
        }
    }
}
