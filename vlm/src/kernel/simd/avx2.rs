//! AVX2 with FMA and F16C: two registers hold what AVX-512 has in one.

use std::arch::x86_64::*;

use super::Simd;

pub(in crate::kernel) struct Avx2;

// SAFETY: for all of it, as the trait says: the processor has the instructions, the pointers are good.
impl Simd for Avx2 {
    type Floats = [__m256; 2];
    type Integers = [__m256i; 2];
    type Quads = [__m256i; 2];

    const OFFSET: i32 = 0;
    const PANELS: usize = 1;

    #[inline(always)]
    unsafe fn zero() -> [__m256; 2] {
        unsafe { [_mm256_setzero_ps(); 2] }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> [__m256; 2] {
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> [__m256; 2] {
        unsafe { [_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))] }
    }

    #[inline(always)]
    unsafe fn load_half(at: *const u16) -> [__m256; 2] {
        unsafe { [_mm256_cvtph_ps(_mm_loadu_si128(at.cast())), _mm256_cvtph_ps(_mm_loadu_si128(at.add(8).cast()))] }
    }

    #[inline(always)]
    unsafe fn store(values: [__m256; 2], at: *mut f32) {
        unsafe {
            _mm256_storeu_ps(at, values[0]);
            _mm256_storeu_ps(at.add(8), values[1]);
        }
    }

    #[inline(always)]
    unsafe fn sum(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn quotient(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn larger(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn smaller(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn product(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn add_product(a: [__m256; 2], b: [__m256; 2], sum: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], sum[0]), _mm256_fmadd_ps(a[1], b[1], sum[1])] }
    }

    #[inline(always)]
    unsafe fn nibbles(at: *const u8) -> [[__m256i; 2]; 8] {
        unsafe {
            let low = _mm256_set1_epi8(15);
            let mut quads = [[_mm256_setzero_si256(); 2]; 8];
            for line in 0..4 {
                let first = _mm256_load_si256(at.add(64 * line).cast());
                let second = _mm256_load_si256(at.add(64 * line + 32).cast());
                quads[line] = [_mm256_and_si256(first, low), _mm256_and_si256(second, low)];
                let (first, second) = (_mm256_srli_epi16::<4>(first), _mm256_srli_epi16::<4>(second));
                quads[line + 4] = [_mm256_and_si256(first, low), _mm256_and_si256(second, low)];
            }
            quads
        }
    }

    #[inline(always)]
    unsafe fn bytes(at: *const u8) -> [__m256i; 2] {
        unsafe {
            let offset = _mm256_set1_epi8(-128);
            let halves = [_mm256_load_si256(at.cast()), _mm256_load_si256(at.add(32).cast())];
            [_mm256_xor_si256(halves[0], offset), _mm256_xor_si256(halves[1], offset)]
        }
    }

    #[inline(always)]
    unsafe fn fours(at: *const u8) -> [[__m256i; 2]; 2] {
        unsafe {
            let (offset, upper) = (_mm256_set1_epi8(-0x78), _mm256_set1_epi8(-16));
            let first = _mm256_xor_si256(_mm256_load_si256(at.cast()), offset);
            let second = _mm256_xor_si256(_mm256_load_si256(at.add(32).cast()), offset);
            let low = [_mm256_slli_epi16::<4>(first), _mm256_slli_epi16::<4>(second)];
            [
                [_mm256_and_si256(low[0], upper), _mm256_and_si256(low[1], upper)],
                [_mm256_and_si256(first, upper), _mm256_and_si256(second, upper)],
            ]
        }
    }

    #[inline(always)]
    unsafe fn start(value: i32) -> [__m256i; 2] {
        unsafe { [_mm256_set1_epi32(value); 2] }
    }

    #[inline(always)]
    unsafe fn dot_small(sum: [__m256i; 2], weights: [__m256i; 2], inputs: *const i8) -> [__m256i; 2] {
        unsafe {
            let inputs = _mm256_set1_epi32(inputs.cast::<i32>().read_unaligned());
            let pairs = [_mm256_maddubs_epi16(weights[0], inputs), _mm256_maddubs_epi16(weights[1], inputs)];
            [add(sum[0], pairs[0]), add(sum[1], pairs[1])]
        }
    }

    #[inline(always)]
    unsafe fn dot(sum: [__m256i; 2], weights: [__m256i; 2], inputs: *const i8) -> [__m256i; 2] {
        unsafe {
            let inputs = _mm256_set1_epi32(inputs.cast::<i32>().read_unaligned());
            // Magnitudes times inputs of the same sign: two products of at most 128 · 127 stay within 16 bits.
            let sizes = [_mm256_abs_epi8(weights[0]), _mm256_abs_epi8(weights[1])];
            let signed = [_mm256_sign_epi8(inputs, weights[0]), _mm256_sign_epi8(inputs, weights[1])];
            let pairs = [_mm256_maddubs_epi16(sizes[0], signed[0]), _mm256_maddubs_epi16(sizes[1], signed[1])];
            [add(sum[0], pairs[0]), add(sum[1], pairs[1])]
        }
    }

    #[inline(always)]
    unsafe fn float(values: [__m256i; 2]) -> [__m256; 2] {
        unsafe { [_mm256_cvtepi32_ps(values[0]), _mm256_cvtepi32_ps(values[1])] }
    }

    #[inline(always)]
    unsafe fn scaled(values: [__m256; 2], powers: [__m256; 2]) -> [__m256; 2] {
        unsafe { [scaled(values[0], powers[0]), scaled(values[1], powers[1])] }
    }
}

#[inline(always)]
unsafe fn scaled(values: __m256, powers: __m256) -> __m256 {
    unsafe {
        let exponents = _mm256_add_epi32(_mm256_cvtps_epi32(powers), _mm256_set1_epi32(127));
        _mm256_mul_ps(values, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponents)))
    }
}

/// Adds the sums of pairs of 16-bit numbers.
#[inline(always)]
unsafe fn add(sum: __m256i, pairs: __m256i) -> __m256i {
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))) }
}
