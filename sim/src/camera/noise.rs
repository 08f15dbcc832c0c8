//! Repeatable randomness: hashes for things, and tables of noise for surfaces.

use std::sync::OnceLock;

/// Side of the noise table, texels; a power of two.
pub(super) const SIDE: usize = 256;

/// A well-mixed number for a number (SplitMix64's finaliser, Steele, Lea, Flood 2014).
pub(super) fn hash(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One number in [0, 1) for two numbers.
pub(super) fn unit(seed: u64, index: u64) -> f32 {
    (hash(seed ^ hash(index)) >> 40) as f32 / (1_u64 << 24) as f32
}

/// A quick hash of 32 bits for per-pixel work (Wellons' "lowbias32").
#[inline]
pub(super) fn quick(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// A stream of numbers in [0, 1) for one thing.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// The stream of a thing.
    pub fn new(seed: u64, thing: u64) -> Self {
        Self { seed: hash(seed).wrapping_add(hash(thing ^ 0x5bd1_e995)), thrown: 0 }
    }

    /// The next number in [0, 1).
    pub fn next(&mut self) -> f32 {
        self.thrown += 1;
        unit(self.seed, self.thrown)
    }

    /// The next number from `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.next()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.next() < p
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[((self.next() * of.len() as f32) as usize).min(of.len() - 1)]
    }
}

/// Tables of noise with mean 0 and values within ±1, which repeat without a seam.
pub(super) struct Noise {
    /// Independent values.
    white: Vec<f32>,
    /// Several octaves from the table's whole side down to two texels.
    cloud: Vec<f32>,
}

impl Noise {
    /// The tables, made on first use.
    pub fn get() -> &'static Self {
        static TABLES: OnceLock<Noise> = OnceLock::new();
        TABLES.get_or_init(|| {
            let white: Vec<f32> = (0..SIDE * SIDE).map(|i| unit(77, i as u64) * 2.0 - 1.0).collect();
            let value = |x: f32, y: f32, cells: usize| {
                let (x, y) = (x * cells as f32, y * cells as f32);
                let at = |i: usize, j: usize| white[(j % cells) * SIDE + i % cells + cells * 3 % 97];
                let (i, j) = (x as usize, y as usize);
                let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
                let (tx, ty) = (smooth(x.fract()), smooth(y.fract()));
                let top = at(i, j) * (1.0 - tx) + at(i + 1, j) * tx;
                let low = at(i, j + 1) * (1.0 - tx) + at(i + 1, j + 1) * tx;
                top * (1.0 - ty) + low * ty
            };
            let cloud = (0..SIDE * SIDE).map(|index| {
                let (x, y) = ((index % SIDE) as f32 / SIDE as f32, (index / SIDE) as f32 / SIDE as f32);
                let octaves = (0..6).map(|octave| value(x, y, 4 << octave) * 0.5_f32.powi(octave));
                (octaves.sum::<f32>() * 0.8).clamp(-1.0, 1.0)
            });
            Self { cloud: cloud.collect(), white }
        })
    }

    /// Independent values at whole places.
    #[inline]
    pub fn white(&self, i: i32, j: i32) -> f32 {
        self.white[(j as usize % SIDE) * SIDE + i as usize % SIDE]
    }

    /// Smooth noise of several octaves at the nearest texel; the table spans 256 units.
    #[inline]
    pub fn cloud(&self, x: f32, y: f32) -> f32 {
        // A cast of a negative number to i32 and on to usize wraps, and the side is a power of two.
        let (i, j) = (x.floor() as i32 as usize % SIDE, y.floor() as i32 as usize % SIDE);
        self.cloud[j * SIDE + i]
    }

    /// The same, interpolated.
    #[inline]
    pub fn smooth(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (tx, ty) = (x - left, y - top);
        let a = self.cloud(left, top) * (1.0 - tx) + self.cloud(left + 1.0, top) * tx;
        let b = self.cloud(left, top + 1.0) * (1.0 - tx) + self.cloud(left + 1.0, top + 1.0) * tx;
        a * (1.0 - ty) + b * ty
    }
}
