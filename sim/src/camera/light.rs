//! The light of a place: sun, sky, air, street lamps and the ego's headlights.

use nalgebra::{Point2, Vector3};

use super::ground::Grid;
use super::look::{Light, Look, Rgb, Weather};
use super::noise::Noise;

/// Entries of the table of what the air lets through.
const AIR_STEPS: usize = 512;
/// Length of an entry, m.
const AIR_STEP_M: f32 = 2.0;

/// Light that is the same for a whole scene.
#[derive(Debug)]
pub(super) struct Lighting {
    /// Towards the sun (or the moon).
    pub to_sun: Vector3<f32>,
    pub sun: Rgb,
    /// Light from above, and light back from the ground.
    pub sky: Rgb,
    pub bounce: Rgb,
    /// The sky's colour at the zenith and at the horizon, and of clouds.
    zenith: Rgb,
    horizon: Rgb,
    cloud: Rgb,
    clouds: f32,
    /// What is far away fades into this.
    pub air: Rgb,
    through: Vec<f32>,
    /// How strongly lamps of any kind are lit.
    pub lamps: f32,
    pub wetness: f32,
    skyline: f32,
    skyline_color: Rgb,
}

fn scaled(color: Rgb, by: f32) -> Rgb {
    color.map(|value| value * by)
}

/// `a` and `b` in the proportion `t` to 1.
pub(super) fn mixed(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

impl Lighting {
    /// The light of a look.
    pub fn new(look: &Look) -> Self {
        let (sin, cos) = look.sun_elevation_rad.sin_cos();
        let to_sun = Vector3::new(cos * look.sun_azimuth_rad.cos(), cos * look.sun_azimuth_rad.sin(), sin);
        let direct = (1.0 - look.clouds).max(0.0).powf(0.7);
        let overcast = look.clouds;
        let (sun, sky, zenith, horizon, cloud, lamps) = match look.light {
            Light::Sun => (
                scaled([2.6, 2.4, 2.1], direct),
                mixed([0.48, 0.60, 0.80], [0.72, 0.75, 0.80], overcast),
                mixed([0.12, 0.28, 0.66], [0.55, 0.58, 0.62], overcast * 0.9),
                mixed([0.62, 0.76, 0.95], [0.78, 0.80, 0.82], overcast),
                [1.05, 1.05, 1.05],
                0.0_f32,
            ),
            Light::Dusk => (
                scaled([1.5, 0.75, 0.32], direct),
                mixed([0.30, 0.29, 0.36], [0.30, 0.30, 0.34], overcast),
                mixed([0.10, 0.14, 0.30], [0.22, 0.23, 0.27], overcast),
                mixed([0.95, 0.50, 0.25], [0.45, 0.41, 0.40], overcast),
                [0.60, 0.40, 0.34],
                0.35,
            ),
            Light::Night => (
                [0.0; 3],
                [0.016, 0.018, 0.026],
                [0.004, 0.005, 0.010],
                [0.045, 0.032, 0.022],
                [0.020, 0.017, 0.016],
                1.0,
            ),
        };
        let dim = if look.weather == Weather::Clear { 1.0 } else { 0.8 };
        let [sky, zenith, horizon] = [sky, zenith, horizon].map(|color| scaled(color, dim));
        let air = if look.light == Light::Night {
            scaled([0.05, 0.042, 0.036], if look.weather == Weather::Fog { 1.2 } else { 0.6 })
        } else {
            mixed(horizon, sky, 0.35)
        };
        let horizon = mixed(horizon, air, (look.fog_per_m * 60.0).min(1.0));
        let sunlit = scaled(sun, to_sun.z.max(0.0));
        let through = (0..=AIR_STEPS).map(|step| (-look.fog_per_m * step as f32 * AIR_STEP_M).exp()).collect();
        Self {
            to_sun,
            sun,
            sky,
            bounce: std::array::from_fn(|i| (sky[i] + sunlit[i]) * 0.16),
            zenith: mixed(zenith, air, (look.fog_per_m * 40.0).min(1.0)),
            horizon,
            cloud: scaled(cloud, dim),
            clouds: if look.weather == Weather::Clear { look.clouds } else { 0.3 },
            air,
            through,
            lamps: lamps.max(if look.weather == Weather::Clear { 0.0 } else { 0.3 }),
            wetness: look.wetness,
            skyline: 0.02 + 0.05 * look.built,
            skyline_color: mixed(look.leaves, look.walls[0], look.built),
        }
    }

    /// Whether it is dark enough for street lamps.
    pub fn is_dark(&self) -> bool {
        self.lamps >= 1.0
    }

    /// How much of what is at a distance gets through the air.
    #[inline]
    pub fn through(&self, distance_m: f32) -> f32 {
        let at = (distance_m / AIR_STEP_M).clamp(0.0, AIR_STEPS as f32 - 1.0);
        let (index, part) = (at as usize, at.fract());
        self.through[index] + (self.through[index + 1] - self.through[index]) * part
    }

    /// Light onto a surface with a normal.
    pub fn onto(&self, normal: &Vector3<f32>, shaded: bool) -> Rgb {
        let sun = if shaded { 0.0 } else { normal.dot(&self.to_sun).max(0.0) };
        let up = 0.5 + 0.5 * normal.z;
        std::array::from_fn(|i| self.sun[i] * sun + self.sky[i] * (0.25 + 0.75 * up) + self.bounce[i] * (1.0 - up))
    }

    /// The sky's colour in a direction.
    pub fn sky_at(&self, direction: &Vector3<f32>) -> Rgb {
        let noise = Noise::get();
        let flat = direction.x.hypot(direction.y).max(1e-6);
        let up = direction.z / flat;
        // Far houses and trees stand against the sky.
        let azimuth = direction.y.atan2(direction.x) * 128.0 / std::f32::consts::PI;
        let jag = 0.5 + 0.5 * noise.cloud(azimuth * 4.0, 9.0) + 0.5 * noise.smooth(azimuth, 77.0);
        if up < self.skyline * jag {
            let lit = scaled(self.skyline_color, 0.5);
            let color: Rgb = std::array::from_fn(|i| lit[i] * self.sky[i]);
            return mixed(self.air, color, self.through(350.0) * 0.6);
        }
        let height = up.max(0.0) / (1.0 + up.max(0.0));
        let mut color = mixed(self.horizon, self.zenith, (height * 1.8).min(1.0).sqrt());
        if self.clouds > 0.02 && up > 0.01 {
            let far = 22.0 / (up + 0.12);
            let (x, y) = (direction.x / flat * far, direction.y / flat * far);
            let lump = noise.smooth(x, y) + 0.5 * noise.smooth(x * 3.0, y * 3.0);
            let cover = ((lump - 0.6 + self.clouds * 1.3) * 1.6).clamp(0.0, 1.0) * (up * 8.0).min(1.0);
            color = mixed(color, self.cloud, cover * 0.85);
        }
        let toward = direction.dot(&self.to_sun) / direction.norm();
        if toward > 0.0 {
            let halo = toward.powi(8) * 0.06 + toward.powi(64) * 0.25 + if toward > 0.9993 { 6.0 } else { 0.0 };
            (0..3).for_each(|i| color[i] += self.sun[i] * halo);
        }
        color
    }
}

/// What street lamps give to places on the ground.
#[derive(Debug)]
pub(super) struct LampLight {
    grid: Grid,
    light: Vec<f32>,
}

impl LampLight {
    /// The light of lamps at places; nothing where there are none.
    pub fn new(low: Point2<f64>, high: Point2<f64>, lamps: &[Point2<f64>]) -> Self {
        let cell_m = 2.0;
        let count = |extent_m: f64| ((extent_m / cell_m).ceil().clamp(1.0, 2048.0)) as usize;
        let grid = Grid { origin: low, cell_m, columns: count(high.x - low.x), rows: count(high.y - low.y) };
        let mut light = vec![0.0; grid.columns * grid.rows];
        let reach = 15_i64;
        for lamp in lamps {
            let at = (lamp - low) / cell_m;
            for row in (at.y as i64 - reach).max(0)..(at.y as i64 + reach).min(grid.rows as i64) {
                for column in (at.x as i64 - reach).max(0)..(at.x as i64 + reach).min(grid.columns as i64) {
                    let (column, row) = (column as usize, row as usize);
                    let distance_2 = (grid.middle(column, row) - lamp).norm_squared() as f32;
                    // A lamp 7 m up: intensity over distance squared times the cosine at the ground.
                    light[row * grid.columns + column] += 0.28 * (49.0 / (49.0 + distance_2)).powf(1.5);
                }
            }
        }
        Self { grid, light }
    }

    /// The light at a place.
    #[inline]
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (
            (x - self.grid.origin.x as f32) / self.grid.cell_m as f32 - 0.5,
            (y - self.grid.origin.y as f32) / self.grid.cell_m as f32 - 0.5,
        );
        if !(u >= 0.0 && v >= 0.0 && u < self.grid.columns as f32 - 1.0 && v < self.grid.rows as f32 - 1.0) {
            return 0.0;
        }
        let (tx, ty) = (u.fract(), v.fract());
        let at = v as usize * self.grid.columns + u as usize;
        let top = self.light[at] * (1.0 - tx) + self.light[at + 1] * tx;
        let low = self.light[at + self.grid.columns] * (1.0 - tx) + self.light[at + self.grid.columns + 1] * tx;
        top * (1.0 - ty) + low * ty
    }
}

/// The colour of street lamps.
pub(super) const LAMP_COLOR: Rgb = [1.0, 0.66, 0.34];
/// The colour of headlights.
pub(super) const HEADLIGHT_COLOR: Rgb = [1.0, 0.96, 0.88];

/// What the ego's headlights give to a place in the ego's frame, m.
#[inline]
pub(super) fn headlights(x: f32, y: f32, z: f32) -> f32 {
    let ahead = x - 3.5;
    if ahead <= 0.3 {
        return 0.0;
    }
    let aside = y / (ahead + 2.0);
    let above = (z - 0.65) / ahead;
    let beam = (-(aside * aside) * 3.5).exp();
    // Dipped: bright below the lamps, little above.
    let cut = if above > 0.0 { (-above * 30.0).exp() * 0.85 + 0.15 } else { 1.0 };
    beam * cut * 0.9 / (1.0 + (ahead / 14.0).powi(2))
}
