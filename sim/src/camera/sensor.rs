//! Light becomes bytes: drops in the air and on the glass, exposure, tone, and the sensor's noise.

use std::sync::OnceLock;

use super::light::Lighting;
use super::look::{Look, Rgb};
use super::noise::{Noise, SIDE, quick};

/// Entries of the table of tones.
const TONES: usize = 4096;

/// Light from 0 to 8 as sRGB values from 0 to 255, with a shoulder instead of a cut.
fn tones() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let tone = |index: usize| {
            // The table is finer where it is darker.
            let light = (index as f32 / TONES as f32).powi(2) * 8.0;
            let held = light * (1.0 + light / 9.0) / (1.0 + light);
            let coded = if held <= 0.003_130_8 { held * 12.92 } else { 1.055 * held.powf(1.0 / 2.4) - 0.055 };
            (coded * 255.0).min(255.0)
        };
        (0..=TONES).map(tone).collect()
    })
}

/// The bytes of a picture, row by row, red, green, blue.
pub(super) fn expose(light: &mut [Rgb], width: usize, look: &Look, lighting: &Lighting, key: u32) -> Vec<u8> {
    if look.rain > 0.0 {
        streaks(light, width, look, lighting, key);
        drops(light, width, look, key);
    }
    let tones = tones();
    let noise = Noise::get();
    let gain = [look.balance[0], 1.0, look.balance[1]].map(|balance| balance * look.exposure);
    let strength = look.noise * 1.73;
    let mut bytes = Vec::with_capacity(light.len() * 3);
    for (y, row) in light.chunks(width.max(1)).enumerate() {
        // Each row starts anywhere in the table of noise.
        let offset = quick(key ^ y as u32) as usize;
        for (x, pixel) in row.iter().enumerate() {
            for channel in 0..3 {
                let at = (pixel[channel] * gain[channel] * (1.0 / 8.0)).clamp(0.0, 1.0).sqrt() * TONES as f32;
                let value = tones[at as usize];
                let index = offset.wrapping_add(x * 3 + channel) % (SIDE * SIDE);
                let grain = noise.white((index % SIDE) as i32, (index / SIDE) as i32);
                // Shot noise grows with the root of the light; in these coded values it is nearly even.
                bytes.push((value + grain * strength + 0.5).clamp(0.0, 255.0) as u8);
            }
        }
    }
    bytes
}

/// Falling drops: short bright lines, slanted all the same way.
fn streaks(light: &mut [Rgb], width: usize, look: &Look, lighting: &Lighting, key: u32) {
    let height = light.len() / width.max(1);
    let count = (look.rain * width as f32 * 0.9) as u32;
    let slant = (quick(look.seed as u32) % 100) as f32 / 100.0 * 0.4 - 0.2;
    let bright = lighting.air.map(|value| value * 0.9 + 0.004);
    for drop in 0..count {
        let chance = quick(key.wrapping_add(drop.wrapping_mul(0x9e37_79b9)));
        let (x, y) = (chance as usize % width, (chance >> 12) as usize % height.max(1));
        let near = (quick(chance) % 1000) as f32 / 1000.0;
        let length = (height as f32 * (0.02 + 0.07 * near * near)) as usize + 1;
        let opacity = 0.07 + 0.12 * near;
        for step in 0..length {
            let column = x as f32 + slant * step as f32;
            let row = y + step;
            if row < height && column >= 0.0 && (column as usize) < width {
                let pixel = &mut light[row * width + column as usize];
                (0..3).for_each(|i| pixel[i] += (bright[i] - pixel[i]) * opacity);
            }
        }
    }
}

/// Drops on the glass: round spots that show the picture upside down and blurred; the same ones for a while.
fn drops(light: &mut [Rgb], width: usize, look: &Look, key: u32) {
    let height = light.len() / width.max(1);
    let count = (look.rain * 7.0) as u32;
    for drop in 0..count {
        let chance = quick((key >> 24) ^ (look.seed as u32).wrapping_add(drop.wrapping_mul(0x85eb_ca6b)));
        let (x, y) = ((chance % width as u32) as i32, (quick(chance) % height.max(1) as u32) as i32);
        let radius = width as i32 / 110 + (quick(chance ^ 9) % (width as u32 / 70 + 1)) as i32 + 1;
        let spot: Vec<_> = (-radius..=radius)
            .flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)))
            .filter(|(dx, dy)| dx * dx + dy * dy <= radius * radius)
            .filter(|(dx, dy)| (0..width as i32).contains(&(x + dx)) && (0..height as i32).contains(&(y + dy)))
            .collect();
        let at = |dx: i32, dy: i32| {
            let column = (x + dx).clamp(0, width as i32 - 1) as usize;
            (y + dy).clamp(0, height as i32 - 1) as usize * width + column
        };
        let inner: Vec<Rgb> = spot.iter().map(|(dx, dy)| light[at(-dx * 3, -dy * 3)]).collect();
        for ((dx, dy), color) in spot.into_iter().zip(inner) {
            let edge = ((dx * dx + dy * dy) as f32 / (radius * radius) as f32).min(1.0);
            let pixel = &mut light[at(dx, dy)];
            (0..3).for_each(|i| pixel[i] += (color[i] * (1.0 - 0.35 * edge) - pixel[i]) * 0.55 * (1.0 - edge * edge));
        }
    }
}
