//! Turns samples into light, and light into the bytes of an image.

use nalgebra::Vector3;

use super::draw::{Drawn, Lamp, Picture};
use super::ground::Ground;
use super::light::{HEADLIGHT_COLOR, LAMP_COLOR, LampLight, Lighting, headlights, mixed};
use super::look::Rgb;
use super::mesh::Pattern;
use super::noise::{Noise, quick};
use super::raster::{FAR_M, FIRST_FACE, GROUND, SKY, Samples, shading};
use super::semantics;
use super::view::{SAMPLES, View};
use super::{NO_INSTANCE, Truth};

/// Everything that light depends on.
pub(super) struct Developer<'a> {
    pub view: &'a View,
    pub lighting: &'a Lighting,
    pub lamp_light: &'a LampLight,
    pub ground: &'a Ground,
    pub picture: &'a Picture<'a>,
}

/// A picture as light, with what is known of each pixel.
pub(super) struct Film {
    pub light: Vec<Rgb>,
    pub truth: Option<Truth>,
    /// For each item the samples in which it is seen.
    pub visible: Vec<u32>,
}

/// One surface within a pixel.
#[derive(Clone, Copy)]
struct Piece {
    face: u32,
    count: u32,
    nearness: f32,
}

impl Developer<'_> {
    /// Shades every pixel: each of its surfaces once, weighed by its samples.
    pub fn develop(&self, samples: &Samples, with_truth: bool) -> Film {
        let (width, height) = (self.view.width, self.view.height);
        let mut light = Vec::with_capacity(width * height);
        let mut truth = with_truth.then(|| Truth::empty(width * height));
        let [a, b, c] = self.view.ground_plane();
        let finer = SAMPLES as f64;
        let ground = Vector3::new((a * finer) as f32, (b * finer) as f32, c as f32);
        let mut visible = vec![0; self.picture.items.len()];
        // For wet ground: in which row of each column something last stood above the ground.
        let mut last_body = vec![0_usize; width];
        for y in 0..height {
            for x in 0..width {
                let (mut pieces, count) = pieces(samples, x, y);
                let pieces = &mut pieces[..count];
                let ground_near = ground.x * (x as f32 + 0.5) + ground.y * (y as f32 + 0.5) + ground.z;
                let grounds = pieces.iter_mut().filter(|piece| (GROUND..FIRST_FACE).contains(&piece.face));
                grounds.for_each(|piece| piece.nearness = ground_near.max(1.0 / FAR_M));
                let pieces = &*pieces;
                let ray = self.view.ray(x as f32 + 0.5, y as f32 + 0.5);
                let mut sum = [0.0; 3];
                let mut most = pieces[0];
                let mut kind = 0;
                for piece in pieces {
                    let (mut color, shown) = self.shade(piece, &ray);
                    let glancing = (1.0 + ray.z / ray.norm()).powi(4);
                    let mirror = match shown {
                        semantics::WATER => 0.2 + 0.5 * glancing,
                        _ => self.lighting.wetness * (0.08 + 0.6 * glancing),
                    };
                    if (GROUND..FIRST_FACE).contains(&piece.face) && mirror > 0.0 {
                        let mirrored = self.mirrored(&light, &last_body, x, y, &ray);
                        color = mixed(color, mirrored, mirror);
                    }
                    let weight = piece.count as f32 / (SAMPLES * SAMPLES) as f32;
                    (0..3).for_each(|i| sum[i] += color[i] * weight);
                    if piece.face >= FIRST_FACE {
                        visible[self.face(piece.face).item as usize] += piece.count;
                    }
                    if piece.count > most.count || kind == 0 {
                        (most, kind) = (*piece, shown);
                    }
                }
                if most.face >= FIRST_FACE || most.face == SKY {
                    last_body[x] = y;
                }
                light.push(sum);
                if let Some(truth) = &mut truth {
                    truth.depth_m.push(if most.nearness > 0.0 { 1.0 / most.nearness } else { f32::INFINITY });
                    truth.semantics.push(kind);
                    let item =
                        (most.face >= FIRST_FACE).then(|| self.picture.items[self.face(most.face).item as usize]);
                    truth.instance.push(item.map_or(NO_INSTANCE, |item| item.instance));
                }
            }
        }
        self.picture.lamps.iter().for_each(|lamp| self.shine(lamp, samples, &mut light));
        Film { light, truth, visible }
    }

    fn face(&self, face: u32) -> &Drawn {
        &self.picture.faces[(face - FIRST_FACE) as usize]
    }

    /// Light that comes along a ray from a surface, through the air, and what it is.
    fn shade(&self, piece: &Piece, ray: &Vector3<f32>) -> (Rgb, u8) {
        if piece.face == SKY {
            return (self.lighting.sky_at(ray), semantics::SKY);
        }
        let depth_m = 1.0 / piece.nearness;
        let at = self.view.eye.cast::<f32>() + ray * depth_m;
        let (color, kind) = if piece.face < FIRST_FACE {
            self.ground(piece.face, &at, ray, depth_m)
        } else {
            let face = self.face(piece.face);
            (self.body(face, &at, depth_m), self.picture.items[face.item as usize].semantics)
        };
        let through = self.lighting.through(depth_m * ray.norm());
        (mixed(self.lighting.air, color, through), kind)
    }

    fn ground(&self, face: u32, at: &Vector3<f32>, ray: &Vector3<f32>, depth_m: f32) -> (Rgb, u8) {
        let wide_m = depth_m / self.view.focal_px;
        let height_m = (self.view.eye.z - self.view.ground_m).max(0.1) as f32;
        let flat = ray.xy().norm().max(1e-6);
        let long_m = wide_m * depth_m * ray.norm() / height_m;
        let along = ray.xy() / flat;
        let (albedo, kind) = self.ground.look_at(at.x, at.y, wide_m, long_m, along);
        let (in_shadow, contact) = shading(face);
        let lighting = self.lighting;
        let sun = if in_shadow { 0.0 } else { lighting.to_sun.z.max(0.0) };
        let open = [1.0_f32, 0.72, 0.5, 0.25][contact as usize & 3];
        let mut light: Rgb = std::array::from_fn(|i| lighting.sun[i] * sun * open.max(0.6) + lighting.sky[i] * open);
        if lighting.lamps > 0.0 {
            let dark = self.night(at);
            let returned = if kind == semantics::MARKING { 1.8 } else { 1.0 };
            (0..3).for_each(|i| light[i] += dark[i] * returned * open.max(0.5));
        }
        let dry = 1.0 - 0.45 * lighting.wetness;
        (std::array::from_fn(|i| albedo[i] * light[i] * dry), kind)
    }

    /// What lamps and headlights give to a place.
    fn night(&self, at: &Vector3<f32>) -> Rgb {
        let in_ego =
            self.view.ego_from_scene * nalgebra::Point3::new(f64::from(at.x), f64::from(at.y), f64::from(at.z));
        let head = headlights(in_ego.x as f32, in_ego.y as f32, in_ego.z as f32) * self.lighting.lamps;
        let lamp = self.lamp_light.at(at.x, at.y) * self.lighting.lamps;
        std::array::from_fn(|i| LAMP_COLOR[i] * lamp + HEADLIGHT_COLOR[i] * head)
    }

    fn body(&self, face: &Drawn, at: &Vector3<f32>, depth_m: f32) -> Rgb {
        if face.pattern == Pattern::Plain {
            return face.color;
        }
        let item = self.picture.items[face.item as usize];
        let scaled = |color: Rgb, by: f32| color.map(|value| value * by);
        let noise = Noise::get();
        let from_foot = at - item.foot.cast::<f32>();
        let (sin, cos) = (item.yaw_rad as f32).sin_cos();
        let (x, y) = (cos * from_foot.x + sin * from_foot.y, -sin * from_foot.x + cos * from_foot.y);
        let (across, up) = (if face.along_x { x } else { y }, from_foot.z);
        match face.pattern {
            Pattern::Plain => face.color,
            Pattern::Leaves => {
                let (u, v) = (at.x * 5.0 + at.z * 3.0, at.y * 5.0 + at.z * 4.0);
                let lump = noise.cloud(u, v) + 0.6 * noise.cloud(u * 3.1, v * 3.1) * (20.0 / depth_m).min(1.0);
                // Crowns are dark below and inside.
                let low = (up / item.size[2] as f32).clamp(0.0, 1.0);
                scaled(face.color, (0.55 + 0.55 * low + 1.3 * lump).max(0.12))
            }
            Pattern::Stripes => {
                let slanted = ((across + up) / 0.36).rem_euclid(1.0);
                if slanted < 0.5 { face.color } else { face.second }
            }
            Pattern::Slats => {
                let gap = (across / 0.22).rem_euclid(1.0) < 0.18;
                let blur = (depth_m / self.view.focal_px / 0.1).min(1.0);
                if gap { scaled(face.color, 0.35 + 0.5 * blur) } else { scaled(face.color, 1.0 - 0.12 * blur) }
            }
            Pattern::Windows => self.windows(face, item.seed, across, up, at, depth_m),
        }
    }

    /// A wall with windows in rows; some are lit in the dark.
    fn windows(&self, face: &Drawn, seed: u32, across: f32, up: f32, at: &Vector3<f32>, depth_m: f32) -> Rgb {
        let style = quick(seed);
        let part = |shift: u32| ((style >> shift) & 0xff) as f32 / 255.0;
        let (period_m, floor_m) = (1.9 + 2.2 * part(0), 2.9 + 0.6 * part(8));
        let (share_x, share_z) = (0.35 + 0.4 * part(16), 0.4 + 0.3 * part(24));
        let (column, floor) = ((across / period_m).floor(), (up / floor_m).floor());
        let (u, v) = (across / period_m - column, up / floor_m - floor);
        let inside = (share_x / 2.0 - (u - 0.5).abs()).min(share_z / 2.0 - (v - 0.52).abs());
        // Where windows become finer than pixels, wall and windows run into one.
        let pixel = depth_m / self.view.focal_px / period_m;
        let window = (inside / pixel.max(0.01) + 0.5).clamp(0.0, 1.0);
        let key = seed
            ^ quick(
                (column as i32 as u32).wrapping_mul(0x9e37) ^ (floor as i32 as u32) << 16 ^ u32::from(face.along_x),
            );
        let chance = (quick(key) >> 8) as f32 / (1 << 24) as f32;
        let lighting = self.lighting;
        let dirt = 1.0 + 0.1 * Noise::get().cloud(across * 4.0, up * 4.0);
        let mut wall = face.color.map(|value| value * dirt);
        // Panes mirror the sky, the upper floors more of it.
        let mirror = 0.10 + 0.16 * chance + (up * 0.008).min(0.12);
        let mut pane: Rgb = std::array::from_fn(|i| face.second[i] + lighting.sky[i] * mirror);
        if lighting.lamps > 0.0 {
            let dark = self.night(at);
            let low = 1.0 / (1.0 + (up / 7.0).powi(2));
            let albedo: Rgb = std::array::from_fn(|i| face.color[i] / lighting.sky[i].max(1e-3) * 0.5);
            (0..3).for_each(|i| wall[i] += (albedo[i] * dark[i] * low * 0.6).min(0.5));
            if chance > 0.72 {
                let warm = [0.55, 0.40, 0.20].map(|value: f32| value * (0.4 + 0.8 * part(4)) * lighting.lamps);
                pane = std::array::from_fn(|i| pane[i] + warm[i]);
            }
        }
        // The ground floor of some houses is a shop.
        if floor == 0.0 && part(12) > 0.6 {
            let shop = if v > 0.08 && v < 0.75 && u > 0.06 { 1.0 } else { 0.0 };
            return mixed(wall, pane, shop);
        }
        if floor < 0.0 { wall } else { mixed(wall, pane, window) }
    }

    /// What wet ground mirrors: the body that stands behind in the picture, or the sky.
    fn mirrored(&self, light: &[Rgb], last_body: &[usize], x: usize, y: usize, ray: &Vector3<f32>) -> Rgb {
        let foot = last_body[x];
        // Ripples draw reflections up and down.
        let ripple = (quick((x as u32) << 16 ^ y as u32) % 5) as usize;
        let above = (2 * foot + 1).checked_sub(y + ripple);
        match above.and_then(|row| light.get(row * self.view.width + x)) {
            Some(color) if above.is_some_and(|row| row < y) => *color,
            _ => self.lighting.sky_at(&Vector3::new(ray.x, ray.y, -ray.z)),
        }
    }

    /// Adds the shine of a lamp, if nothing hides it.
    fn shine(&self, lamp: &Lamp, samples: &Samples, light: &mut [Rgb]) {
        let to_samples = self.view.samples_from(&nalgebra::Matrix3x4::identity());
        let at = to_samples * lamp.place.push(1.0);
        if at.z < 0.5 {
            return;
        }
        let (u, v) = (at.x / at.z, at.y / at.z);
        if !(u >= 0.0 && v >= 0.0 && u < samples.width as f64 && v < samples.height as f64) {
            return;
        }
        let nearest = samples.nearness[v as usize * samples.width + u as usize];
        if f64::from(nearest) > 1.0 / (at.z - 0.5) {
            return;
        }
        let depth_m = at.z as f32;
        let radius = (lamp.radius_m * self.view.focal_px / depth_m).clamp(1.2, self.view.width as f32 / 12.0);
        let strength = self.lighting.through(depth_m);
        let (x, y) = ((u / SAMPLES as f64) as f32, (v / SAMPLES as f64) as f32);
        let reach = radius * 2.2;
        let rows = (y - reach).max(0.0) as usize..((y + reach) as usize + 1).min(self.view.height);
        for row in rows {
            let columns = (x - reach).max(0.0) as usize..((x + reach) as usize + 1).min(self.view.width);
            for column in columns {
                let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                let fall = (-(dx * dx + dy * dy) / (radius * radius) * 2.0).exp() * strength;
                let pixel = &mut light[row * self.view.width + column];
                (0..3).for_each(|i| pixel[i] += lamp.color[i] * fall);
            }
        }
    }
}

/// The different surfaces in a pixel.
#[inline]
fn pieces(samples: &Samples, x: usize, y: usize) -> ([Piece; SAMPLES * SAMPLES], usize) {
    let mut pieces = [Piece { face: 0, count: 0, nearness: 0.0 }; SAMPLES * SAMPLES];
    let mut count = 0;
    for row in 0..SAMPLES {
        let from = (y * SAMPLES + row) * samples.width + x * SAMPLES;
        for at in from..from + SAMPLES {
            let (face, nearness) = (samples.face[at], samples.nearness[at]);
            match pieces[..count].iter_mut().find(|piece| piece.face == face) {
                Some(piece) => {
                    piece.count += 1;
                    piece.nearness += nearness;
                }
                None => {
                    pieces[count] = Piece { face, count: 1, nearness };
                    count += 1;
                }
            }
        }
    }
    pieces[..count].iter_mut().for_each(|piece| piece.nearness /= piece.count as f32);
    (pieces, count)
}
