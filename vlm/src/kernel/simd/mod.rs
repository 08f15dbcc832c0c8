//! The few vector operations that the kernels are made of, for every instruction set alike: sixteen rows side by side.
//!
//! All give the same bits: integers are exact, and floating-point numbers are multiplied and added by fused operations in
//! the same order everywhere.

#![allow(unsafe_code)]

use super::ROWS;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(super) mod neon;
pub(super) mod scalar;

/// Sixteen lanes, one a row of a panel.
///
/// # Safety
/// Every function needs a processor with the instructions, and pointers to as much as is read or written.
pub(super) trait Simd {
    /// A number a row.
    type Floats: Copy;
    /// A sum of products a row.
    type Integers: Copy;
    /// Four columns of weights a row.
    type Quads: Copy;

    /// What weights out of [`Self::bytes`] are too large by.
    const OFFSET: i32;
    /// How many panels' sums for six inputs the registers hold.
    const PANELS: usize;

    unsafe fn zero() -> Self::Floats;
    unsafe fn splat(value: f32) -> Self::Floats;
    unsafe fn load(at: *const f32) -> Self::Floats;
    /// Numbers of 16 bits.
    unsafe fn load_half(at: *const u16) -> Self::Floats;
    unsafe fn store(values: Self::Floats, at: *mut f32);
    unsafe fn sum(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn product(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn quotient(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn larger(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn smaller(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a · b + sum`, rounded once.
    unsafe fn add_product(a: Self::Floats, b: Self::Floats, sum: Self::Floats) -> Self::Floats;

    /// A block of weights of four bits, from 64-byte lines: those of the lower halves, then those of the upper ones.
    unsafe fn nibbles(at: *const u8) -> [Self::Quads; 8];
    /// Weights of eight bits that are stored offset by 128, from a 64-byte line.
    unsafe fn bytes(at: *const u8) -> Self::Quads;
    /// Weights of four bits that are stored offset by 8, from a 64-byte line: those of the lower halves, then those of
    /// the upper ones. Each stands in the upper half of eight bits and so is sixteen times what it is, offset as those
    /// out of [`Self::bytes`].
    unsafe fn fours(at: *const u8) -> [Self::Quads; 2];
    unsafe fn start(value: i32) -> Self::Integers;
    /// Adds the products of weights out of [`Self::nibbles`] with four inputs.
    unsafe fn dot_small(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers;
    /// Adds the products of weights out of [`Self::bytes`] or [`Self::fours`] with four inputs, none of which is −128.
    unsafe fn dot(sum: Self::Integers, weights: Self::Quads, inputs: *const i8) -> Self::Integers;
    unsafe fn float(values: Self::Integers) -> Self::Floats;
    /// Stores the lowest byte of every number's bits.
    unsafe fn store_low_bytes(values: Self::Floats, at: *mut i8) {
        let mut bits = [0.0_f32; ROWS];
        // SAFETY: as for this function.
        unsafe {
            Self::store(values, bits.as_mut_ptr());
            at.cast::<[i8; ROWS]>().write(bits.map(|value| value.to_bits() as i8));
        }
    }
    /// `values` times two to the power of `powers`, whole numbers of −126 to 127.
    unsafe fn scaled(values: Self::Floats, powers: Self::Floats) -> Self::Floats;
}

/// Added to what is small, it rounds to whole numbers, which then are in the lowest bits; taken away again, they are left.
pub(super) const ROUND: f32 = 12_582_912.0;

/// `e` to the power of numbers, within two units in the last place; those beyond ±87 are taken for ±87.
///
/// # Safety
/// As for [`Simd`].
#[inline(always)]
pub(super) unsafe fn exp<S: Simd>(powers: S::Floats) -> S::Floats {
    const MOST: f32 = 87.0;
    /// ln 2 in two parts, of which the first has few digits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // SAFETY: as for this function.
    unsafe {
        let powers = S::smaller(S::larger(powers, S::splat(-MOST)), S::splat(MOST));
        let whole = S::add_product(powers, S::splat(std::f32::consts::LOG2_E), S::splat(ROUND));
        let whole = S::sum(whole, S::splat(-ROUND));
        let rest = S::add_product(whole, S::splat(-LN_2[0]), powers);
        let rest = S::add_product(whole, S::splat(-LN_2[1]), rest);
        // Taylor's series: |rest| is at most ln 2 / 2.
        let mut series = S::splat(1.0 / 5040.0);
        for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
            series = S::add_product(series, rest, S::splat(1.0 / factorial));
        }
        S::scaled(series, whole)
    }
}

/// A number as memory has it: of 32 bits, or of 16 as bits.
pub(super) trait Number: Copy + Default + Send + Sync {
    /// Loads sixteen.
    ///
    /// # Safety
    /// As for [`Simd`].
    unsafe fn load<S: Simd>(at: *const Self) -> S::Floats;
}

impl Number for u16 {
    #[inline(always)]
    unsafe fn load<S: Simd>(at: *const Self) -> S::Floats {
        // SAFETY: as for this function.
        unsafe { S::load_half(at) }
    }
}

impl Number for f32 {
    #[inline(always)]
    unsafe fn load<S: Simd>(at: *const Self) -> S::Floats {
        // SAFETY: as for this function.
        unsafe { S::load(at) }
    }
}

/// Something to be computed by whichever instructions there are.
pub(super) trait Task {
    /// What comes of it.
    type Result;

    /// Computes it.
    ///
    /// # Safety
    /// As for [`Simd`]; the task itself holds what else it needs.
    unsafe fn run<S: Simd>(self) -> Self::Result;
}

/// Which instructions the kernels use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// None beyond what every processor has: the reference.
    Scalar,
    /// AVX2, FMA and F16C, as x86 processors have them since 2013.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl InstructionSet {
    /// Those that this processor has, the fastest last.
    pub fn available() -> &'static [Self] {
        static SETS: std::sync::OnceLock<Vec<InstructionSet>> = std::sync::OnceLock::new();
        SETS.get_or_init(|| {
            let mut sets = vec![Self::Scalar];
            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::is_x86_feature_detected as has;
                if has!("avx2") && has!("fma") && has!("f16c") {
                    sets.push(Self::Avx2);
                    if has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512vnni") {
                        sets.push(Self::Avx512);
                    }
                }
            }
            #[cfg(target_arch = "aarch64")]
            sets.push(Self::Neon);
            sets
        })
    }

    /// Computes something by these instructions.
    ///
    /// # Safety
    /// This processor has them, and the task is one that is sound.
    #[inline]
    pub(super) unsafe fn run<T: Task>(self, task: T) -> T::Result {
        // SAFETY: as for this function.
        unsafe {
            match self {
                Self::Scalar => task.run::<scalar::Scalar>(),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => by_avx2(task),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => by_avx512(task),
                #[cfg(target_arch = "aarch64")]
                Self::Neon => task.run::<neon::Neon>(),
            }
        }
    }

    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::Scalar)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn by_avx2<T: Task>(task: T) -> T::Result {
    // SAFETY: as for this function.
    unsafe { task.run::<avx2::Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
unsafe fn by_avx512<T: Task>(task: T) -> T::Result {
    // SAFETY: as for this function.
    unsafe { task.run::<avx512::Avx512>() }
}
