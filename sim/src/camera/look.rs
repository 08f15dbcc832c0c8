//! What a place looks like at a time: light, weather, colours, paint, and how the camera takes it.

use serde::{Deserialize, Serialize};

use super::noise::{Dice, hash};

/// Where the light comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Daylight.
    Sun,
    /// A low sun and the first lamps.
    Dusk,
    /// Lamps and headlights.
    Night,
}

impl Light {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sun, Self::Dusk, Self::Night];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sun => "sun",
            Self::Dusk => "dusk",
            Self::Night => "night",
        }
    }
}

/// What is in the air and on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// Dry, far sight.
    Clear,
    /// Wet ground, falling drops, grey sky.
    Rain,
    /// Near sight.
    Fog,
}

impl Weather {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clear, Self::Rain, Self::Fog];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Rain => "rain",
            Self::Fog => "fog",
        }
    }
}

/// A linear colour, 1 for white in full light.
pub type Rgb = [f32; 3];

/// What a place looks like at a time. Colours are linear albedos.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What else is drawn from chance hangs on it.
    pub seed: u64,
    /// Where the light comes from.
    pub light: Light,
    /// What is in the air.
    pub weather: Weather,
    /// Where the sun is, rad counter-clockwise from the map's x axis.
    pub sun_azimuth_rad: f32,
    /// How high the sun is, rad.
    pub sun_elevation_rad: f32,
    /// How much of the sky is cloud, 0 to 1; the sun fades with it.
    pub clouds: f32,
    /// What the air takes away, 1/m.
    pub fog_per_m: f32,
    /// How wet the ground is, 0 to 1.
    pub wetness: f32,
    /// Drops in the air, 0 to 1.
    pub rain: f32,
    /// Road surface.
    pub asphalt: Rgb,
    /// Pavement beside it.
    pub pavement: Rgb,
    /// What lies beyond.
    pub terrain: Rgb,
    /// Leaves.
    pub leaves: Rgb,
    /// Walls; each building takes one and varies it.
    pub walls: [Rgb; 4],
    /// The lines between opposite directions.
    pub center_paint: Rgb,
    /// Whether those are doubled.
    pub center_doubled: bool,
    /// How much of the paint has gone, 0 to 1.
    pub paint_wear: f32,
    /// Painted and unpainted stretches of dashed lines, m.
    pub dash_m: [f64; 2],
    /// Width of the pavement, m.
    pub pavement_m: f64,
    /// How much is built along the roads, 0 to 1.
    pub built: f32,
    /// How much grows along the roads, 0 to 1.
    pub planted: f32,
    /// What the camera multiplies light with.
    pub exposure: f32,
    /// The sensor's noise, standard deviation in steps of 1/255 at mid-grey.
    pub noise: f32,
    /// White balance: factors of red and blue.
    pub balance: [f32; 2],
}

impl Look {
    /// The look of a seed: half by day, the rest at dusk or night; two thirds clear.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let light = dice.pick(&[Light::Sun, Light::Sun, Light::Sun, Light::Dusk, Light::Night]);
        let weather = dice.pick(&[
            Weather::Clear,
            Weather::Clear,
            Weather::Clear,
            Weather::Clear,
            Weather::Rain,
            Weather::Rain,
            Weather::Fog,
        ]);
        Self::with(seed, light, weather)
    }

    /// The look that belongs to a log: of a generated one that of its seed, of any other one of its own.
    pub fn of_log(id: &str) -> Self {
        let generated = id.strip_prefix("world-").or_else(|| id.strip_prefix("town-"));
        let seed = generated.and_then(|rest| rest.split('-').next()?.parse().ok());
        Self::of(seed.unwrap_or_else(|| id.bytes().fold(0, |key, byte| hash(key ^ u64::from(byte)))))
    }

    /// A look of a given light and weather; the rest is drawn by the seed.
    pub fn with(seed: u64, light: Light, weather: Weather) -> Self {
        let mut dice = Dice::new(seed, 2);
        let tint = |base: Rgb, by: f32, dice: &mut Dice| {
            let scale = dice.between(1.0 - by, 1.0 + by);
            base.map(|value| value * scale * dice.between(1.0 - by * 0.08, 1.0 + by * 0.08))
        };
        let asphalt = tint([0.118, 0.116, 0.116], 0.45, &mut dice);
        let pavement = tint(dice.pick(&[[0.30, 0.29, 0.27], [0.26, 0.22, 0.19], [0.33, 0.32, 0.31]]), 0.2, &mut dice);
        let terrain = dice.pick(&[
            [0.075, 0.115, 0.035],
            [0.075, 0.115, 0.035],
            [0.12, 0.125, 0.055],
            [0.21, 0.19, 0.16],
            [0.20, 0.15, 0.10],
        ]);
        let terrain = tint(terrain, 0.25, &mut dice);
        let leaves = dice.pick(&[[0.055, 0.10, 0.025], [0.055, 0.10, 0.025], [0.09, 0.12, 0.03], [0.16, 0.09, 0.02]]);
        let leaves = tint(leaves, 0.3, &mut dice);
        const WALLS: [Rgb; 9] = [
            [0.42, 0.40, 0.36],
            [0.52, 0.50, 0.46],
            [0.30, 0.29, 0.28],
            [0.27, 0.12, 0.075],
            [0.40, 0.30, 0.19],
            [0.33, 0.20, 0.14],
            [0.20, 0.22, 0.25],
            [0.55, 0.46, 0.32],
            [0.36, 0.38, 0.40],
        ];
        let walls = std::array::from_fn(|_| {
            let wall = dice.pick(&WALLS);
            tint(wall, 0.25, &mut dice)
        });
        let yellow = dice.chance(0.5);
        let sun_elevation_rad = match light {
            Light::Sun => dice.between(0.35, 1.25),
            Light::Dusk => dice.between(0.07, 0.22),
            Light::Night => dice.between(0.4, 1.0),
        };
        let clouds = if weather == Weather::Clear { dice.next().powi(2) * 0.9 } else { 1.0 };
        let fog_per_m = match weather {
            Weather::Clear => dice.between(0.0004, 0.002),
            Weather::Rain => dice.between(0.003, 0.009),
            Weather::Fog => dice.between(0.014, 0.035),
        };
        let damp = dice.chance(0.1);
        let raining = weather == Weather::Rain;
        let wetness = if raining || damp { dice.between(0.5, 1.0) } else { 0.0 };
        let exposure = match light {
            Light::Sun if clouds > 0.8 => 1.5,
            Light::Sun => 1.0,
            Light::Dusk => 1.7,
            Light::Night => 2.0,
        } * dice.between(0.75, 1.3);
        let noise = dice.between(0.8, 2.0) * if light == Light::Night { 2.5 } else { 1.0 };
        Self {
            seed,
            light,
            weather,
            sun_azimuth_rad: dice.between(0.0, std::f32::consts::TAU),
            sun_elevation_rad,
            clouds,
            fog_per_m,
            wetness,
            rain: if raining { dice.between(0.4, 1.0) } else { 0.0 },
            asphalt,
            pavement,
            terrain,
            leaves,
            walls,
            center_paint: if yellow { [0.62, 0.42, 0.06] } else { [0.70, 0.70, 0.68] },
            center_doubled: yellow || dice.chance(0.3),
            paint_wear: dice.next().powi(2) * 0.8,
            dash_m: dice.pick(&[[3.0, 6.0], [2.0, 4.0], [3.0, 9.0], [6.0, 3.0]]),
            pavement_m: f64::from(dice.between(1.8, 4.5)),
            built: dice.pick(&[0.15, 0.5, 0.85, 0.95]),
            planted: dice.pick(&[0.2, 0.5, 0.8, 1.0]),
            exposure,
            noise,
            balance: [dice.between(0.92, 1.08), dice.between(0.92, 1.08)],
        }
    }
}
